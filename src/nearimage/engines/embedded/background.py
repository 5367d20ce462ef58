"""Work that nobody waits for: building indexes, writing snapshots, sweeping up.

    submit(key, work) --> queue, one entry a key --> one thread --> work(stop)

One thread a database, so that all its background work together takes at most one core. A key that waits already is replaced: ten commits that each ask for
the same snapshot cause one. A key that is running is queued once more, because the running work may not have seen what the new request is about.

The thread has the priority of all others, and gives way by resting. A thread of less priority can be put aside while it holds the interpreter's lock or a
writer's turn, and then everybody waits until all other programs have had enough (priority inversion; Lampson and Redell, 1980): at nice 10 on a crowded
machine for 100 ms, at nice 0 for 20. So whenever work asks `stop`, it first rests as long as it had to wait since it last asked,
for a processor, the lock or the disk: on an idle machine not at all, on a busy one half of the time, holding nothing.

What work owes in return: it asks `stop()` at least every 50 ms and returns soon after it says yes; it holds no lock that a read or a write needs; it calls
numpy on no more than some megabytes at a time, because numpy keeps the GIL (matrix products and faiss let it go). An error ends the work, is logged and kept
for `failures`; the database goes on without whatever the work would have made.

What goes on is shown to people under its key (`under_way`): what the threads do, what waits for them, and what others do for a shard (`showing`), such as
copying it for a backup.

May import the standard library only.
"""

import atexit
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

_log = logging.getLogger(__name__)

Stop = Callable[[], bool]
"""Asked by work from time to time: true means return soon, leaving things whole."""

Work = Callable[[Stop], None]

SWITCH_S = 0.0005
"""Whoever wants the interpreter's lock asks its holder for it after so long. A search asks some ten times; with Python's own 0.005 it took 25 ms and more
beside background work that is all Python, such as writing columns (bench/engine_blocking.py). Beside documents of 10 MB, p99 of small GraphQL questions fell
from 63 ms to 25 with 0.001 (bench/graphql_door.py); four threads that only compute take 7 % longer, less than the noise."""

LONGEST_REST_S = 0.05
"""As long as work may go on without asking `stop`: so it takes at most twice as long as without resting, whatever it waited for."""

_SHORT_WAIT_S = 0.1
"""How long closing waits for running work: long enough for work that asks `stop` as it should."""


def shard_prefix(folder: Path) -> str:
    """What the keys of a shard's work begin with."""
    return f"{folder.parent.name}/{folder.name}: "


def under_way(folder: Path, *threads: "Background") -> tuple[str, ...]:
    """What goes on for the shard in this folder, in words for people."""
    prefix = shard_prefix(folder)
    return tuple(dict.fromkeys(key.removeprefix(prefix) for thread in threads for key in thread.tasks(prefix)))


def failed(folder: Path, *threads: "Background") -> dict[str, str]:
    """What went wrong last for the shard in this folder, and why."""
    prefix = shard_prefix(folder)
    return {key.removeprefix(prefix): why for thread in threads for key, why in thread.failures(prefix).items()}


class Background:
    """The background thread of one database. Any thread may call anything; the thread starts with the first work."""

    def __init__(self) -> None:
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        self._changed = threading.Condition()
        self._waiting: dict[str, Work] = {}
        self._running = ""
        self._shown: list[str] = []
        self._unwanted = False
        self._failures: dict[str, str] = {}
        self._closed = False
        self._thread: threading.Thread | None = None
        self._rested = _Times.now()

    def submit(self, key: str, work: Work) -> None:
        """Do this some time; after `close` nothing happens.

        Args:
            key: what it is, in words for people, with the shard's name first: `"c000001: index of vector 'clip'"`.
            work: called with a function that says when to stop.
        """
        with self._changed:
            if self._closed:
                return
            self._waiting[key] = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="nearimage-background", daemon=True)
                self._thread.start()
                atexit.register(self._end)
            self._changed.notify_all()

    def cancel(self, prefix: str) -> None:
        """Forget work whose key starts so, and wait until none of it runs: what it reads is about to go."""
        with self._changed:
            for key in [key for key in self._waiting if key.startswith(prefix)]:
                del self._waiting[key]
            if self._running.startswith(prefix) and self._running and threading.current_thread() is not self._thread:
                self._unwanted = True
                self._changed.wait_for(lambda: not self._unwanted)
            for key in [key for key in self._failures if key.startswith(prefix)]:
                del self._failures[key]

    @contextmanager
    def showing(self, key: str) -> Iterator[None]:
        """Show this among the tasks while the caller does it in a thread of its own."""
        with self._changed:
            self._shown.append(key)
        try:
            yield
        finally:
            with self._changed:
                self._shown.remove(key)

    def tasks(self, prefix: str = "") -> tuple[str, ...]:
        """The keys that start so: first the one that runs and those that others do, then those that wait."""
        with self._changed:
            running = (self._running,) if self._running else ()
            return tuple(key for key in (*running, *self._shown, *self._waiting) if key.startswith(prefix))

    def failures(self, prefix: str = "") -> Mapping[str, str]:
        """What went wrong last, by key; a later success takes it out."""
        with self._changed:
            return {key: why for key, why in self._failures.items() if key.startswith(prefix)}

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is nothing to do; whether that came true in time. For tests and measurements."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or not (self._waiting or self._running), timeout_s)

    def close(self) -> None:
        """Forget what waits and stop what runs. Work that is deep in a call ends by itself shortly after; it must touch only what it holds."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._join(_SHORT_WAIT_S)

    def _end(self) -> None:
        """The process ends: native code must not run while its libraries are taken down."""
        self.close()
        self._join(None)

    def _join(self, timeout_s: float | None) -> None:
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            key, work = task
            why = ""
            self._rested = _Times.now()
            try:
                work(self._must_stop)
            except Exception as failed:  # noqa: BLE001 a worker outlives its work
                _log.exception("background work failed: %s", key)
                why = f"{type(failed).__name__}: {failed}"
            self._finish(key, why)
        atexit.unregister(self._end)

    def _next(self) -> tuple[str, Work] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            self._running = next(iter(self._waiting))
            return self._running, self._waiting.pop(self._running)

    def _finish(self, key: str, why: str) -> None:
        with self._changed:
            self._failures.pop(key, None)
            if why:
                self._failures[key] = why
            self._running, self._unwanted = "", False
            self._changed.notify_all()

    def _must_stop(self) -> bool:
        if not (self._closed or self._unwanted):
            time.sleep(min(LONGEST_REST_S, self._rested.waited_s()))
            self._rested = _Times.now()
        return self._closed or self._unwanted


class _Times(NamedTuple):
    """Where a thread stands: seconds of the clock, and of a processor."""

    clock_s: float
    processor_s: float

    @classmethod
    def now(cls) -> Self:
        """Of this thread."""
        return cls(time.perf_counter(), time.thread_time())

    def waited_s(self) -> float:
        """How long the thread has not been running since."""
        now = self.now()
        return max(0.0, (now.clock_s - self.clock_s) - (now.processor_s - self.processor_s))
