"""A number as text reads as Weaviate's does."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nearimage.doors.number_texts import plain, short


@pytest.mark.parametrize(
    ("value", "in_json", "in_short"),
    [
        (0.0, "0", "0"),
        (5.0, "5", "5"),
        (2.5, "2.5", "2.5"),
        (123456.0, "123456", "123456"),
        (1234567.0, "1234567", "1.234567e+06"),
        (1800000.0, "1800000", "1.8e+06"),
        (-2000000.0, "-2000000", "-2e+06"),
        (123456789.5, "123456789.5", "1.234567895e+08"),
        (0.0001, "0.0001", "0.0001"),
        (0.00001234, "0.00001234", "1.234e-05"),
        (1e-7, "1e-7", "1e-07"),
        (1e20, "100000000000000000000", "1e+20"),
        (1e21, "1e+21", "1e+21"),
        (1e100, "1e+100", "1e+100"),
    ],
)
def test_both_ways_of_writing_a_number(value: float, in_json: str, in_short: str) -> None:
    """These texts are what a running Weaviate names groups of such values by; clients use them as keys."""
    assert (plain(value), short(value)) == (in_json, in_short)


@example(5.960464477539063e-08)  # half way between two texts of 16 digits
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_text_loses_a_digit(value: float) -> None:
    """Two values must not share a group's name."""
    assert float(plain(value)) == float(short(value)) == value
