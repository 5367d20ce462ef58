"""The compiled search against the calls that it takes the place of: the same answers, whatever is asked."""

import logging
import platform
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearimage.domain.objects import Matrix, Vector
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import exact_distances
from nearimage.engines.embedded import EmbeddedEngine, engine
from nearimage.engines.embedded.ann import Coverage, Source, VectorIndex, build
from nearimage.engines.embedded.ann.kernel import KERNEL, METRICS, Failed, Found, Kernel, Question
from nearimage.engines.embedded.ann.walking import sure

COUNT, DIMS = 3000, 70
RECALL = 0.99
ALL = 1e9

needs_kernel = pytest.mark.skipif(KERNEL is None, reason="no compiler, or a processor without AVX2 and FMA")


def test_the_kernel_is_there_where_it_can_be() -> None:
    """Without it everything works, in twice the time: nobody would notice that it was left out of an installation."""
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    if not (shutil.which("cc") and platform.machine() == "x86_64" and {"avx2", "fma"} <= set(flags)):
        pytest.skip("no compiler here, or a processor without AVX2 and FMA")
    assert KERNEL is not None


def test_a_library_that_is_none_is_not_used(tmp_path: Path) -> None:
    """Half a file of an interrupted installation must not keep a database from opening."""
    (tmp_path / "lib.so").write_bytes(b"\x7fELF")
    with pytest.raises(OSError, match=r"lib\.so"):
        Kernel(tmp_path / "lib.so")


