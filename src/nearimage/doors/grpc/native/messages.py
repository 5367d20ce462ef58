"""Messages in the bytes of a stream (gRPC over HTTP/2, "Length-Prefixed-Message"; "Message-Encoding").

    +------------+-------------------+---------------------+
    | compressed |    length (32)    |  length bytes     ...
    +------------+-------------------+---------------------+
      0 or 1        big-endian

Frames of HTTP/2 cut messages anywhere, and one frame may hold several. What comes of a message is appended to a buffer that becomes the message without
being copied once more (`BytesIO.getvalue` gives its own buffer away): to join the pieces of 100 MB at the end would hold up the event loop for 50 ms. The
length is known from the first five bytes on: a message that is too large is refused then, and `missing_bytes` says how much room it needs (`memory`).

Compressed messages are gzip or zlib ("deflate"). What they unfold to is bounded while it unfolds: a bomb costs the limit, never more.
"""

import zlib
from io import BytesIO
from struct import Struct
from typing import NamedTuple

PREFIX = Struct(">BL")
PREFIX_BYTES = PREFIX.size

_WINDOW_BITS = {"gzip": 31, "deflate": 15}
"""zlib's names of the two formats."""

ENCODINGS = frozenset(_WINDOW_BITS)
_LEVEL = 1
"""Of compression: replies are made while somebody waits; level 6 takes three times as long for a tenth fewer bytes of vectors and JSON."""


class MessageRefused(Exception):
    """A message that cannot be taken.

    Attributes:
        reason: told to the client.
        is_too_large: it is longer than allowed; otherwise it is broken.
    """

    def __init__(self, reason: str, *, is_too_large: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_too_large = is_too_large


class Message(NamedTuple):
    """One message as it came.

    Attributes:
        is_compressed: by the encoding that the request names.
    """

    data: bytes
    is_compressed: bool


class MessageReader:
    """Puts the messages of one stream together.

    Attributes:
        missing_bytes: what the message that has begun still needs; 0 between messages and while its length is not known.
    """

    __slots__ = ("_body", "_is_compressed", "_limit", "_prefix", "missing_bytes")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._prefix = b""
        self._body: BytesIO | None = None
        self._is_compressed = False
        self.missing_bytes = 0

    @property
    def is_between_messages(self) -> bool:
        """Whether no message has begun."""
        return self._body is None and not self._prefix

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes; returns the messages that they complete.

        Raises:
            MessageRefused: one is longer than allowed, or its first byte is neither 0 nor 1.
        """
        messages, at = [], 0
        while at < len(data):
            if self._body is None:
                at = self._read_prefix(data, at)
            if self._body is not None:
                end = min(at + self.missing_bytes, len(data))
                self._body.write(data[at:end])
                self.missing_bytes -= end - at
                at = end
                if not self.missing_bytes:
                    messages.append(Message(self._body.getvalue(), self._is_compressed))
                    self._body = None
        return messages

    def _read_prefix(self, data: bytes, at: int) -> int:
        """Read the first five bytes of a message, or what there is of them; where what follows begins."""
        end = at + PREFIX_BYTES - len(self._prefix)
        self._prefix += data[at:end]
        if len(self._prefix) == PREFIX_BYTES:
            flag, length = PREFIX.unpack(self._prefix)
            if flag > 1:
                raise MessageRefused(f"a message begins with 0 (plain) or 1 (compressed), got {flag}")
            check_size(length, self._limit)
            self._prefix, self._body, self._is_compressed, self.missing_bytes = b"", BytesIO(), flag == 1, length
        return end


def check_size(size: int, limit: int) -> None:
    """Raises: MessageRefused: a message is longer than allowed; in the words of grpcio, which client programs may look for."""
    if size > limit:
        raise MessageRefused(f"SERVER: Received message larger than max ({size} vs. {limit})", is_too_large=True)


def unfold(data: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a message.

    Raises:
        MessageRefused: it is not what the encoding says, or unfolds to more than allowed.

    Cost:
        5 ns a byte that comes out. Blocks.
    """
    unfolding = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        plain = unfolding.decompress(data, limit + 1)
    except zlib.error as wrong:
        raise MessageRefused(f"a message that should be compressed with {encoding} is not: {wrong}") from wrong
    check_size(len(plain), limit)
    if not unfolding.eof:
        raise MessageRefused(f"a message that should be compressed with {encoding} is cut short")
    return plain


def fold(data: bytes, encoding: str) -> bytes:
    """Compress a message.

    Cost:
        10 to 20 ns a byte. Blocks.
    """
    folding = zlib.compressobj(_LEVEL, wbits=_WINDOW_BITS[encoding])
    return folding.compress(data) + folding.flush()
