"""Dates on the wire are RFC 3339 text; compared, they are instants.

May import the standard library and `domain` only.
"""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(text: str) -> int:
    """The instant that RFC 3339 text names, in nanoseconds since 1970, UTC; what is finer than a nanosecond is cut off.

    Raises:
        ValueError: the text is not RFC 3339 with a time and a zone.
    """
    found = _RFC3339.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not RFC 3339, such as 2026-01-31T12:00:00Z")
    day, time, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in 'Zz' else zone}")
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return whole * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
