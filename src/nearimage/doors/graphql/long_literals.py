"""Read a request of which most is a literal, a picture mostly, without holding up everybody else.

Before ten megabytes of base64 are a value, a JSON decoder reads them, the lifter looks for their end, and they are copied out. Each of that is one call into C
that no other thread can interrupt: some 15 ms, for which every other client waits. But a body comes from the network in pieces, and a piece from the midst of
a picture has nothing in it that any reader looks for: no quote, no backslash, no blank, nothing beyond ASCII. So such pieces are set aside, a run of them with
a word in its place, and put back into the value in which the word is found, when that is wanted (`set_aside`):

    {"query": "...", "variables": {"image": "/9j/4AXd41d8c-0XAAB"}}        run 0: 40 pieces of 256 KB

Everything is done piece by piece, with pauses; a picture stays in pieces until it is decoded (`domain.long_text`). A word that is found nowhere, or not in a
string's value, has stood for something else than the midst of a string (a list of numbers, a comment, half of an escape): then the body is read as one. A word
begins with a letter that no escape and no number can go on with, so that no reader can take a part of it for something else.

May import numpy, `domain` and `doors` only.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from nearimage.domain.errors import DocumentTooLarge, MalformedJson
from nearimage.domain.long_text import with_pauses
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.requests import Request
from nearimage.doors.graphql.set_aside import SetAside
from nearimage.doors.rest.bodies import Body
from nearimage.doors.rest.json_body import read_body

PIECE_BYTES = 256 << 10
"""As the network brings them; longer pieces are cut, and to look through one takes some 50 us."""

SMALL_BYTES = 16 << 10
"""A piece in which there is something to read is cut so: in it a picture begins or ends."""

SHORTEST = 4 << 10
"""Bytes of a piece that is worth setting aside."""


def read_request(body: Body, most: int) -> tuple[Request, Lifted | None]:
    """The request in a body, which is emptied, and its document without its literals, if that is known already.

    Args:
        most: characters that the document may have beside its literals.

    Returns:
        The request, and words in the place of what `Lifted.aside` has.

    Raises:
        InvalidInput: as `read_body`.

    Cost:
        Little more than the memory of the body. Holds the interpreter for a quarter of a millisecond at a time.
    """
    apart = _Apart.of(body)
    return apart.read(most) or (read_body(apart.whole(), Request), None)


@dataclass(frozen=True, slots=True)
class _Apart:
    """A body taken apart: pieces, and runs of them that are set aside."""

    parts: tuple[bytes | list[bytes], ...]

    @classmethod
    def of(cls, body: Body) -> "_Apart":
        """Take a body apart, which is emptied."""
        parts = list[bytes | list[bytes]]()
        for piece, plain in _told_apart(with_pauses(_emptied(body))):
            if not plain:
                parts.append(piece)
            elif parts and isinstance(parts[-1], list):
                parts[-1].append(piece)
            else:
                parts.append([piece])
        return cls(tuple(parts))

    def whole(self) -> bytes:
        """The body as it was sent."""
        return b"".join(piece for part in self.parts for piece in (part if isinstance(part, list) else (part,)))

    def read(self, most: int) -> tuple[Request, Lifted] | None:
        """The request without what is set aside; None where nothing was, or where it could not be put back."""
        aside = SetAside(f"X{secrets.token_hex(8)}", tuple(tuple(part) for part in self.parts if isinstance(part, list)))
        if not aside.runs:
            return None
        words = iter(aside.longer)
        short = b"".join(next(words).encode() if isinstance(part, list) else part for part in self.parts)
        try:
            request = read_body(short, Request)
            lifted = lift(request.query, most)
        except (MalformedJson, DocumentTooLarge):  # if it is wrong, then as it was sent, with the place of the mistake
            return None
        if aside.count(list(lifted.values.values())) + aside.count(request.variables) != len(aside.runs):
            return None
        return request, replace(lifted, aside=aside)


def _emptied(body: Body) -> Iterator[bytes]:
    while body:
        yield body.popleft()


def _told_apart(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The pieces, each with whether it is plain; where one is not, its parts."""
    for piece in _cut(pieces, PIECE_BYTES):
        if _is_plain(piece):
            yield piece, True
        else:
            yield from ((part, _is_plain(part)) for part in _cut((piece,), SMALL_BYTES))


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    return (piece[start : start + size] for piece in pieces for start in range(0, len(piece), size))


def _is_plain(piece: bytes) -> bool:
    """Whether there is nothing in it that a reader of JSON or of GraphQL looks for."""
    return len(piece) >= SHORTEST and piece.isascii() and b'"' not in piece and b"\\" not in piece and bool(np.frombuffer(piece, np.uint8).min() > _BLANK)


_BLANK = ord(" ")
