"""Check a whole column of values at once, where nothing is wrong with any of them.

    text       "a", "b", "c"       all str            as they came
    int        1.0, 2.0, 3.0       all whole floats   1, 2, 3

A batch is looked at here first: one pass over the types of a column, and one that converts it. A column in which anything else is met is no error yet; its
values are then read one by one by `service.values`, which says what is wrong with which. So what is accepted here must be what is accepted there, with the
same result, and nothing here words an error.

May import `domain` only.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from nearimage.domain.dates import date_text
from nearimage.domain.schema import DataType
from nearimage.domain.values import CANONICAL_UUID, INT64, PropertyValue

Column = Sequence[PropertyValue]


def read_plain(kind: DataType, values: Sequence[object], *, whole_floats: bool = True) -> Column | None:
    """The values of a property of this type, at least one; None where they have to be read one by one.

    Args:
        whole_floats: whether a float without a fraction may stand for an int.
    """
    read = _only_ints if kind.element is DataType.INT and not whole_floats else _SCALARS.get(kind.element)
    if read is None:
        return None
    return _arrays(values, read) if kind.is_array else read(values)


def _arrays(values: Sequence[Any], read: Callable[[Sequence[Any]], Column | None]) -> Column | None:
    """Lists and tuples of many objects, all of their entries in one column."""
    if not _are(values, list, tuple):
        return None
    entries = list(chain.from_iterable(values))
    converted = read(entries) if entries else entries
    if converted is None:
        return None
    if converted is entries:  # as they came
        return list(map(tuple, values))
    following = iter(converted)
    return [tuple(next(following) for _ in value) for value in values]


def _texts(values: Sequence[Any]) -> Column | None:
    return values if _are(values, str) else None


def _ints(values: Sequence[Any]) -> Column | None:
    if _are(values, float):
        if not all(map(float.is_integer, values)):
            return None
        values = list(map(int, values))
    elif not _are(values, int):
        return None
    return values if min(values) in INT64 and max(values) in INT64 else None


def _only_ints(values: Sequence[Any]) -> Column | None:
    return _ints(values) if _are(values, int) else None


def _numbers(values: Sequence[Any]) -> Column | None:
    """A sum is finite only if everything in it is."""
    if not _are(values, float, int):
        return None
    try:
        numbers = list(map(float, values))
    except OverflowError:
        return None
    return numbers if math.isfinite(sum(numbers)) else None


def _booleans(values: Sequence[Any]) -> Column | None:
    return values if _are(values, bool) else None


def _dates(values: Sequence[Any]) -> Column | None:
    """Each distinct text is read once: those of an import are often the same."""
    if not _are(values, str):
        return None
    try:
        told = {text: date_text(text) for text in set(values)}
    except ValueError:
        return None
    return values if all(text == given for given, text in told.items()) else [told[value] for value in values]


def _uuids(values: Sequence[Any]) -> Column | None:
    """In canonical form, as nearly all clients send them."""
    return values if _are(values, str) and all(map(CANONICAL_UUID.fullmatch, values)) else None


def _are(values: Sequence[object], *kinds: type) -> bool:
    return set(map(type, values)).issubset(kinds)


_SCALARS: Mapping[DataType, Callable[[Sequence[Any]], Column | None]] = {
    DataType.TEXT: _texts,
    DataType.INT: _ints,
    DataType.NUMBER: _numbers,
    DataType.BOOLEAN: _booleans,
    DataType.DATE: _dates,
    DataType.UUID: _uuids,
}
