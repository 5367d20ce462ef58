"""The order that a caller asked for, as keys to select by.

    SortBy("date"), SortBy("title", descending=True)  -->  has a date, 100 ns since 1970, title's rank turned round, id

Numbers, booleans and dates come from their columns, the rest as ranks of codes (`value_codes`). What is missing is smaller than any value: a key of its own
before the value's, where something is missing. The last key of every order is one that no two rows share: the id, in two halves, or when a row was written.

May import numpy, `domain` and this package.
"""

from collections.abc import Callable, Sequence

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, Property
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.numbers import DateColumn, NumberColumn
from nearimage.engines.embedded.selecting import Key, Values
from nearimage.engines.embedded.value_codes import Coded


class Keys:
    """The keys of an order over a snapshot's rows.

    Args:
        revisions: (rows,), of each row.
        codes: gives the codes of a property that has no column of its values.
    """

    def __init__(self, collection: Collection, index: Index, revisions: Positions, codes: Callable[[Property], Coded]) -> None:
        self._collection = collection
        self._index = index
        self._revisions = revisions
        self._rows = len(revisions)
        self._codes = codes

    def of(self, sort: Sequence[SortBy], *, by_id: bool = True) -> list[Key]:
        """What `first_rows` needs; ids are the last, or the order in which the rows were written."""
        high, low = self._index.ids.halves()
        found: list[Key] = []
        for by in sort:
            values = [high[: self._rows], low[: self._rows]] if by.field == ID_FIELD else self._values(by.field)
            found += [Key(one, by.descending) for one in values]
        return [*found, Key(high[: self._rows]), Key(low[: self._rows])] if by_id else [*found, Key(self._revisions)]

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


def by_age(index: Index, revisions: Positions) -> list[Key]:
    """The keys of the order in which objects were made; those of one moment as they were written."""
    created = index.find(CREATED_FIELD)
    times = [created.by_row(len(revisions))[0]] if isinstance(created, NumberColumn) else []  # every object has one
    return [*map(Key, times), Key(revisions)]


def _with_presence(values: Values, present: Mask | None) -> list[Values]:
    return [values] if present is None else [present, values]
