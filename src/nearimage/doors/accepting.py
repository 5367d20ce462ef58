"""Accepts connections, as many at once as have come.

The event loop accepts one connection in each of its rounds. When a round answers searches of fifty clients it takes a tenth of a second, and the fifty-first
waits that long to be let in, the fifty-second twice as long: a hundred clients that come together would need seconds. May import asyncio only.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable

AT_ONCE = 128
"""In one round; accepting one takes 0.05 ms."""

REST_S = 0.5
"""How long to wait when the system has no more room for connections; some will be closed meanwhile."""

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """Makes a protocol for each connection that comes to a listening socket.

    Args:
        listener: does not block.
        context: of TLS, which is then spoken on each connection.
        handshake_s: how long TLS may take to begin; None without TLS.
    """

    def __init__(
        self, listener: socket.socket, protocol: Callable[[], asyncio.BaseProtocol], *, context: ssl.SSLContext | None, handshake_s: float | None
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._context = context
        self._handshake_s = handshake_s
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def start(self) -> None:
        """Accept from now on."""
        if not self._is_closed:
            self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept nothing more; may be called again."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._listener)
            self._listener.close()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as failed:
                if failed.errno not in _NO_ROOM:
                    raise
                self._loop.remove_reader(self._listener)
                self._loop.call_later(REST_S, self.start)
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._begin(connection))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)

    async def _begin(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection, ssl=self._context, ssl_handshake_timeout=self._handshake_s)
        except (OSError, TimeoutError):  # whoever cannot begin TLS, or is gone already, hears nothing more
            connection.close()
