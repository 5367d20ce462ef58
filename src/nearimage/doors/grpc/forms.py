"""What requests say that are alike but for a vector or some words: read once.

    request   | form, every byte the same | vector, 2 KB | form |         the form says what is asked for, the gaps by what

A client asks in one loop for the same properties under the same filter by other vectors, and reading all that took as long as finding the neighbours of one. A
form is kept with the bytes beside its gaps. In these bytes stand all keys and lengths of the message, so a request of the same length that has them in the same
places says the same, and in the gaps stand its vector and its words: there is nothing to parse.

Kept is what has one vector, or words, or neither. Where the bytes of a gap stand twice in the request nobody knows which of them they are: it is read as ever.

May import `domain`, `service` and `doors.wire` only.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from itertools import pairwise, starmap
from typing import Any

from nearimage.domain.query import Hybrid, NearVector, Search, Words
from nearimage.domain.schema import Collection
from nearimage.doors.grpc.asked import Asked, read_asked
from nearimage.doors.grpc.near_request import from_bytes
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.grpc.search_request import read_query
from nearimage.doors.wire.messages import SearchRequest
from nearimage.service.pace import kind_of

_MOST, _OF_ONE_LENGTH = 256, 8
"""So many forms are kept; words of any length make a dozen of one question."""

_LONGEST = 64 << 10
"""Of longer requests none is kept: all together they are 16 MB at most."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A request, read.

    Attributes:
        kind: as `service.pace` knows it; None where it may wait for something.
    """

    asked: Asked
    query: Search
    kind: Hashable | None


@dataclass(frozen=True, slots=True)
class _Form:
    """A request with gaps.

    Attributes:
        fixed: the bytes that are the same, and where they begin.
        gaps: from where to where, in the order of `_in_gaps`.
        reading: of the request that it was made from.
    """

    fixed: tuple[tuple[bytes, int], ...]
    gaps: tuple[slice, ...]
    reading: Reading

    def fits(self, request: bytes) -> bool:
        """Whether a request of the same length differs in the gaps only."""
        return all(starmap(request.startswith, self.fixed))

    def filled(self, request: bytes) -> Reading:
        """What the request says.

        Raises:
            UnicodeDecodeError: its words are no UTF-8.
        """
        if not self.gaps:
            return self.reading
        query = self.reading.query
        by, gaps = query.by, [request[gap] for gap in self.gaps]
        if isinstance(by, NearVector):
            by = replace(by, vectors=(from_bytes(gaps[0]),))
        elif isinstance(by, Words):
            by = replace(by, text=gaps[0].decode())
        elif isinstance(by, Hybrid) and isinstance(by.near, NearVector):
            by = replace(by, words=replace(by.words, text=gaps[0].decode()), near=replace(by.near, vectors=(from_bytes(gaps[1]),)))
        return replace(self.reading, query=replace(query, by=by))


class Forms:
    """Reads requests. Any thread may call it.

    Args:
        find: the collection of a name.
    """

    def __init__(self, find: Callable[[str], Collection]) -> None:
        self._find = find
        self._kept: dict[int, tuple[_Form, ...]] = {}  # by length; the tuples are replaced, never changed

    def read(self, request: bytes) -> Reading:
        """What a SearchRequest says.

        Raises:
            NearimageError: as the reading of a message does.
        """
        for form in self._kept.get(len(request), ()):
            if form.fits(request) and form.reading.asked.collection is self._find(form.reading.query.collection):
                try:
                    return form.filled(request)
                except UnicodeDecodeError:
                    break  # the reading of the message says what is wrong
        message = parse(SearchRequest, request)
        asked = read_asked(message, self._find(message.collection), self._find)
        query = read_query(message, asked)
        reading = Reading(asked, query, None if asked.is_costly else kind_of(query))
        self._keep(request, message, reading)
        return reading

    def _keep(self, request: bytes, message: Any, reading: Reading) -> None:
        contents = _in_gaps(message, reading.query)
        if contents is None or reading.kind is None or len(request) > _LONGEST:
            return
        places = [request.find(content) for content in contents]
        if any(not content or request.find(content, place + 1) >= 0 for content, place in zip(contents, places, strict=True)):
            return
        gaps = tuple(slice(place, place + len(content)) for content, place in zip(contents, places, strict=True))
        ends = [0, *(end for gap in sorted(gaps, key=lambda gap: gap.start) for end in (gap.start, gap.stop)), len(request)]
        fixed = tuple((request[start:end], start) for start, end in list(pairwise(ends))[::2])
        if sum(map(len, self._kept.values())) >= _MOST:
            self._kept.clear()
        others = tuple(form for form in self._kept.get(len(request), ()) if not form.fits(request))
        self._kept[len(request)] = (_Form(fixed, gaps, reading), *others)[:_OF_ONE_LENGTH]


def _in_gaps(message: Any, query: Search) -> list[bytes] | None:
    """What will be other in the next request that is alike; None for requests of which no form is kept."""
    by = query.by
    if by is None:
        return []
    if isinstance(by, NearVector):
        return _of_vector(message.near_vector, by)
    if isinstance(by, Words):
        return [message.bm25_search.query.encode()]
    if isinstance(by, Hybrid) and isinstance(by.near, NearVector):
        vector = _of_vector(message.hybrid_search, by.near)
        return None if vector is None else [message.hybrid_search.query.encode(), *vector]
    return None


def _of_vector(part: Any, near: NearVector) -> list[bytes] | None:
    if len(near.vectors) != 1 or near.vectors[0].ndim != 1:
        return None
    if len(part.vectors) == 1:
        return [part.vectors[0].vector_bytes]
    return None if part.vectors else [part.vector_bytes]
