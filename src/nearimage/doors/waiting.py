"""Work that blocks, done in a thread for as long as somebody waits for it.

    await in_thread(executor, work)                      cancelled: what waits deeper down on its behalf, such as for a model, leaves there
    await while_connected(receive, in_thread(...))       cancelled when the client hangs up

A thread cannot be stopped: work that has begun runs to its end, unheard, unless it waits or looks where it can be told (`domain.cancellation`). So a write
is made or it is not, whoever hangs up. May import starlette and `domain` only.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from nearimage.domain.cancellation import Cancellation, cancellable

T = TypeVar("T")


async def in_thread(executor: Executor, work: Callable[[], T]) -> T:
    """What `work` gives, from a thread of the pool; where this coroutine is cancelled, so is the token under which the thread works."""
    token = Cancellation()

    def run() -> T:
        with cancellable(token):
            return work()

    try:
        return await asyncio.get_running_loop().run_in_executor(executor, run)
    except asyncio.CancelledError:
        token.cancel()
        raise


async def while_connected(receive: Receive, answer: Coroutine[Any, Any, T]) -> T:
    """Await an answer for as long as its client waits.

    Args:
        receive: of an HTTP request whose body has been read, so that the next thing to come is that the client has gone.

    Raises:
        ClientDisconnect: it hung up; the answer was cancelled.
    """
    answering = asyncio.ensure_future(answer)
    hanging_up = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait((answering, hanging_up), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientDisconnect
        return answering.result()
    finally:
        answering.cancel()
        hanging_up.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
