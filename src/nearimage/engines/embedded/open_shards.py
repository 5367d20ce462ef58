"""Which shards are open: those used last, and no more of them than the limit.

An open shard holds files (SQLite's, the slot files) and memory (the columns). A closed one is a name and a lock, some hundred bytes, and opens
by itself at the next call (`gate`). So a collection may have any number of tenants, of which some are in use.

    a shard opens  -->  too many open?  -->  the one that was used longest ago and is idle goes to rest, on the thread that opened

A shard with calls in it is never closed; if those used longest ago are all busy, the limit is passed for as long.

    limit = min(what was asked, (the process's limit on open files - `_FILES_LEFT`) / `_FILES_A_SHARD`)

May import this package's `gate`.
"""

import resource
import threading
from heapq import nsmallest

from nearimage.engines.embedded.gate import Gate

OPEN_SHARDS = 1024
"""The default: at some 200 KB for a tenant with few objects, mostly caches of SQLite's two connections, 200 MB where so many are in use."""

_FILES_A_SHARD = 12
"""SQLite: three files for the writer, two for each reader's connection (two connections are usual); slot files: one or two; the rest is room."""

_FILES_LEFT = 256
"""For sockets, models, pictures and the libraries' own."""

_FEWEST = 8

_MAY_BE_BUSY = 16
"""So many more of those used longest ago are asked to rest, for some may be at work still."""


class OpenShards:
    """The gates of those that are open in one engine.

    Attributes:
        limit: how many may be.
    """

    def __init__(self, asked: int = OPEN_SHARDS) -> None:
        self.limit = max(_FEWEST, min(asked, (_files() - _FILES_LEFT) // _FILES_A_SHARD))
        self._lock = threading.Lock()
        self._open: set[Gate] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, opened: Gate) -> None:
        """One more is open; those used longest ago go to rest."""
        with self._lock:
            self._open.add(opened)
            excess = len(self._open) - self.limit
            oldest = nsmallest(excess + _MAY_BE_BUSY, self._open - {opened}, key=lambda gate: gate.last_used) if excess > 0 else []
        for gate in oldest:
            if len(self._open) <= self.limit:
                return
            gate.rest()

    def discard(self, closed: Gate) -> None:
        """One is closed."""
        with self._lock:
            self._open.discard(closed)


def _files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft
