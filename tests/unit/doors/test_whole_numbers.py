"""What is whole is written as such; what is not, and what is no number, stays as it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.values import GeoCoordinates, PropertyValue
from nearimage.doors.rest.json_body import json_response
from nearimage.doors.whole_numbers import with_whole_numbers

PLACE = GeoCoordinates(52.0, 4.0)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2.0, "2"),
        (-2.0, "-2"),
        (2.5, "2.5"),
        (1e18, "1000000000000000000"),
        (2.0**63, "9.223372036854776e+18"),
        (math.inf, "inf"),
        (3, "3"),
        (True, "True"),
        ("2.0", "2.0"),
        ((1.0, 2.5), "(1, 2.5)"),
        (("1.0",), "('1.0',)"),
        ((), "()"),
        ({"a": 1.0, "b": ({"c": 2.0},)}, "{'a': 1, 'b': ({'c': 2},)}"),
        (PLACE, str(PLACE)),
    ],
)
def test_numbers_without_a_fraction_are_whole(value: PropertyValue, written: str) -> None:
    """A client that asks the text "2.0" for an integer fails."""
    assert str(with_whole_numbers(value)) == written


def test_places_are_whole_where_they_can_be() -> None:
    """A place on the equator is told like any other number."""
    assert json_response(GeoCoordinates(0.0, 4.5)).body == b'{"latitude":0,"longitude":4.5}'


@given(st.floats(allow_nan=False))
def test_no_number_changes_its_value(value: float) -> None:
    """Only how it is written changes."""
    assert with_whole_numbers(value) == value
