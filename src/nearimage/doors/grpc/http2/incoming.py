"""Frames that make up requests: HEADERS, CONTINUATION, DATA, RST_STREAM (RFC 9113 sections 6.1, 6.2, 6.4, 6.10 and 8.1).

    HEADERS [CONTINUATION ...]  DATA ...  [HEADERS: trailers]      the last one has END_STREAM

A header block is decoded even if its request is refused, since the tables of both ends must stay the same. Every byte of DATA is taken from the window of
the connection, even on streams that are closed; that window is kept wide open, for what bounds the memory
of a connection is the windows of its streams (`limits.Limits.streams`): one large upload can then never hold up the others.
"""

from collections.abc import Callable
from typing import Protocol

from nearimage.doors.grpc.http2 import frames
from nearimage.doors.grpc.http2.control import PRIORITY_BYTES, SMALL_INCREMENT, check_dependency
from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode, StreamFault
from nearimage.doors.grpc.http2.frames import END_HEADERS, END_STREAM, HAS_PRIORITY, LARGEST_WINDOW, PADDED
from nearimage.doors.grpc.http2.header_blocks import HeaderBlocks
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.http2.peer import DEFAULT_WINDOW
from nearimage.doors.grpc.http2.rates import Effort
from nearimage.doors.grpc.http2.requests import Head, check_request, check_trailers
from nearimage.doors.grpc.http2.sending import Sender
from nearimage.doors.grpc.http2.streams import Stream, Streams

LEAST_WINDOW = LARGEST_WINDOW // 2
"""Bytes of the connection's window below which it is opened wide again."""

Reply = tuple[bytes, bytes, bytes]
"""Header block, DATA, header block of the trailers; without trailers, the first block is the whole reply."""

Later = Callable[[Stream], None]
"""What to do with the stream of a request that is not answered at once after all."""


class Receiver(Protocol):
    """What is told about the streams of a connection. Must not raise."""

    def opened(self, stream: Stream, ended: bool) -> None:
        """A request's header fields are there; with `ended`, nothing follows."""
        ...

    def arrived(self, stream: Stream, data: bytes, ended: bool) -> None:
        """Bytes of a request; with `ended`, nothing follows."""
        ...

    def at_once(self, head: Head, data: bytes, begin: int, end: int) -> Reply | Later | None:
        """A request that came in one piece, `data[begin:end]`: the reply, or what makes it, or None if it is to be opened like any other."""
        ...

    def cancelled(self, stream: Stream) -> None:
        """The stream is gone: reset by either side, or its connection broke off."""
        ...


