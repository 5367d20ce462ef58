"""Which of many are among some thousands: hashing is a shortcut, never an answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.engines.embedded import halves
from nearimage.engines.embedded.comparing import equals_some
from nearimage.engines.embedded.halves import among, halves_of, packed_of
from nearimage.engines.embedded.numbers import NumberColumn

INTEGERS = st.integers(-300, 300) | st.sampled_from((-(2**63), 2**63 - 1, 2**53, 2**53 + 1, 2**31, -(2**31), 40_000))
ANY = INTEGERS | st.floats() | st.sampled_from((0.0, -0.0, 2.0**53, 2.0**63, 2**64, 10**400, True, False, float("nan"), 0.5))


@given(st.lists(INTEGERS, max_size=30), st.lists(ANY, max_size=30))
def test_integers_of_any_width_are_found_among_anything(values: list[int], wanted: list[float]) -> None:
    """A column of small numbers is kept in few bytes; a number that does not fit them must not come round the other way."""
    column = NumberColumn(np.int64)
    for row, value in enumerate(values):
        column.append(row, column.convert(value))
    assert column.holds_any(wanted, len(values)).tolist() == [any(value == one for one in wanted) for value in values]


@given(st.lists(st.floats() | st.sampled_from((0.0, -0.0, 2.0**53)), max_size=30), st.lists(ANY, max_size=30))
def test_floats_are_found_among_anything(values: list[float], wanted: list[float]) -> None:
    """0.0 and -0.0 are one number of two bit patterns, and NaN is no number at all."""
    got = equals_some(np.array(values, np.float64), wanted)
    assert got.tolist() == [any(value == one for one in wanted) for value in values]


@pytest.mark.parametrize("shift", [0, 32, 64])
def test_ids_are_found_among_thousands_whichever_bits_differ(shift: int) -> None:
    """Ids made by counting differ in few bits, at either end."""
    ids = [(number * 7) << shift for number in range(70_000)]
    high, low = halves_of(b"".join(one.to_bytes(16, "big") for one in ids))
    sought = ids[5::20]
    expected = np.zeros(len(ids), np.bool_)
    expected[5::20] = True
    strangers = [(one + 3) << shift for one in range(0, 5000, 7)]
    packed = b"".join(one.to_bytes(16, "big") for one in [*sought, *sought[:3], *strangers])
    assert np.array_equal(among(high, low, packed), expected)
    assert packed_of(high[:2], low[:2]) == ids[0].to_bytes(16, "big") + ids[1].to_bytes(16, "big")


def test_ids_of_one_key_are_told_apart() -> None:
    """Whoever knows the constant can make such ids; they must not be taken for each other."""
    factor = int(halves._FACTOR)
    twins = [(0 << 64) + factor, (1 << 64) + 0]
    packed = [one.to_bytes(16, "big") for one in twins]
    high, low = halves_of(b"".join(packed))
    assert among(high, low, packed[0] + (9).to_bytes(16, "big")).tolist() == [True, False]
    assert among(high, low, packed[1] + (9).to_bytes(16, "big")).tolist() == [False, True]
    assert among(high, low, packed[0] + packed[1]).tolist() == [True, True]
    high, low = halves_of(b"".join(packed) + (9).to_bytes(16, "big"))
    assert among(high, low, packed[1] + packed[0]).tolist() == [True, True, False]


def test_a_column_takes_as_few_bytes_as_its_numbers_need() -> None:
    """Scans are as quick as the bytes they read; what was seen before stays as it was."""
    column = NumberColumn(np.int64)
    column.extend(np.arange(3), [1, 2, 3])
    narrow = column.arrays(np.ones(3, np.bool_))["values"]
    column.extend(np.arange(3, 5), [-200, 2**40])
    wide = column.arrays(np.ones(5, np.bool_))["values"]
    assert (narrow.itemsize, wide.itemsize) == (1, 8)
    assert (narrow.tolist(), wide.tolist()) == ([1, 2, 3], [1, 2, 3, -200, 2**40])
    assert column.entries(5)[0].itemsize == 8
