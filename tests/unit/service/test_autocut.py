"""Where a result list ends by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.service.autocut import autocut


@pytest.mark.parametrize(
    ("values", "jumps", "kept"),
    [
        ([0.10, 0.11, 0.12, 0.50, 0.51], 1, 3),
        ([0.10, 0.11, 0.12, 0.50, 0.51], 2, 5),
        ([0.1, 0.1, 0.9], 1, 3),  # the end of the curve lies on the diagonal: above the point before, not above the first
        ([0.1, 0.1, 0.5, 0.5, 0.9, 0.9], 1, 2),
        ([0.1, 0.1, 0.5, 0.5, 0.9, 0.9], 2, 4),
        ([9.0, 8.9, 2.0, 1.9], 1, 2),
        ([0.3, 0.3, 0.3], 1, 3),
        ([0.3], 1, 1),
        ([], 1, 0),
        ([0.1, 0.9], 1, 2),
        ([0.10, 0.11, 0.50, 0.51], 0, 4),
        ([0.10, 0.11, 0.50, 0.51], -1, 4),
    ],
)
def test_a_list_ends_before_the_jump_asked_for(values: list[float], jumps: int, kept: int) -> None:
    """Users say how many groups of similar hits they want; scores fall where distances rise."""
    assert autocut(values, jumps) == kept


@given(st.lists(st.floats(0, 100, width=32), max_size=30).map(sorted), st.integers(-1, 5))
def test_something_stays_and_more_jumps_keep_no_less(values: list[float], jumps: int) -> None:
    """A search that found something must not become empty."""
    kept = autocut(values, jumps)
    assert min(len(values), 1) <= kept <= len(values)
    if jumps > 0:
        assert kept <= autocut(values, jumps + 1)
