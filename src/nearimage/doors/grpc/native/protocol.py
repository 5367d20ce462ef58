"""One socket: bytes from asyncio to the calls of a connection, and back (asyncio's streaming protocols; TLS is asyncio's matter too).

Frames that nothing holds up are written at once. DATA is written in portions of `PORTION_BYTES` while the socket takes them; the rest stays with its
stream, where a reset drops it. While the client does not read what is written, nothing is read from it either.

Who speaks HTTP/1.1 here has taken the port for the other one, and is told so in HTTP/1.1.
"""

import asyncio
from typing import Any, Protocol

from nearimage.doors.grpc.native.asked import ONLY_GRPC
from nearimage.doors.grpc.native.calls import Calls
from nearimage.doors.grpc.native.service import Service
from nearimage.doors.grpc.native.watch import Patience, Watch

PORTION_BYTES = 256 * 1024
"""As much as uvloop reads at a time: a large reply holds up the loop no longer than a large request, some 100 us."""

MUCH_BYTES = 64 * 1024
"""Whoever has sent so much that it came in one piece has more: without a turn for the others, libuv would read 32 such pieces in a row."""

LINGER_S = 1.0
"""How long a broken-off client may go on sending into the void: closing at once would reset the connection, and the reason would be lost on the way."""

_HTTP_1_METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ", b"OPTIONS ", b"CONNECT ", b"TRACE ")
_HTTP_1_ANSWER = (
    f"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {len(ONLY_GRPC)}\r\n\r\n{ONLY_GRPC}"
).encode()


class Connections(Protocol):
    """Those that are open."""

    service: Service
    patience: Patience

    def add(self, one: "SocketProtocol") -> bool:
        """Whether there is room for one more."""
        ...

    def remove(self, one: "SocketProtocol") -> None:
        """It is closed."""
        ...


class SocketProtocol(asyncio.Protocol):
    """Serves one connection."""

    __slots__ = ("_calls", "_connections", "_heard", "_is_ending", "_is_new", "_is_writable", "_loop", "_takes_turns", "_transport", "_watch")

    def __init__(self, connections: Connections, loop: asyncio.AbstractEventLoop) -> None:
        self._calls = Calls(connections.service, self.flush)
        self._watch = Watch(self._calls.connection, connections.patience)
        self._connections = connections
        self._loop = loop
        self._transport: Any = None
        self._is_new = self._is_writable = True
        self._heard = self._is_ending = self._takes_turns = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport
        self._transport.set_write_buffer_limits(high=2 * PORTION_BYTES, low=PORTION_BYTES)
        if not self._connections.add(self):
            self._transport.abort()
            return
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() not in ("h2", None):
            self._answer_http_1()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._heard = True
        if self._is_ending:
            return
        if self._is_new:
            self._is_new = False
            if data.startswith(_HTTP_1_METHODS):
                self._answer_http_1()
                return
        self._calls.receive(data)
        if len(data) >= MUCH_BYTES or self._calls.connection.has_more:
            self._take_turns()
        self.flush()

    def pause_writing(self) -> None:
        """See asyncio."""
        self._is_writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._is_writable = True
        self.flush()
        if self._is_writable and not self._takes_turns:
            self._transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """See asyncio."""
        self._transport = None
        self._is_ending = True
        self._calls.connection.lose()
        self._connections.remove(self)

    def flush(self) -> None:
        """Write what can be written; close what is done."""
        transport, connection = self._transport, self._calls.connection
        if transport is None or self._is_ending:
            return
        sender = connection.sender
        data = sender.take(PORTION_BYTES if self._is_writable else 0)
        while data:
            transport.write(data)
            data = sender.take(PORTION_BYTES) if self._is_writable and sender.has_data else b""
        if self._calls.lane.is_held:
            self._calls.relieve()
        if connection.is_over or connection.is_drained:
            self._end()

    def tick(self, elapsed_s: float) -> None:
        """Time went by."""
        if self._is_ending:
            return
        heard, self._heard = self._heard, False
        self._calls.watch_messages(elapsed_s)
        if not self._watch.tick(elapsed_s, heard):
            self._transport.abort()
        self.flush()

    def shut_down(self) -> None:
        """Begin to end in good order."""
        self._calls.connection.shut_down()
        self.flush()

    def stop_accepting(self) -> None:
        """Answer what has come, and nothing else."""
        self._calls.connection.stop_accepting()
        self.flush()

    def abort(self) -> None:
        """End now."""
        if self._transport is not None:
            self._transport.abort()

    def _take_turns(self) -> None:
        """Read on what has come already, when others have had their turn."""
        if not self._takes_turns:
            self._takes_turns = True
            self._transport.pause_reading()
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._takes_turns = False
        if self._is_ending or self._transport is None:
            return
        self._calls.receive(b"")
        if self._calls.connection.has_more:
            self._take_turns()
        elif self._is_writable:
            self._transport.resume_reading()
        self.flush()

    def _answer_http_1(self) -> None:
        self._transport.write(_HTTP_1_ANSWER)
        self._end()

    def _end(self) -> None:
        """Close after what was written; a client that was broken off may still be sending."""
        self._is_ending = True
        if not self._calls.connection.is_over:
            self._calls.connection.lose()
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self._transport.resume_reading()
            self._loop.call_later(LINGER_S, self.abort)
        else:
            self._transport.close()
            self._loop.call_later(LINGER_S, self.abort)
