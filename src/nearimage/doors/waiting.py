"""Work that blocks, done in a thread for as long as somebody waits for it.

    await in_thread(executor, work)                    cancelled: what waits deeper down on its behalf, such as for a model, leaves there
    await while_connected(receive, executor, work)     the same when the client hangs up

A thread cannot be stopped: work that has begun runs to its end, unheard, unless it waits or looks where it can be told (`domain.cancellation`). So a write
is made or it is not, whoever hangs up. May import starlette and `domain` only.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from nearimage.domain.cancellation import Cancellation, cancellable

T = TypeVar("T")

PATIENCE_S = 0.01
"""Most answers are there before; looking out for a client that hangs up costs 40 us, more than half a hop to a thread."""


async def in_thread(executor: Executor, work: Callable[[], T]) -> T:
    """What `work` gives, from a thread of the pool; where this coroutine is cancelled, so is the token under which the thread works."""
    token = Cancellation()
    try:
        return await _begun(executor, work, token)
    except asyncio.CancelledError:
        token.cancel()
        raise


async def while_connected(receive: Receive, executor: Executor, work: Callable[[], T]) -> T:
    """What `work` gives, from a thread of the pool, for as long as its client waits.

    Args:
        receive: of an HTTP request whose body has been read, so that the next thing to come is that the client has gone.

    Raises:
        ClientDisconnect: it hung up; the work was cancelled.
    """
    token = Cancellation()
    working = _begun(executor, work, token)
    watching = list[asyncio.Task[None]]()
    loop = asyncio.get_running_loop()
    patience = loop.call_later(PATIENCE_S, lambda: watching.append(loop.create_task(_cancel_when_gone(receive, working, token))))
    try:
        return await working
    except asyncio.CancelledError:
        if token.is_cancelled:
            raise ClientDisconnect from None
        token.cancel()
        raise
    finally:
        patience.cancel()
        for task in watching:
            task.cancel()


def _begun(executor: Executor, work: Callable[[], T], token: Cancellation) -> "asyncio.Future[T]":
    def run() -> T:
        with cancellable(token):
            return work()

    return asyncio.get_running_loop().run_in_executor(executor, run)


async def _cancel_when_gone(receive: Receive, working: "asyncio.Future[T]", token: Cancellation) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    token.cancel()
    working.cancel()
