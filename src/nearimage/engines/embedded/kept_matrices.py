"""The multi-vectors of one name that were read, kept so that the next search finds them in memory, row of the table by row of the table.

    row 0 has 2 vectors, row 1 none, row 2 was not asked for yet, row 3 has 1

    starts     0  2  UNKNOWN  2
    counts     2  0  0        1
    numbers    the three vectors, one behind the other: each of unit length, in float16, half as many bytes to keep and to wait for
    norms      how long they were

How much that may be wrong is measured (`Matrices.error`). Distances that are no products (manhattan, hamming) need the vectors as they are, in float32.

A row is one version of an object and never changes, so what was learnt once is good for every snapshot, older or newer. What a search asks for and is not
here it reads itself, and brings it. Of all shards together `EVERYBODYS_BYTES` are kept; the rest is read at each search. Once these are taken, and more than
half of what a name has belongs to rows that have died, it forgets all, and learns anew.

May import numpy, `domain` and this package.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.engines.embedded.ann.kernel import KERNEL
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.growing import Growing


def _memory_bytes() -> int:
    """Of the machine, or as much of it as a container may use."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):  # no control group, or "max"
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(limits)


EVERYBODYS_BYTES = _memory_bytes() // 8
"""Of the whole process: ten thousand tenants may each have some. Of 24 GB it is 3: those of 11,000 pages with a thousand vectors of 128 numbers each."""

_SHORTEST, _LONGEST = 1e-18, 1e18
"""Norms whose squares, and products of two, float32 still has."""

_LANES = 8
"""Vectors of unit length are filled up with zeros to a multiple of it, as the kernel reads them."""

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


def norms_of(vectors: Matrix) -> npt.NDArray[np.float32]:
    """How long vectors are; infinite, or zero, where float32 has no such number."""
    with np.errstate(over="ignore"):
        return np.asarray(np.linalg.norm(vectors, axis=1), np.float32)


def are_usual(vectors: Matrix, norms: npt.NDArray[np.float32]) -> Mask:
    """Whether float32 is enough to work with vectors of these lengths; others are not kept."""
    return ((norms > _SHORTEST) | ~vectors.any(axis=1)) & (norms < _LONGEST)


@dataclass(frozen=True, slots=True)
class Matrices:
    """What is kept of some rows.

    Attributes:
        starts, counts: by row asked for; UNKNOWN where it is not kept, and 0 vectors where it has none.
        numbers: (n, dims) float32, the vectors of all rows that are kept; or (n, dims filled up) float16, of unit length.
        norms: (n,), how long the vectors are.
        error: the length of what was rounded off one of unit length, at most.
        dims: of the vectors.
    """

    starts: Positions
    counts: Positions
    numbers: npt.NDArray[np.float32] | npt.NDArray[np.float16]
    norms: npt.NDArray[np.float32]
    error: float
    dims: int

    def stretch(self, some: Positions) -> tuple[Matrix, npt.NDArray[np.float32]]:
        """The vectors of some of the rows asked for, all kept, one row's behind the other's, as well as they are known; and their lengths."""
        starts, counts = self.starts[some], self.counts[some]
        first, total = int(starts[0]), int(counts.sum())
        places: slice | Positions = slice(first, first + total)
        if not np.array_equal(starts, first + np.cumsum(counts) - counts):  # else they lie so, and need no copy
            places = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(total)
        numbers, norms = self.numbers[places], self.norms[places]
        if numbers.dtype == np.float16:
            numbers = numbers[:, : self.dims].astype(np.float32) * norms[:, np.newaxis]
        return np.asarray(numbers, np.float32), norms


