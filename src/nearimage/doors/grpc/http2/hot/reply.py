"""A whole reply in one piece: HEADERS, DATA and trailers, joined once (`bench/transport.py`, the rows with a constant reply).

Three frames built by `frames.frame` and joined cost twice as much.
"""

from struct import Struct

from nearimage.doors.grpc.http2.frames import DATA, END_HEADERS, END_STREAM, HEADERS

_FRAME = Struct(">BHBBL").pack


def reply_frames(stream_id: int, block: bytes, data: bytes, trailers: bytes) -> bytes:
    """The frames of a reply whose parts each fit into one frame."""
    return b"".join(
        (
            _FRAME(0, len(block), HEADERS, END_HEADERS, stream_id),
            block,
            _FRAME(0, len(data), DATA, 0, stream_id),
            data,
            _FRAME(0, len(trailers), HEADERS, END_HEADERS | END_STREAM, stream_id),
            trailers,
        )
    )
