"""The order that a caller asked for, as keys to select by.

    SortBy("date"), SortBy("title", descending=True)  -->  has a date, 100 ns since 1970, title's rank turned round, id

Numbers, booleans and dates come from their columns, the rest as ranks of codes (`value_codes`). What is missing is smaller than any value: a key of its own
before the value's, where something is missing. The id is the last key of every order, in two halves.

May import numpy, `domain` and this package.
"""

from collections.abc import Callable, Sequence

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import ID_FIELD
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, Property
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.numbers import DateColumn, NumberColumn
from nearimage.engines.embedded.selecting import Key, Values
from nearimage.engines.embedded.value_codes import Coded


class Keys:
    """The keys of an order over a snapshot's rows.

    Args:
        codes: gives the codes of a property that has no column of its values.
    """

    def __init__(self, collection: Collection, index: Index, rows: int, codes: Callable[[Property], Coded]) -> None:
        self._collection = collection
        self._index = index
        self._rows = rows
        self._codes = codes

    def of(self, sort: Sequence[SortBy]) -> list[Key]:
        """What `first_rows` needs; ids are the last."""
        high, low = self._index.ids.halves()
        found: list[Key] = []
        for by in sort:
            values = [high[: self._rows], low[: self._rows]] if by.field == ID_FIELD else self._values(by.field)
            found += [Key(one, by.descending) for one in values]
        return [*found, Key(high[: self._rows]), Key(low[: self._rows])]

    def _values(self, field: str) -> list[Values]:
        prop = self._collection.property(field)
        if prop is None or not prop.data_type.is_array:
            column = self._index.find(field)
            if isinstance(column, NumberColumn):
                return _with_presence(*column.by_row(self._rows))
            if isinstance(column, DateColumn):
                ticks, rests, present = column.by_row(self._rows)
                whole = _with_presence(ticks, present)
                return whole if rests is None else [*whole, rests]
        if prop is None:
            raise InvalidInput(f"{field!r} is no property of {self._collection.name!r}", property=field)
        coded = self._codes(prop)
        return [coded.ranks()[coded.codes]]


def _with_presence(values: Values, present: Mask | None) -> list[Values]:
    return [values] if present is None else [present, values]
