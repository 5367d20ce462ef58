"""The connections of one port: counted, told things, looked at now and then, waited for.

What a server of any protocol does with those that it has accepted; what one of them is, says its protocol. May import asyncio and the standard library only.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

TICK_S = 5.0
"""How often the connections are looked at: a few microseconds each."""


class Ticking(Protocol):
    """A connection."""

    def tick(self, elapsed_s: float) -> None:
        """Time went by."""
        ...


One = TypeVar("One", bound=Ticking)


class Connections(Generic[One]):
    """Those that are open.

    Args:
        most: at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[One] = set()
        self._all_closed = asyncio.Event()

    def add(self, one: One) -> bool:
        """Whether there is room for one more."""
        self._open.add(one)
        return len(self._open) <= self._most

    def remove(self, one: One) -> None:
        """It is closed."""
        self._open.discard(one)
        if not self._open:
            self._all_closed.set()

    def _tell(self, what: Callable[[One], None]) -> None:
        for one in list(self._open):
            what(one)

    async def _wait_until_closed(self, seconds: float) -> None:
        self._all_closed.clear()
        if self._open:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_closed.wait(), seconds)

    async def _tick(self) -> None:
        """For as long as the server runs."""
        while True:
            await asyncio.sleep(TICK_S)
            self._tell(lambda one: one.tick(TICK_S))
