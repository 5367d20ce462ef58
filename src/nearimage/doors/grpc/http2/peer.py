"""SETTINGS: what the two ends tell each other about themselves (RFC 9113 section 6.5).

Each setting is 16 bits of name and 32 of value. They hold for the direction towards whoever sent them: a client's INITIAL_WINDOW_SIZE bounds what the
server sends.
Names that are not known are ignored. A reply to a changed setting is an empty SETTINGS frame with the flag ACK, in order.
"""

from collections.abc import Iterator
from struct import Struct

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode
from nearimage.doors.grpc.http2.frames import LARGEST_FRAME_LIMIT, LARGEST_WINDOW, SETTINGS, SMALLEST_FRAME_LIMIT, frame
from nearimage.doors.grpc.http2.limits import Limits

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)

DEFAULT_WINDOW = 65_535
DEFAULT_HEADER_TABLE_BYTES = 4_096

_ENTRY = Struct(">HL")


def own_settings(limits: Limits) -> bytes:
    """The SETTINGS frame that opens the server's side."""
    entries = (
        (HEADER_TABLE_SIZE, limits.header_table_bytes),
        (MAX_CONCURRENT_STREAMS, limits.streams),
        (INITIAL_WINDOW_SIZE, limits.window_bytes),
        (MAX_FRAME_SIZE, limits.frame_bytes),
        (MAX_HEADER_LIST_SIZE, limits.header_list_bytes),
    )
    return frame(SETTINGS, 0, 0, b"".join(_ENTRY.pack(name, value) for name, value in entries))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """The settings of a peer, checked, in the order in which they hold.

    Raises:
        ConnectionFault: a broken frame, or a value that the section forbids.
    """
    if len(payload) % _ENTRY.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"SETTINGS has entries of 6 bytes, got {len(payload)} bytes")
    for name, value in _ENTRY.iter_unpack(payload):
        _check(name, value)
        yield name, value


def _check(name: int, value: int) -> None:
    if name == ENABLE_PUSH and value > 1:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"ENABLE_PUSH is 0 or 1, got {value}")
    if name == INITIAL_WINDOW_SIZE and value > LARGEST_WINDOW:
        raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, f"INITIAL_WINDOW_SIZE is {LARGEST_WINDOW} at most, got {value}")
    if name == MAX_FRAME_SIZE and not SMALLEST_FRAME_LIMIT <= value <= LARGEST_FRAME_LIMIT:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"MAX_FRAME_SIZE is {SMALLEST_FRAME_LIMIT} to {LARGEST_FRAME_LIMIT}, got {value}")
