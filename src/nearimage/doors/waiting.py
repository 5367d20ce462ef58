"""Work that blocks, done in a thread for as long as somebody waits for it.

    await in_thread(executor, work)                    cancelled: what waits deeper down on its behalf, such as for a model, leaves there
    await while_connected(receive, executor, work)     the same when the client hangs up

A thread cannot be stopped: work that has begun runs to its end, unheard, unless it waits or looks where it can be told (`domain.cancellation`). So a write
is made or it is not, whoever hangs up. May import starlette and `domain` only.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from nearimage.domain.cancellation import Cancellation, cancellable

T = TypeVar("T")

PATIENCE_S = 0.01
"""Most answers are there before; looking out for a client that hangs up costs 40 us, more than half a hop to a thread."""


async def in_thread(executor: Executor, work: Callable[[], T]) -> T:
    """What `work` gives, from a thread of the pool; where this coroutine is cancelled, so is the token under which the thread works."""
    begun = _Begun(executor, work)
    try:
        return await begun.told
    except asyncio.CancelledError:
        begun.cancel()
        raise


async def while_connected(receive: Receive, executor: Executor, work: Callable[[], T]) -> T:
    """What `work` gives, from a thread of the pool, for as long as its client waits.

    Args:
        receive: of an HTTP request whose body has been read, so that the next thing to come is that the client has gone.

    Raises:
        ClientDisconnect: it hung up; the work was cancelled.
    """
    begun = _Begun(executor, work)
    watching = list[asyncio.Task[None]]()
    loop = asyncio.get_running_loop()
    patience = loop.call_later(PATIENCE_S, lambda: watching.append(loop.create_task(_cancel_when_gone(receive, begun))))
    try:
        return await begun.told
    except asyncio.CancelledError:
        if begun.is_cancelled:
            raise ClientDisconnect from None
        begun.cancel()
        raise
    finally:
        patience.cancel()
        for task in watching:
            task.cancel()


class _Begun(Generic[T]):
    """Work on its way through a thread. `run_in_executor` ties two futures to each other; here the thread tells the loop, for four fifths of the hop's CPU.

    Attributes:
        told: what it gives; for the loop.
    """

    def __init__(self, executor: Executor, work: Callable[[], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = work
        self._token = Cancellation()
        self.told: asyncio.Future[T] = self._loop.create_future()
        self._in_line = executor.submit(self._run)

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._token.is_cancelled

    def cancel(self) -> None:
        """Nobody waits any more: what has not begun does not begin, what waits deeper down leaves there."""
        self._token.cancel()
        self._in_line.cancel()
        self.told.cancel()

    def _run(self) -> None:
        """In the thread."""
        try:
            with cancellable(self._token):
                done = partial(self.told.set_result, self._work())
        except Exception as wrong:  # noqa: BLE001 - whoever waits is told
            done = partial(self.told.set_exception, wrong)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, done)

    def _tell(self, done: Callable[[], None]) -> None:
        if not self.told.done():  # else it was cancelled meanwhile
            done()


async def _cancel_when_gone(receive: Receive, begun: _Begun[T]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    begun.cancel()
