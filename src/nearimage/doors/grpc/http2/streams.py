"""Streams: one request and its reply (RFC 9113 section 5.1).

    idle --HEADERS--> open --END_STREAM from the client--> half closed (remote) --END_STREAM from the server--> closed
                       |                                                                                          ^
                       +--RST_STREAM from either side--------------------------------------------------------------+

Only open streams are objects. A number that is not open is idle if it is above the last one, and closed otherwise; what a late frame on a closed stream
means depends on how it was closed:

    reset or ended early by the server   the client may not know yet: ignored
    ended by both, or reset by the client  the client knows: its mistake (STREAM_CLOSED)
    never opened, passed over            the client may not go back (section 5.1.1): PROTOCOL_ERROR

so the last few of the first and the third kind are remembered.
"""

from collections import deque
from typing import Any

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode
from nearimage.doors.grpc.http2.frames import LARGEST_STREAM_ID
from nearimage.doors.grpc.http2.requests import Head

REMEMBERED = 256
"""Streams that the server reset and ranges that a client passed over, each. Frames travel for one round trip: more are never under way."""


class Stream:
    """An open stream.

    Attributes:
        id: odd, growing.
        head: the request's fields.
        receives: whether the client may still send.
        receive_window: how many bytes the client may still send now.
        received_bytes: of DATA so far.
        sends: whether the server may still send.
        send_window: how many bytes the server may still send now; below 0 after the client made its window smaller.
        unsent: pieces of DATA that wait for room.
        unsent_bytes: how many bytes they have.
        trailers: the header block to end with once everything is sent.
        is_queued: whether it is in the ring of those that can send.
        call: whatever the layer above keeps with it.
    """

    __slots__ = (
        "call",
        "head",
        "id",
        "is_queued",
        "receive_window",
        "received_bytes",
        "receives",
        "send_window",
        "sends",
        "trailers",
        "unsent",
        "unsent_bytes",
    )

    def __init__(self, stream_id: int, head: Head, receive_window: int, send_window: int) -> None:
        self.id = stream_id
        self.head = head
        self.receives = True
        self.receive_window = receive_window
        self.received_bytes = 0
        self.sends = True
        self.send_window = send_window
        self.unsent: deque[memoryview] | None = None
        self.unsent_bytes = 0
        self.trailers: bytes | None = None
        self.is_queued = False
        self.call: Any = None


class Streams:
    """The streams of one connection.

    Attributes:
        open: the open ones, by number.
        last_id: the highest number that was ever opened.
        last_accepted: requests above it are not worked on; GOAWAY has said so.
    """

    __slots__ = ("_ended_here", "_passed_over", "last_accepted", "last_id", "open")

    def __init__(self) -> None:
        self.open: dict[int, Stream] = {}
        self.last_id = 0
        self.last_accepted = LARGEST_STREAM_ID
        self._ended_here: deque[int] | None = None  # made when needed: an idle connection costs little
        self._passed_over: deque[range] | None = None

    def note(self, stream_id: int) -> None:
        """A higher number was named: what lies between is closed without ever having been open."""
        if stream_id > self.last_id + 2:
            if self._passed_over is None:
                self._passed_over = deque(maxlen=REMEMBERED)
            self._passed_over.append(range(self.last_id + 1, stream_id))
        self.last_id = stream_id

    def end_here(self, stream_id: int) -> None:
        """The server ended a stream before the client did."""
        if self._ended_here is None:
            self._ended_here = deque(maxlen=REMEMBERED)
        self._ended_here.append(stream_id)

    def ended_here(self, stream_id: int) -> bool:
        """Whether frames on it may be under way in good faith."""
        return self._ended_here is not None and stream_id in self._ended_here

    def was_passed_over(self, stream_id: int) -> bool:
        """Whether it was never open."""
        return any(stream_id in passed for passed in self._passed_over or ())

    def check_known(self, stream_id: int, name: str) -> None:
        """Raises: ConnectionFault: the stream is idle, or the connection itself (section 5.1)."""
        if stream_id == 0 or stream_id > self.last_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"{name} on stream {stream_id}, which was never open")
