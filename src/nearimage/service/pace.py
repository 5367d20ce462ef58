"""Which requests are answered where they arrive, on the event loop, and which in a thread of their own.

    quick       its like took 5 ms at most, and all it needs is at hand    on the loop: a hop to a thread and back costs 0.15 to 1 ms (docs/design/wire.md)
    not quick   anything else, and what nothing is known about             in a thread, so that the loop goes on for everybody else

How long a request takes depends on the size of the collection, on the index that it has by now, on what a filter lets through, on the machine. No table of
estimates knows all that, so it is measured: a mean of the CPU time of requests of one kind, in which each new one counts an eighth. A kind begins in a
thread. When a collection outgrows the loop, its requests move to threads after a few of them, and back when its index has been built.

A kind is everything about a request that decides how much there is to do: collection, way of ranking, fields and operators of the filter, size of the page.
What is waited for is no CPU time. So requests that may wait have no kind (`kind_of`): those that call a model or read pictures, and those that look into
another collection; and a collection that would have to be opened first is not at hand.

In threads, Python lets one compute at a time, and several that take the interpreter from each other every half millisecond get less done together than one
after the other: pages of a thousand 50/s in place of 100 (docs/design/wire.md). So they take turns. A long one may leave the interpreter alone and use a core
of its own, as a scan of a large collection does; after 20 ms the next begins beside it.

May import `domain` only.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from nearimage.domain.filters import And, Compare, Filter, Not, Or
from nearimage.domain.query import Hybrid, NearObject, NearVector, Search, Words

QUICK_S = 0.005
"""Python's own switch interval: a thread that computes would keep the loop waiting for as long. Whoever waits behind a quick request waits no longer, and
spares it the hop, after which loop and thread wait for each other at every call that gives the interpreter's lock away."""

ALONE_S = 0.02
"""Who has computed for so long in a thread is joined by the next."""

_WEIGHT = 1 / 8
_KINDS = 4096
"""Far more than a database has; clients that ask something new each time start from nothing again."""

T = TypeVar("T")


class Turns:
    """Lets the next thread begin, first come, first served, when nobody is at work, or when the last to begin did so a while ago.

    Args:
        alone_s: that while.
    """

    def __init__(self, alone_s: float = ALONE_S) -> None:
        self._alone_s = alone_s
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._running = 0
        self._begun = 0.0

    def __enter__(self) -> None:
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            self._waiting.append(turn)
            self._let_in()
        while not turn.acquire(timeout=self._alone_s):
            with self._lock:
                self._let_in()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1
            self._let_in()

    def _let_in(self) -> None:
        now = time.monotonic()
        if self._waiting and (not self._running or now - self._begun >= self._alone_s):
            self._running += 1
            self._begun = now
            self._waiting.popleft().release()


@dataclass(slots=True)
class Pace:
    """How long requests of each kind take. Any thread may call anything.

    Attributes:
        quick_s: up to here a kind is quick.
        clock: tells the CPU time of the calling thread, in seconds.
        turns: of those that compute in threads.
    """

    quick_s: float = QUICK_S
    clock: Callable[[], float] = time.thread_time
    turns: Turns = field(default_factory=Turns)
    _means: dict[Hashable, float] = field(default_factory=dict)

    def is_quick(self, kind: Hashable | None) -> bool:
        """Whether requests of this kind are known to be quick; those without a kind never are."""
        return kind is not None and self._means.get(kind, self.quick_s + 1) <= self.quick_s

    def measured(self, kind: Hashable | None, work: Callable[[], T]) -> T:
        """What the work returns, its time noted; one that raised says nothing about the others."""
        started = self.clock()
        done = work()
        if kind is not None:
            self._note(kind, self.clock() - started)
        return done

    def in_turn(self, kind: Hashable | None, work: Callable[[], T]) -> T:
        """The same in a thread, in its turn."""
        if kind is None:  # it may wait for something, and would keep others from their turns meanwhile
            return work()
        with self.turns:
            return self.measured(kind, work)

    def _note(self, kind: Hashable, seconds: float) -> None:
        mean = self._means.get(kind)
        if mean is None and len(self._means) >= _KINDS:
            self._means.clear()
        self._means[kind] = seconds if mean is None else mean + (seconds - mean) * _WEIGHT


def kind_of(query: Search) -> Hashable | None:
    """The kind of a search; None where it may wait for something."""
    by = query.by
    if isinstance(by, Hybrid):
        if by.near is None and by.alpha > 0:  # a model embeds the words
            return None
        ranking: Hashable = (Hybrid, type(by.near), by.words.properties)
        by = by.near or by.words
    else:
        ranking = (type(by), by.properties if isinstance(by, Words) else ())
    if not isinstance(by, NearVector | NearObject | Words | None):
        return None
    where = _shape(query.where) if query.where else ()
    if where is None or query.boost:
        return None
    targets = () if by is None or isinstance(by, Words) else by.targets.names
    page = (query.offset + (query.limit or 0)).bit_length()
    more = (query.after is None, query.sort, query.group_by is None, query.diversity is None, query.projection.properties, query.projection.vectors)
    return (query.collection, query.tenant, ranking, targets, where, page, more)


def _shape(where: Filter) -> Hashable | None:
    """Its fields and operators; None where it leads into another collection."""
    if isinstance(where, Compare):
        return (where.field, where.operator)
    if isinstance(where, Not):
        part = _shape(where.part)
        return None if part is None else (Not, part)
    if isinstance(where, And | Or):
        parts = tuple(_shape(part) for part in where.parts)
        return None if None in parts else (type(where), parts)
    return None
