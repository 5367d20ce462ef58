"""Columns of numbers, booleans and dates in memory, and exact comparisons with them.

    int, boolean   int64, int8          compared as integers; a float on the other side is rounded to the integer that asks the same
    number         float64              an int on the other side likewise becomes the float that asks the same
    date           int64 s + uint32 ns  since 1970, UTC; two columns, because int64 nanoseconds end in 2262 and "never" is often written 9999

"Asks the same": x > 2.5 is x > 2 among integers; 2**53 + 1 equals no float, and x >= 2**53 + 1 is x >= the next float above. Converting the column instead
would call 2**53 and 2**53 + 1 equal.

A column first converts a value, which may fail, and appends it only after the commit, which may not. May import numpy, `domain` and this package.
"""

import math
from collections.abc import Callable
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidValue
from nearimage.domain.filters import Operator
from nearimage.domain.objects import PropertyValue, Scalar
from nearimage.engines.embedded.entries import Entries, Mask
from nearimage.engines.embedded.growing import Growing

Converted = list[int] | list[float] | list[tuple[int, int]] | list[list[str]]

_COMPARE: dict[Operator, Callable[..., Mask]] = {
    Operator.EQUAL: np.equal,
    Operator.GREATER_THAN: np.greater,
    Operator.GREATER_THAN_EQUAL: np.greater_equal,
    Operator.LESS_THAN: np.less,
    Operator.LESS_THAN_EQUAL: np.less_equal,
}
_NS = 1_000_000_000


class Column(Protocol):
    """The values of one filterable property."""

    def convert(self, value: PropertyValue) -> Converted:
        """A value as entries of this column.

        Raises:
            InvalidValue: it does not fit.
        """
        ...

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries; rows come in ascending order."""
        ...

    def holds(self, operator: Operator, value: Scalar, rows: int) -> Mask:
        """Which of the first rows have an entry that compares so; Equal, Like and the four orders only."""
        ...

    def present(self, rows: int) -> Mask:
        """Which of the first rows have the property."""
        ...


class PresenceColumn:
    """Only whether a property is there (blobs)."""

    def __init__(self) -> None:
        self._entries = Entries()

    def convert(self, value: PropertyValue) -> Converted:  # noqa: ARG002 the protocol's argument
        """Nothing is kept of the value."""
        return []

    def append(self, row: int, converted: Converted) -> None:
        """The row has the property."""
        self._entries.append(row, len(converted))

    def holds(self, operator: Operator, value: Scalar, rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A blob compares with nothing."""
        return np.zeros(rows, np.bool_)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return self._entries.present(rows)


class NumberColumn(PresenceColumn):
    """Integers (int64), booleans (int8) or numbers (float64)."""

    def __init__(self, kind: type[np.int64] | type[np.int8] | type[np.float64]) -> None:
        super().__init__()
        self._kind = kind
        self._values: Growing[np.generic] = Growing(kind)

    def convert(self, value: PropertyValue) -> Converted:
        """The value, or an array's values, as numbers of this column's kind."""
        try:
            elements = value if isinstance(value, tuple) else (value,)
            if self._kind is np.float64:
                return [float(element) for element in elements]
            return [int(self._kind(int(element))) for element in elements]
        except (TypeError, ValueError, OverflowError) as wrong:
            raise InvalidValue(f"{value!r} does not fit a column of {self._kind.__name__}", data_type=self._kind.__name__) from wrong

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries."""
        for entry in converted:
            self._values.append(entry)
        super().append(row, converted)

    def holds(self, operator: Operator, value: Scalar, rows: int) -> Mask:
        """Which of the first rows have an entry that compares so."""
        if isinstance(value, str):
            return np.zeros(rows, np.bool_)
        values = self._values.view()[: self._entries.count(rows)]
        compare = _compare_floats if self._kind is np.float64 else _compare_integers
        return self._entries.rows_of(compare(values, operator, value), rows)


class DateColumn(PresenceColumn):
    """Instants to the nanosecond, in any year."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = Growing(np.int64)
        self._nanoseconds = Growing(np.uint32)

    def convert(self, value: PropertyValue) -> Converted:
        """RFC 3339 text as seconds and nanoseconds."""
        try:
            return [divmod(instant_ns(str(element)), _NS) for element in (value if isinstance(value, tuple) else (value,))]
        except ValueError as wrong:
            raise InvalidValue(str(wrong), data_type="date") from wrong

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries."""
        for second, nanosecond in cast("list[tuple[int, int]]", converted):
            self._seconds.append(second)
            self._nanoseconds.append(nanosecond)
        super().append(row, converted)

    def holds(self, operator: Operator, value: Scalar, rows: int) -> Mask:
        """Which of the first rows have an entry that compares so."""
        count = self._entries.count(rows)
        second, nanosecond = divmod(instant_ns(str(value)), _NS)
        seconds, nanoseconds = self._seconds.view()[:count], self._nanoseconds.view()[:count]
        hits = (seconds == second) & _COMPARE[operator](nanoseconds, nanosecond)
        if operator in (Operator.LESS_THAN, Operator.LESS_THAN_EQUAL):
            hits |= seconds < second
        elif operator is not Operator.EQUAL:
            hits |= seconds > second
        return self._entries.rows_of(hits, rows)


def _compare_integers(values: npt.NDArray[np.generic], operator: Operator, value: float) -> Mask:
    if isinstance(value, float):
        if math.isnan(value) or (operator is Operator.EQUAL and not value.is_integer()):
            return np.zeros(len(values), np.bool_)
        if math.isfinite(value):
            value = math.floor(value) if operator in (Operator.GREATER_THAN, Operator.LESS_THAN_EQUAL) else math.ceil(value)
    limits = np.iinfo(np.int8 if values.dtype == np.int8 else np.int64)
    if value > limits.max:
        return np.full(len(values), operator in (Operator.LESS_THAN, Operator.LESS_THAN_EQUAL))
    if value < limits.min:
        return np.full(len(values), operator in (Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL))
    return _COMPARE[operator](values, values.dtype.type(value))


def _compare_floats(values: npt.NDArray[np.generic], operator: Operator, value: float) -> Mask:
    nearest = _nearest_float(value)
    if nearest == value or math.isnan(nearest):
        return _COMPARE[operator](values, nearest)
    if operator is Operator.EQUAL:
        return np.zeros(len(values), np.bool_)
    if operator in (Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL):
        return _COMPARE[Operator.GREATER_THAN_EQUAL](values, nearest if nearest > value else math.nextafter(nearest, math.inf))
    return _COMPARE[Operator.LESS_THAN_EQUAL](values, nearest if nearest < value else math.nextafter(nearest, -math.inf))


def _nearest_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
