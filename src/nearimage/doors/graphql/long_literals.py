"""Read a request of which most is a literal, a picture mostly, without holding up everybody else.

Before ten megabytes of base64 are a value, a JSON decoder reads them, the lifter looks for their end, and they are copied out. Each of that is one call into C
that no other thread can interrupt: some 15 ms, for which every other client waits. But a body comes from the network in pieces, and a piece from the midst of
a picture has nothing in it that any reader looks for: no quote, no backslash, no blank, nothing beyond ASCII. So such pieces are set aside, a run of them with
a word in its place, and put back into the value in which the word is found, when that is wanted (`set_aside`):

    {"query": "...", "variables": {"image": "/9j/4AXd41d8c-0XAAB"}}        run 0: 40 pieces of 256 KB

They are looked at on the event loop, one by one as they come, while they are still in the processor's cache: a thread that did it would ask the loop for the
interpreter once a piece, and either waits for the other. A picture stays in pieces until it is decoded (`domain.long_text`). A word that is found nowhere, or
not in a string's value, has stood for something else than the midst of a string (a list of numbers, a comment, half of an escape): then the body is read as
one. A word begins with a letter that no escape and no number can go on with, so that no reader can take a part of it for something else.

May import numpy, `domain` and `doors` only.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from nearimage.domain.errors import DocumentTooLarge, MalformedJson
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.requests import Request
from nearimage.doors.graphql.set_aside import SetAside
from nearimage.doors.rest.json_body import read_body

PIECE_BYTES = 256 << 10
"""As the network brings them; longer pieces are cut, and to look through one takes some 50 us."""

SMALL_BYTES = 16 << 10
"""A piece in which there is something to read is cut so: in it a picture begins or ends."""

SHORTEST = 4 << 10
"""Bytes of a piece that is worth setting aside."""


@dataclass(slots=True)
class Body:
    """The body of a request, taken apart while it comes.

    Attributes:
        size: in bytes.
        parts: pieces, and runs of them that are set aside.
    """

    size: int = 0
    parts: list[bytes | list[bytes]] = field(default_factory=list)

    def add(self, piece: bytes) -> None:
        """The next piece; 50 us for one of 256 KB."""
        self.size += len(piece)
        for part in _cut(piece, PIECE_BYTES):
            if _is_plain(part):
                self._set_aside(part)
            else:
                self._look_through(part)

    def whole(self) -> bytes:
        """The body as it was sent."""
        return b"".join([piece for part in self.parts for piece in (part if isinstance(part, list) else (part,))])

    def request(self, most: int) -> tuple[Request, Lifted | None]:
        """The request, and its document without its literals, if that is known already.

        Args:
            most: characters that the document may have beside its literals.

        Returns:
            The request, and words in the place of what `Lifted.aside` has.

        Raises:
            InvalidInput: as `read_body`.

        Cost:
            Of what is not set aside. Where that was not possible, memory of two and a half times the body, and the interpreter for 1 ms a megabyte.
        """
        return self._without_runs(most) or (read_body(self.whole(), Request), None)

    def _look_through(self, piece: bytes) -> None:
        for part in _cut(piece, SMALL_BYTES):
            if _is_plain(part):
                self._set_aside(part)
            else:
                self.parts.append(part)

    def _set_aside(self, piece: bytes) -> None:
        if self.parts and isinstance(run := self.parts[-1], list):
            run.append(piece)
        else:
            self.parts.append([piece])

    def _without_runs(self, most: int) -> tuple[Request, Lifted] | None:
        """The request without what is set aside; None where nothing was, or where it could not be put back."""
        aside = SetAside(f"X{secrets.token_hex(8)}", tuple(tuple(part) for part in self.parts if isinstance(part, list)))
        if not aside.runs:
            return None
        words = iter(aside.longer)
        short = b"".join([next(words).encode() if isinstance(part, list) else part for part in self.parts])
        try:
            request = read_body(short, Request)
            lifted = lift(request.query, most)
        except (MalformedJson, DocumentTooLarge):  # if it is wrong, then as it was sent, with the place of the mistake
            return None
        if aside.count(list(lifted.values.values())) + aside.count(request.variables) != len(aside.runs):
            return None
        return request, replace(lifted, aside=aside)


def _cut(piece: bytes, size: int) -> Iterator[bytes]:
    return (piece[start : start + size] for start in range(0, len(piece), size))


def _is_plain(piece: bytes) -> bool:
    """Whether there is nothing in it that a reader of JSON or of GraphQL looks for."""
    return len(piece) >= SHORTEST and piece.isascii() and b'"' not in piece and b"\\" not in piece and bool(np.frombuffer(piece, np.uint8).min() > _BLANK)


_BLANK = ord(" ")
