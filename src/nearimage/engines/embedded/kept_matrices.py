"""The multi-vectors of one name that were read, kept so that the next search finds them in memory, row of the table by row of the table.

    row 0 has 2 vectors, row 1 none, row 2 was not asked for yet, row 3 has 1

    starts     0  2  UNKNOWN  2
    counts     2  0  0        1
    numbers    the three vectors, one behind the other

A row is one version of an object and never changes, so what was learnt once is good for every snapshot, older or newer. What a search asks for and is not
here it reads itself, and brings it. At most `BUDGET_BYTES` are kept, and of all shards together `EVERYBODYS_BYTES`; the rest is read at each search. Once
it is full, and more than half of it belongs to rows that have died, all is forgotten, and learnt anew.

May import numpy, `domain` and this package.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.growing import Growing

BUDGET_BYTES = 128 * 2**20
"""Of one name in one shard: 65,000 objects with four vectors of 128 numbers each, or 2,600 with a hundred."""

EVERYBODYS_BYTES = 4 * BUDGET_BYTES
"""Of the whole process: ten thousand tenants may each have some."""

UNKNOWN = -1


class Room:
    """So many bytes for all who share it; any thread may ask."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there were so many left; they are taken then."""
        with self._lock:
            fits = size <= self._left
            self._left -= size if fits else 0
            return fits

    def give(self, size: int) -> None:
        """They are free again."""
        with self._lock:
            self._left += size


_EVERYBODYS = Room(EVERYBODYS_BYTES)


@dataclass(frozen=True, slots=True)
class Matrices:
    """What is kept of some rows.

    Attributes:
        starts, counts: by row asked for; UNKNOWN where it is not kept, and 0 vectors where it has none.
        vectors: (n, dims), of all rows that are kept.
        norms: (n,), their lengths.
    """

    starts: Positions
    counts: Positions
    vectors: Matrix
    norms: npt.NDArray[np.float32]

    def stretch(self, some: Positions) -> tuple[Matrix, npt.NDArray[np.float32]]:
        """The vectors of some of the rows asked for, all kept, one row's behind the other's; a copy only where they do not lie so."""
        starts, counts = self.starts[some], self.counts[some]
        first, total = int(starts[0]), int(counts.sum())
        if np.array_equal(starts, first + np.cumsum(counts) - counts):
            return self.vectors[first : first + total], self.norms[first : first + total]
        places = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(total)
        return self.vectors[places], self.norms[places]


class KeptMatrices:
    """Any thread may ask and bring."""

    def __init__(self, dims: int, budget_bytes: int | None = None, room: Room = _EVERYBODYS) -> None:
        self._dims = dims
        self._room = room
        self._budget = (BUDGET_BYTES if budget_bytes is None else budget_bytes) // (4 * dims)
        self._lock = threading.Lock()
        self._starts: Positions = np.empty(0, np.int64)
        self._counts: Positions = np.empty(0, np.int64)
        self._numbers = Growing(np.float32)
        self._norms = Growing(np.float32)

    def of(self, rows: Positions) -> Matrices:
        """What is kept of these rows, ascending."""
        with self._lock:
            known = int(np.searchsorted(rows, len(self._starts)))
            starts, counts = np.full(len(rows), UNKNOWN, np.int64), np.zeros(len(rows), np.int64)
            starts[:known], counts[:known] = self._starts[rows[:known]], self._counts[rows[:known]]
            norms = self._norms.view()
            return Matrices(starts, counts, self._numbers.view(len(norms) * self._dims).reshape(-1, self._dims), norms)

    def learn(self, rows: Positions, matrices: Sequence[Matrix], live: Mask) -> None:
        """Keep these rows' matrices, (n, dims) float32 each, n may be 0, as far as there is room.

        Args:
            rows: ascending, all below `len(live)`.
            live: the rows that are alive in the snapshot of the one who brings them.
        """
        with self._lock:
            self._reach(len(live))
            new = [place for place, row in enumerate(rows.tolist()) if self._starts[row] == UNKNOWN]  # another thread may have brought it meanwhile
            counts = np.array([len(matrices[place]) for place in new], np.int64)
            added = int(counts.sum())
            if len(self._norms) + added > self._budget or not self._room.take(4 * self._dims * added):
                if 2 * int(self._counts[: len(live)][live].sum()) < len(self._norms):
                    self._forget()
                return
            self._starts[rows[new]] = len(self._norms) + np.cumsum(counts) - counts
            self._counts[rows[new]] = counts
            if counts.any():
                together = np.concatenate([matrices[place] for place in new])
                self._numbers.extend(together.ravel())
                self._norms.extend(np.linalg.norm(together, axis=1))

    def _reach(self, rows: int) -> None:
        if rows > len(self._starts):
            more = max(rows, len(self._starts) * 5 // 4) - len(self._starts)
            self._starts = np.concatenate((self._starts, np.full(more, UNKNOWN, np.int64)))
            self._counts = np.concatenate((self._counts, np.zeros(more, np.int64)))

    def __del__(self) -> None:
        self._room.give(4 * self._dims * len(self._norms))

    def _forget(self) -> None:
        self._room.give(4 * self._dims * len(self._norms))
        self._starts = self._counts = np.empty(0, np.int64)
        self._numbers = Growing(np.float32)
        self._norms = Growing(np.float32)
