"""What a shard keeps in memory to filter by: a column for each filterable property, and one for each of an object's own fields.

    Record --convert--> entries, may refuse          before the write
    entries --append--> columns, cannot fail         after the commit
    Filter --mask--> (rows,) bool                    NotEqual, Contains and IsNull are put together here from what columns answer

A row is one version of an object. Rows are appended and never changed, so a reader that knows its number of rows needs no lock; rows of replaced and
deleted versions stay until the shard is opened anew, and the caller's mask of live rows hides them.

May import numpy, `domain` and this package.
"""

from collections.abc import Callable, Mapping
from functools import partial, reduce
from uuid import UUID

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD, And, Compare, Filter, Not, Operator, Or
from nearimage.domain.objects import PropertyValue, Scalar
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.domain.text import tokenize
from nearimage.engines.embedded.columns import Column, Converted, DateColumn, NumberColumn, PresenceColumn
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.tokens import TokenColumn

ConvertedRow = dict[str, Converted]

_MAKE: dict[DataType, Callable[[], Column]] = {
    DataType.INT: partial(NumberColumn, np.int64),
    DataType.BOOLEAN: partial(NumberColumn, np.int8),
    DataType.NUMBER: partial(NumberColumn, np.float64),
    DataType.DATE: DateColumn,
    DataType.UUID: partial(TokenColumn, None),
    DataType.BLOB: PresenceColumn,
}


class Ids:
    """The ids of rows as two uint64 halves, 16 bytes a row; they break ties and answer filters on `_id`."""

    def __init__(self) -> None:
        self._high = Growing(np.uint64)
        self._low = Growing(np.uint64)

    def append(self, packed: bytes) -> None:
        """Add one row's 16 bytes."""
        self._high.append(int.from_bytes(packed[:8], "big"))
        self._low.append(int.from_bytes(packed[8:], "big"))

    def order(self, rows: npt.NDArray[np.int64], first_by: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.int64]:
        """The positions in `rows` in ascending order of ids, or of `first_by` and then of ids."""
        keys = (self._low.view()[rows], self._high.view()[rows])
        return np.lexsort(keys if first_by is None else (*keys, first_by))

    def greater(self, than: UUID, rows: int) -> Mask:
        """Which of the first rows have a greater id."""
        high, low = divmod(than.int, 1 << 64)
        highs, lows = self._high.view(rows), self._low.view(rows)
        mask: Mask = (highs > np.uint64(high)) | ((highs == np.uint64(high)) & (lows > np.uint64(low)))
        return mask

    def holds(self, operator: Operator, value: Scalar, rows: int) -> Mask:
        """A filter on `_id`, which is text with one token. Only Equal is quick; the others write out every id (9 us each) and compare texts."""
        if operator is Operator.EQUAL:
            return self._equal(str(value), rows)
        column = TokenColumn(Tokenization.FIELD)
        for row, (high, low) in enumerate(zip(self._high.view(rows).tolist(), self._low.view(rows).tolist(), strict=True)):
            column.append(row, [[str(UUID(int=high << 64 | low))]])
        return column.holds(operator, value, rows)

    def _equal(self, value: str, rows: int) -> Mask:
        tokens = tokenize(value, Tokenization.FIELD)
        if not tokens:
            return np.ones(rows, np.bool_)
        try:
            wanted = UUID(tokens[0])
        except ValueError:
            return np.zeros(rows, np.bool_)
        if str(wanted) != tokens[0]:
            return np.zeros(rows, np.bool_)
        high, low = divmod(wanted.int, 1 << 64)
        mask: Mask = (self._high.view(rows) == np.uint64(high)) & (self._low.view(rows) == np.uint64(low))
        return mask


class Index:
    """The columns of one shard."""

    def __init__(self, collection: Collection) -> None:
        self.ids = Ids()
        self._collection = collection.name
        self._columns: dict[str, Column] = {p.name: _column(p) for p in collection.properties if p.filterable or p.searchable or p.range_filters}
        self._columns |= {CREATED_FIELD: NumberColumn(np.int64), UPDATED_FIELD: NumberColumn(np.int64)}

    def convert(self, properties: Mapping[str, PropertyValue], created_ms: int, updated_ms: int) -> ConvertedRow:
        """An object's values as entries of the columns.

        Raises:
            InvalidValue: a value does not fit its column.
        """
        values = {**properties, CREATED_FIELD: created_ms, UPDATED_FIELD: updated_ms}
        return {name: self._columns[name].convert(value) for name, value in values.items() if name in self._columns}

    def append(self, row: int, packed_id: bytes, converted: ConvertedRow) -> None:
        """Add a row."""
        self.ids.append(packed_id)
        for name, entries in converted.items():
            self._columns[name].append(row, entries)

    def mask(self, where: Filter, rows: int) -> Mask:
        """Which of the first rows pass the filter."""
        match where:
            case And(parts):
                return reduce(np.logical_and, (self.mask(part, rows) for part in parts))
            case Or(parts):
                return reduce(np.logical_or, (self.mask(part, rows) for part in parts))
            case Not(part):
                return ~self.mask(part, rows)
            case Compare():
                return self._compare(where, rows)

    def _compare(self, where: Compare, rows: int) -> Mask:
        if isinstance(where.value, tuple):
            return self._contains(where.field, where.operator, where.value, rows)
        if where.operator is Operator.IS_NULL:
            present = np.ones(rows, np.bool_) if where.field == ID_FIELD else self._column(where.field).present(rows)
            return ~present if where.value else present
        if where.operator is Operator.NOT_EQUAL:
            return ~self._holds(where.field, Operator.EQUAL, where.value, rows)
        return self._holds(where.field, where.operator, where.value, rows)

    def _contains(self, field: str, operator: Operator, values: tuple[Scalar, ...], rows: int) -> Mask:
        every = operator is Operator.CONTAINS_ALL
        mask = np.full(rows, every)
        for value in values:
            equal = self._holds(field, Operator.EQUAL, value, rows)
            mask = mask & equal if every else mask | equal
        return ~mask if operator is Operator.CONTAINS_NONE else mask

    def _holds(self, field: str, operator: Operator, value: Scalar, rows: int) -> Mask:
        if field == ID_FIELD:
            return self.ids.holds(operator, value, rows)
        return self._column(field).holds(operator, value, rows)

    def _column(self, field: str) -> Column:
        if field not in self._columns:
            raise InvalidFilter(f"{field!r} is no filterable property of {self._collection!r}", property=field)
        return self._columns[field]


def _column(prop: Property) -> Column:
    if prop.data_type.element is DataType.TEXT:
        return TokenColumn(prop.tokenization or Tokenization.WORD)
    return _MAKE[prop.data_type.element]()
