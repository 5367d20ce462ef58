"""Work in micro-batches, on every core, behind everything else.

    many inputs, of all callers --map--> [ imports, bounded ] --micro-batches--> one low-priority thread a core --> rows, in order
    one input                   --map--> [ queries, bounded ] --micro-batches--> the callers' own threads       --> row

All callers of a model share its one runner. An input of an import waits in one queue with those of all other callers; a worker takes as many as make a
micro-batch, whoever they belong to, but never so many that another core has nothing to do. What a micro-batch does (shrink the pictures, run the
model) happens in the worker from start to end. The workers run at a low scheduling priority: searches beside a saturating import then have a
p99 of 0.6 ms instead of 2.1, measured at nice 19 (docs/design/vectorizers.md).

One input alone is a query, or a single insert: somebody waits for it. It runs on the thread of its caller, at normal priority, so it neither waits
behind an import nor pays for a hand-over. As many of them run at a time as there are cores; when more come, they wait in a queue of their own, and
whoever gets a core takes a micro-batch of them along ("flat combining", Hendler et al., SPAA 2010). Where nothing else runs, one may use all cores
(`work_alone`).

A caller whose request is cancelled leaves the queue with all inputs that no micro-batch has taken yet (`nearimage.domain.cancellation`). A micro-batch
that fails is tried again caller by caller, so that one caller's input never fails another's. May import the standard library and `domain` only.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Generic, TypeVar

from nearimage.domain.cancellation import Cancelled, current_cancellation
from nearimage.domain.errors import Busy
from nearimage.domain.priority import step_back

Item = TypeVar("Item")
Row = TypeVar("Row")

Work = Callable[[Sequence[Item]], Sequence[Row]]

MAX_WAITING = 1024
"""Inputs that may wait at once. Pictures arrive shrunk to about 1 MB each; 1,024 of them are ten seconds of work on two cores."""

CLOSING = "the model is being closed; try again once the server is up"


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Call(Generic[Item, Row]):
    """What one caller waits for."""

    __slots__ = ("done", "error", "items", "left", "rows")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.rows: list[Row | None] = [None] * len(items)
        self.left = len(items)
        self.error: BaseException | None = None
        self.done = threading.Event()

    def give(self, index: int, row: Row) -> None:
        """Put a row in its place; only under the runner's lock."""
        self.rows[index] = row
        self.left -= 1
        if not self.left:
            self.done.set()

    def fail(self, error: BaseException) -> None:
        """End the call; the first error counts. Only under the runner's lock."""
        self.error = self.error or error
        self.done.set()


