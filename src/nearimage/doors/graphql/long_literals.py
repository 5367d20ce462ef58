"""Read a request of which most is a literal, a picture mostly, without holding up everybody else.

Before ten megabytes of base64 are a value, a JSON decoder reads them, the lifter looks for their end, and they are copied out. Each of that is one call into C
that no other thread can interrupt: some 15 ms, for which every other client waits. But a body comes from the network in pieces, and a piece from the midst of
a picture has nothing in it that any reader looks for: no quote, no backslash, no blank, nothing beyond ASCII. So such pieces are set aside, a run of them with
a word in its place, and put back into the value in which the word is found:

    {"query": "...", "variables": {"image": "/9j/4AXd41d8c-0XAAB"}}        run 0: 150 pieces of 64 KB

Everything is done piece by piece, with pauses, but for the last copy. A word that is found nowhere, or not in a string's value, has stood for something else
than the midst of a string (a list of numbers, a comment, half of an escape): then the body is read as one. A word begins with a letter that no escape and no
number can go on with, so that no reader can take a part of it for something else.

May import numpy, `domain` and `doors` only.
"""

import re
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nearimage.domain.errors import DocumentTooLarge, MalformedJson
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.requests import Request
from nearimage.doors.rest.bodies import Body
from nearimage.doors.rest.json_body import read_body

PIECE_BYTES = 64 << 10
"""Longer pieces are cut: to look through one takes some 10 us."""

TURN_BYTES, PAUSE_S = 512 << 10, 0.0002
"""A quarter of a millisecond of work, then a pause; a document of 10 MB takes 10 ms more, and small questions beside it half as long: p50 4.7 ms in place of
10.2, p99 30 in place of 47 (`bench/graphql_door.py`)."""

SHORTEST = 4 << 10
"""Bytes of a piece that is worth setting aside."""

Run = deque[memoryview]


def read_request(body: Body, most: int) -> tuple[Request, Lifted | None]:
    """The request in a body, which is emptied, and its document without its literals, if that is known already.

    Args:
        most: characters that the document may have beside its literals.

    Raises:
        InvalidInput: as `read_body`.

    Cost:
        Memory of two and a half times the literals, the body included. Holds the interpreter no longer than it takes to copy the longest literal once.
    """
    aside = _Aside.of(body)
    return aside.read(most) or (read_body(aside.whole(), Request), None)


@dataclass(frozen=True, slots=True)
class _Aside:
    """A body taken apart.

    Attributes:
        parts: pieces, and runs of them that are set aside.
        token: makes words that nobody else can write.
    """

    parts: tuple[memoryview | Run, ...]
    token: str

    @classmethod
    def of(cls, body: Body) -> "_Aside":
        """Take a body apart, which is emptied."""
        parts = list[memoryview | Run]()
        for piece in _with_pauses(_cut(body)):
            if not _is_plain(piece):
                parts.append(piece)
            elif parts and isinstance(parts[-1], deque):
                parts[-1].append(piece)
            else:
                parts.append(Run([piece]))
        return cls(tuple(parts), f"X{secrets.token_hex(8)}")

    @property
    def runs(self) -> list[Run]:
        """What is set aside."""
        return [part for part in self.parts if isinstance(part, deque)]

    def whole(self) -> bytes:
        """The body as it was sent."""
        return b"".join(piece for part in self.parts for piece in (part if isinstance(part, deque) else (part,)))

    def read(self, most: int) -> tuple[Request, Lifted] | None:
        """The request, and what was set aside put back; None where nothing was, or where it cannot be."""
        runs = self.runs
        if not runs:
            return None
        words = {f"{self.token}-{number}X": sum(map(len, run)) for number, run in enumerate(runs)}
        inserted = iter(words)
        short = b"".join(next(inserted).encode() if isinstance(part, deque) else part for part in self.parts)
        try:
            request = read_body(short, Request)
            lifted = lift(request.query, most)
        except (MalformedJson, DocumentTooLarge):  # if it is wrong, then as it was sent, with the place of the mistake
            return None
        back = _PuttingBack(re.compile(f"{self.token}-([0-9]+)X"), runs)
        if back.count(lifted.values) + back.count(request.variables) != len(runs):
            return None
        longer = {word: size - len(word) for word, size in words.items()}
        request.variables = back.restored(request.variables)
        return request, replace(lifted, values=back.restored(lifted.values), longer=longer)


@dataclass(frozen=True, slots=True)
class _PuttingBack:
    """Puts runs back in the place of their words, anywhere in values of strings, numbers, lists and dicts."""

    word: re.Pattern[str]
    runs: list[Run]

    def count(self, values: Any) -> int:
        """The words in there, but for those in names."""
        found, left = 0, [values]
        while left:
            value = left.pop()
            if isinstance(value, str):
                found += len(self.word.findall(value))
            elif isinstance(value, list | dict):
                left.extend(value.values() if isinstance(value, dict) else value)
        return found

    def restored(self, value: Any) -> Any:
        """The same with the runs; those that are put back are no longer kept here."""
        if isinstance(value, str):
            return self._text(value) if self.word.search(value) else value
        if isinstance(value, list):
            return [self.restored(one) for one in value]
        return {name: self.restored(one) for name, one in value.items()} if isinstance(value, dict) else value

    def _text(self, value: str) -> str:
        return "".join(text for place, part in enumerate(self.word.split(value)) for text in (self._pieces(int(part)) if place % 2 else (part,)))

    def _pieces(self, number: int) -> Iterator[str]:
        run = self.runs[number]
        for piece in _with_pauses(run.popleft() for _ in range(len(run))):
            yield str(piece, "ascii")


def _cut(body: Body) -> Iterator[memoryview]:
    while body:
        piece = memoryview(body.popleft())
        for start in range(0, len(piece), PIECE_BYTES):
            yield piece[start : start + PIECE_BYTES]


def _with_pauses(pieces: Iterable[memoryview]) -> Iterator[memoryview]:
    """The same, so that whoever waits for the interpreter gets it: a thread that offers it without a pause mostly takes it again before the other has woken."""
    read = 0
    for piece in pieces:
        yield piece
        read += len(piece)
        if read >= TURN_BYTES:
            read = 0
            time.sleep(PAUSE_S)


def _is_plain(piece: memoryview) -> bool:
    """Whether there is nothing in it that a reader of JSON or of GraphQL looks for."""
    if len(piece) < SHORTEST:
        return False
    signs = np.frombuffer(piece, np.uint8)
    return bool(signs.min() > _BLANK and signs.max() < _DELETE and not (signs == _QUOTE).any() and not (signs == _BACKSLASH).any())


_BLANK, _DELETE, _QUOTE, _BACKSLASH = b' \x7f"\\'
