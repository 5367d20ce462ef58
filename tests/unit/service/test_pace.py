"""Which requests are answered on the event loop, and whose turn it is in threads."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest

from nearimage.domain.boost import Boost
from nearimage.domain.filters import And, Compare, Filter, Not, Operator, Through
from nearimage.domain.query import GroupBy, Hybrid, NearMedia, NearText, NearVector, Search, SortBy, Words
from nearimage.domain.vectorizing import Modality
from nearimage.service.pace import QUICK_S, Pace, Turns, kind_of
from tests.waiting import eventually

NEAR = Search(collection="Dog", by=NearVector(vectors=(np.ones(2, np.float32),)), limit=10)


class Taking:
    """A clock by which every piece of work takes what `seconds` says at the time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._readings = self._read()

    def __call__(self) -> float:
        return next(self._readings)

    def _read(self) -> Iterator[float]:
        for start in count(step=1000):
            yield start
            yield start + self.seconds


def worked(pace: Pace, clock: Taking, *, kind: object = "a", seconds: float, times: int = 1) -> None:
    clock.seconds = seconds
    for _ in range(times):
        pace.measured(kind, lambda: None)


def test_a_kind_is_not_quick_before_it_was_seen() -> None:
    """A first request may take a second: it must not hold up everybody."""
    assert not Pace().is_quick("a")


def test_what_has_been_quick_stays_on_the_loop_and_what_has_not_leaves_it() -> None:
    """A collection that outgrows the loop must move to threads after a few requests, and come back when its index is there."""
    clock = Taking()
    pace = Pace(clock=clock)
    worked(pace, clock, seconds=QUICK_S / 2)
    assert pace.is_quick("a")
    assert not pace.is_quick("b")
    worked(pace, clock, seconds=10 * QUICK_S)
    assert not pace.is_quick("a")
    worked(pace, clock, seconds=QUICK_S / 2, times=20)
    assert pace.is_quick("a")


def test_one_late_answer_among_many_changes_nothing() -> None:
    """A machine that was busy for a moment says nothing about the request."""
    clock = Taking()
    pace = Pace(clock=clock)
    worked(pace, clock, seconds=0.0003, times=5)
    worked(pace, clock, seconds=0.004)
    assert pace.is_quick("a")


def test_work_without_a_kind_is_done_and_not_remembered() -> None:
    """Such work may wait for anything; its CPU time says nothing."""
    pace = Pace()
    assert pace.measured(None, lambda: 7) == 7
    assert not pace.is_quick(None)


