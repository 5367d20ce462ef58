"""Work that blocks, done in a thread for as long as somebody waits for it.

    Errand(executor, work, done)        tells `done` on the event loop; cancelled: what waits deeper down on its behalf, such as for a model, leaves there
    await in_thread(executor, work)     the same for a coroutine

A thread cannot be stopped: work that has begun runs to its end, unheard, unless it waits or looks where it can be told (`domain.cancellation`). So a write
is made or it is not, whoever hangs up. May import `domain` only.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Generic, TypeVar

from nearimage.domain.cancellation import Cancellation, cancellable

T = TypeVar("T")

Done = Callable[[T | None, Exception | None], None]
"""Told what the work gave, or what it raised."""


class Errand(Generic[T]):
    """Work on its way through a thread of a pool.

    `run_in_executor` ties two futures to each other; here the thread tells the loop, for four fifths of the hop's CPU.

    Args:
        done: called on the event loop that runs now, unless the errand was cancelled before.
    """

    __slots__ = ("_done", "_in_line", "_loop", "_token", "_work")

    def __init__(self, executor: Executor, work: Callable[[], T], done: Done[T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = work
        self._done = done
        self._token = Cancellation()
        self._in_line = executor.submit(self._run)

    def cancel(self) -> None:
        """Nobody waits any more: what has not begun does not begin, what waits deeper down leaves there."""
        self._token.cancel()
        self._in_line.cancel()

    def _run(self) -> None:
        """In the thread."""
        given: T | None = None
        error: Exception | None = None
        try:
            with cancellable(self._token):
                given = self._work()
        except Exception as wrong:  # noqa: BLE001 - whoever waits is told
            error = wrong
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, given, error)

    def _tell(self, given: T | None, error: Exception | None) -> None:
        if not self._token.is_cancelled:
            self._done(given, error)


async def in_thread(executor: Executor, work: Callable[[], T]) -> T:
    """What `work` gives, from a thread of the pool; where this coroutine is cancelled, so is the token under which the thread works."""
    told: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(given: T | None, error: Exception | None) -> None:
        if told.done():
            return
        if error is not None:
            told.set_exception(error)
        else:
            told.set_result(given)  # type: ignore[arg-type]  # None where that is what the work gave

    errand = Errand(executor, work, done)
    try:
        return await told
    except asyncio.CancelledError:
        errand.cancel()
        raise
