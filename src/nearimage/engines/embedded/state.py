"""What a shard knows in memory, as of one commit.

    State      an immutable value, swapped at each commit: how much of everything counts, and which rows are alive
    Table      the growing arrays behind it, shared by all states; a state says how much of them it may see

A reader that holds a state sees that commit and no other, for as long as it likes. Only the mask of live rows is copied at each commit (a byte a row:
50 us at a million, beside a commit that waits for a disk).

    row    one version of an object, dense, in the order of revisions; numbered anew on opening
    slot   the place of its vectors in the slot files; survives reopening, shared by versions that differ in properties only

May import numpy, `domain` and this package.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.index import ConvertedRow, Index
from nearimage.engines.embedded.slots import SlotFile


class VectorColumn:
    """One named vector of a shard: its slot file, its norms, and which rows have it.

    Attributes:
        number: how `shard.db` calls it, in seals and in the file's name.
    """

    def __init__(self, number: int, file: SlotFile) -> None:
        self.number = number
        self.file = file
        self._rows = Growing(np.int64)
        self._slots = Growing(np.int64)
        self._norms = Growing(np.float32)

    def append(self, row: int, slot: int) -> None:
        """The row has its vector in this slot."""
        self._rows.append(row)
        self._slots.append(slot)

    def set_norm(self, slot: int, norm: float) -> None:
        """Keep the norm of a slot at or past the end of those known."""
        self._norms.place(slot, [norm])

    def owners(self, passing: Mask) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The rows that pass the mask and have this vector, and their slots."""
        count = int(np.searchsorted(self._rows.view(), len(passing)))
        rows, slots = self._rows.view(count), self._slots.view(count)
        keep = passing[rows]
        return rows[keep], slots[keep]

    def load_norms(self, norms: npt.NDArray[np.float32]) -> None:
        """Keep the norms of all slots, on opening."""
        self._norms.extend(norms)

    @property
    def slots(self) -> int:
        """How many slots of the file are published: one more than the last that an object was given."""
        return len(self._norms)

    def published(self) -> tuple[Matrix, npt.NDArray[np.float32]]:
        """(slots, dims) and (slots,): the vectors and their norms; holes have norm 0."""
        slots = self.slots
        return self.file.matrix()[:slots], self._norms.view(slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One commit, as readers see it.

    Attributes:
        revision: the number of the commit; SQLite's snapshot of the same commit has it too.
        live: (rows,) bool, never written to after publication.
        count: how many rows are alive.
        slots: the high-water mark: the first slot number that no object was given.
    """

    revision: int
    live: Mask
    count: int
    slots: int
    vectors: Mapping[str, VectorColumn]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A row to add, after its commit: nothing in it can be refused any more.

    Attributes:
        norms: by named vector; only for vectors that were written to a new slot.
        vectors: the names of all its vectors.
    """

    revision: int
    id: bytes
    slot: int | None
    converted: ConvertedRow
    vectors: tuple[str, ...]
    norms: Mapping[str, float]


class Table:
    """The growing arrays of a shard."""

    def __init__(self, collection: Collection) -> None:
        self.index = Index(collection)
        self.revisions = Growing(np.int64)

    def append(self, new: NewRow, vectors: Mapping[str, VectorColumn]) -> None:
        """Add a row; no state sees it yet."""
        row = len(self.revisions)
        self.index.append(row, new.id, new.converted)
        for name in new.vectors:
            column = vectors[name]
            if new.slot is not None:
                column.append(row, new.slot)
                if name in new.norms:
                    column.set_norm(new.slot, new.norms[name])
        self.revisions.append(new.revision)

    def rows_of(self, revisions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The rows of revisions that are stored."""
        return np.searchsorted(self.revisions.view(), revisions)
