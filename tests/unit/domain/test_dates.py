"""Dates are instants, to the nanosecond."""

import tracemalloc

import pytest

from nearimage.domain.dates import date_text, instant_ns


def test_one_instant_in_two_zones_is_one_number() -> None:
    """Filters compare instants, not texts."""
    assert instant_ns("2026-01-31T12:00:00+02:00") == instant_ns("2026-01-31T10:00:00Z") == 1_769_853_600_000_000_000


def test_fractions_count_to_the_nanosecond_also_before_1970() -> None:
    """Python's datetime stops at microseconds."""
    assert instant_ns("1970-01-01T00:00:00.123456789Z") == 123_456_789
    assert instant_ns("1969-12-31T23:59:59.5Z") == -500_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z", "2026-01-31T25:00:00Z"])
def test_anything_else_is_refused(text: str) -> None:
    """A date that is guessed is wrong in some country."""
    with pytest.raises(ValueError, match=r"."):
        instant_ns(text)


def test_a_date_with_a_hundred_thousand_digits_is_read_and_forgotten() -> None:
    """Dates met last are remembered for a batch's sake, and a client must not fill the server's memory with them."""
    tracemalloc.start()
    try:
        assert {instant_ns(f"1970-01-01T00:00:00.{1:09d}{number:0100000d}Z") for number in range(100)} == {1}
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-01-31T12:00:00Z", None),
        ("2026-01-31T12:00:00+02:00", None),
        ("2026-01-31T12:00:00.500+02:00", "2026-01-31T12:00:00.5+02:00"),
        ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00,5Z", "2026-01-31T12:00:00.5Z"),
        ("2026-01-31T12:00:00.1234567891Z", "2026-01-31T12:00:00.123456789Z"),
        ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00Z"),
    ],
)
def test_a_date_is_told_in_one_form_and_its_own_zone(text: str, told: str | None) -> None:
    """As Weaviate writes it, so that a client that compares texts finds what it found there."""
    assert date_text(text) == (told or text)


@pytest.mark.parametrize("text", ["2026-01-31t12:00:00Z", "2026-01-31T12:00:00z", "2026-01-31"])
def test_a_date_with_small_letters_is_none(text: str) -> None:
    """Weaviate takes it for a text."""
    with pytest.raises(ValueError, match="RFC 3339"):
        date_text(text)
