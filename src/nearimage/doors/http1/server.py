"""The server itself: a socket that listens, the connections it has, and how they end.

May import asyncio, `domain` and `doors` only.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from nearimage.doors.accepting import Acceptor
from nearimage.doors.connections import Connections
from nearimage.doors.http1.exchange import Exchange, Head, Response
from nearimage.doors.http1.patience import Patience, Watch
from nearimage.doors.http1.protocol import SocketProtocol
from nearimage.doors.http1.reading import Limits, Reader
from nearimage.doors.memory import MIB, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What clients may use.

    Attributes:
        limits: of each request.
        patience: with each connection.
        connections: at once, as on the gRPC port; further ones are closed.
        memory_bytes: for large bodies, all together.
    """

    limits: Limits
    patience: Patience = field(default_factory=Patience)
    connections: int = 10_000
    memory_bytes: int = 512 * MIB


class HttpServer(Connections[SocketProtocol]):
    """Serves HTTP/1.1 on a socket that listens.

    Args:
        open_exchange: begins to answer a request.
        executor: for work that blocks.
    """

    def __init__(self, open_exchange: Callable[[Head], Exchange | Response], listener: socket.socket, executor: Executor, allowances: Allowances) -> None:
        super().__init__(allowances.connections)
        self.executor = executor
        self.memory = Memory(allowances.memory_bytes)
        self._open_exchange = open_exchange
        self._listener = listener
        self._allowances = allowances

    def start(self) -> None:
        """Answer from now on."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        self._acceptor = Acceptor(self._listener, lambda: SocketProtocol(self, loop), context=None, handshake_s=None)
        self._acceptor.start()
        self._ticking = loop.create_task(self._tick())

    async def stop(self, grace_s: float) -> None:
        """Accept nothing new, answer what is under way, and close; whoever is not done in time is cut off."""
        self._acceptor.close()
        self._tell(SocketProtocol.shut_down)
        await self._wait_until_closed(grace_s)
        self._tell(SocketProtocol.abort)
        self._ticking.cancel()

    def close(self) -> None:
        """Listen no more; may be called again, and where it was never started."""
        self._listener.close()

    def reader(self) -> Reader:
        """See `protocol.Connections`."""
        return Reader(self._open_exchange, self._allowances.limits)

    def watch(self) -> Watch:
        """See `protocol.Connections`."""
        return Watch(self._allowances.patience)
