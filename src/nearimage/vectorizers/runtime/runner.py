"""Work in micro-batches, on every core, behind everything else.

    many inputs --map--> [ waiting, bounded ] --micro-batches--> one low-priority thread a core --> rows, in order
    one input   --map--> the caller's own thread --> row

All callers of a model share its one runner. A call is cut into micro-batches, so that a single call of a dozen pictures already keeps every core
busy, and what a micro-batch does (shrink the pictures, run the model) happens in the worker from start to end: neither the caller's thread nor
the other workers take part. The workers run at a low scheduling priority: searches beside a saturating import then have a p99 of 0.6 ms
instead of 2.1, measured at nice 19 (docs/design/vectorizers.md).

One input alone is a query, or a single insert: somebody waits for it. It runs at once on the caller's own thread, at normal priority, so it neither
waits behind an import nor pays for a hand-over; as many of them run at a time as there are cores. Where nothing else runs, it may use all cores
(`work_alone`). Small calls of several callers are not merged into one micro-batch; `Runner.map` is the place for it.

May import the standard library and `domain` only.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from nearimage.domain.errors import Busy

Item = TypeVar("Item")
Row = TypeVar("Row")

Work = Callable[[Sequence[Item]], Sequence[Row]]

BEHIND_SEARCHES = 10
"""A nice value that leaves a tenth of a contested core to the workers. At 19, the lowest priority, it is a hundredth: beside three busy programs on two
cores an import of 20 pictures then took more than a minute."""

MAX_WAITING = 1024
"""Inputs that may wait at once. Pictures arrive shrunk to about 1 MB each; 1,024 of them are ten seconds of work on two cores."""

CLOSING = "the model is being closed; try again once the server is up"


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _step_back() -> None:
    """Lower the calling thread's priority; only Linux knows priorities of threads, elsewhere it would be the whole process's."""
    if hasattr(os, "sched_getaffinity"):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND_SEARCHES)
        except OSError:
            return  # a sandbox may forbid it; the work is the same


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
        self._work = work
        self._work_alone = work_alone or work
        self._batch = batch
        self._max_waiting = max_waiting
        self._workers = cores()
        self._waiting = 0
        self._lock = threading.Lock()
        self._singles = threading.Semaphore(self._workers)
        self._running_singles = 0
        self._closed = False
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix=name, initializer=_step_back)

    def map(self, items: Sequence[Item]) -> list[Row]:
        """The rows of these inputs, in order.

        Raises:
            Busy: too much is waiting; nothing was started. A call larger than the whole queue is taken when the queue is empty. Also after `close`.

        Cost:
            Blocks until the last row is there.
        """
        if not items:
            return []
        if len(items) == 1:
            return list(self._run_single(items))
        self._admit(len(items))
        try:
            futures = self._start(items)
            return [row for future in futures for row in _result(future, futures)]
        finally:
            with self._lock:
                self._waiting -= len(items)

    def close(self) -> None:
        """Finish what runs, drop what waits, end the threads."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run_single(self, items: Sequence[Item]) -> Sequence[Row]:
        with self._singles:
            if self._closed:
                raise Busy(CLOSING)
            with self._lock:
                alone = not (self._waiting or self._running_singles)
                self._running_singles += 1
            try:
                return self._work_alone(items) if alone else self._work(items)
            finally:
                with self._lock:
                    self._running_singles -= 1

    def _admit(self, count: int) -> None:
        with self._lock:
            if self._waiting and self._waiting + count > self._max_waiting:
                raise Busy(f"{self._waiting} inputs wait for the model, at most {self._max_waiting} may; try again later", waiting=self._waiting)
            self._waiting += count

    def _start(self, items: Sequence[Item]) -> list["Future[Sequence[Row]]"]:
        size = max(1, min(self._batch, -(-len(items) // self._workers)))
        try:
            return [self._pool.submit(self._work, items[start : start + size]) for start in range(0, len(items), size)]
        except RuntimeError as error:  # what a pool raises once it is shut down
            raise Busy(CLOSING) from error


def _result(future: "Future[Sequence[Row]]", futures: Sequence["Future[Sequence[Row]]"]) -> Sequence[Row]:
    """A micro-batch's rows; where it failed, the rest of its call is not started."""
    try:
        return future.result()
    except CancelledError as error:  # only `close` cancels what someone still waits for
        raise Busy(CLOSING) from error
    except BaseException:
        for other in futures:
            other.cancel()
        raise
