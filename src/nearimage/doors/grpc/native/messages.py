"""Messages in the bytes of a stream (gRPC over HTTP/2, "Length-Prefixed-Message"; "Message-Encoding").

    +------------+-------------------+---------------------+
    | compressed |    length (32)    |  length bytes     ...
    +------------+-------------------+---------------------+
      0 or 1        big-endian

Frames of HTTP/2 cut messages anywhere, and one frame may hold several. The pieces of a message are kept as they came and joined once, when the last one is
there. The length is known from the first five bytes on: a message that is too large is refused then, and `missing_bytes` says how much
room it needs (`memory`).

Compressed messages are gzip or zlib ("deflate"). What they unfold to is bounded while it unfolds: a bomb costs the limit, never more.
"""

import zlib
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

    __slots__ = ("_have", "_limit", "_needs", "_parts", "missing_bytes")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._have = 0
        self._needs = PREFIX_BYTES
        self.missing_bytes = 0

    @property
    def is_between_messages(self) -> bool:
        """Whether no message has begun."""
        return self._have == 0

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes; returns the messages that they complete.

        Raises:
            MessageRefused: one is longer than allowed, or its first byte is neither 0 nor 1.
        """
        self._parts.append(data)
        self._have += len(data)
        messages = []
        while self._have >= self._needs:
            whole = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            flag, length = PREFIX.unpack_from(whole)
            self._needs = PREFIX_BYTES + length
            self._check(flag, length)
            if self._have < self._needs:
                self._parts = [whole]
                break
            messages.append(Message(whole[PREFIX_BYTES : self._needs], flag == 1))
            rest = whole[self._needs :]
            self._parts, self._have, self._needs = [rest] if rest else [], len(rest), PREFIX_BYTES
        self.missing_bytes = self._needs - self._have if self._have >= PREFIX_BYTES else 0
        return messages

    def _check(self, flag: int, length: int) -> None:
        if flag > 1:
            raise MessageRefused(f"a message begins with 0 (plain) or 1 (compressed), got {flag}")
        check_size(length, self._limit)


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


def framed(data: bytes, *, is_compressed: bool = False) -> bytes:
    """A message as it travels."""
    return PREFIX.pack(is_compressed, len(data)) + data