class Incoming:
    """Reads such frames of one connection.

    Attributes:
        blocks: the header compression.
        effort: what the client makes the server do.
        window: how many bytes of DATA the client may still send.
        block_stream: the stream whose header block is not complete; 0 if there is none.
    """

    __slots__ = ("_block", "_block_flags", "_continuations", "_limits", "_receiver", "_sender", "_streams", "block_stream", "blocks", "effort", "window")

    def __init__(self, receiver: Receiver, streams: Streams, sender: Sender, effort: Effort, limits: Limits) -> None:
        self.blocks = HeaderBlocks(limits)
        self.block_stream = 0
        self._receiver = receiver
        self._streams = streams
        self._sender = sender
        self.effort = effort
        self._limits = limits
        self._block = b""
        self._block_flags = self._continuations = 0
        self.window = DEFAULT_WINDOW
        self._open_window()

    def headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        """A header block begins."""
        if not stream_id & 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"clients open streams with odd numbers, got {stream_id}")
        if flags & (PADDED | HAS_PRIORITY):
            payload = frames.unpadded(flags, payload)
            if flags & HAS_PRIORITY:
                check_dependency(stream_id, payload)
                payload = payload[PRIORITY_BYTES:]
        if flags & END_HEADERS:
            self._head(flags, stream_id, payload)
        else:
            self._block, self.block_stream, self._block_flags, self._continuations = payload, stream_id, flags, 0

    def continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        """A header block goes on. Many of them, or endless ones, are an attack (CVE-2024-27316)."""
        if not self.block_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS")
        self._block += payload
        self._continuations += 1
        if self._continuations > self._limits.continuation_frames or len(self._block) > 2 * self._limits.header_list_bytes:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "a header block in too many pieces, or too long")
        if flags & END_HEADERS:
            block, self._block, self.block_stream = self._block, b"", 0
            self._head(self._block_flags, stream_id, block)

    def data(self, flags: int, stream_id: int, payload: bytes) -> None:
        """Bytes of a request."""
        size = len(payload)
        self.window -= size
        if self.window < LEAST_WINDOW:
            self._open_window()
        stream = self._streams.open.get(stream_id)
        if stream is None or not stream.receives:
            self._late_data(stream_id, size)
            return
        stream.receive_window -= size
        if stream.receive_window < 0:
            raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "more DATA than the stream's window allowed")
        if flags & PADDED:
            payload = frames.unpadded(flags, payload)
            allow(self._sender, stream, size - len(payload))
        stream.received_bytes += len(payload)
        ended = flags & END_STREAM != 0
        if ended:
            self._end(stream)
        elif stream.head.content_length is not None and stream.received_bytes > stream.head.content_length:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, f"content-length is {stream.head.content_length}, got more")
        elif not payload:
            self.effort.frame()
        self._receiver.arrived(stream, payload, ended)

    def rst_stream(self, _: int, stream_id: int, payload: bytes) -> None:
        """The client gives a request up. To ask and to give up at once, again and again, is an attack (CVE-2023-44487)."""
        frames.number_in(payload, "RST_STREAM")
        self._streams.check_known(stream_id, "RST_STREAM")
        self.effort.reset()
        stream = self._streams.open.pop(stream_id, None)
        if stream is not None:
            self._sender.drop(stream)
            self._receiver.cancelled(stream)

    def _head(self, flags: int, stream_id: int, block: bytes) -> None:
        """A whole header block, of a new request or of the trailers of one."""
        head = self.blocks.decode(block)
        stream = self._streams.open.get(stream_id)
        if stream is not None:
            self._trailers(stream, head, flags)
        elif stream_id > self._streams.last_id:
            self._open(stream_id, head, flags & END_STREAM != 0)
        elif self._streams.ended_here(stream_id):
            self.effort.frame()
        elif self._streams.was_passed_over(stream_id):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"stream {stream_id} was passed over; numbers of streams grow")
        else:
            raise ConnectionFault(ErrorCode.STREAM_CLOSED, f"HEADERS on stream {stream_id}, which is closed")

    def _open(self, stream_id: int, head: Head, ended: bool) -> None:
        streams = self._streams
        streams.note(stream_id)
        if stream_id > streams.last_accepted:
            streams.end_here(stream_id)
            return
        if head.mistake is not None:
            check_request(head)
        if len(streams.open) >= self._limits.streams:
            raise StreamFault(ErrorCode.REFUSED_STREAM, f"{self._limits.streams} requests at once are allowed")
        stream = streams.open[stream_id] = Stream(stream_id, head, self._limits.window_bytes, self._sender.stream_window)
        if ended:
            self._end(stream)
        self._receiver.opened(stream, ended)

    def _trailers(self, stream: Stream, head: Head, flags: int) -> None:
        if not stream.receives:
            raise StreamFault(ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM")
        if not flags & END_STREAM:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "trailers end the stream")
        check_trailers(head)
        self._end(stream)
        self._receiver.arrived(stream, b"", True)

    def _end(self, stream: Stream) -> None:
        promised = stream.head.content_length
        if promised is not None and promised != stream.received_bytes:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, f"content-length is {promised}, got {stream.received_bytes} bytes")
        stream.receives = False

    def _late_data(self, stream_id: int, size: int) -> None:
        """DATA on a stream that is not open for it."""
        self._streams.check_known(stream_id, "DATA")
        if not self._streams.ended_here(stream_id):
            raise StreamFault(ErrorCode.STREAM_CLOSED, "DATA after END_STREAM")
        if size < SMALL_INCREMENT:  # of a large upload, much may be under way
            self.effort.frame()

    def _open_window(self) -> None:
        self._sender.control(frames.window_update(0, LARGEST_WINDOW - self.window))
        self.window = LARGEST_WINDOW


def allow(sender: Sender, stream: Stream, increment: int) -> None:
    """Let the client send so many bytes more on a stream."""
    if increment > 0 and stream.receives:
        stream.receive_window += increment
        sender.control(frames.window_update(stream.id, increment))
