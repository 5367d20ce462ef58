"""Work that nobody waits for: building indexes, writing snapshots, sweeping up.

    submit(key, work) --> queue, one entry a key --> one thread, nice 10 --> work(stop)

One thread a database, so that all its background work together takes at most one core, and gives it up to searches when the machine is busy. A key that
waits already is replaced: ten commits that each ask for the same snapshot cause one. A key that is running is queued once more, because the running
work may not have seen what the new request is about.

What work owes in return: it asks `stop()` at least every 50 ms and returns soon after it says yes; it holds no lock that a read or a write needs; it calls
numpy on no more than some megabytes at a time, because numpy keeps the GIL (matrix products and faiss let it go). An error ends the work, is logged and kept
for `failures`; the database goes on without whatever the work would have made.

May import the standard library only.
"""

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

_log = logging.getLogger(__name__)

Stop = Callable[[], bool]
"""Asked by work from time to time: true means return soon, leaving things whole."""

Work = Callable[[Stop], None]

NICENESS = 10
"""Of a busy core a thread at nice 10 gets a tenth beside one at nice 0 (weights 110 and 1024, sched(7)), and all of an idle one."""

_SHORT_WAIT_S = 0.1
"""How long closing waits for running work: long enough for work that asks `stop` as it should."""


class Background:
    """The background thread of one database. Any thread may call anything; the thread starts with the first work."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Work] = {}
        self._running = ""
        self._unwanted = False
        self._failures: dict[str, str] = {}
        self._closed = False
        self._thread: threading.Thread | None = None

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

    def tasks(self, prefix: str = "") -> tuple[str, ...]:
        """The keys that start so: first the one that runs, then those that wait."""
        with self._changed:
            running = (self._running,) if self._running else ()
            return tuple(key for key in (*running, *self._waiting) if key.startswith(prefix))

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
        if sys.platform == "linux":  # elsewhere nice values belong to processes
            with suppress(OSError):
                own = threading.get_native_id()
                os.setpriority(os.PRIO_PROCESS, own, max(NICENESS, os.getpriority(os.PRIO_PROCESS, own)))
        while (task := self._next()) is not None:
            key, work = task
            why = ""
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
        return self._closed or self._unwanted
