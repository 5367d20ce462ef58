"""Dates on the wire are RFC 3339 text; compared, they are instants.

May import the standard library and `domain` only.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS = 1_000_000_000
_SHORT, _KEPT = 40, 4096
"""Dates of a batch are checked first, and taken for instants when they are stored: the second time costs a twentieth of the 3 us. A fraction may have a million
digits; such texts are not kept."""

_PLAIN_LENGTH, _PLACE_OF_T = len("2026-01-31T12:00:00Z"), len("2026-01-31")

_YEARS_400 = 146_097 * 86_400
"""The Gregorian calendar repeats itself after 400 years, which have so many seconds."""


def instant_ns(text: str) -> int:
    """The instant that RFC 3339 text names, in nanoseconds since 1970, UTC; what is finer than a nanosecond is cut off.

    Raises:
        ValueError: the text is not RFC 3339 with a time and a zone.
    """
    return _remembered(text) if len(text) <= _SHORT else _read(text)


def _read(text: str) -> int:
    found = _RFC3339.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not RFC 3339, such as 2026-01-31T12:00:00Z")
    day, time, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in 'Zz' else zone}")
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return whole * _NS + int((fraction or "").ljust(9, "0"))


_remembered = lru_cache(_KEPT)(_read)


def date_text(text: str) -> str:
    """RFC 3339 text as it is told back: as it came, but for zeros at the end of a fraction, what is finer than a nanosecond, and another Z than Z.

        2026-01-31T12:00:00.500+00:00  ->  2026-01-31T12:00:00.5Z

    Raises:
        ValueError: the text is not RFC 3339 with a time and a zone, or has a small T or Z.
    """
    instant_ns(text)
    if text[-1] == "Z" and len(text) == _PLAIN_LENGTH and text[_PLACE_OF_T] == "T":
        return text
    found = _RFC3339.fullmatch(text)
    if found is None or "t" in text or "z" in text:
        raise ValueError(f"{text!r} is not RFC 3339, such as 2026-01-31T12:00:00Z")
    day, time, fraction, zone = found.groups()
    digits = f".{fraction}".rstrip("0").rstrip(".") if fraction else ""
    return f"{day}T{time}{digits}{'Z' if zone in ('+00:00', '-00:00') else zone}"


def instant_text(instant: int) -> str:
    """RFC 3339 text, in UTC and without needless digits, of an instant that `instant_ns` gave: 2026-01-31T12:00:00.5Z.

    A zone can carry the first day of year 1 into year 0 and the last of 9999 into 10000, which `datetime` does not have.
    """
    seconds, fraction = divmod(instant, _NS)
    shift = (seconds < _FIRST_SECOND) - (seconds > _LAST_SECOND)
    moment = _EPOCH + timedelta(seconds=seconds + shift * _YEARS_400)
    digits = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{moment.year - 400 * shift:04d}-{moment:%m-%dT%H:%M:%S}{digits}Z"


_FIRST_SECOND = instant_ns("0001-01-01T00:00:00Z") // _NS
_LAST_SECOND = instant_ns("9999-12-31T23:59:59Z") // _NS
