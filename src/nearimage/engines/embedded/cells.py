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
from nearimage.engines.embedded.value_codes import MISSING, Coded, Codes

Values = npt.NDArray[np.generic]
Taken = tuple[Values, Positions]

_KINDS = {DataType.BOOLEAN: np.bool_, DataType.NUMBER: np.float64}
_TICK_NS = 100
_TICKS_IN_INT64 = (2**63 - 1) // _TICK_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One property of a snapshot's rows.

    Attributes:
        take: given rows, ascending, their entries and who owns each; not to be written to.
        labels: the values behind codes; None where the entries are the values.
        ranks: by code, its place in the order of labels.
    """

    take: Callable[[Positions], Taken]
    unit_ns: int = 1
    labels: Sequence[Scalar] | None = None
    ranks: Callable[[], Codes] | None = None


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


def aligned(values: Values, owners: Positions, rows: int) -> Aligned:
    """Entries of which no two have the same owner, by row."""
    if len(owners) == rows:
        return Aligned(values, None)
    spread, present = np.zeros(rows, values.dtype), np.zeros(rows, np.bool_)
    spread[owners], present[owners] = values, True
    return Aligned(spread, present)


def number_cells(column: NumberColumn, rows: int, *, is_array: bool) -> Cells:
    """The cells of a column of numbers or booleans."""
    values, owners = column.entries(rows)
    return Cells(take=_taking(values, owners, rows, is_array=is_array))


def date_cells(column: DateColumn, rows: int, *, is_array: bool) -> Cells:
    """The cells of a column of dates."""
    ticks, rests, owners = column.instants(rows)
    if not rests.any():
        return Cells(take=_taking(ticks, owners, rows, is_array=is_array), unit_ns=_TICK_NS)
    wide = np.abs(ticks).max(initial=0) < _TICKS_IN_INT64
    instants = (ticks if wide else ticks.astype(np.object_)) * _TICK_NS + rests
    return Cells(take=_taking(instants, owners, rows, is_array=is_array))


def coded_cells(coded: Coded, kind: DataType) -> Cells:
    """The cells of a property known by codes."""

    def take(rows: Positions) -> Taken:
        codes = coded.codes[rows]
        rows, codes = (rows[codes != MISSING], codes[codes != MISSING]) if (codes == MISSING).any() else (rows, codes)
        if coded.starts is None or coded.elements is None:
            return codes, rows
        starts = coded.starts[codes]
        counts = coded.starts[codes + 1] - starts
        return coded.elements[_runs(starts, counts)], np.repeat(rows, counts)

    if kind in (DataType.TEXT, DataType.UUID):
        return Cells(take=take, labels=coded.entries, ranks=coded.ranks if coded.starts is None else None)
    values = _array(list(coded.entries), kind)

    def look_up(rows: Positions) -> Taken:
        codes, owners = take(rows)
        return values[codes], owners

    return Cells(take=look_up)


def _array(values: Sequence[Scalar], kind: DataType) -> Values:
    try:
        return np.array(values, _KINDS.get(kind, np.int64))
    except OverflowError:  # instants in nanoseconds beyond the year 2262
        return np.array(values, np.object_)


def _taking(values: Values, owners: Positions, rows: int, *, is_array: bool) -> Callable[[Positions], Taken]:
    if not is_array:
        return aligned(values, owners, rows).take

    def take(wanted: Positions) -> Taken:
        starts = np.searchsorted(owners, wanted, side="left")
        counts = np.searchsorted(owners, wanted, side="right") - starts
        return values[_runs(starts, counts)], np.repeat(wanted, counts)

    return take


def _runs(starts: Positions, counts: Positions) -> Positions:
    """start, start + 1, ... of each run, one run after another."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
