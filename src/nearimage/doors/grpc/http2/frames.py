"""Frames: the envelope of everything that travels (RFC 9113 sections 4 and 6).

    +-----------------------------------------------+
    |                 length (24)                   |   of the payload, 16,384 at most unless the receiver allows more
    +---------------+---------------+---------------+
    |   type (8)    |   flags (8)   |
    +-+-------------+---------------+-------------------------------+
    |R|                 stream identifier (31)                      |   0: the connection itself
    +=+=============================================================+
    |                   payload                                   ...
    +---------------------------------------------------------------+

Example: `00 00 08 06 00 00000000` and 8 bytes is a PING; the same with flags 01 answers it.

Here are the numbers, and the few frames that a server writes; reading them is the matter of `connection`.
"""

from struct import Struct

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (RFC 9113 section 3.4): no HTTP/1.1 server takes it for a request."""

HEADER_BYTES = 9
HEADER = Struct(">BHBBL")
"""The header; the length comes in two parts, since it has 24 bits."""

SMALLEST_FRAME_LIMIT, LARGEST_FRAME_LIMIT = 16_384, 16_777_215
LARGEST_STREAM_ID = LARGEST_WINDOW = 2**31 - 1

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20

_NUMBER = Struct(">L")
_TWO_NUMBERS = Struct(">LL")


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame."""
    length = len(payload)
    return HEADER.pack(length >> 16, length & 0xFFFF, kind, flags, stream_id) + payload


def rst_stream(stream_id: int, code: ErrorCode) -> bytes:
    """Give a stream up (section 6.4)."""
    return frame(RST_STREAM, 0, stream_id, _NUMBER.pack(code))


def window_update(stream_id: int, increment: int) -> bytes:
    """Let the peer send so many bytes more (section 6.9); stream 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream_id, _NUMBER.pack(increment))


def goaway(last_stream_id: int, code: ErrorCode, reason: str = "") -> bytes:
    """Streams above the last one were not and will not be worked on (section 6.8)."""
    return frame(GOAWAY, 0, 0, _TWO_NUMBERS.pack(last_stream_id, code) + reason.encode())


def unpadded(flags: int, payload: bytes) -> bytes:
    """The payload of a DATA or HEADERS frame without its padding.

    Raises:
        ConnectionFault: the padding is longer than what it pads (section 6.1).
    """
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the padding is as long as the frame or longer")
    return payload[1 : len(payload) - payload[0]]


def number_in(payload: bytes, name: str) -> int:
    """The 32-bit number that is the whole payload of a frame.

    Raises:
        ConnectionFault: it is not 4 bytes long.
    """
    if len(payload) != _NUMBER.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"{name} has 4 bytes, got {len(payload)}")
    number: int = _NUMBER.unpack(payload)[0]
    return number