def test_a_database_without_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever wonders why searches take long finds the reason in the log."""
    monkeypatch.setattr(engine, "KERNEL", None)
    with caplog.at_level(logging.INFO):
        EmbeddedEngine(tmp_path / "data").close()
    assert "without the compiled kernel" in caplog.text


@needs_kernel
@pytest.mark.parametrize("metric", METRICS)
@given(dims=st.integers(1, 70), seed=st.integers(0, 99))
@settings(deadline=None)
def test_distances_are_the_exact_ones(metric: Metric, dims: int, seed: int) -> None:
    """Every length, with a rest and without; and of equal vectors the same wherever they stand, or pages would not fit together."""
    assert KERNEL
    rng = np.random.default_rng(seed)
    matrix, query = rng.standard_normal((20, dims), np.float32), rng.standard_normal(dims, np.float32)
    matrix[7] = matrix[13]
    matrix[3], matrix[4] = 0, query
    slots = rng.permutation(20)

    got = KERNEL.measure(metric, matrix, slots, query)

    assert got == pytest.approx(exact_distances(metric, matrix[slots], query), rel=1e-6, abs=1e-7)
    at = {slot: place for place, slot in enumerate(slots.tolist())}
    assert got[at[7]] == got[at[13]]
    assert metric is Metric.DOT or got[at[4]] == 0


@needs_kernel
@pytest.mark.parametrize("metric", METRICS)
def test_the_largest_and_the_least_numbers_are_measured_as_numpy_does(metric: Metric) -> None:
    """Vectors come from users; infinity in a distance is an answer, a crash is none."""
    assert KERNEL
    matrix = np.array([[3e38, -3e38, 3e38], [1e-45, 0, 0], [1, 2, 3]], np.float32)
    for query in matrix:
        expected = exact_distances(metric, matrix, query)
        assert KERNEL.measure(metric, matrix, np.arange(3), query) == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.fixture(scope="module", params=list(METRICS), ids=lambda metric: metric.value)
def index(request: pytest.FixtureRequest) -> tuple[VectorIndex, Matrix]:
    """Clusters, and an index of them."""
    rng = np.random.default_rng(4)
    vectors = (rng.standard_normal((60, DIMS))[rng.integers(0, 60, COUNT)] + 0.4 * rng.standard_normal((COUNT, DIMS))).astype(np.float32)
    source = Source(metric=request.param, matrix=vectors, norms=np.linalg.norm(vectors, axis=1), slots=np.arange(COUNT), seen=COUNT, revision=1)
    made = build(source, RECALL, lambda: False)
    assert made is not None
    return made, vectors


@needs_kernel
@pytest.mark.parametrize("large", [1.0, 1e6])
def test_a_query_is_placed_as_numpy_places_it(index: tuple[VectorIndex, Matrix], large: float) -> None:
    """Centres and directions are kept with half of the bits: more than the codes tell apart, but not to be lost where numbers are large."""
    made, vectors = index
    scaled = replace(made, projection=replace(made.projection, mean=made.projection.mean * np.float32(large))) if large > 1 else made
    counts = np.bincount(made.homes[:300], minlength=made.codes.lists)
    for query in vectors[::300] * np.float32(large):
        squared = float(query @ query)
        projected, energy = scaled.prepare(query, squared)
        nearness = made.codes.nearness(projected)
        got = Coverage(scaled).place(query, squared, counts)
        size = float(np.abs(projected).max())
        assert got.projected == pytest.approx(projected, rel=1e-2, abs=2e-3 * size)
        assert got.energy == pytest.approx(energy, rel=1e-2)
        assert got.squared == pytest.approx(float(projected @ projected), rel=1e-2)
        assert got.nearness == pytest.approx(nearness, rel=1e-2, abs=2e-3 * float(np.abs(nearness).max()))
        assert sorted(got.lists.tolist()) == np.flatnonzero(counts).tolist()
        assert (np.diff(got.nearness[got.lists]) <= 0).all()
        assert len(Coverage(scaled).place(query, squared, None).lists) == made.codes.lists


def asked(index: VectorIndex, query: Vector, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None" = None, **changes: Any) -> Question:
    """A question for ten, which looks at all lists unless it is changed."""
    counts = None if mask is None else np.bincount(index.homes[np.flatnonzero(mask)], minlength=index.codes.lists)
    placed = index.place(query, float(query @ query), counts)
    question = Question(
        placed=placed,
        vector=query,
        allowed=None if mask is None else np.packbits(mask, bitorder="little"),
        missed=None,
        wanted=10,
        needed=10,
        asked=COUNT,
        first=COUNT,
        sure=sure(len(placed.lists)),
        is_last=False,
        rank=10,
        reach=float("inf"),
        tolerated=0.02,
        noise=0.0,
    )
    return question._replace(**changes)


def answer(index: VectorIndex, vectors: Matrix, question: Question) -> Found | Failed:
    assert KERNEL
    return KERNEL.search(index.codes.lying(), index.metric, vectors, question)


def found_by(got: Found | Failed) -> list[int]:
    """The slots, in order."""
    assert not isinstance(got, Failed)
    return sorted(got[0].tolist())


@needs_kernel
@pytest.mark.parametrize("share", [1.0, 0.5, 0.01])
def test_with_all_lists_and_candidates_it_finds_what_is_nearest(index: tuple[VectorIndex, Matrix], share: float) -> None:
    """Bitmap, lists, blocks that are not full, and the last block: nothing may be passed over, and nothing found that does not pass."""
    made, vectors = index
    rng = np.random.default_rng(8)
    for query in vectors[:: COUNT // 20] + 0.1 * rng.standard_normal((20, DIMS)).astype(np.float32):
        mask = rng.random(COUNT) < share
        distances = exact_distances(made.metric, vectors, query)
        nearest = np.flatnonzero(mask)[np.argsort(distances[mask], kind="stable")][:10]
        assert found_by(answer(made, vectors, asked(made, query, mask))) == sorted(nearest.tolist())


@needs_kernel
def test_fewer_candidates_and_lists_find_what_the_calls_find(index: tuple[VectorIndex, Matrix]) -> None:
    """The same rules by two programs: they round differently, so a candidate in a hundred may differ, and the lists of one query in many."""
    made, vectors = index
    same = total = 0
    for query in vectors[::50]:
        question = asked(made, query, asked=60, first=60, needed=1, wanted=60, reach=3.0)
        slots, _ = made.find(question.placed, candidates=60, rank=10, reach=3.0, allowed=None)
        nearest = slots[np.argsort(exact_distances(made.metric, vectors[slots], query), kind="stable")][:10]
        got = answer(made, vectors, question._replace(wanted=10, needed=10))
        if not isinstance(got, Failed):  # doubted: the calls are asked the same in test_embedded_vector_indexes.py
            same, total = same + len(set(got[0].tolist()) & set(nearest.tolist())), total + 10
    assert total > 100
    assert same >= 0.99 * total


@needs_kernel
def test_slots_beside_the_index_are_measured_too(index: tuple[VectorIndex, Matrix]) -> None:
    """What was written a moment ago is not in the index yet."""
    made, vectors = index
    mask = np.ones(COUNT, np.bool_)
    mask[:40] = False
    question = asked(made, vectors[5], mask, missed=np.arange(40), wanted=1, needed=1)
    assert 5 in found_by(answer(made, vectors, question)) or made.metric is Metric.DOT


@needs_kernel
def test_all_that_are_as_near_as_the_last_hit_are_given(index: tuple[VectorIndex, Matrix]) -> None:
    """Copies of one picture are told apart by their ids, by whoever asked."""
    made, vectors = index
    copies = vectors.copy()
    copies[100:130] = copies[99]
    got = answer(made, copies, asked(made, vectors[99], wanted=5, needed=5, missed=np.arange(99, 130)))
    assert not isinstance(got, Failed)
    if made.metric is not Metric.DOT:
        assert set(range(99, 130)) <= set(got[0].tolist())


@needs_kernel
def test_it_says_when_there_are_too_few(index: tuple[VectorIndex, Matrix]) -> None:
    """Then lists are looked at that were left out."""
    made, vectors = index
    mask = np.zeros(COUNT, np.bool_)
    mask[:7] = True
    assert answer(made, vectors, asked(made, vectors[0], mask)) is Failed.TOO_FEW
    assert found_by(answer(made, vectors, asked(made, vectors[0], mask, needed=7))) == list(range(7))
    nothing = asked(made, vectors[0], np.zeros(COUNT, np.bool_), needed=1)
    assert len(nothing.placed.lists) == 0
    assert answer(made, vectors, nothing) is Failed.TOO_FEW
    assert found_by(answer(made, vectors, nothing._replace(missed=np.array([4, 9]), wanted=2))) == [4, 9]


@needs_kernel
def test_it_doubts_candidates_whose_codes_are_wrong(index: tuple[VectorIndex, Matrix]) -> None:
    """Of vectors that are not those of the codes nothing can be said by the codes; a hit may stand anywhere."""
    made, vectors = index
    others = np.random.default_rng(1).permutation(vectors)
    question = asked(made, vectors[0], asked=64, first=32)
    assert answer(made, others, question) is Failed.TOO_SHALLOW
    assert len(found_by(answer(made, others, question._replace(is_last=True)))) >= 10


@needs_kernel
def test_slots_that_are_not_stored_are_passed_over(index: tuple[VectorIndex, Matrix]) -> None:
    """An index may know slots that a state does not; reading beyond the vectors would end the process."""
    made, vectors = index
    got = answer(made, vectors[: COUNT // 2], asked(made, vectors[0]))
    assert max(found_by(got)) < COUNT // 2


@needs_kernel
def test_arrays_with_gaps_are_refused() -> None:
    """It is given addresses: of every second number it would read the others too."""
    assert KERNEL
    with pytest.raises(ValueError, match="contiguous"):
        KERNEL.measure(Metric.DOT, np.ones((4, 8), np.float32), np.arange(8)[::2], np.ones(8, np.float32))
