"""Text of megabytes, mostly a picture's base64, in the pieces in which it came.

Whatever is done to ten megabytes in one call holds the interpreter for all of it: 3 ms to put them together as a `str`, 2 ms to give the memory back. So such
a text stays in pieces, from the network to whoever decodes it.

May import the standard library only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

GROUP_BYTES = 1 << 20
"""From so many on, `bytes.join` lets others have the interpreter while it copies (as decoders of base64 do from fewer)."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LongText:
    """A text in ASCII.

    Attributes:
        pieces: of it, none of them empty.
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
        found = b""
        for piece in self.pieces:
            if len(found) >= most:
                break
            found += piece[: most - len(found)]
        return str(found, "ascii")

    def ending(self, most: int) -> str:
        """Its last characters."""
        found = b""
        for piece in reversed(self.pieces):
            if len(found) >= most:
                break
            found = piece[len(piece) - min(len(piece), most - len(found)) :] + found
        return str(found, "ascii")

    def in_groups(self, start: int, size: int) -> Iterator[memoryview]:
        """Its characters from `start` on, some of its pieces at a time; all but the last a multiple of `size`, and none empty."""
        found, length = list[bytes](), 0
        for piece in self.pieces:
            found.append(piece[start:])
            start = max(0, start - len(piece))
            length += len(found[-1])
            if length >= max(GROUP_BYTES, size):
                whole = b"".join(found)
                end = length - length % size
                found, length = [whole[end:]], length - end
                yield memoryview(whole)[:end]
        if length:
            yield memoryview(b"".join(found))
