"""The server's end of one HTTP/2 connection, without I/O (RFC 9113).

    bytes --receive--> frames --> calls on the Receiver
    reply, reset ...   --> frames --take--> bytes

`receive` takes whatever has arrived, cut anywhere. What the client asks for is told to a `Receiver` at once, on the way through the bytes. What the client
did wrong never comes out as an exception: a `StreamFault` becomes RST_STREAM, a `ConnectionFault` becomes
GOAWAY and `is_over`; whoever owns the socket writes what `sender.take` gives and closes it.

A hostile client is one who makes the server work without working itself: `limits` says what is counted, `rates` how. Frames are read in turns of
`turn_frames` and `turn_s`; what is left over is read by `resume`, when other connections have had their turn.

Beginning and end:

    client    PREFACE SETTINGS ...                                          (section 3.4)
    server    SETTINGS, ACK ...
    server    GOAWAY(2^31-1) PING      ... the client stops opening streams and answers the PING
    server    GOAWAY(last stream)      what came until then is answered; `is_drained` when that is done    (section 6.8)
"""

from collections.abc import Collection

from nearimage.doors.grpc.http2 import frames
from nearimage.doors.grpc.http2.control import Control
from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode, StreamFault
from nearimage.doors.grpc.http2.frames import END_HEADERS, HEADER, HEADER_BYTES, HEADERS, LARGEST_STREAM_ID
from nearimage.doors.grpc.http2.hot.short_way import ShortWay
from nearimage.doors.grpc.http2.incoming import Incoming, Receiver, allow
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.http2.peer import own_settings
from nearimage.doors.grpc.http2.rates import Clock, Effort
from nearimage.doors.grpc.http2.sending import Sender
from nearimage.doors.grpc.http2.streams import Stream, Streams

DRAIN_PING = b"drained?"
ALIVE_PING = b"  alive?"


