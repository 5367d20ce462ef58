"""The door itself: a socket that listens, the connections it has, and how they end.

May import asyncio, `domain` and `doors` only.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from nearimage.doors.accepting import Acceptor
from nearimage.doors.access import OPEN, Access
from nearimage.doors.connections import Connections
from nearimage.doors.grpc.handlers import Handler, OpenSession
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.native.methods import methods_by_path
from nearimage.doors.grpc.native.protocol import SocketProtocol
from nearimage.doors.grpc.native.service import Service
from nearimage.doors.grpc.native.watch import Patience
from nearimage.doors.grpc.native.work import Work
from nearimage.doors.grpc.tls import Tls
from nearimage.doors.listening import listen
from nearimage.doors.memory import MIB, Memory

NEWS_S = 1.0
"""How long clients may take to hear that the server goes away, before it says which request is the last one; most answer within a round trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What clients may use.

    Attributes:
        limits: of each connection.
        patience: with each connection.
        connections: at once; further ones are closed.
        memory_bytes: for messages larger than a window, all together.
        unread_bytes: of replies that a connection's client has not made room for.
    """

    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    connections: int = 10_000
    memory_bytes: int = 512 * MIB
    unread_bytes: int = 64 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeDoor:
    """Serves gRPC on one address."""

    methods: Mapping[str, Handler]
    streams: Mapping[str, OpenSession]
    executor: Executor
    threads: int
    max_message_bytes: int
    access: Access = OPEN
    allowances: Allowances = field(default_factory=Allowances)
    tls: Tls | None = None

    def start(self, host: str, port: int) -> "tuple[NativeServer, int]":
        """Bind and return the server, not yet started, with its port.

        Raises:
            PortTaken: another program listens there.
            InvalidInput: the address, the certificate or the key cannot be used.
        """
        context = self.tls.context() if self.tls is not None else None
        listener = listen(host, port, what="gRPC", option="--grpc-port")
        return NativeServer(self, listener, context), listener.getsockname()[1]


class NativeServer(Connections[SocketProtocol]):
    """A listening door, and its connections."""

    def __init__(self, door: NativeDoor, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        super().__init__(door.allowances.connections)
        self.patience = door.allowances.patience
        self._door = door
        self._listener = listener
        self._context = context

    async def start(self) -> None:
        """Answer from now on."""
        loop = asyncio.get_running_loop()
        self.service = self._service(loop)
        handshake_s = self.patience.handshake_s if self._context is not None else None
        self._listener.setblocking(False)
        self._acceptor = Acceptor(self._listener, lambda: SocketProtocol(self, loop), context=self._context, handshake_s=handshake_s)
        self._acceptor.start()
        self._ticking = asyncio.ensure_future(self._tick())

    async def stop(self, grace: float) -> None:
        """Accept nothing new, answer what is under way, and close; whoever is not done in time is cut off."""
        self._acceptor.close()
        self._tell(SocketProtocol.shut_down)
        await self._wait_until_closed(min(NEWS_S, grace))
        self._tell(SocketProtocol.stop_accepting)
        await self._wait_until_closed(grace)
        self._tell(SocketProtocol.abort)
        self._ticking.cancel()

    def _service(self, loop: asyncio.AbstractEventLoop) -> Service:
        door, allowances = self._door, self._door.allowances
        return Service(
            methods=methods_by_path(door.methods, door.streams),
            access=door.access,
            limits=allowances.limits,
            max_message_bytes=door.max_message_bytes,
            max_unread_bytes=allowances.unread_bytes,
            stall_s=allowances.patience.stall_s,
            memory=Memory(allowances.memory_bytes),
            work=Work(door.executor, door.threads, loop.call_soon_threadsafe),
            call_later=loop.call_later,
            clock=time.monotonic,
        )
