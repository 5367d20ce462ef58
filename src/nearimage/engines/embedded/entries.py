"""Which row each entry of a column belongs to, and which rows have the property at all.

An object's property has no entry (missing, or an empty array), one, or several (an array). A column keeps its entries in one array; where the entries of a
row lie is its placement:

    OnePerRow   entry r belongs to row r; a row without the property has a zero there that nobody looks at     no arrays
    Entries     entries one after another in the order of rows, with a list of their owners                    arrays, text

A mask over entries becomes a mask over rows (`rows_of`). Both placements know how many rows from the first on have exactly one entry (`_dense`): among those,
entry and row numbers are the same, nothing is kept about them, and a mask over entries is the answer as it stands. It is so for most columns as a whole.

A mask is (rows,) bool. May import numpy and this package's `growing`.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.growing import Growing

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Arrays = dict[str, npt.NDArray[np.generic]]
"""What a column knows, as flat arrays by name: to be written to a file, or mapped from one (then read-only)."""


def mark(mask: Mask, entries: npt.NDArray[np.integer]) -> None:
    """Set these entries of a mask.

    numpy takes two and a half times as long where positions are of another type than its own, as those that are kept in 32 bits are.
    """
    mask[entries.astype(np.intp, copy=False)] = True


class Placement(Protocol):
    """Where the entries of a column's rows lie; grows only, see `growing`."""

    def append(self, row: int, count: int) -> int:
        """The row has the property, with so many entries; returns the position of the first of them."""
        ...

    def extend(self, rows: Positions, counts: Positions) -> Positions:
        """The same for many rows, ascending; returns the position of every entry."""
        ...

    def count(self, rows: int) -> int:
        """The number of positions that the first rows take."""
        ...

    def rows_of(self, hits: Mask, rows: int) -> Mask:
        """The rows of the entries that are hit: a mask over the first `count(rows)` positions, which the caller gives away."""
        ...

    def present(self, rows: int) -> Mask:
        """The rows that have the property, with or without entries."""
        ...

    def owners(self, rows: int) -> tuple[Positions | slice, Positions]:
        """The positions of the entries of the first rows, ascending, and the row that owns each."""
        ...

    def arrays(self, keep: Mask) -> tuple[Arrays, Mask]:
        """What is known of the rows kept, numbered anew, and which positions stay."""
        ...

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take what `arrays` gave; only on a fresh placement."""
        ...


class OnePerRow:
    """Entry r belongs to row r, or to none."""

    def __init__(self) -> None:
        self._dense = 0
        self._here = Growing(np.bool_)  # by row; what lies below `_dense` is not looked at

    def append(self, row: int, count: int) -> int:  # noqa: ARG002 the protocol's argument, always 1
        """The row has the property."""
        if row == self._dense and len(self._here) == 0:
            self._dense += 1
        else:
            self._here.put(row, True)
        return row

    def extend(self, rows: Positions, counts: Positions) -> Positions:  # noqa: ARG002 the protocol's argument, all 1
        """The rows have the property."""
        prefix = _prefix(rows, self._dense) if len(self._here) == 0 else 0
        self._dense += prefix
        if prefix < len(rows):
            self._here.spread(rows[prefix:], np.ones(len(rows) - prefix, np.bool_))
        return rows

    def count(self, rows: int) -> int:
        """The number of positions: up to the last row that has the property."""
        return min(rows, max(self._dense, len(self._here)))

    def rows_of(self, hits: Mask, rows: int) -> Mask:
        """The hits themselves, without those where there is no entry."""
        dense = self._dense
        if rows <= dense:
            return hits
        mask = hits
        if len(hits) < rows:
            mask = np.zeros(rows, np.bool_)
            mask[: len(hits)] = hits
        mask[dense:] &= self._flags(dense, rows)
        return mask

    def present(self, rows: int) -> Mask:
        """The rows that have the property."""
        mask = np.ones(rows, np.bool_)
        if rows > self._dense:
            mask[self._dense :] = self._flags(self._dense, rows)
        return mask

    def owners(self, rows: int) -> tuple[Positions | slice, Positions]:
        """Position and owner are the same."""
        if rows <= self._dense:
            return slice(0, rows), np.arange(rows)
        here = np.flatnonzero(self.present(rows))
        return here, here

    def arrays(self, keep: Mask) -> tuple[Arrays, Mask]:
        """Whether each row kept has the property; one number where all have it."""
        here = self.present(len(keep))[keep]
        count = int(np.flatnonzero(here)[-1]) + 1 if here.any() else 0
        positions = keep[: self.count(len(keep))].copy()
        positions[np.flatnonzero(positions)[count:]] = False  # behind the last row that has the property
        return ({"dense": np.array([count])} if here[:count].all() else {"here": here[:count]}), positions

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take what `arrays` gave."""
        if "dense" in arrays:
            self._dense = int(arrays["dense"].item())
        else:
            here = np.asarray(arrays["here"], np.bool_)
            self._dense = int(np.argmin(here))
            self._here.adopt(here)

    def _flags(self, start: int, rows: int) -> Mask:
        known = self._here.view()[start:rows]
        if len(known) == rows - start:
            return known
        flags = np.zeros(rows - start, np.bool_)
        flags[: len(known)] = known
        return flags