class Working:
    """Work in threads of its own that waits to be told to end."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.begun: list[int] = []
        self.ends = [threading.Event() for _ in range(6)]
        self.threads: list[threading.Thread] = []

    def start(self, number: int, kind: Hashable | None = "a") -> None:
        self.threads.append(threading.Thread(target=self._run, args=(number, kind)))
        self.threads[-1].start()

    def _run(self, number: int, kind: Hashable | None) -> None:
        def work() -> None:
            self.begun.append(number)
            self.ends[number].wait()
            if number == 1:
                raise ValueError("asked to fail")

        with suppress(ValueError):
            self.pace.in_turn(kind, work)

    def has(self, *, begun: int, waiting: int) -> bool:
        return (len(self.begun), len(self.pace.turns._waiting)) == (begun, waiting)

    def join(self) -> None:
        for end in self.ends:
            end.set()
        for thread in self.threads:
            thread.join()


def test_in_threads_one_computes_at_a_time_in_the_order_of_coming() -> None:
    """Several would take the interpreter from each other, and the last to come must not overtake the first."""
    working = Working(Pace(turns=Turns(60)))
    for number in range(4):
        working.start(number)
        eventually("it waits, or works", partial(working.has, begun=1, waiting=number))
    assert working.begun == [0]
    for number in range(3):
        working.ends[number].set()  # the second of them fails
        eventually("the next has begun", partial(working.has, begun=number + 2, waiting=2 - number))
    working.join()
    assert working.begun == [0, 1, 2, 3]


def test_a_long_one_is_joined_by_the_next() -> None:
    """It may be using a core that nobody else needs, and a short one must not wait for seconds."""
    working = Working(Pace(turns=Turns(0.01)))
    for number in (0, 2, 3):
        working.start(number)
    eventually("all have begun", partial(working.has, begun=3, waiting=0))
    working.join()


def test_who_may_wait_for_something_takes_no_turn() -> None:
    """A search that waits for a model does not compute meanwhile."""
    working = Working(Pace(turns=Turns(60)))
    working.start(0)
    working.start(2, kind=None)
    eventually("both have begun", partial(working.has, begun=2, waiting=0))
    working.join()


def test_new_kinds_without_end_take_no_memory_without_end() -> None:
    """A client that names another property in each request must not fill the server."""
    clock = Taking()
    pace = Pace(clock=clock)
    for number in range(10_000):
        worked(pace, clock, kind=number, seconds=0.0001)
    assert pace.is_quick(9_999)
    assert len(pace._means) <= 4096


OTHERS: dict[str, Search] = {
    "collection": replace(NEAR, collection="Cat"),
    "tenant": replace(NEAR, tenant="anna"),
    "way of ranking": replace(NEAR, by=Words(text="corgi")),
    "filter": replace(NEAR, where=Compare("age", Operator.EQUAL, 1)),
    "operator": replace(NEAR, where=Compare("age", Operator.LIKE, 1)),
    "negation": replace(NEAR, where=Not(Compare("age", Operator.EQUAL, 1))),
    "size of the page": replace(NEAR, limit=1000),
    "offset": replace(NEAR, offset=100),
    "groups": replace(NEAR, group_by=GroupBy(property="age", groups=2, per_group=2)),
    "order": Search(collection="Dog", limit=10, sort=(SortBy(field="age"),)),
    "listing": Search(collection="Dog", limit=10),
    "fused": replace(NEAR, by=Hybrid(words=Words(text="corgi"), near=NEAR.by if isinstance(NEAR.by, NearVector) else None)),
}


def test_requests_that_differ_in_what_there_is_to_do_are_of_different_kinds() -> None:
    """One mean over both would call the heavy one quick."""
    kinds = [kind_of(one) for one in (NEAR, *OTHERS.values())]
    assert None not in kinds
    assert len(set(kinds)) == len(kinds)


def test_requests_that_differ_in_values_are_of_one_kind() -> None:
    """Else none would ever be seen twice."""
    other = replace(NEAR, by=NearVector(vectors=(np.zeros(2, np.float32),)), limit=11)
    assert kind_of(other) == kind_of(NEAR)
    first, second = (kind_of(replace(NEAR, where=And((Compare("age", Operator.EQUAL, value),)))) for value in (1, 2))
    assert first == second


def waiting() -> list[Search]:
    elsewhere: Filter = Through("owner", None, Compare("name", Operator.EQUAL, "x"))
    return [
        replace(NEAR, by=NearMedia(modality=Modality.IMAGE, data="")),
        replace(NEAR, by=NearText(concepts=("corgi",))),
        replace(NEAR, by=Hybrid(words=Words(text="corgi"))),
        replace(NEAR, by=Hybrid(words=Words(text="corgi"), near=NearText(concepts=("corgi",)))),
        replace(NEAR, where=elsewhere),
        replace(NEAR, where=And((Compare("age", Operator.EQUAL, 1), Not(elsewhere)))),
        replace(NEAR, boost=Boost(conditions=(), weight=0.5)),
    ]


@pytest.mark.parametrize("query", waiting(), ids=lambda query: type(query.by).__name__)
def test_what_may_wait_has_no_kind(query: Search) -> None:
    """Waiting is no CPU time: a model, or another collection that has to be opened, would look quick and stop the loop."""
    assert kind_of(query) is None
