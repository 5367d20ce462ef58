"""The clock port, so that tests can say what time it is.

May import the standard library only.
"""

from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...
