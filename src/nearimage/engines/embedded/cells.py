"""The values of one property where its column keeps them, where only its codes do, one a row or many: all taken by row.

    Cells.take(rows)  --> the entries of these rows, and the row that owns each

Text and uuids come as codes of `labels`, dates as whole numbers of `unit_ns` since 1970 (the coarsest unit in which an int64 holds all of them; Python's
ints where none does), booleans as int8 or bool, the rest as they are.

May import numpy, `domain` and this package.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Scalar
from nearimage.domain.schema import DataType
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.numbers import DateColumn, NumberColumn
from nearimage.engines.embedded.summaries import Counts, Labels
from nearimage.engines.embedded.value_codes import MISSING, Coded

Values = npt.NDArray[np.generic]
Taken = tuple[Values, Positions]

_KINDS = {DataType.BOOLEAN: np.bool_, DataType.NUMBER: np.float64}
_MANY = 8
"""Looking up one row by bisection costs about as much as counting so many entries."""

_TICK_NS = 100
_TICKS_IN_INT64 = (2**63 - 1) // _TICK_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One property of a snapshot's rows.

    Attributes:
        take: given rows, ascending, their entries and who owns each; not to be written to.
        tally: given rows, how often they have each code; only where there are labels.
        labels: what codes stand for; None where the entries are the values.
    """

    take: Callable[[Positions], Taken]
    tally: Callable[[Positions], Counts] | None = None
    unit_ns: int = 1
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class Aligned:
    """At most one entry a row, at the row's number.

    Attributes:
        present: (rows,) bool; None where every row has an entry.
    """

    values: Values
    present: Mask | None

    def take(self, rows: Positions) -> Taken:
        """See `Cells`."""
        here = rows if self.present is None else rows[self.present[rows]]
        return (self.values if len(here) == len(self.values) else self.values[here]), here


@dataclass(frozen=True, slots=True)
class Ragged:
    """Entries one after another, with the row that owns each."""

    values: Values
    owners: Positions

    def take(self, rows: Positions) -> Taken:
        """See `Cells`."""
        if len(rows) * _MANY > len(self.owners):
            sizes = np.bincount(self.owners, minlength=int(rows[-1]) + 1 if len(rows) else 0)
            if len(rows) == len(sizes):
                return self.values, self.owners
            starts, counts = (np.cumsum(sizes) - sizes)[rows], sizes[rows]
        else:
            starts = np.searchsorted(self.owners, rows, side="left")
            counts = np.searchsorted(self.owners, rows, side="right") - starts
        return self.values[_runs(starts, counts)], np.repeat(rows, counts)


def number_cells(column: NumberColumn, rows: int, *, is_array: bool) -> Cells:
    """The cells of a column of numbers or booleans."""
    if is_array:
        return Cells(take=Ragged(*column.entries(rows)).take)
    return Cells(take=Aligned(*column.by_row(rows)).take)


def date_cells(column: DateColumn, rows: int, *, is_array: bool) -> Cells:
    """The cells of a column of dates."""
    if is_array:
        ticks, rests, owners = column.instants(rows)
        instants, unit_ns = _instants(ticks, rests)
        return Cells(take=Ragged(instants, owners).take, unit_ns=unit_ns)
    ticks, some_rests, present = column.by_row(rows)
    instants, unit_ns = _instants(ticks, some_rests)
    return Cells(take=Aligned(instants, present).take, unit_ns=unit_ns)


@dataclass(frozen=True, slots=True)
class InCodes:
    """Entries known by their codes."""

    coded: Coded

    def take(self, rows: Positions) -> Taken:
        """See `Cells`; the entries are codes."""
        codes = self.coded.codes[rows]
        here = codes != MISSING
        if not here.all():
            rows, codes = rows[here], codes[here]
        if self.coded.starts is None or self.coded.elements is None:
            return codes, rows
        starts = self.coded.starts[codes]
        counts = self.coded.starts[codes + 1] - starts
        return self.coded.elements[_runs(starts, counts)], np.repeat(rows, counts)

    def tally(self, rows: Positions) -> Counts:
        """How often the rows have each code; arrays are counted whole by whole, and then their entries by how often the whole was met."""
        starts, elements = self.coded.starts, self.coded.elements
        if starts is not None and elements is not None and len(rows) < len(starts):
            return np.bincount(self.take(rows)[0])
        counts: Counts = np.bincount(self.coded.codes[rows] - MISSING)[1:]
        if starts is None or elements is None:
            return counts
        weights = np.repeat(counts, np.diff(starts[: len(counts) + 1]))
        return np.bincount(elements[: len(weights)], weights=weights).astype(np.int64)


def coded_cells(coded: Coded, kind: DataType) -> Cells:
    """The cells of a property known by codes."""
    found = InCodes(coded)
    if kind in (DataType.TEXT, DataType.UUID, DataType.REFERENCE):
        return Cells(take=found.take, tally=found.tally, labels=Labels(coded.entries, coded.entry_ranks))
    values = _array(list(coded.entries), kind)

    def look_up(rows: Positions) -> Taken:
        codes, owners = found.take(rows)
        return values[codes], owners

    return Cells(take=look_up)


def _array(values: Sequence[Scalar], kind: DataType) -> Values:
    try:
        return np.array(values, _KINDS.get(kind, np.int64))
    except OverflowError:  # instants in nanoseconds beyond the year 2262
        return np.array(values, np.object_)


def _instants(ticks: npt.NDArray[np.int64], rests: npt.NDArray[np.uint8] | None) -> tuple[Values, int]:
    if rests is None or not rests.any():
        return ticks, _TICK_NS
    fits = np.abs(ticks).max(initial=0) < _TICKS_IN_INT64
    return (ticks if fits else ticks.astype(np.object_)) * _TICK_NS + rests, 1


def _runs(starts: Positions, counts: Positions) -> Positions:
    """start, start + 1, ... of each run, one run after another."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
