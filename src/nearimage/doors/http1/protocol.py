"""One connection: bytes from a socket to requests, one answer after the other, and back (asyncio's streaming protocols).

    nothing is under way    the next request is answered as soon as it is complete, where it arrives if that is quick (`service.pace`)
    a thread works          what comes meanwhile waits in the reader, and then in the client: nothing more is read
    several have come       one a turn of the event loop, so that others have theirs
    the client reads not    nothing more is begun until it does
    a large body comes      it is read when there is room for it (`doors.memory`), which is given back with the answer

A client that hangs up is told from one that has only finished sending by nobody: both send the same. So whoever does either while a thread works for it has
hung up (as Go's server takes it); what was asked before and waits for its turn is still answered.

May import asyncio, `domain` and `doors` only.
"""

import asyncio
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol

from nearimage.doors.http1.exchange import Response
from nearimage.doors.http1.patience import Watch
from nearimage.doors.http1.reading import Asked, Reader
from nearimage.doors.http1.refusals import internal, refusal
from nearimage.doors.http1.writing import CONTINUE, parts_of
from nearimage.doors.memory import Memory, Reservation
from nearimage.doors.waiting import Errand

LINGER_S = 1.0
"""How long a client that was broken off may go on sending into the void: closing at once would reset the connection, and the reason be lost on the way."""


class Connections(Protocol):
    """Those that are open."""

    executor: Executor
    memory: Memory

    def reader(self) -> Reader:
        """For a new one."""
        ...

    def watch(self) -> Watch:
        """For a new one."""
        ...

    def add(self, one: "SocketProtocol") -> bool:
        """Whether there is room for one more."""
        ...

    def remove(self, one: "SocketProtocol") -> None:
        """It is closed."""
        ...


class SocketProtocol(asyncio.Protocol):
    """Serves one connection."""

    __slots__ = (
        "_connections", "_errand", "_has_turn_coming", "_heard_all", "_is_ending", "_is_paused", "_is_stopping",
        "_is_writable", "_loop", "_reader", "_room", "_transport", "_watch",
    )  # fmt: skip

    def __init__(self, connections: Connections, loop: asyncio.AbstractEventLoop) -> None:
        self._connections = connections
        self._loop = loop
        self._reader = connections.reader()
        self._watch = connections.watch()
        self._transport: Any = None
        self._errand: Errand[Response] | None = None
        self._room: Reservation | None = None
        self._is_writable = True
        self._heard_all = self._is_stopping = self._is_ending = self._is_paused = self._has_turn_coming = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport
        if not self._connections.add(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._is_ending:
            return
        self._reader.feed(data)
        if not self._is_busy:
            self._go_on()
        else:
            self._pause_reading()

    def eof_received(self) -> bool:
        """See asyncio; whether to keep the connection until what waits is answered."""
        self._heard_all = True
        return self._has_turn_coming and self._errand is None

    def pause_writing(self) -> None:
        """See asyncio."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """See asyncio."""
        self._is_writable = True
        if not self._is_busy and not self._is_ending:
            self._go_on()

    def connection_lost(self, _: Exception | None) -> None:
        """See asyncio."""
        self._is_ending = True
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None
        self._leave_room()
        self._connections.remove(self)

    def tick(self, elapsed_s: float) -> None:
        """Time went by."""
        if self._is_ending:
            return
        unread_bytes = 0 if self._is_writable else self._transport.get_write_buffer_size()
        waits = self._is_busy or (self._room is not None and not self._room.is_granted)
        late = self._watch.tick(elapsed_s, self._reader, unread_bytes, is_busy=waits)
        if late:
            self._answer(Asked(refusal(408, "too-late", late), is_last=True, is_head=False))
        elif late is not None:
            self.abort()

    def shut_down(self) -> None:
        """Answer what is under way, and close; what is behind it was not begun, and the client learns that by the end."""
        self._is_stopping = True
        if not self._is_busy and not self._is_ending:
            self._go_on()

    def abort(self) -> None:
        """End now."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _is_busy(self) -> bool:
        """Whether something is under way, so that what comes has to wait."""
        return self._errand is not None or self._has_turn_coming or not self._is_writable

    def _go_on(self) -> None:
        """Answer the next request that has come; where there is none, listen."""
        reader = self._reader
        if reader.requests:
            self._answer(reader.requests.popleft())
        elif reader.is_over or self._heard_all or (self._is_stopping and reader.is_between):
            self._end()
        else:
            self._listen()

    def _answer(self, asked: Asked) -> None:
        try:
            answer = asked.begin()
        except Exception as error:  # noqa: BLE001 - the door's boundary
            answer = internal(error)
        if isinstance(answer, Response):
            self._reply(asked, answer)
        else:
            self._errand = Errand(self._connections.executor, answer, partial(self._done, asked))

    def _done(self, asked: Asked, response: Response | None, error: Exception | None) -> None:
        self._errand = None
        self._reply(asked, response or internal(error or AssertionError("the work gave no response")))

    def _reply(self, asked: Asked, response: Response) -> None:
        self._leave_room()
        reader = self._reader
        keeps_alive = not (asked.is_last or self._is_stopping or (self._heard_all and not reader.requests))
        for part in parts_of(response, keeps_alive=keeps_alive, is_head=asked.is_head):
            self._transport.write(part)
        if not keeps_alive:
            self._end()
        elif reader.requests:
            self._has_turn_coming = True
            self._loop.call_soon(self._take_turn)
        elif self._is_writable:
            self._listen()

    def _take_turn(self) -> None:
        self._has_turn_coming = False
        if self._is_writable and not self._is_ending:
            self._go_on()

    def _listen(self) -> None:
        if not self._has_room():
            self._pause_reading()
            return
        self._resume_reading()
        if self._reader.wants_continue:
            self._reader.wants_continue = False
            self._transport.write(CONTINUE)

    def _has_room(self) -> bool:
        """Whether there is room for the body that comes; asks for it where that was not done."""
        wanted_bytes = self._reader.wanted_bytes
        if wanted_bytes and self._room is None:
            self._room = self._connections.memory.reserve(self, wanted_bytes, self._granted)
        return self._room is None or self._room.is_granted

    def _granted(self) -> None:
        if self._room is not None and not self._is_ending:  # else it was granted at once
            self._listen()

    def _leave_room(self) -> None:
        if self._room is not None:
            self._connections.memory.release(self._room)
            self._room = None

    def _pause_reading(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def _end(self) -> None:
        """Close after what was written; a client that was broken off may still be sending."""
        self._is_ending = True
        if self._reader.is_between or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self._resume_reading()
        self._loop.call_later(LINGER_S, self.abort)
