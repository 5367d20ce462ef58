"""Several targets become one ranking."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from nearimage.domain.query import Combination
from nearimage.service.combination import TargetDistances, combine_targets

A, B, C = (UUID(int=number).bytes for number in (1, 2, 3))


def target(found: Mapping[bytes, float], measured: Mapping[bytes, float] | None = None, weight: float = 1.0) -> TargetDistances:
    return TargetDistances(weight=weight, found=found, measured=measured or {})


TITLE = target({A: 0.1, B: 0.4})
IMAGE = target({C: 0.2, B: 0.3}, {A: 0.6})


def test_minimum_takes_the_nearest_target() -> None:
    """The default: an object that fits one of the targets well is a hit."""
    assert combine_targets([TITLE, IMAGE], Combination.MINIMUM) == [(A, 0.1), (C, 0.2), (B, 0.3)]


def test_sums_need_a_distance_for_every_target() -> None:
    """C has no title: adding nothing for it would make it the nearest of all."""
    weighted = [target(TITLE.found, weight=2.0), target(IMAGE.found, IMAGE.measured, 0.5)]
    assert dict(combine_targets([TITLE, IMAGE], Combination.SUM)) == pytest.approx({A: 0.7, B: 0.7})
    assert dict(combine_targets(weighted, Combination.MANUAL_WEIGHTS)) == pytest.approx({A: 0.5, B: 0.95})


def test_relative_score_stretches_each_target() -> None:
    """Distances of two metrics have nothing in common but their order and their proportions."""
    loud = target({A: 100.0, B: 300.0, C: 200.0})
    quiet = target({B: 0.1, C: 0.2, A: 0.3})
    assert dict(combine_targets([loud, quiet], Combination.RELATIVE_SCORE)) == pytest.approx({A: 1.0, B: 1.0, C: 1.0})
    assert combine_targets([target({A: 2.0, B: 2.0})], Combination.RELATIVE_SCORE) == [(A, 1.0), (B, 1.0)]


def test_what_lacks_a_vector_does_not_stretch_the_others() -> None:
    """C is far away by its title and has no image: it is no hit, so the distance to it says nothing about those that are."""
    title = target({A: 0.0, B: 1.0, C: 4.0})
    image = target({A: 0.2, B: 0.4})
    assert dict(combine_targets([title, image], Combination.RELATIVE_SCORE)) == pytest.approx({A: 0.0, B: 2.0})


def test_nothing_found_is_nothing() -> None:
    """An empty collection is no error."""
    for how in Combination:
        assert combine_targets([target({}), target({})], how) == []
