"""Both doors in one process, on one event loop: bind, answer, stop cleanly.

    bind ports -> accept -> SIGINT or SIGTERM -> finish what runs -> return

Ports are bound before anything is announced, so a taken port is a clear error at the start. May import uvicorn and `doors` only.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from nearimage.doors.graphql.answering import GraphQl
from nearimage.doors.graphql.door import graphql_routes
from nearimage.doors.grpc.transport import Transport, grpc_door
from nearimage.doors.listening import listen
from nearimage.doors.rest.call import About
from nearimage.doors.rest.door import rest_app
from nearimage.service.services import Services

GRACE_S = 10
"""How long running requests may take to end after a signal; the slowest, a batch of large pictures, take a few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; port 0 means any free one."""

    host: str
    http_port: int
    grpc_port: int


class _Http(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`, which stops both doors; uvicorn would raise them again when it is done."""
        yield


async def serve(
    services: Services,
    about: About,
    address: Address,
    transport: Transport,
    *,
    on_ready: Callable[[Address], None],
    graphql: GraphQl | None,
    extra_routes: Sequence[BaseRoute] = (),
) -> None:
    """Answer until SIGINT or SIGTERM.

    Args:
        transport: what carries gRPC, and who may call.
        graphql: None where it is switched off.
        on_ready: called once, with the ports in use, when requests are answered.

    Raises:
        PortTaken: another program listens on one of the ports.
    """
    with ThreadPoolExecutor(transport.threads, thread_name_prefix="request") as executor:
        door = grpc_door(services, transport, executor, node=about.hostname, max_message_bytes=about.max_message_bytes)
        listener = listen(address.host, address.http_port, what="HTTP", option="--port")
        try:
            grpc_server, grpc_port = door.start(address.host, address.grpc_port)
            more_routes = (*graphql_routes(graphql, executor, about.max_message_bytes), *extra_routes)
            await grpc_server.start()
            announce = partial(_announce, on_ready, address.host, grpc_port)
            await _answer(rest_app(services, about, executor, more_routes, transport.access), listener, announce)
            await grpc_server.stop(GRACE_S)
        finally:
            listener.close()


async def serve_http(app: ASGIApp, host: str, port: int, *, on_ready: Callable[[int], None]) -> None:
    """Answer HTTP alone until SIGINT or SIGTERM.

    Args:
        on_ready: called once, with the port in use, when requests are answered.

    Raises:
        PortTaken: another program listens on the port.
    """
    listener = listen(host, port, what="HTTP", option="--port")
    try:
        await _answer(app, listener, on_ready)
    finally:
        listener.close()


async def _answer(app: ASGIApp, listener: socket.socket, on_ready: Callable[[int], None]) -> None:
    http = _Http(uvicorn.Config(app, log_config=None, proxy_headers=False, timeout_graceful_shutdown=GRACE_S))  # nobody asks for the client's address
    _stop_on_signals(http)
    running = asyncio.ensure_future(http.serve(sockets=[listener]))
    while not (http.started or running.done()):
        await asyncio.sleep(0.005)
    on_ready(listener.getsockname()[1])
    await running


def _announce(on_ready: Callable[[Address], None], host: str, grpc_port: int, http_port: int) -> None:
    on_ready(Address(host=host, http_port=http_port, grpc_port=grpc_port))


def _stop_on_signals(http: uvicorn.Server) -> None:
    def stop() -> None:
        http.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
