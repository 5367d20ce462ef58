"""A text query on the move."""

import numpy as np
import pytest

from nearimage.domain.errors import InvalidInput
from nearimage.service.movement import move_away, move_to

QUERY = np.array([1, 0], np.float32)
TARGETS = [np.array([0, 2], np.float32), np.array([0, 0], np.float32)]


def test_half_the_force_is_the_way_that_a_query_goes() -> None:
    """The numbers users have tuned with Weaviate must mean the same here."""
    assert move_to(QUERY, TARGETS, 1.0).tolist() == [0.5, 0.5]
    assert move_to(QUERY, TARGETS, 0.0).tolist() == [1, 0]
    assert move_away(QUERY, TARGETS, 1.0).tolist() == [1.5, -0.5]
    assert move_away(QUERY, TARGETS, 4.0).tolist() == [3, -2]
    assert move_to(QUERY, TARGETS, 0.5).dtype == np.float32


@pytest.mark.parametrize("force", [-0.1, 1.1, float("nan")])
def test_a_force_out_of_range_is_refused(force: float) -> None:
    """A query beyond its target is a typing mistake."""
    with pytest.raises(InvalidInput):
        move_to(QUERY, TARGETS, force)


@pytest.mark.parametrize("force", [-0.1, float("nan"), float("inf")])
def test_away_has_no_upper_end_but_infinity(force: float) -> None:
    """Forces above 1 are allowed there."""
    with pytest.raises(InvalidInput):
        move_away(QUERY, TARGETS, force)