class KeptMatrices:
    """Any thread may ask and bring.

    Args:
        exactly: whether to keep the vectors as they are.
        room: shared with others; everybody's if none is given.
    """

    _starts: Positions
    _counts: Positions
    _numbers: Growing[Any]
    _norms: Growing[np.float32]
    _error: float

    def __init__(self, dims: int, *, exactly: bool, room: Room | None = None) -> None:
        self._dims = dims
        self._exactly = exactly
        self._width = dims if exactly else -(-dims // _LANES) * _LANES
        self._bytes_each = self._width * (4 if exactly else 2) + 4
        self._room = room or _EVERYBODYS
        self._lock = threading.Lock()
        self._clear()

    def of(self, rows: Positions) -> Matrices:
        """What is kept of these rows, ascending."""
        with self._lock:
            known = int(np.searchsorted(rows, len(self._starts)))
            starts, counts = np.full(len(rows), UNKNOWN, np.int64), np.zeros(len(rows), np.int64)
            starts[:known], counts[:known] = self._starts[rows[:known]], self._counts[rows[:known]]
            norms = self._norms.view()
            numbers = self._numbers.view(len(norms) * self._width).reshape(-1, self._width)
            return Matrices(starts, counts, numbers, norms, self._error, self._dims)

    def learn(self, rows: Positions, matrices: Sequence[Matrix], live: Mask) -> bool:
        """Keep these rows' matrices, (n, dims) float32 each, n may be 0, but for those with unusual vectors; returns whether there was room.

        Args:
            rows: ascending, all below `len(live)`.
            live: the rows that are alive in the snapshot of the one who brings them.
        """
        if not matrices:
            return True
        counts, vectors = np.array([len(matrix) for matrix in matrices], np.int64), np.concatenate(matrices)
        numbers, norms, error = self._as_kept(vectors)
        odd = np.bincount(np.repeat(np.arange(len(rows)), counts), ~are_usual(vectors, norms), len(rows))
        with self._lock:
            self._reach(len(live))
            new = (self._starts[rows] == UNKNOWN) & (odd == 0)  # another thread may have brought it meanwhile
            some, counts = np.repeat(new, counts), counts[new]
            if not self._room.take(self._bytes_each * int(counts.sum())):
                if 2 * int(self._counts[: len(live)][live].sum()) < len(self._norms):
                    self._forget()
                return False
            self._starts[rows[new]] = len(self._norms) + np.cumsum(counts) - counts
            self._counts[rows[new]] = counts
            self._numbers.extend(numbers[some].ravel())
            self._norms.extend(norms[some])
            self._error = max(self._error, error)
            return True

    def _as_kept(self, vectors: Matrix) -> tuple[npt.NDArray[np.float32] | npt.NDArray[np.float16], npt.NDArray[np.float32], float]:
        """Numbers, norms, and the largest error."""
        if self._exactly or not len(vectors):
            return vectors, norms_of(vectors), 0.0
        if KERNEL:
            units, error = KERNEL.halve(vectors, self._width)
            return *units, error
        norms = norms_of(vectors)
        ones = np.divide(vectors, norms[:, np.newaxis], out=np.zeros(vectors.shape, np.float32), where=norms[:, np.newaxis] > 0)
        halves = np.zeros((len(ones), self._width), np.float16)
        halves[:, : self._dims] = ones
        return halves, norms, float(np.linalg.norm(halves[:, : self._dims] - ones, axis=1).max())

    def _reach(self, rows: int) -> None:
        if rows > len(self._starts):
            more = max(rows, len(self._starts) * 5 // 4) - len(self._starts)
            self._starts = np.concatenate((self._starts, np.full(more, UNKNOWN, np.int64)))
            self._counts = np.concatenate((self._counts, np.zeros(more, np.int64)))

    def __del__(self) -> None:
        self._room.give(self._bytes_each * len(self._norms))

    def _forget(self) -> None:
        self._room.give(self._bytes_each * len(self._norms))
        self._clear()

    def _clear(self) -> None:
        self._starts = self._counts = np.empty(0, np.int64)
        self._numbers = Growing(np.float32 if self._exactly else np.float16)
        self._norms = Growing(np.float32)
        self._error = 0.0
