"""Summaries of the rows that pass, as a whole or group by group.

    rows --cells--> values of a property --summaries--> figures
    rows --cells--> values of group_by --count--> the largest groups --> the rows of each --> figures

A property's values come from its column where the column keeps them (numbers, booleans, dates), else from codes (text, uuids, and what is not filterable).
All properties of a question that need codes learn them in one pass over the stored rows.

May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.aggregates import Aggregation, Group, Summary
from nearimage.domain.dates import instant_text
from nearimage.domain.objects import Scalar
from nearimage.domain.schema import Collection, DataType
from nearimage.engines.embedded.cells import Cells, coded_cells, date_cells, number_cells
from nearimage.engines.embedded.entries import Positions
from nearimage.engines.embedded.numbers import DateColumn, NumberColumn
from nearimage.engines.embedded.state import Table
from nearimage.engines.embedded.summaries import Labels, boolean_summary, date_summary, most_frequent, number_summary, text_summary
from nearimage.engines.embedded.value_codes import Rows

_SMALL = np.iinfo(np.uint16).max
"""Numbers up to here are sorted by their digits, in one pass for each of two bytes."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The groups of a question: their values, and who belongs to each."""

    values: Sequence[Scalar]
    rows: Sequence[Positions]


class Aggregating:
    """Answers one question about a snapshot's rows."""

    def __init__(self, aggregation: Aggregation, collection: Collection, table: Table, rows: Rows) -> None:
        self._aggregation = aggregation
        self._properties = {prop.name: prop for prop in collection.properties}
        self._types = {prop.name: prop.data_type for prop in collection.properties}
        self._cells = self._all_cells(table, rows)

    def run(self, passing: Positions) -> tuple[Group, ...]:
        """The groups of these rows, ascending."""
        if self._aggregation.group_by is None:
            return (self._group(None, passing),)
        members = self._members(self._aggregation.group_by, passing)
        return tuple(self._group(value, rows) for value, rows in zip(members.values, members.rows, strict=True))

    def _all_cells(self, table: Table, rows: Rows) -> Mapping[str, Cells]:
        names = dict.fromkeys((*self._aggregation.properties, *((self._aggregation.group_by,) if self._aggregation.group_by else ())))
        columns = {name: table.index.find(name) for name in names}
        without = [self._properties[name] for name, column in columns.items() if not isinstance(column, NumberColumn | DateColumn)]
        found = {name: coded_cells(coded, self._types[name].element) for name, coded in (table.coded.of(rows, without) if without else {}).items()}
        for name, column in columns.items():
            if isinstance(column, NumberColumn):
                found[name] = number_cells(column, len(rows.live), is_array=self._types[name].is_array)
            elif isinstance(column, DateColumn):
                found[name] = date_cells(column, len(rows.live), is_array=self._types[name].is_array)
        return found

    def _group(self, value: Scalar | None, rows: Positions) -> Group:
        summaries = {name: self._summary(name, rows, top) for name, top in self._aggregation.properties.items()}
        return Group(value=value, objects=len(rows), summaries=summaries)

    def _summary(self, name: str, rows: Positions, top: int) -> Summary:
        cells = self._cells[name]
        if cells.labels is not None and cells.tally is not None:
            return text_summary(cells.tally(rows), cells.labels, top)
        values, _ = cells.take(rows)
        match self._types[name].element:
            case DataType.BOOLEAN:
                return boolean_summary(values)
            case DataType.DATE:
                return date_summary(values, cells.unit_ns)
            case _:
                return number_summary(values)

    def _members(self, name: str, passing: Positions) -> _Members:
        cells = self._cells[name]
        values, owners = cells.take(passing)
        if cells.labels is None:
            distinct, codes = np.unique(values, return_inverse=True)
            written, labels = self._written(name, distinct, cells.unit_ns), Labels(range(len(distinct)), lambda: np.arange(len(distinct)))
        else:
            codes, written, labels = values.astype(np.int64), cells.labels.values, cells.labels
        if self._types[name].is_list and len(owners):  # an object counts once in a group, however often its list has the value
            size = int(codes.max()) + 1
            owners, codes = np.divmod(_distinct(owners * size + codes), size)
        counts = np.bincount(codes)
        chosen = most_frequent(counts, labels, self._aggregation.groups)
        return _Members([written[code] for code in chosen], _split(codes, owners, chosen, len(counts)))

    def _written(self, name: str, distinct: npt.NDArray[np.generic], unit_ns: int) -> Sequence[Scalar]:
        values: list[Scalar] = distinct.tolist()
        match self._types[name].element:
            case DataType.DATE:
                return [instant_text(int(value) * unit_ns) for value in values]
            case DataType.BOOLEAN:
                return [bool(value) for value in values]
            case _:
                return values


def _distinct(numbers: Positions) -> Positions:
    """Ascending; by a sort, because `np.unique` puts 150,000 into a hash table first and takes ten times as long."""
    ordered = np.sort(numbers)
    found: Positions = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found


def _split(codes: npt.NDArray[np.int64], owners: Positions, chosen: Sequence[int], distinct: int) -> list[Positions]:
    """The owners of each of the codes chosen, ascending."""
    groups = np.zeros(distinct, np.uint16 if len(chosen) < _SMALL else np.int64)
    groups[list(chosen)] = np.arange(1, len(chosen) + 1)
    mine = groups[codes]
    order = np.argsort(mine, kind="stable")
    ends = np.searchsorted(mine[order], np.arange(len(chosen) + 1), side="right")
    return [owners[order[start:end]] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
