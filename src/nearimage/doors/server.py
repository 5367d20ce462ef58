"""All doors in one process, on one event loop: bind, answer, stop cleanly.

    bind ports -> accept -> SIGINT or SIGTERM -> finish what runs -> return

Ports are bound before anything is announced, so a taken port is a clear error at the start. May import `config`, `service` and `doors` only.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from nearimage.config.settings import Settings
from nearimage.doors.graphql.answering import GraphQl
from nearimage.doors.graphql.door import GraphQlDoor
from nearimage.doors.grpc.transport import Transport, grpc_door
from nearimage.doors.http1.exchange import Endpoint
from nearimage.doors.http1.patience import Patience
from nearimage.doors.http1.reading import Limits
from nearimage.doors.http1.server import Allowances, HttpServer
from nearimage.doors.listening import listen
from nearimage.doors.memory import MIB
from nearimage.doors.rest.call import About
from nearimage.doors.rest.door import RestDoor
from nearimage.doors.site import Site
from nearimage.service.services import Services

GRACE_S = 10
"""How long running requests may take to end after a signal; the slowest, a batch of large pictures, take a few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; port 0 means any free one."""

    host: str
    http_port: int
    grpc_port: int


def allowances_of(settings: Settings) -> Allowances:
    """What clients of HTTP may use, as the settings say."""
    limits = Limits(head_bytes=settings.http_head_bytes, body_bytes=settings.max_message_bytes)
    patience = Patience(head_s=settings.http_head_s, stall_s=settings.http_stall_s, idle_s=settings.http_idle_s)
    return Allowances(limits=limits, patience=patience, connections=settings.http_connections, memory_bytes=settings.http_upload_mib * MIB)


async def serve(
    services: Services,
    about: About,
    address: Address,
    transport: Transport,
    *,
    http: Allowances,
    on_ready: Callable[[Address], None],
    graphql: GraphQl | None,
    more: Sequence[Endpoint] = (),
) -> None:
    """Answer until SIGINT or SIGTERM.

    Args:
        transport: what carries gRPC, and who may call.
        http: what clients of HTTP may use.
        on_ready: called once, with the ports in use, when requests are answered.
        graphql: None where it is switched off.
        more: what is served over HTTP beside REST and GraphQL.

    Raises:
        PortTaken: another program listens on one of the ports.
    """
    stopped = _signalled()
    with ThreadPoolExecutor(transport.threads, thread_name_prefix="request") as executor:
        door = grpc_door(services, transport, executor, node=about.hostname, max_message_bytes=about.max_message_bytes)
        endpoints = (*RestDoor(services, about).endpoints(), *GraphQlDoor(graphql=graphql, max_bytes=about.max_message_bytes).endpoints(), *more)
        http_server, http_port = _http_server(Site(endpoints, transport.access), address.host, address.http_port, executor, http)
        try:
            grpc_server, grpc_port = door.start(address.host, address.grpc_port)
            await grpc_server.start()
            http_server.start()
            on_ready(Address(host=address.host, http_port=http_port, grpc_port=grpc_port))
            await stopped.wait()
            await asyncio.gather(http_server.stop(GRACE_S), grpc_server.stop(GRACE_S))
        finally:
            http_server.close()


async def serve_http(site: Site, address: tuple[str, int], executor: Executor, allowances: Allowances, *, on_ready: Callable[[int], None]) -> None:
    """Answer HTTP alone until SIGINT or SIGTERM.

    Args:
        address: host and port.
        on_ready: called once, with the port in use, when requests are answered.

    Raises:
        PortTaken: another program listens on the port.
    """
    stopped = _signalled()
    server, port = _http_server(site, *address, executor, allowances)
    try:
        server.start()
        on_ready(port)
        await stopped.wait()
        await server.stop(GRACE_S)
    finally:
        server.close()


def _http_server(site: Site, host: str, port: int, executor: Executor, allowances: Allowances) -> tuple[HttpServer, int]:
    listener = listen(host, port, what="HTTP", option="--port")
    return HttpServer(site.open, listener, executor, allowances), listener.getsockname()[1]


def _signalled() -> asyncio.Event:
    """Set at SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped
