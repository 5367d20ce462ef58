"""Multi-vectors kept in memory are those that were stored, whoever brought them and in whatever order."""

import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Matrix, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.domain.vectors import max_sim_distance
from nearimage.engines.embedded import EmbeddedEngine, kept_matrices, multi_vectors
from nearimage.engines.embedded.cells import Ragged
from nearimage.engines.embedded.kept_matrices import UNKNOWN, KeptMatrices, Room

DIMS = 2


def matrix_of(row: int) -> Matrix:
    """A matrix that no other row has; every fourth row has none."""
    return np.array([[row, part] for part in range(row % 4)], np.float32).reshape(-1, DIMS)


@given(st.lists(st.sets(st.integers(0, 20), min_size=1), max_size=6), st.integers(0, 60), st.sets(st.integers(0, 20), min_size=1), st.booleans())
def test_what_is_kept_is_what_was_brought(brought: list[set[int]], most: int, asked: set[int], exactly: bool) -> None:
    """A search ranks by what is kept without looking again; what was rounded off is no more than is told."""
    kept = KeptMatrices(DIMS, exactly=exactly, room=Room(most * (4 * DIMS + 4 if exactly else 2 * 8 + 4)))
    live = np.ones(21, np.bool_)
    for some in map(sorted, brought):
        kept.learn(np.array(some), [matrix_of(row) for row in some], live)
    rows = np.array(sorted(asked))
    found = kept.of(rows)
    known = np.flatnonzero(found.starts != UNKNOWN)
    assert found.counts[known].tolist() == [row % 4 for row in rows[known].tolist()]
    assert len(found.numbers) == len(found.norms) <= most
    having = known[found.counts[known] > 0]
    if len(having):
        vectors, norms = found.stretch(having)
        stored = np.concatenate([matrix_of(row) for row in rows[having].tolist()])
        assert np.array_equal(norms, np.linalg.norm(stored, axis=1))
        assert (np.linalg.norm(vectors - stored, axis=1) <= (found.error + 1e-6) * norms).all()
        assert found.error == 0 if exactly else 0 <= found.error < 2**-11


def test_what_died_makes_room() -> None:
    """Else a collection whose objects change often would be read anew at each search, some day."""
    kept, rows = KeptMatrices(DIMS, exactly=True, room=Room(6 * (4 * DIMS + 4))), np.array([3, 7])
    live = np.ones(12, np.bool_)
    kept.learn(rows, [matrix_of(3), matrix_of(7)], live)
    live[rows] = False
    for _ in range(2):  # once to see that there is no room, once to be kept
        kept.learn(np.array([11]), [matrix_of(11)], live)
    assert kept.of(np.array([3, 7, 11])).counts.tolist() == [0, 0, 3]


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_vectors_that_float32_hardly_holds_are_left_out_alone(factor: float) -> None:
    """One of them among five hundred objects would have all of these read at each search."""
    kept, rows = KeptMatrices(DIMS, exactly=False), np.array([3, 5, 7])
    matrices = [matrix_of(3), matrix_of(5) * np.float32(factor), matrix_of(7)]
    assert kept.learn(rows, matrices, np.ones(12, np.bool_))
    assert kept.of(rows).counts.tolist() == [3, 0, 3]
    assert kept.of(rows).starts.tolist() == [0, UNKNOWN, 3]


