"""Where the time of one request goes: told by the engine to whoever asks for it.

    with profiled() as profile:      a door, where its client wants to know
        ... service ... engine       watch = watching("vector"); ...; watch.lap("search"); watch.note("hits", 10); ...; watch.lap("objects")
    profile.searches                 {"vector": Details(seconds={"search": 0.0004, "objects": 0.0001}, facts={"hits": 10})}

The profile travels as a context variable, so nothing between the door and the engine has to pass it on. As a rule nobody asks; a watch then does nothing and
costs a tenth of a microsecond. An engine that keeps no watch has empty profiles.

May import the standard library only.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["vector", "keyword", "object"]
"""What was searched: vectors, words; or objects were only listed."""

Phase = Literal["filter", "terms", "search", "sort", "objects"]
"""What took the time: the filter, taking the words apart, the search itself, an order asked for, reading the objects found."""

Fact = Literal["hits", "passing", "exact"]
"""Found; how many passed the filter; whether every vector that passed was measured."""


@dataclass(slots=True)
class Details:
    """Of all searches of one kind together: seconds by phase, and the last search's facts."""

    seconds: dict[Phase, float] = field(default_factory=dict)
    facts: dict[Fact, int | bool] = field(default_factory=dict)


@dataclass(slots=True)
class Profile:
    """What was told, by kind of search."""

    searches: dict[Kind, Details] = field(default_factory=dict)


class Watch:
    """Measures one search from its making on."""

    __slots__ = ("_details", "_last")

    def __init__(self, details: Details | None) -> None:
        self._details = details
        self._last = time.perf_counter() if details is not None else 0.0

    @property
    def is_on(self) -> bool:
        """Whether anybody wants to know; for what costs something to find out."""
        return self._details is not None

    def lap(self, phase: Phase) -> None:
        """What took place since the last lap was this."""
        if self._details is not None:
            now = time.perf_counter()
            self._details.seconds[phase] = self._details.seconds.get(phase, 0.0) + now - self._last
            self._last = now

    def note(self, fact: Fact, value: int | bool) -> None:
        """Tell something else."""
        if self._details is not None:
            self._details.facts[fact] = value


IDLE = Watch(None)
"""Of a search that nobody wants to know about."""

_current: ContextVar[Profile | None] = ContextVar("profile", default=None)


@contextmanager
def profiled() -> Iterator[Profile]:
    """Collect what is told inside of the block, in this thread."""
    profile = Profile()
    token = _current.set(profile)
    try:
        yield profile
    finally:
        _current.reset(token)


def watching(kind: Kind) -> Watch:
    """A watch for one search, started."""
    profile = _current.get()
    return IDLE if profile is None else Watch(profile.searches.setdefault(kind, Details()))
