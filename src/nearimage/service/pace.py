"""Which requests are answered where they arrive, on the event loop, and which in a thread of their own.

    quick       its like took 5 ms at most, and all it needs is at hand    on the loop: a hop to a thread and back costs 0.15 to 1 ms (docs/design/wire.md)
    not quick   anything else, and what nothing is known about             in a thread, so that the loop goes on for everybody else

How long a request takes depends on the size of the collection, on the index that it has by now, on what a filter lets through, on the machine. No table of
estimates knows all that, so it is measured: a mean of the CPU time of requests of one kind, in which each new one counts an eighth. A kind begins in a
thread. When a collection outgrows the loop, its requests move to threads after a few of them, and back when its index has been built.

A kind is everything about a request that decides how much there is to do: collection, way of ranking, fields and operators of the filter, size of the page.
What is waited for is no CPU time. So requests that may wait have no kind (`kind_of`): those that call a model or read pictures, and those that look into
another collection; and a collection that would have to be opened first is not at hand.

May import `domain` only.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from nearimage.domain.filters import And, Compare, Filter, Not, Or
from nearimage.domain.query import Hybrid, NearObject, NearVector, Search, Words

QUICK_S = 0.005
"""Python's own switch interval: a thread that computes would keep the loop waiting for as long. Whoever waits behind a quick request waits no longer, and
spares it the hop, after which loop and thread wait for each other at every call that gives the interpreter's lock away."""

_WEIGHT = 1 / 8
_KINDS = 4096
"""Far more than a database has; clients that ask something new each time start from nothing again."""

T = TypeVar("T")


@dataclass(slots=True)
class Pace:
    """How long requests of each kind take. Any thread may call anything.

    Attributes:
        quick_s: up to here a kind is quick.
        clock: tells the CPU time of the calling thread, in seconds.
    """

    quick_s: float = QUICK_S
    clock: Callable[[], float] = time.thread_time
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
