"""What a shard keeps in memory to filter by: a column for each filterable property, and one for each of an object's own fields.

    Record --convert--> entries, may refuse          before the write
    entries --append--> columns, cannot fail         after the commit
    Filter --mask--> (rows,) bool                    NotEqual, Contains and IsNull are put together here from what columns answer

A row is one version of an object. Rows are appended and never changed, so a reader that knows its number of rows needs no lock; rows of replaced and
deleted versions stay until the shard is opened anew, and the caller's mask of live rows hides them.

May import numpy, `domain` and this package.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import (
    CREATED_FIELD,
    ID_FIELD,
    UPDATED_FIELD,
    And,
    Compare,
    Filter,
    FilterScalar,
    FilterValue,
    GeoRange,
    Not,
    Operator,
    Or,
    PointsTo,
    Through,
    length_field,
)
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.domain.value_columns import ValueColumn, columns_of
from nearimage.engines.embedded.columns import Column, ConvertedRow, PresenceColumn
from nearimage.engines.embedded.entries import Arrays, Mask
from nearimage.engines.embedded.ids import Ids
from nearimage.engines.embedded.lengths import LengthColumn
from nearimage.engines.embedded.numbers import DateColumn, NumberColumn
from nearimage.engines.embedded.places import GeoColumn
from nearimage.engines.embedded.references import ReferenceColumn
from nearimage.engines.embedded.tokens import TokenColumn

_MAKE: dict[DataType, Callable[..., Column]] = {
    DataType.INT: partial(NumberColumn, np.int64),
    DataType.BOOLEAN: partial(NumberColumn, np.int8),
    DataType.NUMBER: partial(NumberColumn, np.float64),
    DataType.DATE: DateColumn,
}
_MAKE_OTHERS: dict[DataType, Callable[[], Column]] = {
    DataType.UUID: partial(TokenColumn, None),
    DataType.BLOB_HASH: partial(TokenColumn, None),
    DataType.GEO_COORDINATES: GeoColumn,
    DataType.REFERENCE: ReferenceColumn,
}


class HasValues(Protocol):
    """What is indexed of an object: a record, or a stored row."""

    @property
    def properties(self) -> Mapping[str, PropertyValue]:
        """By name."""

    @property
    def created_ms(self) -> int:
        """Milliseconds since 1970."""

    @property
    def updated_ms(self) -> int:
        """Milliseconds since 1970."""


class Index:
    """The columns of one shard."""

    def __init__(self, collection: Collection) -> None:
        self.ids = Ids()
        self._collection = collection.name
        self._columns: dict[str, Column] = {CREATED_FIELD: NumberColumn(np.int64), UPDATED_FIELD: NumberColumn(np.int64)}
        self._measured: dict[str, str] = {}
        self.alter(collection)

    def alter(self, collection: Collection) -> None:
        """Make columns for properties that are new; rows that are there already have no entries in them."""
        indexed = [p for p in collection.properties if (p.filterable or p.searchable or p.range_filters) and p.name not in self._columns]
        measured = {p.name: length_field(p.name) for p in indexed if _has_length(p)}
        new = {p.name: _column(p) for p in indexed} | {field: LengthColumn() for field in measured.values()}
        self._columns = self._columns | new  # not in place: other threads may be walking through it
        self._measured = self._measured | measured

    def convert(self, properties: Mapping[str, PropertyValue], created_ms: int, updated_ms: int) -> ConvertedRow:
        """An object's values as entries of the columns.

        Raises:
            InvalidValue: a value does not fit its column.
        """
        columns, measured = self._columns, self._measured
        converted = {CREATED_FIELD: columns[CREATED_FIELD].convert(created_ms), UPDATED_FIELD: columns[UPDATED_FIELD].convert(updated_ms)}
        for name, value in properties.items():
            if name in columns:
                converted[name] = columns[name].convert(value)
                if name in measured:
                    converted[measured[name]] = columns[measured[name]].convert(value)
        return converted

    def convert_all(self, records: Sequence[HasValues]) -> list[ConvertedRow]:
        """The same for many objects, column by column.

        Raises:
            InvalidValue: some value does not fit its column; which, `convert` says.
        """
        columns, measured = self._columns, self._measured
        given = {name: values for name, values in columns_of([record.properties for record in records]).items() if name in columns}
        given[CREATED_FIELD] = ValueColumn(range(len(records)), [record.created_ms for record in records])
        given[UPDATED_FIELD] = ValueColumn(range(len(records)), [record.updated_ms for record in records])
        converted: list[ConvertedRow] = [{} for _ in records]
        for name, (places, values) in given.items():
            for field in (name, measured[name]) if name in measured else (name,):
                for place, entries in zip(places, columns[field].convert_all(values), strict=True):
                    converted[place][field] = entries
        return converted

    def append(self, row: int, packed_id: bytes, converted: ConvertedRow) -> None:
        """Add a row."""
        self.ids.append(packed_id)
        for name, entries in converted.items():
            self._columns[name].append(row, entries)

    def extend(self, first_row: int, packed_ids: Sequence[bytes], converted: Sequence[ConvertedRow]) -> None:
        """Add many rows, which follow each other from the first, column by column."""
        self.ids.extend(packed_ids)
        for name, column in self._columns.items():
            have = [name in values for values in converted]
            owners = np.flatnonzero(have)
            if len(owners) == len(converted):
                column.extend(owners + first_row, [values[name] for values in converted])
            elif len(owners):
                column.extend(owners + first_row, [converted[number][name] for number in owners.tolist()])

    def column(self, name: str) -> Column:
        """The column of a property, or of the times.

        Raises:
            InvalidFilter: there is none.
        """
        if name not in self._columns:
            raise InvalidFilter(f"{name!r} is no filterable property of {self._collection!r}", property=name)
        return self._columns[name]

    def find(self, name: str) -> Column | None:
        """The column of a property, or of the times; None where there is none."""
        return self._columns.get(name)

    def arrays(self, keep: Mask) -> Arrays:
        """What the index knows of the rows that are kept, numbered anew from 0, as flat arrays by `property/array`.

        Safe beside a writer. The arrays may be views: write them out before the index goes.
        """
        parts = {ID_FIELD: self.ids.arrays(keep)} | {name: column.arrays(keep) for name, column in self._columns.items()}
        return {f"{name}/{key}": array for name, arrays in parts.items() for key, array in arrays.items()}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up what `arrays` gave; only on a fresh index. A property that they do not know has no values; one that the collection does not know is left.

        The arrays may be read-only maps of a file: a column copies its own at the next append.
        """
        parts: dict[str, Arrays] = {}
        for path, array in arrays.items():
            name, key = path.rsplit("/", 1)
            parts.setdefault(name, {})[key] = array
        self.ids.restore(parts.pop(ID_FIELD))
        rows = len(self.ids)
        for name, part in parts.items():
            if name in self._columns:
                self._columns[name].restore(part, rows)

    def mask(self, where: Filter, rows: int) -> Mask:
        """Which of the first rows pass the filter; the caller may write to the mask."""
        match where:
            case And(parts):
                return self._join(np.logical_and, parts, rows)
            case Or(parts):
                return self._join(np.logical_or, parts, rows)
            case Not(part):
                mask = self.mask(part, rows)
                return np.logical_not(mask, out=mask)
            case Compare():
                return self._compare(where.field, where.operator, where.value, rows)
            case PointsTo(field):
                column = self.column(field)
                return column.leads_to(where, rows) if isinstance(column, ReferenceColumn) else np.zeros(rows, np.bool_)
            case Through(field):
                raise InvalidFilter(f"the filter through {field!r} was not resolved before it was asked", property=field)

    def _join(self, junction: "np.ufunc", parts: tuple[Filter, ...], rows: int) -> Mask:
        mask = self.mask(parts[0], rows)
        for part in parts[1:]:
            junction(mask, self.mask(part, rows), out=mask)
        return mask

    def _compare(self, field: str, operator: Operator, value: FilterValue, rows: int) -> Mask:
        if isinstance(value, GeoRange):
            places = self.column(field)
            return places.within(value, rows) if isinstance(places, GeoColumn) else np.zeros(rows, np.bool_)
        if isinstance(value, tuple):
            return self._contains(field, operator, value, rows)
        if operator is Operator.IS_NULL:
            present = np.ones(rows, np.bool_) if field == ID_FIELD else self.column(self._measured.get(field, field)).present(rows)
            return np.logical_not(present, out=present) if value else present
        column = self._answering(field)
        if operator is Operator.NOT_EQUAL:
            equal = column.holds_some(value, rows) if isinstance(column, TokenColumn) else column.holds(Operator.EQUAL, value, rows)
            return np.logical_not(equal, out=equal)
        return column.holds(operator, value, rows)

    def _contains(self, field: str, operator: Operator, values: tuple[FilterScalar, ...], rows: int) -> Mask:
        column = self._answering(field)
        if operator is Operator.CONTAINS_ALL:
            mask = np.ones(rows, np.bool_)
            for value in dict.fromkeys(values):
                mask &= column.holds(Operator.EQUAL, value, rows)
            return mask
        some = column.holds_any(values, rows) if values else np.zeros(rows, np.bool_)
        return np.logical_not(some, out=some) if operator is Operator.CONTAINS_NONE else some

    def _answering(self, field: str) -> Column | Ids:
        return self.ids if field == ID_FIELD else self.column(field)


def _column(prop: Property) -> Column:
    element = prop.data_type.element
    if element is DataType.TEXT:
        return TokenColumn(prop.tokenization or Tokenization.WORD, is_array=prop.data_type.is_array, fold=prop.fold)
    if element in _MAKE:
        return _MAKE[element](is_array=prop.data_type.is_array)
    return _MAKE_OTHERS.get(element, PresenceColumn)()


def _has_length(prop: Property) -> bool:
    return prop.data_type.is_array or prop.data_type in (DataType.TEXT, DataType.REFERENCE)
