"""The doors that speak HTTP on a real socket, in a thread of this process, and a client for them."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvloop

from nearimage.doors.access import OPEN, Access
from nearimage.doors.http1.exchange import Endpoint, Exchange, Head, Response
from nearimage.doors.http1.reading import Limits
from nearimage.doors.http1.server import Allowances, HttpServer
from nearimage.doors.rest.call import About
from nearimage.doors.rest.door import RestDoor
from nearimage.doors.site import Site
from nearimage.service.services import Services

START_S = 20
BODY_BYTES = 104_858_000


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        loop: it answers there; the server itself is to be asked there too.
    """

    server: HttpServer
    port: int
    loop: asyncio.AbstractEventLoop

    def ask(self, what: Callable[[HttpServer], None]) -> None:
        """Do something with the server, on its loop."""
        done = threading.Event()

        def do() -> None:
            what(self.server)
            done.set()

        self.loop.call_soon_threadsafe(do)
        assert done.wait(START_S)

    def stop(self, grace_s: float) -> None:
        """Stop it, and wait until it has."""
        asyncio.run_coroutine_threadsafe(self.server.stop(grace_s), self.loop).result(grace_s + START_S)


@contextmanager
def served(open_exchange: Callable[[Head], Exchange | Response], executor: Executor, allowances: Allowances | None = None) -> Iterator[Served]:
    """A server for as long as the block lasts; nothing may go wrong on its loop behind everybody's back."""
    begun = threading.Event()
    wrong: list[object] = []
    found: list[Served] = []
    over = asyncio.Event()

    async def answer(listener: socket.socket) -> None:
        server = HttpServer(open_exchange, listener, executor, allowances or Allowances(limits=Limits(body_bytes=BODY_BYTES)))
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        server.start()
        found.append(Served(server, listener.getsockname()[1], asyncio.get_running_loop()))
        begun.set()
        await over.wait()
        await server.stop(0.1)

    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        thread = threading.Thread(target=lambda: uvloop.run(answer(listener)), name="http")
        thread.start()
        assert begun.wait(START_S)
        try:
            yield found[0]
        finally:
            found[0].loop.call_soon_threadsafe(over.set)
            thread.join(START_S)
        assert not wrong, wrong


@contextmanager
def asked(site: Site, executor: Executor, body_bytes: int = BODY_BYTES) -> Iterator[httpx.Client]:
    """A client of a site, for as long as the block lasts."""
    with (
        served(site.open, executor, Allowances(limits=Limits(body_bytes=body_bytes))) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}", trust_env=False, verify=False, timeout=60) as client,  # noqa: S501 - there is no TLS
    ):
        yield client


def rest_site(services: Services, about: About, more: Iterable[Endpoint] = (), access: Access = OPEN) -> Site:
    """The REST door, and others beside it."""
    return Site((*RestDoor(services, about).endpoints(), *more), access)
