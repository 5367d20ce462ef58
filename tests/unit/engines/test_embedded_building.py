"""How an index follows data that grows: what is kept, what is made anew, and when it is measured."""

from functools import partial

import numpy as np
import pytest

from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Metric
from nearimage.engines.embedded.ann import Bitmap, Coverage, Exact, Plan, Source, VectorIndex, build, extend, is_measured, renew
from nearimage.engines.embedded.ann.walking import deviations, in_order, sure

DIMS, KEPT = 256, 100
RECALL = 0.99


def vectors_in(first: int, count: int, *, seed: int) -> Matrix:
    """Vectors that use a hundred of the dimensions, from one on, and a little of the others."""
    rng = np.random.default_rng(seed)
    found = 0.05 * rng.standard_normal((count, DIMS))
    found[:, first : first + KEPT] += rng.standard_normal((count, KEPT))
    return found.astype(np.float32)


def source(vectors: Matrix) -> Source:
    """All of them, as of one commit."""
    norms = np.linalg.norm(vectors, axis=1)
    return Source(metric=Metric.L2_SQUARED, matrix=vectors, norms=norms, slots=np.arange(len(vectors)), seen=len(vectors), revision=len(vectors))


def built(vectors: Matrix) -> VectorIndex:
    index = build(source(vectors), RECALL, never)
    assert index is not None
    return index


def from_slot(first: int, count: int) -> Bitmap:
    """The slots from one on."""
    return np.packbits(np.arange(count) >= first, bitorder="little")


def never() -> bool:
    return False


def always() -> bool:
    return True


@pytest.fixture(scope="module")
def alike() -> Matrix:
    return vectors_in(0, 4000, seed=1)


@pytest.fixture(scope="module")
def small(alike: Matrix) -> VectorIndex:
    """An index of the first thousand."""
    return built(alike[:1000])


def test_more_of_the_same_data_gets_more_lists_and_keeps_the_directions(alike: Matrix, small: VectorIndex) -> None:
    """Finding directions and points anew takes a quarter of a build and changes nothing; an import would pay it at every threefold growth."""
    renewed = renew(small, source(alike), RECALL, never)
    assert renewed is not None
    assert renewed.projection is small.projection
    assert renewed.codes.points().tolist() == small.codes.points().tolist()
    assert renewed.codes.lists == 2 * small.codes.lists
    assert len(renewed.codes) == renewed.trained_on == 4000
    assert is_measured(renewed)
    assert renewed.setting(RECALL).open.recall >= RECALL


def test_other_data_gets_other_directions(small: VectorIndex) -> None:
    """Who imports drawings first and photographs afterwards must not search photographs by what sets drawings apart."""
    assert renew(small, source(vectors_in(DIMS - KEPT, 4000, seed=2)), RECALL, never) is None


def test_an_index_that_will_be_extended_at_once_is_not_measured_until_there_is_time(alike: Matrix, small: VectorIndex) -> None:
    """Measuring takes as long as adding; in the middle of an import its figures hold for a second, but the last ones must be true."""
    longer = extend(small, source(alike[:2000]), from_slot(1000, 2000), never, goes_on=always)
    assert longer.vectors == 2000
    assert longer.tuning is small.tuning
    assert longer.measured_on == 1000
    again = extend(longer, source(alike[:2100]), from_slot(2000, 2100), never)
    assert again.tuning is not small.tuning
    assert again.measured_on == 2100


def test_an_index_measured_by_few_queries_is_measured_well_by_the_next_extension(alike: Matrix, small: VectorIndex) -> None:
    """Thirty queries tell about how many candidates are needed, not a recall that a user could be told for long."""
    passing = renew(small, source(alike[:3500]), RECALL, never, goes_on=always)
    assert passing is not None
    assert not is_measured(passing)
    following = extend(passing, source(alike[:3510]), from_slot(3500, 3510), never)
    assert is_measured(following)
    assert following.measured_on == 3510


def test_lists_are_looked_at_from_the_nearest_on(alike: Matrix, small: VectorIndex) -> None:
    """The nearest lists have most of the hits; whoever meets these last keeps and throws away hundreds of candidates before."""
    prepared, _ = small.prepare(alike[7], 1.0)
    nearness = small.codes.nearness(prepared)
    lists = in_order(nearness, None)
    assert sorted(lists.tolist()) == list(range(small.codes.lists))
    assert (np.diff(nearness[lists]) <= 0).all()
    assert (sure(len(lists)) - 1) ** 2 < small.codes.lists <= sure(len(lists)) ** 2


def test_lists_of_which_nothing_passes_are_left_out(alike: Matrix, small: VectorIndex) -> None:
    """A filter for one kind of picture leaves most lists empty; looking at them finds nothing."""
    prepared, _ = small.prepare(alike[7], 1.0)
    counts = np.zeros(small.codes.lists, np.int64)
    counts[[2, 5]] = 3
    assert sorted(in_order(small.codes.nearness(prepared), counts).tolist()) == [2, 5]


def test_what_lists_may_hold_agrees_with_what_they_hold(alike: Matrix, small: VectorIndex) -> None:
    """Lists are left out because of it: members that are nearer than it says would be lost for a search, whatever else is tuned."""
    projected = small.projection.apply(alike[:1000])
    nearer = []
    for query in projected[::50]:
        nearness = small.codes.nearness(query)
        distances = np.square(projected - query).sum(axis=1)
        needed = [deviations(nearness, float(query @ query), limit, small.codes) for limit in distances]
        nearer += [float(one[home]) for one, home, distance in zip(needed, small.homes[:1000], distances, strict=True) if distance > 0]
    assert abs(np.mean(nearer)) < 0.1  # a member is as far away as its list says, on average
    assert np.quantile(nearer, 0.999) < 6
    assert np.std(nearer) < 1.5


def test_searches_that_are_alike_are_planned_once_and_few_plans_are_kept(small: VectorIndex) -> None:
    """Every commit changes how many vectors there are, and an index lives through thousands of them."""
    coverage, planned = Coverage(small), list[int]()

    def decide(number: int) -> Plan:
        planned.append(number)
        return Exact()

    for number in (*range(1000), 999, 999):
        coverage.plan(("alike", number), partial(decide, number))
    assert planned == list(range(1000))
    coverage.plan(("alike", 0), partial(decide, 0))
    assert planned[-1] == 0
