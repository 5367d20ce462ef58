"""Text of megabytes, mostly a picture's base64, in the pieces in which it came.

Whatever is done to ten megabytes in one call holds the interpreter for all of it: 3 ms to put them together as a `str`, 2 ms to give the memory back. So such
a text stays in pieces, from the network to whoever decodes it, and is read with pauses.

May import the standard library only.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TURN_BYTES, PAUSE_S = 512 << 10, 0.0002
"""A quarter of a millisecond of work, then a pause; a document of 10 MB takes 10 ms more, and small questions beside it half as long: p50 4.7 ms in place of
10.2, p99 30 in place of 47 (`bench/graphql_door.py`)."""

GROUP_BYTES = 1 << 20
"""From so many on, `bytes.join` lets others have the interpreter while it copies (as decoders of base64 do from fewer)."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LongText:
    """A text in ASCII.

    Attributes:
        pieces: of it; none is empty, and none is so long that it may not be read at once.
    """

    pieces: tuple[bytes, ...]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def __str__(self) -> str:
        return "".join(str(piece, "ascii") for piece in self.pieces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LongText) and (self.pieces == other.pieces or str(self) == str(other))

    def __hash__(self) -> int:
        return hash(len(self))

    def beginning(self, most: int) -> str:
        """Its first characters."""
        found, left = list[bytes](), most
        for piece in self.pieces:
            if left <= 0:
                break
            found.append(piece[:left])
            left -= len(piece)
        return str(b"".join(found), "ascii")

    def in_groups(self, start: int, size: int) -> Iterator[bytes]:
        """Its characters from `start` on, some of its pieces at a time; all but the last a multiple of `size`, and none empty."""
        found, length = list[bytes](), 0
        for piece in self.pieces:
            found.append(piece[start:])
            start = max(0, start - len(piece))
            length += len(found[-1])
            if length >= GROUP_BYTES:
                whole = b"".join(found)
                end = length - length % size
                found, length = [whole[end:]], length - end
                yield whole[:end]
        if length:
            yield b"".join(found)


def with_pauses(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same, so that whoever waits for the interpreter gets it: a thread that offers it without a pause mostly takes it again before the other has woken."""
    read = 0
    for piece in pieces:
        yield piece
        read += len(piece)
        if read >= TURN_BYTES:
            read = 0
            time.sleep(PAUSE_S)
