"""What a shard knows in memory, as of one commit.

    State      an immutable value, swapped at each commit: how much of everything counts, and which rows are alive
    Table      the growing arrays behind it, shared by all states; a state says how much of them it may see

A reader that holds a state sees that commit and no other, for as long as it likes. Only the mask of live rows is copied at each commit (a byte a row:
50 us at a million, beside a commit that waits for a disk).

    row    one version of an object, dense, in the order of revisions; numbered anew on opening
    slot   the place of its vectors in the slot files; survives reopening, shared by versions that differ in properties only

May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.columns import ConvertedRow
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.kept_matrices import KeptMatrices
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.value_codes import CodedValues

_FEW_ROWS = 8
"""Up to here rows go into the columns one by one: a single one then takes 0.05 ms in place of 0.3, eight take as long either way (bench/engine_storage.py)."""


class VectorColumn:
    """One named vector of a shard: its slot file, its norms, and which rows have it.

    Take it from a state (`state.vectors[name]`) for each read: when the table is compacted, the states from then on have columns of their own, which
    share the file, the norms and `written` with the old ones.

    Attributes:
        number: how `shard.db` calls it, in seals and in the file's name.
        written: the slots that were written since opening, in the order of commits; a slot that was freed and given again comes again.
    """

    def __init__(self, number: int, file: SlotFile) -> None:
        self.number = number
        self.file = file
        self.written = Growing(np.int64)
        self._norms = Growing(np.float32)
        self._rows = Growing(np.int64)
        self._slots = Growing(np.int64)
        self._before = Growing(np.int64)  # the entry that had the same slot before; -1 for none
        self._last = Growing(np.int64)  # by slot: the last entry that has it; -1 for none
        self._dense = 0  # so many entries from the first on have their own number as row and as slot

    def restore(self, rows: npt.NDArray[np.int64], slots: npt.NDArray[np.int64], norms: npt.NDArray[np.float32]) -> None:
        """Take up what is known of the first rows; only on a fresh column. Arrays may be read-only maps."""
        self.know_norms(np.arange(len(norms)), norms)
        self._rows.adopt(rows)
        self._slots.adopt(slots)
        self._before.adopt(np.full(len(rows), -1))
        self._reach(max(len(norms), int(slots.max(initial=-1)) + 1))
        self._last.view()[slots] = np.arange(len(rows))
        self._dense = _leading(rows, slots, 0)

    def on_table(self, rows: npt.NDArray[np.int64], slots: npt.NDArray[np.int64]) -> "VectorColumn":
        """A column for another table with the same objects: other rows, the same file, norms and `written`."""
        other = VectorColumn(self.number, self.file)
        other.restore(rows, slots, np.zeros(0, np.float32))
        other.written, other._norms = self.written, self._norms
        return other

    def extend(self, rows: npt.NDArray[np.int64], slots: npt.NDArray[np.int64]) -> None:
        """The rows, ascending, have their vectors in these slots, which are all different."""
        if not len(rows):
            return
        first = len(self._rows)
        self._reach(int(slots.max()) + 1)
        if self._dense == first:
            self._dense += _leading(rows, slots, first)
        last = self._last.view()
        self._before.extend(last[slots])
        self._slots.extend(slots)
        self._rows.extend(rows)
        last[slots] = np.arange(first, first + len(rows))  # last: who finds the entry finds the rest of it

    def append(self, row: int, slot: int) -> None:
        """`extend` for one row, in a tenth of its time."""
        entry = len(self._rows)
        self._reach(slot + 1)
        self._dense += self._dense == entry == row == slot
        last = self._last.view()
        self._before.append(last[slot])
        self._slots.append(slot)
        self._rows.append(row)
        last[slot] = entry

    def forget(self, rows: int) -> None:
        """Take back what was added of the rows from this one on; no reader has counted them."""
        count = self._count(rows)
        for entry in range(len(self._rows) - 1, count - 1, -1):
            self._last.view()[self._slots.view()[entry]] = self._before.view()[entry]
        for array in (self._rows, self._slots, self._before):
            array.cut(count)
        self._dense = min(self._dense, count)

    def set_norms(self, slots: npt.NDArray[np.int64], norms: npt.NDArray[np.float32]) -> None:
        """Keep the norms of slots that were just written."""
        self.know_norms(slots, norms)
        self.written.extend(slots)

    def know_norms(self, slots: npt.NDArray[np.int64], norms: npt.NDArray[np.float32]) -> None:
        """Keep the norms of slots that were written before opening."""
        if len(slots):
            self._norms.reach(int(slots.max()) + 1)
            self._norms.view()[slots] = norms

    def reach(self, slots: int) -> None:
        """So many slots were given; those without a vector have norm 0."""
        self._norms.reach(slots)

    def tail_rows(self, first: int, live: Mask) -> npt.NDArray[np.int64]:
        """The living rows whose slots are not below a given one."""
        entries = self._last.view()[first:]
        rows = self._rows.view()[entries[entries >= 0]]
        return rows[live[rows]]

    def owners(self, passing: Mask) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The rows that pass the mask and have this vector, and their slots."""
        count = self._count(len(passing))
        rows, slots = self._rows.view(count), self._slots.view(count)
        keep = passing[rows]
        return rows[keep], slots[keep]

    def slot_mask(self, passing: Mask) -> Mask:
        """Which slots the rows that pass a mask have their vectors in.

        Args:
            passing: (rows,) bool over all rows of a state; no dead row may pass.

        Returns:
            (slots,) bool, not to be written to.

        Cost:
            Nothing as far as rows and slots have the same numbers, which is so until the first object that is replaced; a scatter, 5 ns a row, from there on
            (until the table is compacted).
        """
        count = self._count(len(passing))
        dense = min(self._dense, count)
        if dense == count == self.slots:
            return passing[:count]
        mask = np.zeros(self.slots, np.bool_)
        mask[:dense] = passing[:dense]
        slots = self._slots.view(count)[dense:]
        mask[slots[passing[self._rows.view(count)[dense:]]]] = True
        return mask

    def passing(self, passing: Mask) -> tuple[npt.NDArray[np.uint8], int]:
        """The same as a bitmap: slot n is bit n % 8, counted from the lowest, of byte n // 8; and how many bits are set."""
        mask = self.slot_mask(passing)
        return np.packbits(mask, bitorder="little"), int(np.count_nonzero(mask))

    def rows_of(self, slots: npt.NDArray[np.int64], rows: int) -> npt.NDArray[np.int64]:
        """The rows that have these slots, as a state of so many rows sees it; each slot is one that its live rows have."""
        if self._dense == len(self._rows):
            return slots
        entries = self._last.view()[slots]
        while (later := self._rows.view()[entries] >= rows).any():  # the object was patched since: the slot has a newer row
            entries = np.where(later, self._before.view()[entries], entries)
        return self._rows.view()[entries]

    def slots_of(self, rows: npt.NDArray[np.int64]) -> tuple[Mask, npt.NDArray[np.int64]]:
        """Which of these rows have the vector, and the slots of those that do, in order."""
        known = self._rows.view()
        entries = np.searchsorted(known, rows)
        have = entries < len(known)
        have[have] = known[entries[have]] == rows[have]
        return have, self._slots.view()[entries[have]]

    def written_after(self, revision: int, revisions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The slots whose rows are later than a revision, ascending: those that an index built at that revision may not know.

        Args:
            revisions: (rows,) of a state, ascending: `state.table.revisions.view(len(state.live))`.
        """
        count = self._count(len(revisions))
        first = np.searchsorted(self._rows.view(count), np.searchsorted(revisions, revision, side="right"))
        return np.unique(self._slots.view(count)[first:])

    @property
    def slots(self) -> int:
        """How many slots of the file are published: one more than the last that an object was given."""
        return len(self._norms)

    def published(self) -> tuple[Matrix, npt.NDArray[np.float32]]:
        """(slots, dims) and (slots,): the vectors and their norms; holes have norm 0."""
        slots = self.slots
        return self.file.matrix()[:slots], self._norms.view(slots)

    def _reach(self, slots: int) -> None:
        known = len(self._last)
        if slots > known:
            self._last.reach(slots)
            self._last.view()[known:] = -1

    def _count(self, rows: int) -> int:
        return int(np.searchsorted(self._rows.view(), rows))


class Table:
    """The growing arrays of a shard."""

    def __init__(self, collection: Collection) -> None:
        self.index = Index(collection)
        self.revisions = Growing(np.int64)
        self.coded = CodedValues()
        self._matrices: dict[str, KeptMatrices] = {}

    def extend(self, revisions: Sequence[int], ids: Sequence[bytes], converted: Sequence[ConvertedRow]) -> None:
        """Add rows; no state sees them yet."""
        first = len(self.revisions)
        if len(ids) <= _FEW_ROWS:
            for position, packed_id in enumerate(ids):
                self.index.append(first + position, packed_id, converted[position])
        else:
            self.index.extend(first, ids, converted)
        self.revisions.extend(revisions)

    def rows_of(self, revisions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The rows of revisions that are stored."""
        return self.revisions.view().searchsorted(revisions)

    def matrices(self, name: str, dims: int, *, exactly: bool) -> KeptMatrices:
        """What is kept of the multi-vectors of a name."""
        return self._matrices.get(name) or self._matrices.setdefault(name, KeptMatrices(dims, exactly=exactly))


def _leading(rows: npt.NDArray[np.int64], slots: npt.NDArray[np.int64], first: int) -> int:
    """How many of these entries, from the beginning, have the numbers from `first` on both as row and as slot."""
    own = np.arange(first, first + len(rows))
    differs = (rows != own) | (slots != own)
    return int(differs.argmax()) if differs.any() else len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One commit, as readers see it.

    Attributes:
        revision: the number of the commit; SQLite's snapshot of the same commit has it too.
        live: (rows,) bool, never written to after publication.
        count: how many rows are alive.
        slots: the high-water mark: the first slot number that no object was given.
        table: the growing arrays, of which the first `len(live)` rows count.
        written: by named vector, how many entries its column's list of written slots had; the commit after this one adds its own before it is published.
    """

    table: Table
    revision: int
    live: Mask
    count: int
    slots: int
    vectors: Mapping[str, VectorColumn]
    written: Mapping[str, int] = field(default_factory=dict)
