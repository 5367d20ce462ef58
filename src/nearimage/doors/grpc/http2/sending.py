"""The way out: who may send how much, and whose turn it is (RFC 9113 sections 5.2 and 6.9).

Only DATA is subject to flow control. A byte of it needs room in the window of its stream and in the window of the connection; the client makes room with
WINDOW_UPDATE. The windows of all streams move together when the client changes its INITIAL_WINDOW_SIZE,
and may become negative by that.

Headers and control frames leave at once. DATA that fits into both windows, when nobody else waits, leaves with them, as one piece: the usual reply.
Otherwise it is kept with its stream, and streams that can send stand in a ring: each sends one frame when it is its turn,
so a reply of 100 MB delays a small one by one frame. A stream without room leaves the ring until its window grows: a slow reader holds up nobody else.

How much is taken at a time is said by whoever writes to the socket, so that what waits stays here, where a reset can still drop it.
"""

from collections import deque
from collections.abc import Callable, Iterable

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode, StreamFault
from nearimage.doors.grpc.http2.frames import DATA, END_HEADERS, END_STREAM, HEADER, HEADERS, LARGEST_WINDOW, SMALLEST_FRAME_LIMIT, frame
from nearimage.doors.grpc.http2.hot.reply import reply_frames
from nearimage.doors.grpc.http2.peer import DEFAULT_WINDOW
from nearimage.doors.grpc.http2.streams import Stream


class Sender:
    """What one connection sends.

    Attributes:
        window: how many bytes of DATA the client lets the connection send now.
        stream_window: what a new stream begins with.
        unsent_bytes: DATA that waits.
        block_opening: what the next header block begins with: an announcement about the header table, or nothing.
    """

    __slots__ = ("_ended", "_out", "_ring", "block_opening", "stream_window", "unsent_bytes", "window")

    def __init__(self, ended: Callable[[Stream], None]) -> None:
        self.window = DEFAULT_WINDOW
        self.stream_window = DEFAULT_WINDOW
        self.unsent_bytes = 0
        self.block_opening = b""
        self._out: list[bytes] = []
        self._ring: deque[Stream] = deque()
        self._ended = ended

    @property
    def has_frames(self) -> bool:
        """Whether frames wait that nothing holds up."""
        return bool(self._out)

    @property
    def room(self) -> int:
        """How many bytes of DATA may leave at once, before all that waits; 0 if something waits."""
        return 0 if self._ring or self.block_opening else min(self.window, SMALLEST_FRAME_LIMIT)

    @property
    def has_data(self) -> bool:
        """Whether there is DATA that could leave now."""
        return bool(self._ring) and self.window > 0

    def control(self, one: bytes) -> None:
        """Send a frame that needs no window."""
        self._out.append(one)

    def headers(self, stream: Stream, block: bytes, *, end: bool = False) -> None:
        """Send header fields; the block fits into one frame."""
        block, self.block_opening = self.block_opening + block, b""
        self._out.append(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream.id, block))
        if end:
            stream.sends = False
            self._ended(stream)

    def reply(self, stream: Stream, block: bytes, data: bytes, trailers: bytes) -> None:
        """Send headers, DATA and trailers: a whole reply. Without trailers, the headers are all."""
        if not trailers:
            self.headers(stream, block, end=True)
            return
        size = len(data)
        if size > stream.send_window or size > self.room:
            self.headers(stream, block)
            self.data(stream, data)
            self.trailers(stream, trailers)
            return
        self.window -= size
        self._out.append(reply_frames(stream.id, block, data, trailers))
        stream.sends = False
        self._ended(stream)

    def data(self, stream: Stream, data: bytes) -> None:
        """Send DATA as the windows allow."""
        if not data:
            return
        if stream.unsent is None:
            stream.unsent = deque()
        stream.unsent.append(memoryview(data))
        stream.unsent_bytes += len(data)
        self.unsent_bytes += len(data)
        self._queue(stream)

    def trailers(self, stream: Stream, block: bytes) -> None:
        """End a stream with these fields, after its DATA."""
        if stream.unsent:
            stream.trailers = block
        else:
            self.headers(stream, block, end=True)

    def drop(self, stream: Stream) -> None:
        """Forget what a stream had to send."""
        stream.sends = False
        self.unsent_bytes -= stream.unsent_bytes
        stream.unsent_bytes = 0
        stream.unsent = None
        if stream.is_queued:
            self._ring.remove(stream)
            stream.is_queued = False

    def grow(self, increment: int) -> None:
        """The client made room on the connection.

        Raises:
            ConnectionFault: more than can be counted (section 6.9.1).
        """
        self.window += increment
        if self.window > LARGEST_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window of the connection has grown beyond what can be counted")

    def grow_stream(self, stream: Stream, increment: int) -> None:
        """The client made room on a stream.

        Raises:
            StreamFault: more than can be counted (section 6.9.1).
        """
        stream.send_window += increment
        if stream.send_window > LARGEST_WINDOW:
            raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "the window of the stream has grown beyond what can be counted")
        self._queue(stream)

    def begin_streams_with(self, window: int, streams: Iterable[Stream]) -> None:
        """The client changed INITIAL_WINDOW_SIZE: the open streams move along (section 6.9.2).

        Raises:
            ConnectionFault: one of them grows beyond what can be counted.
        """
        moved, self.stream_window = window - self.stream_window, window
        for stream in streams:
            stream.send_window += moved
            if stream.send_window > LARGEST_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a stream's window has grown beyond what can be counted")
            self._queue(stream)

    def take(self, room: int) -> bytes:
        """What to write now: all frames that nothing holds up, and DATA up to about `room` bytes."""
        while room > 0 and self._ring and self.window > 0:
            room -= self._send_frame(self._ring.popleft())
        out = self._out
        if len(out) == 1:
            return out.pop()
        joined = b"".join(out)
        out.clear()
        return joined

    def _queue(self, stream: Stream) -> None:
        if stream.unsent and stream.send_window > 0 and not stream.is_queued:
            stream.is_queued = True
            self._ring.append(stream)

    def _send_frame(self, stream: Stream) -> int:
        """Send one frame of a stream, and let it stand in line again if it has more."""
        stream.is_queued = False
        unsent = stream.unsent
        if not unsent or stream.send_window <= 0:
            return 0
        piece = unsent[0]
        size = min(len(piece), stream.send_window, self.window, SMALLEST_FRAME_LIMIT)
        if size == len(piece):
            unsent.popleft()
        else:
            unsent[0] = piece[size:]
        self._out += (HEADER.pack(size >> 16, size & 0xFFFF, DATA, 0, stream.id), bytes(piece[:size]))
        stream.send_window -= size
        stream.unsent_bytes -= size
        self.unsent_bytes -= size
        self.window -= size
        if unsent:
            self._queue(stream)
        elif stream.trailers is not None:
            self.headers(stream, stream.trailers, end=True)
        return size
