"""Which slots may be given to new vectors.

    in use --freed by a commit--> waiting --that commit is in the database file, and no reader is left of before it--> free --> in use

A slot whose object was deleted, or got another vector, is dead. It must not be written to while a reader still searches a state in which it was alive;
nor while the commit that freed it is in SQLite's log only: a disk that loses the end of the log (many lie about fsync) would bring back an object and not
its vector. So slots wait for both. The lowest are given first, so that the file's end becomes free and can be cut.

May import numpy and this package.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

Slots = npt.NDArray[np.int64]


class FreeSlots:
    """The slots of a shard that no object has. For the writer's thread.

    Args:
        free: ascending.
        end: the first slot never given.
    """

    def __init__(self, free: Slots, end: int) -> None:
        self._free = free
        self._end = end
        self._waiting: deque[tuple[int, Slots]] = deque()
        self._dead = len(free)

    @property
    def end(self) -> int:
        """The first slot never given."""
        return self._end

    @property
    def free(self) -> Slots:
        """Those that may be given, ascending."""
        return self._free

    @property
    def dead(self) -> int:
        """How many slots no object has, those that wait included; any thread may ask."""
        return self._dead

    def peek(self, count: int) -> Slots:
        """The slots that would be given next, ascending; `take` takes them."""
        reused, new = self._free[:count], np.arange(self._end, self._end + max(0, count - len(self._free)))
        return np.concatenate((reused, new)) if len(reused) else new

    def take(self, count: int) -> None:
        """So many of them are in use now."""
        self._dead -= min(count, len(self._free))
        self._end += max(0, count - len(self._free))
        self._free = self._free[count:]

    def bury(self, revision: int, slots: Slots) -> None:
        """The commit with this revision left them without an object."""
        if len(slots):
            self._dead += len(slots)
            self._waiting.append((revision, slots))

    def release(self, revision: int) -> None:
        """Commits up to this revision are in the database file, and nobody reads an older state."""
        ripe = [self._free]
        while self._waiting and self._waiting[0][0] <= revision:
            ripe.append(self._waiting.popleft()[1])
        if len(ripe) > 1:
            self._free = np.sort(np.concatenate(ripe))

    def cut(self) -> int:
        """Give up the free slots at the end; returns the first slot never given, anew."""
        run = int(np.count_nonzero(self._free == np.arange(self._end - len(self._free), self._end)))  # of an ascending list only its tail can match
        self._end -= run
        self._dead -= run
        self._free = self._free[: len(self._free) - run]
        return self._end