class Runner(Generic[Item, Row]):
    """Maps inputs to rows with one function, in micro-batches.

    Args:
        name: of the threads, for whoever looks at them.
        work: turns a micro-batch into as many rows; called from several threads at once.
        batch: the largest micro-batch.
        work_alone: the same as `work`, on every core at once; for one input while nothing else runs.
        max_waiting: how many inputs may wait or be worked on at once.
    """

    def __init__(self, name: str, work: Work[Item, Row], *, batch: int, max_waiting: int = MAX_WAITING, work_alone: Work[Item, Row] | None = None) -> None:
        self._name = name
        self._work = work
        self._work_alone = work_alone or work
        self._batch = batch
        self._max_waiting = max_waiting
        self._cores = cores()
        self._lock = threading.Lock()
        self._more = threading.Condition(self._lock)
        self._imports: deque[tuple[_Call[Item, Row], int]] = deque()
        self._queries: deque[_Call[Item, Row]] = deque()
        self._waiting = 0  # inputs admitted and not answered yet
        self._running = 0  # micro-batches at work
        self._querying = 0  # queries' own threads at work
        self._free = threading.Condition(self._lock)  # one of them is done, or a query has left the queue
        self._workers: list[threading.Thread] = []
        self._closed = False

    def map(self, items: Sequence[Item]) -> list[Row]:
        """The rows of these inputs, in order.

        Raises:
            Busy: too much is waiting; nothing was started. A call larger than the whole queue is taken when the queue is empty. Also after `close`.
            Cancelled: the request that this thread works on was cancelled.

        Cost:
            Blocks until the last row is there.
        """
        if not items:
            return []
        call: _Call[Item, Row] = _Call(items)
        self._admit(call)
        try:
            token = current_cancellation()
            with token.on_cancel(lambda: self._cancel(call)) if token else nullcontext():
                if len(items) == 1:
                    self._run_queries_until(call)
                call.done.wait()
        finally:
            with self._lock:
                self._waiting -= len(items)
        if call.error:
            raise call.error
        return [row for row in call.rows if row is not None]

    def close(self) -> None:
        """Finish what runs, drop what waits, end the threads."""
        with self._lock:
            self._closed = True
            for call in (*self._queries, *(call for call, _ in self._imports)):
                call.fail(Busy(CLOSING))
            self._queries.clear()
            self._imports.clear()
            self._more.notify_all()
            self._free.notify_all()
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.join()

    def _admit(self, call: _Call[Item, Row]) -> None:
        count = len(call.items)
        with self._lock:
            if self._closed:
                raise Busy(CLOSING)
            if self._waiting and self._waiting + count > self._max_waiting:
                raise Busy(f"{self._waiting} inputs wait for the model, at most {self._max_waiting} may; try again later", waiting=self._waiting)
            self._waiting += count
            if count == 1:
                self._queries.append(call)
                return
            self._imports.extend((call, index) for index in range(count))
            self._start_workers()
            self._more.notify(count)

    def _start_workers(self) -> None:
        """Start the threads with the first import; a model that only answers queries needs none."""
        if not self._workers:
            self._workers = [threading.Thread(target=self._import, name=f"{self._name}-{number}", daemon=True) for number in range(self._cores)]
            for worker in self._workers:
                worker.start()

    def _cancel(self, call: _Call[Item, Row]) -> None:
        with self._lock:
            if call in self._queries:
                self._queries.remove(call)
            else:
                self._imports = deque(entry for entry in self._imports if entry[0] is not call)
            self._free.notify_all()
            call.fail(Cancelled("the request was cancelled, and what waited for the model on its behalf was dropped"))

    def _import(self) -> None:
        """What a worker does: micro-batches of imports, until the runner is closed."""
        step_back()
        while True:
            with self._more:
                while not (self._imports or self._closed):
                    self._more.wait()
                if self._closed:
                    return
                size = min(self._batch, -(-len(self._imports) // self._cores))
                entries = [self._imports.popleft() for _ in range(size)]
                self._running += 1
            self._answer([entry for entry in entries if not entry[0].error], self._work)

    def _run_queries_until(self, call: _Call[Item, Row]) -> None:
        """Wait for a core, then answer waiting queries; until this one has left the queue: taken by this thread or by another, cancelled, closed."""
        while True:
            with self._free:
                while self._querying >= self._cores and call in self._queries:
                    self._free.wait()
                if call not in self._queries:
                    return
                entries = [(self._queries.popleft(), 0) for _ in range(min(self._batch, len(self._queries)))]
                alone = len(entries) == 1 and not (self._running or self._imports)
                self._running += 1
                self._querying += 1
            try:
                self._answer(entries, self._work_alone if alone else self._work)
            finally:
                with self._free:
                    self._querying -= 1
                    self._free.notify_all()

    def _answer(self, entries: Sequence[tuple[_Call[Item, Row], int]], work: Work[Item, Row]) -> None:
        """Run a micro-batch and hand out its rows, or the error."""
        try:
            rows = work([call.items[index] for call, index in entries]) if entries else ()
        except BaseException as error:  # noqa: BLE001 - a worker's loop; the error is raised where the call was made
            self._answer_apart(entries, work, error)
        else:
            with self._lock:
                for (call, index), row in zip(entries, rows, strict=True):
                    call.give(index, row)
        finally:
            with self._lock:
                self._running -= 1

    def _answer_apart(self, entries: Sequence[tuple[_Call[Item, Row], int]], work: Work[Item, Row], error: BaseException) -> None:
        """After a micro-batch has failed: each caller's part by itself, so that only the one at fault fails."""
        calls = list(dict.fromkeys(call for call, _ in entries))
        for call in calls:
            own = [(each, index) for each, index in entries if each is call]
            try:
                if len(calls) == 1:
                    raise error
                rows = work([call.items[index] for _, index in own])
            except BaseException as failed:  # noqa: BLE001 - as above
                with self._lock:
                    self._imports = deque(entry for entry in self._imports if entry[0] is not call)  # the rest of the call is not started
                    call.fail(failed)
            else:
                with self._lock:
                    for (_, index), row in zip(own, rows, strict=True):
                        call.give(index, row)
