"""Frames about the connection: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, PRIORITY (RFC 9113 sections 5.3 and 6).

They carry no request, so each one that is not needed for one is counted (`rates`). Priorities are read for their mistakes only: section 5.3.2 has done
away with them. Frames of kinds that are not known are passed over (section 5.5).
"""

from collections.abc import Callable

from nearimage.doors.grpc.http2 import frames, peer
from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode, StreamFault
from nearimage.doors.grpc.http2.frames import ACK, LARGEST_STREAM_ID, LARGEST_WINDOW
from nearimage.doors.grpc.http2.header_blocks import TABLE_GONE
from nearimage.doors.grpc.http2.rates import Effort
from nearimage.doors.grpc.http2.sending import Sender
from nearimage.doors.grpc.http2.streams import Streams

SMALL_INCREMENT = 1_024
"""Bytes. A WINDOW_UPDATE that makes less room than this is work without use, and counted; clients return a window by quarters or halves."""

PING_BYTES = 8
PRIORITY_BYTES = 5
GOAWAY_BYTES = 8  # and whatever the client wants to say


class Control:
    """Reads such frames of one connection.

    Attributes:
        settings_agreed: called when the client has acknowledged the server's SETTINGS.
        ping_answered: called with the 8 bytes of a PING that the client answered.
    """

    __slots__ = ("_effort", "_sender", "_streams", "ping_answered", "settings_agreed")

    def __init__(self, streams: Streams, sender: Sender, effort: Effort, settings_agreed: Callable[[], None], ping_answered: Callable[[bytes], None]) -> None:
        self._streams = streams
        self._sender = sender
        self._effort = effort
        self.settings_agreed = settings_agreed
        self.ping_answered = ping_answered

    def settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        """Take over what the client says of itself, or note that it agreed."""
        self._effort.frame()
        if stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS is about the connection, got a stream")
        if flags & ACK:
            if payload:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement of SETTINGS is empty")
            self.settings_agreed()
            return
        for name, value in peer.read_settings(payload):
            if name == peer.INITIAL_WINDOW_SIZE:
                self._sender.begin_streams_with(value, self._streams.open.values())
            elif name == peer.HEADER_TABLE_SIZE and value < peer.DEFAULT_HEADER_TABLE_BYTES:
                self._sender.block_opening = TABLE_GONE
        self._sender.control(frames.frame(frames.SETTINGS, ACK, 0))

    def ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        """Answer, or note the answer."""
        self._effort.frame()
        if stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PING is about the connection, got a stream")
        if len(payload) != PING_BYTES:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"PING has {PING_BYTES} bytes, got {len(payload)}")
        if flags & ACK:
            self.ping_answered(payload)
        else:
            self._sender.control(frames.frame(frames.PING, ACK, 0, payload))

    def window_update(self, _: int, stream_id: int, payload: bytes) -> None:
        """The client made room."""
        increment = frames.number_in(payload, "WINDOW_UPDATE") & LARGEST_WINDOW
        if stream_id == 0:
            self._grow_connection(increment)
            return
        stream = self._streams.open.get(stream_id)
        if stream is None:
            self._effort.frame()
            self._streams.check_known(stream_id, "WINDOW_UPDATE")
        elif increment == 0:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0")
        else:
            if increment < SMALL_INCREMENT:
                self._effort.frame()
            self._sender.grow_stream(stream, increment)

    def _grow_connection(self, increment: int) -> None:
        if increment < SMALL_INCREMENT:
            self._effort.frame()
            if increment == 0:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0")
        self._sender.grow(increment)

    def goaway(self, _: int, stream_id: int, payload: bytes) -> None:
        """The client opens no more streams; those that are open go on."""
        self._effort.frame()
        if stream_id or len(payload) < GOAWAY_BYTES:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"GOAWAY is about the connection and has {GOAWAY_BYTES} bytes at least")

    def priority(self, _: int, stream_id: int, payload: bytes) -> None:
        """Nothing but a check."""
        self._effort.frame()
        if len(payload) != PRIORITY_BYTES:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"PRIORITY has {PRIORITY_BYTES} bytes, got {len(payload)}")
        check_dependency(stream_id, payload)

    def push_promise(self, _: int, __: int, ___: bytes) -> None:
        """Raises: ConnectionFault: always."""
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "clients do not push")

    def unknown(self, _: int, __: int, ___: bytes) -> None:
        """Nothing."""
        self._effort.frame()


def check_dependency(stream_id: int, payload: bytes) -> None:
    """Check the 5 bytes that PRIORITY consists of and HEADERS may begin with.

    Raises:
        ConnectionFault: they are cut short, or the stream depends on itself, or there is none.
    """
    if stream_id == 0 or len(payload) < PRIORITY_BYTES or int.from_bytes(payload[:4], "big") & LARGEST_STREAM_ID == stream_id:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a priority without a stream, cut short, or of a stream that depends on itself")