def test_shards_share_what_there_is_for_all_of_them() -> None:
    """Each of many tenants would stay below a limit of its own."""
    room, live, one = Room(3 * (4 * DIMS + 4)), np.ones(12, np.bool_), np.array([3])
    first, second = KeptMatrices(DIMS, exactly=True, room=room), KeptMatrices(DIMS, exactly=True, room=room)
    first.learn(one, [matrix_of(3)], live)
    second.learn(one, [matrix_of(3)], live)
    assert (first.of(one).counts.tolist(), second.of(one).counts.tolist()) == ([3], [0])
    del first
    second.learn(one, [matrix_of(3)], live)
    assert second.of(one).counts.tolist() == [3]


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("room_bytes", [0, 500, 1 << 20])
def test_searches_rank_as_if_everything_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: Metric, room_bytes: int) -> None:
    """Objects that are replaced, deleted or without a multi-vector, under filters and without, all kept, some or none."""
    monkeypatch.setattr(kept_matrices, "_EVERYBODYS", Room(room_bytes))
    draw = np.random.default_rng(4)
    vectors = (VectorConfig(name="words", is_multi=True, metric=metric),)
    collection = Collection(name="Book", properties=(Property(name="number", data_type=DataType.INT, filterable=True),), vectors=vectors)
    query = draw.standard_normal((3, 4)).astype(np.float32)
    with closing(EmbeddedEngine(tmp_path)) as engine:
        engine.create_collection(collection)
        shard, stored = engine.shard("Book"), dict[int, Matrix | None]()
        for _ in range(6):
            for number in draw.integers(0, 60, 20).tolist():
                stored[number] = draw.standard_normal((number % 5 + 1, 4)).round(1).astype(np.float32) if number % 7 else None
            some = [number for number in stored if number % 5]
            shard.put([record(number, stored[number]) for number in some])
            shard.delete([UUID(int=number) for number in stored if not number % 5])
            for least in (0, 40, 7):
                where = Compare("number", Operator.GREATER_THAN_EQUAL, least)
                found = shard.nearest("words", query, limit=9, offset=0, where=where, max_distance=None, projection=IDS_ONLY)
                far = [(max_sim_distance(metric, matrix, query), n) for n in some if n >= least and (matrix := stored[n]) is not None]
                assert [(distance, one.id.int) for distance, one in zip(found.distances, found.records, strict=True)] == sorted(far)[:9]


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("compiled", [True, False])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_the_vectors_the_nearest_are_found(compiled: bool, metric: Metric, data: st.DataObject) -> None:
    """Zeros, lengths that float32 hardly holds, copies, any number of dimensions: what is rough must not decide."""
    dims, seed = data.draw(st.integers(1, 20)), data.draw(st.integers(0, 99))
    draw = np.random.default_rng(seed)
    scales = data.draw(st.lists(st.sampled_from([0.0, 1e-30, 1e-10, 1.0, 1.001, 1e8, 1e30]), min_size=1, max_size=4))

    def matrix(rows: int) -> Matrix:
        return np.asarray(draw.integers(-2, 3, (rows, dims)) * draw.choice(scales, (rows, 1)), np.float32)

    collection = Collection(name="Book", vectors=(VectorConfig(name="words", is_multi=True, metric=metric),))
    stored, query = {number: matrix(number % 6 + 1) for number in range(40)}, matrix(data.draw(st.integers(1, 9)))
    with TemporaryDirectory() as folder, closing(EmbeddedEngine(Path(folder))) as engine, pytest.MonkeyPatch.context() as monkeypatch:
        if not compiled:
            monkeypatch.setattr(multi_vectors, "KERNEL", None)
            monkeypatch.setattr(kept_matrices, "KERNEL", None)
        engine.create_collection(collection)
        shard = engine.shard("Book")
        shard.put([record(number, one) for number, one in stored.items()])
        far = sorted((max_sim_distance(metric, one, query), number) for number, one in stored.items())
        for _ in range(2):  # read, and then kept
            found = shard.nearest("words", query, limit=9, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
            assert [(distance, one.id.int) for distance, one in zip(found.distances, found.records, strict=True)] == far[:9]


def record(number: int, matrix: Matrix | None) -> Record:
    """A book."""
    vectors = {} if matrix is None else {"words": matrix}
    return Record(id=UUID(int=number), created_ms=0, updated_ms=0, properties={"number": number}, vectors=vectors)


@given(st.lists(st.integers(0, 30)).map(sorted), st.sets(st.integers(0, 30)))
def test_entries_of_arrays_are_taken_alike_by_counting_and_by_looking_up(owners: list[int], asked: set[int]) -> None:
    """Of many rows they are counted, of few they are looked up."""
    rows = np.array(sorted(asked), np.int64)
    values, found = Ragged(np.arange(len(owners)), np.array(owners, np.int64)).take(rows)
    expected = [(place, owner) for place, owner in enumerate(owners) if owner in asked]
    assert list(zip(values.tolist(), found.tolist(), strict=True)) == expected


def test_threads_that_bring_the_same_keep_it_once() -> None:
    """Searches that begin together read the same."""
    kept, rows = KeptMatrices(DIMS, exactly=False), np.arange(40)
    bring = [threading.Thread(target=kept.learn, args=(rows, [matrix_of(row) for row in range(40)], np.ones(40, np.bool_))) for _ in range(4)]
    for thread in bring:
        thread.start()
    for thread in bring:
        thread.join()
    assert len(kept.of(rows).numbers) == sum(row % 4 for row in range(40))
