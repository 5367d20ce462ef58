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

import uvicorn
from starlette.routing import BaseRoute

from nearimage.domain.errors import InvalidInput, PortTaken
from nearimage.doors.access import OPEN, Access
from nearimage.doors.graphql.answering import GraphQl
from nearimage.doors.graphql.door import graphql_routes
from nearimage.doors.grpc.handlers import handlers, streams
from nearimage.doors.grpc.server import GrpcDoor
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
    *,
    threads: int,
    on_ready: Callable[[Address], None],
    graphql: GraphQl | None,
    access: Access = OPEN,
    extra_routes: Sequence[BaseRoute] = (),
) -> None:
    """Answer until SIGINT or SIGTERM.

    Args:
        graphql: None where it is switched off.
        access: who may call.
        on_ready: called once, with the ports in use, when requests are answered.

    Raises:
        PortTaken: another program listens on one of the ports.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="request") as executor:
        door = GrpcDoor(methods=handlers(services), streams=streams(services), executor=executor, access=access, max_message_bytes=about.max_message_bytes)
        listener = _listen(address.host, address.http_port)
        try:
            grpc_server, grpc_port = door.start(address.host, address.grpc_port)
            more_routes = (*graphql_routes(graphql, executor, about.max_message_bytes), *extra_routes)
            http = _Http(uvicorn.Config(rest_app(services, about, executor, more_routes, access), log_config=None, timeout_graceful_shutdown=GRACE_S))
            _stop_on_signals(http)
            await grpc_server.start()
            running = asyncio.ensure_future(http.serve(sockets=[listener]))
            while not (http.started or running.done()):
                await asyncio.sleep(0.005)
            on_ready(Address(host=address.host, http_port=listener.getsockname()[1], grpc_port=grpc_port))
            await running
            await grpc_server.stop(GRACE_S)
        finally:
            listener.close()


def _stop_on_signals(http: uvicorn.Server) -> None:
    def stop() -> None:
        http.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except socket.gaierror as wrong:
        raise InvalidInput(f"{host!r} is no address of this machine: {wrong.strerror}; use --host 127.0.0.1 or 0.0.0.0", host=host) from wrong
    except OSError as wrong:
        message = f"port {port} on {host} (HTTP) cannot be opened: {wrong.strerror}; stop what listens there or choose another with --port"
        raise PortTaken(message, host=host, port=port) from wrong
