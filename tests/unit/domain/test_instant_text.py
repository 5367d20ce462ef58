"""Instants are written the shortest way that reads back as the same instant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.dates import instant_ns, instant_text


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.500Z", "2026-01-31T12:00:00.5Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
        ("0001-01-01T00:00:00+01:00", "0000-12-31T23:00:00Z"),
        ("9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"),
    ],
)
def test_an_instant_is_written_in_utc_without_needless_digits(given: str, written: str) -> None:
    """A zone may carry an instant out of the years that Python knows; the answer must not fail for that."""
    assert instant_text(instant_ns(given)) == written


@given(st.integers(instant_ns("0001-01-01T00:00:00Z"), instant_ns("9999-12-31T23:59:59Z")))
def test_an_instant_reads_back_as_itself(instant: int) -> None:
    """Clients ask again with what they were told."""
    assert instant_ns(instant_text(instant)) == instant