class Entries:
    """Entries one after another, in the order of rows."""

    def __init__(self) -> None:
        self._dense = 0
        self._open = True
        self._owners = Growing(np.uint32)  # of the entries behind the dense ones
        self._present = Growing(np.uint32)  # the rows behind the dense ones

    def append(self, row: int, count: int) -> int:
        """The next `count` entries belong to this row, which has the property."""
        position = self._dense + len(self._owners)
        if self._open and count == 1 and row == self._dense:
            self._dense += 1
        else:
            self._open = False
            self._owners.extend((row,) * count)
            self._present.append(row)
        return position

    def extend(self, rows: Positions, counts: Positions) -> Positions:
        """The same for many rows."""
        start = self._dense + len(self._owners)
        if self._open:
            prefix = _prefix(np.where(counts == 1, rows, -1), self._dense)
            self._dense += prefix
            self._open = prefix == len(rows)
            rows, counts = rows[prefix:], counts[prefix:]
        self._owners.extend(np.repeat(rows, counts).astype(np.uint32))
        self._present.extend(rows.astype(np.uint32))
        return np.arange(start, self._dense + len(self._owners))

    def count(self, rows: int) -> int:
        """How many entries the first rows have."""
        return min(rows, self._dense) + _below(self._owners.view(), rows)

    def rows_of(self, hits: Mask, rows: int) -> Mask:
        """The rows that own entries which are hit."""
        dense = min(self._dense, rows)
        if dense == rows:
            return hits
        mask = np.zeros(rows, np.bool_)
        mask[:dense] = hits[:dense]
        mark(mask, self._owners.view(len(hits) - dense).take(np.flatnonzero(hits[dense:])))
        return mask

    def present(self, rows: int) -> Mask:
        """The rows that have the property, with or without entries."""
        mask = np.zeros(rows, np.bool_)
        mask[: self._dense] = True
        owners = self._present.view()
        mark(mask, owners[: _below(owners, rows)])
        return mask

    def owners(self, rows: int) -> tuple[Positions | slice, Positions]:
        """All positions, and the row that owns each."""
        count, dense = self.count(rows), min(self._dense, rows)
        return slice(0, count), np.concatenate((np.arange(dense), self._owners.view(count - dense).astype(np.int64)))

    def arrays(self, keep: Mask) -> tuple[Arrays, Mask]:
        """The owners of the entries of rows kept, and the rows kept that have the property."""
        _, owners = self.owners(len(keep))
        number = np.cumsum(keep) - 1
        positions = keep[owners]
        rows = number[np.flatnonzero(self.present(len(keep)) & keep)]
        counts = np.bincount(number[owners[positions]], minlength=int(np.count_nonzero(keep)))[rows]
        kept = Entries()
        kept.extend(rows, counts)
        return {"dense": np.array([kept._dense]), "owners": kept._owners.view(), "present": kept._present.view()}, positions

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take what `arrays` gave."""
        self._dense = int(arrays["dense"].item())
        self._owners.adopt(np.asarray(arrays["owners"], np.uint32))
        self._present.adopt(np.asarray(arrays["present"], np.uint32))
        self._open = len(self._present) == 0


def _prefix(rows: Positions, expected: int) -> int:
    """How many rows follow each other without a gap from the expected one on."""
    fits = rows == np.arange(expected, expected + len(rows))
    return len(rows) if fits.all() else int(np.argmin(fits))


def _below(owners: npt.NDArray[np.uint32], rows: int) -> int:
    """How many of the ascending owners are below `rows`; asked for in their own type, or numpy would copy them all."""
    return int(np.searchsorted(owners, np.uint32(rows)))