class Connection:
    """One connection.

    Attributes:
        is_over: nothing more is read; what the sender gives is the last.
        fault: why the connection broke off, if it did.
        sender: the way out.
        awaits_answer: a PING of the server's own is unanswered.
    """

    def __init__(self, receiver: Receiver, limits: Limits, clock: Clock) -> None:
        self.is_over = False
        self.fault: ConnectionFault | None = None
        self.sender = Sender(self._ended_here)
        self.awaits_answer = False
        self._receiver = receiver
        self._limits = limits
        self._clock = clock
        self._streams = Streams()
        self._effort = Effort(limits, clock)
        self.sender.control(own_settings(limits))
        self._incoming = Incoming(receiver, self._streams, self.sender, self._effort, limits)
        self._short_way = ShortWay(receiver, self._streams, self.sender, self._incoming, limits)
        control = Control(self._streams, self.sender, self._effort, self._settings_agreed, self._ping_answered)
        self._unread = b""
        self._expects_preface = self._expects_settings = True
        self._unknown = control.unknown
        self._readers = {
            frames.DATA: self._incoming.data,
            frames.HEADERS: self._incoming.headers,
            frames.PRIORITY: control.priority,
            frames.RST_STREAM: self._incoming.rst_stream,
            frames.SETTINGS: control.settings,
            frames.PUSH_PROMISE: control.push_promise,
            frames.PING: control.ping,
            frames.GOAWAY: control.goaway,
            frames.WINDOW_UPDATE: control.window_update,
            frames.CONTINUATION: self._incoming.continuation,
        }

    def receive(self, data: bytes) -> None:
        """Read what has arrived; a turn at most, if `has_more` says so afterwards."""
        if self.is_over:
            return
        try:
            self._read(self._unread + data if self._unread else data)
        except ConnectionFault as fault:
            self.fail(fault)

    def resume(self) -> None:
        """Read on after a turn."""
        self.receive(b"")

    @property
    def has_more(self) -> bool:
        """Whether a whole frame is waiting for its turn."""
        unread = self._unread
        return len(unread) >= HEADER_BYTES and not self._expects_preface and len(unread) >= HEADER_BYTES + int.from_bytes(unread[:3], "big")

    @property
    def is_greeted(self) -> bool:
        """Whether the client has begun to speak HTTP/2."""
        return not self._expects_settings

    @property
    def awaits_rest(self) -> bool:
        """Whether something has begun that the client must go on with: the greeting, a header block, a frame that is not DATA of a message."""
        return self._expects_settings or self._incoming.block_stream != 0 or bool(self._unread)

    @property
    def open_streams(self) -> Collection[Stream]:
        """Those on which something may still be said."""
        return self._streams.open.values()

    @property
    def is_idle(self) -> bool:
        """Whether no stream is open."""
        return not self._streams.open

    @property
    def is_drained(self) -> bool:
        """Whether no request is accepted any more and all are answered."""
        return self._streams.last_accepted < LARGEST_STREAM_ID and not self._streams.open

    def allow(self, stream: Stream, increment: int) -> None:
        """Let the client send so many bytes more on a stream."""
        allow(self.sender, stream, increment)

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """Give a stream up; the receiver is not told, for it is the one who asks."""
        if self._streams.open.pop(stream.id, None) is None:
            return
        self.sender.drop(stream)
        self._streams.end_here(stream.id)
        self.sender.control(frames.rst_stream(stream.id, code))

    def ping(self) -> None:
        """Ask whether the client is still there."""
        self.awaits_answer = True
        self.sender.control(frames.frame(frames.PING, 0, 0, ALIVE_PING))

    def shut_down(self) -> None:
        """Begin to end the connection in good order: answer what is under way, accept nothing new."""
        if not self.is_over:
            self.sender.control(frames.goaway(LARGEST_STREAM_ID, ErrorCode.NO_ERROR))
            self.sender.control(frames.frame(frames.PING, 0, 0, DRAIN_PING))

    def stop_accepting(self) -> None:
        """The client has had time to hear of it: say which request is the last."""
        if not self.is_over and self._streams.last_accepted == LARGEST_STREAM_ID:
            self._streams.last_accepted = self._streams.last_id
            self.sender.control(frames.goaway(self._streams.last_id, ErrorCode.NO_ERROR))

    def fail(self, fault: ConnectionFault) -> None:
        """Break off: tell the client why, and the receiver that its streams are gone."""
        if not self.is_over:
            self.sender.control(frames.goaway(self._streams.last_id, fault.code, fault.reason))
            self.fault = fault
        self.lose()

    def lose(self) -> None:
        """The connection is gone."""
        self.is_over = True
        self._unread = b""
        open_streams, self._streams.open = self._streams.open, {}
        for stream in open_streams.values():
            self.sender.drop(stream)
            self._receiver.cancelled(stream)

    def _read(self, data: bytes) -> None:
        at, end = self._read_preface(data) if self._expects_preface else 0, len(data)
        turn, largest, readers = self._limits.turn_frames, self._limits.frame_bytes, self._readers
        clock, turn_ends = self._clock, self._clock() + self._limits.turn_s
        is_strict = self._expects_settings or self._incoming.block_stream
        while turn > 0 and end - at >= HEADER_BYTES and not self._expects_preface and clock() <= turn_ends:
            high, low, kind, flags, stream_id = HEADER.unpack_from(data, at)
            size = high << 16 | low
            if size > largest:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"frames have {largest} bytes at most, got {size}")
            begin = at + HEADER_BYTES
            if begin + size > end:
                break
            at, turn, stream_id = begin + size, turn - 1, stream_id & LARGEST_STREAM_ID
            if is_strict:
                self._check_order(kind, stream_id)
            elif kind == HEADERS and flags == END_HEADERS and (whole := self._short_way.go(data, begin, at, stream_id)):
                at, turn = whole, turn - 1
                continue
            try:
                readers.get(kind, self._unknown)(flags, stream_id, data[begin:at])
            except StreamFault as fault:
                self._fail_stream(stream_id, fault)
            if self.is_over:
                return
            is_strict = self._incoming.block_stream
        self._unread = data[at:]

    def _read_preface(self, data: bytes) -> int:
        """Where the frames begin."""
        if data.startswith(frames.PREFACE):
            self._expects_preface = False
            return len(frames.PREFACE)
        if not frames.PREFACE.startswith(data):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "this is no HTTP/2 with prior knowledge: the connection preface is missing")
        return 0

    def _check_order(self, kind: int, stream_id: int) -> None:
        if self._expects_settings:
            if kind != frames.SETTINGS:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the first frame of a connection is SETTINGS")
            self._expects_settings = False
        elif kind != frames.CONTINUATION or stream_id != self._incoming.block_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header block is followed by nothing but its own CONTINUATION frames")

    def _fail_stream(self, stream_id: int, fault: StreamFault) -> None:
        """Reset a stream by the client's fault; this counts as if the client had reset it (CVE-2025-8671)."""
        self._effort.reset()
        stream = self._streams.open.pop(stream_id, None)
        self._streams.end_here(stream_id)
        self.sender.control(frames.rst_stream(stream_id, fault.code))
        if stream is not None:
            self.sender.drop(stream)
            self._receiver.cancelled(stream)

    def _ended_here(self, stream: Stream) -> None:
        """The server has said all on a stream."""
        self._streams.open.pop(stream.id, None)
        self._effort.useful += 1
        if stream.receives:  # the client need not go on (section 8.1)
            stream.receives = False
            self._streams.end_here(stream.id)
            self.sender.control(frames.rst_stream(stream.id, ErrorCode.NO_ERROR))

    def _settings_agreed(self) -> None:
        self._incoming.blocks.limit_table(self._limits.header_table_bytes)

    def _ping_answered(self, payload: bytes) -> None:
        self.awaits_answer = False
        if payload == DRAIN_PING:
            self.stop_accepting()
