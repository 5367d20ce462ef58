"""The approximate index in a shard: found by it, kept up by it, lost without harm.

Thresholds are low here, so that hundreds of vectors take the paths that hundreds of thousands take; recall at real sizes is measured by bench/engine_ann.py.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.objects import IDS_ONLY, Matrix, Record, Vector
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.domain.vectors import exact_distances
from nearimage.engines.embedded import EmbeddedEngine, nearest, scan
from nearimage.engines.embedded.ann import Thresholds, vector_index
from nearimage.engines.embedded.background import Stop
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.ports.engine_answers import Nearest
from nearimage.ports.engine_stats import VectorIndexStats
from nearimage.testing.engine_examples import uid
from tests.waiting import eventually

DIMS = 48


@pytest.fixture(autouse=True, params=["kernel", "calls"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the compiled kernel, where there is one, and as it is without."""
    if request.param == "calls":
        for module in (nearest, scan, vector_index):
            monkeypatch.setattr(module, "KERNEL", None)


LOW = Thresholds(index_from=600, index_ns=30 * DIMS, delta=100)
INDEX = "vector-000.index"


def clustered(count: int, *, seed: int = 1, dims: int = DIMS) -> Matrix:
    """Vectors in 30 clusters, as pictures of 30 things would lie."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((30, dims))
    return (centres[rng.integers(0, 30, count)] + 0.6 * rng.standard_normal((count, dims))).astype(np.float32)


@dataclass
class Stored:
    """A database with one collection, and what is in it."""

    folder: Path
    config: VectorConfig = field(default_factory=lambda: VectorConfig(name="v"))
    vectors: dict[int, Vector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = EmbeddedEngine(self.folder, thresholds=LOW)
        self.engine.create_collection(Collection(name="Photo", properties=(Property(name="n", data_type=DataType.INT),), vectors=(self.config,)))

    @property
    def shard(self) -> EmbeddedShard:
        return self.engine.shard("Photo")

    def put(self, vectors: Matrix, first: int = 0) -> None:
        numbered = dict(enumerate(vectors, first))
        self.shard.put([Record(id=uid(number), properties={"n": number}, vectors={"v": vector}) for number, vector in numbered.items()])
        self.vectors |= numbered

    def delete(self, numbers: list[int]) -> None:
        self.shard.delete([uid(number) for number in numbers])
        for number in numbers:
            del self.vectors[number]

    def settle(self) -> VectorIndexStats:
        """Wait for the background; how the vector is searched then."""
        shard = self.shard  # opens it
        assert self.engine.background.wait(60)
        assert self.engine.background.failures() == {}
        return shard.stats().indexes["v"]

    def reopen(self) -> None:
        self.engine.close()
        self.engine = EmbeddedEngine(self.folder, thresholds=LOW)

    def find(self, query: Vector, *, limit: int = 10, where: Filter | None = None) -> Nearest:
        return self.shard.nearest("v", query, limit=limit, offset=0, where=where, max_distance=None, projection=IDS_ONLY)

    def recall(self, queries: Matrix, *, where: Filter | None = None, passing: set[int] | None = None) -> float:
        """Of the ten nearest by distance, the share that is found; checks on the way that distances are true, and that nothing else is found."""
        numbers = sorted(self.vectors.keys() if passing is None else self.vectors.keys() & passing)
        matrix, place = np.stack([self.vectors[number] for number in numbers]), {number: at for at, number in enumerate(numbers)}
        hits = 0
        for query in queries:
            found = self.find(query, where=where)
            got = [record.id.int for record in found.records]
            assert len(got) == min(10, len(numbers))
            assert set(got) <= set(numbers)
            measured = exact_distances(self.config.metric, matrix, query)
            assert measured[[place[number] for number in got]].tolist() == found.distances.tolist()
            bound = np.sort(measured)[len(got) - 1]
            hits += int(np.count_nonzero(found.distances <= bound))
        return hits / (len(queries) * min(10, len(numbers)))


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    """An empty database with low thresholds."""
    stored = Stored(tmp_path)
    yield stored
    stored.engine.close()


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT, Metric.L2_SQUARED])
def test_many_vectors_are_found_by_an_index_at_every_width_of_a_filter(tmp_path: Path, metric: Metric) -> None:
    """A filter must never cost recall: neither a random one, nor one that follows the vectors."""
    stored = Stored(tmp_path, VectorConfig(name="v", metric=metric))
    stored.put(clustered(3000))
    stats = stored.settle()
    assert stats.kind.startswith("fastscan")
    assert (stats.vectors, stats.indexed, stats.state) == (3000, 3000, "ready")
    assert stats.recall is not None
    assert stats.recall >= 0.99
    queries = clustered(25, seed=2)
    assert stored.recall(queries) >= 0.99
    for count in (1500, 300, 30, 3):
        assert stored.recall(queries, where=Compare("n", Operator.LESS_THAN, count), passing=set(range(count))) >= 0.99
    stored.engine.close()


def test_a_filter_that_follows_the_vectors_loses_nothing(stored: Stored) -> None:
    """Only dogs asked for near a cat: the lists around the query hold nothing that passes."""
    vectors = clustered(3000)
    along = vectors @ vectors[0]
    order = np.argsort(along)  # numbers ascend along a direction, so a range of them is a half-space
    stored.put(vectors[order])
    stored.settle()
    for count in (1500, 300):
        assert stored.recall(clustered(40, seed=3), where=Compare("n", Operator.LESS_THAN, count), passing=set(range(count))) >= 0.99
        assert stored.recall(vectors[order][-40:], where=Compare("n", Operator.LESS_THAN, count), passing=set(range(count))) >= 0.99


def test_copies_do_not_make_the_index_sure_of_itself(stored: Stored) -> None:
    """All candidates of a search may be one picture, of whose copies every code is wrong by the same: that says nothing of other pictures."""
    rng = np.random.default_rng(1)
    pictures = rng.standard_normal((150, DIMS)).astype(np.float32)
    along = pictures[np.argsort(pictures @ pictures[0])]
    stored.put(np.repeat(along, 20, axis=0))  # a range of numbers is a half-space
    stored.settle()
    assert stored.recall(along[-60:], where=Compare("n", Operator.LESS_THAN, 1500), passing=set(range(1500))) >= 0.98


def test_queries_unlike_any_vector_are_looked_for_farther_down(stored: Stored) -> None:
    """A sentence lies away from all pictures, nearly as far from one as from another."""
    stored.put(clustered(3000))
    stored.settle()
    assert stored.recall(np.random.default_rng(2).standard_normal((40, DIMS)).astype(np.float32)) >= 0.98


def test_vectors_of_all_lengths_are_found_by_inner_products(tmp_path: Path) -> None:
    """Long vectors are the nearest to most queries, and their codes are the worst. Then nothing is left but to measure all."""
    stored = Stored(tmp_path, VectorConfig(name="v", metric=Metric.DOT))
    rng = np.random.default_rng(3)
    directions = rng.standard_normal((3040, DIMS)) @ rng.standard_normal((DIMS, DIMS))
    vectors = (directions / np.linalg.norm(directions, axis=1, keepdims=True) * rng.lognormal(0, 1, (3040, 1))).astype(np.float32)
    stored.put(vectors[:3000])
    stored.settle()
    assert stored.recall(vectors[3000:]) >= 0.99
    stored.engine.close()


def test_what_was_written_and_deleted_since_the_build_counts_at_once(stored: Stored) -> None:
    """Read your writes, also where the background has not caught up."""
    stored.put(clustered(1000))
    assert stored.settle().indexed == 1000
    stored.put(clustered(60, seed=5), first=1000)
    stored.put(clustered(20, seed=6), first=0)  # other vectors under old ids
    stored.delete(list(range(500, 540)))
    found = stored.find(stored.vectors[1010], limit=1)
    assert [record.id for record in found.records] == [uid(1010)]
    assert [record.id for record in stored.find(stored.vectors[7], limit=1).records] == [uid(7)]
    stats = stored.settle()
    assert (stats.vectors, stats.indexed) == (1020, 940)
    assert stored.recall(clustered(20, seed=7)) >= 0.99


def test_half_of_the_objects_replaced_or_deleted_leaves_recall_as_it_was(stored: Stored) -> None:
    """Tombstones ruin graphs; here the dead must not even be noticed."""
    stored.put(clustered(2000))
    stored.settle()
    stored.put(clustered(500, seed=8), first=0)
    stored.delete(list(range(500, 1000)))
    stats = stored.settle()
    assert stats.vectors == 1500
    assert stats.indexed >= 1500 - LOW.delta
    assert stored.recall(clustered(25, seed=9)) >= 0.99
    assert stored.recall(clustered(25, seed=9), where=Compare("n", Operator.LESS_THAN, 1200), passing=set(range(1200))) >= 0.99


def test_the_index_grows_with_the_data_and_goes_when_little_is_left(stored: Stored) -> None:
    """It is built once it pays, extended, trained anew after threefold growth, and dropped when scanning is cheaper."""
    stored.put(clustered(500))
    assert stored.settle().kind == "exact"
    stored.put(clustered(200, seed=2), first=500)
    assert stored.settle().indexed == 700
    stored.put(clustered(300, seed=3), first=700)
    assert stored.settle().indexed == 1000
    stored.put(clustered(1500, seed=4), first=1000)
    assert stored.settle().indexed == 2500
    assert stored.recall(clustered(20, seed=5)) >= 0.99
    stored.delete(list(range(200, 2500)))
    assert stored.settle().kind == "exact"
    assert stored.recall(clustered(20, seed=5)) == 1


def test_data_that_turns_into_other_data_is_found_all_the_same(stored: Stored) -> None:
    """An index follows growth with the directions that it has; where the new vectors have others, it must notice."""
    narrow = np.zeros((1000, DIMS), np.float32)
    narrow[:, : DIMS // 4] = np.random.default_rng(1).standard_normal((1000, DIMS // 4))
    stored.put(narrow)
    stored.settle()
    for first in range(1000, 5000, 250):
        stored.put(clustered(250, seed=first), first=first)
    stats = stored.settle()
    assert stats.indexed >= 5000 - LOW.delta
    assert stats.recall is not None
    assert stats.recall >= 0.99
    assert stored.recall(clustered(25, seed=5)) >= 0.99


def test_what_is_committed_while_the_background_looks_is_indexed_too(stored: Stored) -> None:
    """The list of written slots runs ahead of what is published; the background must not take that for seen."""
    stored.put(clustered(1000))
    stored.settle()
    shard, looks, written = stored.shard, threading.Event(), stored.shard._publication.state.vectors["v"].written

    def wait(_stop: Stop) -> None:
        assert looks.wait(30)

    stored.engine.background.submit("until a commit is under way", wait)
    stored.put(clustered(250, seed=2), first=1000)  # asks for the index, which waits its turn
    with shard._publication.lock:
        writer = threading.Thread(target=stored.put, args=(clustered(250, seed=3), 1250))
        writer.start()
        eventually("the last commit is ready to be published", lambda: len(written) == 1500)
        looks.set()
        assert stored.engine.background.wait(60)
    writer.join(30)
    assert stored.settle().indexed == 1500


def test_the_index_comes_back_from_its_file_with_what_was_written_later(stored: Stored) -> None:
    """Opening a million vectors must not build for ten seconds, and must not believe an old file about new vectors."""
    stored.put(clustered(1000))
    stored.settle()
    built = (stored.folder / "collections/c000001" / INDEX).read_bytes()
    stored.put(clustered(50, seed=5), first=1000)
    stored.put(clustered(20, seed=6), first=0)
    stored.delete(list(range(900, 950)))
    stored.reopen()
    assert stored.settle().indexed == 1000 - 20 - 50
    assert stored.recall(clustered(20, seed=7)) >= 0.99
    assert (stored.folder / "collections/c000001" / INDEX).read_bytes() == built


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "empty", "newer"])
def test_a_damaged_index_is_built_anew(stored: Stored, damage: str) -> None:
    """It is derived from the vectors; a flipped bit in it must cost time, never an answer."""
    stored.put(clustered(800))
    stored.settle()
    stored.engine.close()
    path = stored.folder / "collections/c000001" / INDEX
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[len(data) // 2] ^= 16
        path.write_bytes(data)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        data[8] = 250
        path.write_bytes(data)
    stored.reopen()
    assert stored.settle().indexed == 800
    assert stored.recall(clustered(10, seed=7)) >= 0.99
    assert len(path.read_bytes()) > 10_000


@pytest.mark.parametrize(
    "config",
    [
        VectorConfig(name="v", index_type="flat"),
        VectorConfig(name="v", index_settings={"skip": True}),
        VectorConfig(name="v", metric=Metric.MANHATTAN),
        VectorConfig(name="v", metric=Metric.HAMMING),
    ],
)
def test_flat_skipped_and_other_metrics_are_exact(tmp_path: Path, config: VectorConfig) -> None:
    """A user who asks for a flat index wants every vector measured."""
    stored = Stored(tmp_path, config)
    stored.put(clustered(1000))
    assert stored.settle().kind == "exact"
    assert stored.recall(clustered(3, seed=2)) == 1
    stored.engine.close()


def test_a_larger_ef_asks_for_more_recall(tmp_path: Path) -> None:
    """It is the one setting of the graph that users turn; it must turn something here."""
    told = {}
    for ef in (16, -1, 512):
        stored = Stored(tmp_path / str(ef), VectorConfig(name="v", index_settings={"ef": ef}))
        stored.put(np.random.default_rng(3).standard_normal((2000, DIMS)).astype(np.float32))
        told[ef] = stored.settle().recall
        stored.engine.close()
    assert told[16] is not None
    assert told[-1] is not None
    assert told[512] is not None
    assert told[16] < told[-1] <= told[512]
    assert told[16] >= 0.96


def test_vectors_that_no_code_can_stand_for_are_found_all_the_same(tmp_path: Path) -> None:
    """Squares that overflow, and dot products with huge vectors, must not poison the index of the others."""
    stored = Stored(tmp_path, VectorConfig(name="v", metric=Metric.L2_SQUARED))
    vectors = clustered(1000)
    vectors[5] *= 1e30
    stored.put(vectors)
    stats = stored.settle()
    assert (stats.vectors, stats.indexed) == (1000, 999)
    found = stored.find(vectors[5], limit=1)
    assert [record.id for record in found.records] == [uid(5)]
    assert stored.find(vectors[6], limit=1).records[0].id == uid(6)
    stored.engine.close()


def test_equal_vectors_need_no_directions(stored: Stored) -> None:
    """A thousand copies of one picture have no variance; training must not divide by it."""
    stored.put(np.ones((1000, DIMS), np.float32))
    stored.settle()
    found = stored.find(np.ones(DIMS, np.float32))
    assert found.distances.tolist() == [0] * 10
    assert len({record.id for record in found.records}) == 10


def test_pages_of_a_search_by_index_fit_together(stored: Stored) -> None:
    """Candidates differ with the number asked for; the first pages must be cut from the same ones."""
    stored.put(clustered(3000))
    stored.settle()
    query = clustered(1, seed=4)[0]
    whole = [record.id for record in stored.find(query, limit=40).records]
    pages = [stored.shard.nearest("v", query, limit=10, offset=first, where=None, max_distance=None, projection=IDS_ONLY) for first in (0, 10, 20, 30)]
    assert [record.id for page in pages[1:] for record in page.records] == whole[10:]
    assert len(stored.find(query, limit=3000).records) == 3000
