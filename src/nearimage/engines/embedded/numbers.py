"""Columns of integers, booleans, numbers and dates: one typed array each, scanned at every question.

    int            int8 to int64 as few bytes as all values fit: a scan of small numbers reads an eighth
    boolean        int8
    number         float64
    date           int64         units of 100 ns since 1970, UTC: the years 1 to 9999 fit, which int64 nanoseconds do not ("never" is often written 9999);
                   + uint8       the nanoseconds that are left over, kept from the first one that is not 0 on

A scan of a million int64 reads 8 MB and takes about as long as reading a million row numbers out of a sorted index, without one to keep. All comparisons are
exact (`comparing`).

May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidValue
from nearimage.domain.filters import FilterScalar, Operator
from nearimage.domain.objects import PropertyValue
from nearimage.domain.values import INT64
from nearimage.engines.embedded.columns import Converted
from nearimage.engines.embedded.comparing import COMPARE, compare, equals_some
from nearimage.engines.embedded.entries import Arrays, Entries, Mask, OnePerRow, Placement, Positions
from nearimage.engines.embedded.growing import Growing, Kind

_TICK_NS = 100
_NARROW: "tuple[type[np.signedinteger], ...]" = (np.int8, np.int16, np.int32, np.int64)


_LIMITS = {kind().itemsize: (int(np.iinfo(kind).min), int(np.iinfo(kind).max)) for kind in _NARROW}
"""By bytes: the least and the greatest integer."""

_OWN: Mapping[type[np.generic], frozenset[type]] = {np.int64: frozenset((int,)), np.int8: frozenset((bool,)), np.float64: frozenset((float,))}
"""What needs no conversion."""

_ARRAYS = frozenset((tuple,))


class NumberColumn:
    """Integers (int64), booleans (int8) or numbers (float64); integers are kept in as few bytes as all of them fit."""

    def __init__(self, kind: type[np.int64] | type[np.int8] | type[np.float64], *, is_array: bool = False) -> None:
        self._kind = kind
        self._read = _float if kind is np.float64 else _int if kind is np.int64 else _boolean
        self._own = _OWN[kind]
        self._is_array = is_array
        self._placement: Placement = Entries() if is_array else OnePerRow()
        self._values: Growing[np.generic] = Growing(_NARROW[0] if kind is np.int64 else kind)

    def convert(self, value: PropertyValue) -> Converted:
        """The number, or of an array a list of them, checked to fit this column."""
        try:
            if self._is_array:
                return [self._read(element) for element in (value if isinstance(value, tuple) else (value,))]
            return self._read(value)
        except (TypeError, ValueError, OverflowError) as wrong:
            raise InvalidValue(f"{value!r} does not fit a column of {self._kind.__name__}", data_type=self._kind.__name__) from wrong

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The same for the values of many objects; numbers that all have this column's own type are taken as they are."""
        if self._is_array and not _ARRAYS.issuperset(map(type, values)):
            return list(map(self.convert, values))
        numbers = list(chain.from_iterable(cast("Sequence[tuple[float, ...]]", values))) if self._is_array else cast("Sequence[float]", values)
        fit = self._own.issuperset(map(type, numbers)) and (
            self._kind is not np.int64 or (min(numbers, default=0) in INT64 and max(numbers, default=0) in INT64)
        )
        return values if fit else list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries."""
        if not self._is_array:
            number = cast("float", converted)
            self._widen(number, number)
            self._values.put(self._placement.append(row, 1), number)
            return
        entries = cast("list[float]", converted)
        if entries:
            self._widen(min(entries), max(entries))
        self._values.place(self._placement.append(row, len(entries)), entries)

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the entries of many rows."""
        numbers = cast("Sequence[float]", converted)
        counts = np.ones(len(rows), np.int64)
        if self._is_array:
            lists = cast("Sequence[list[float]]", converted)
            numbers, counts = list(chain.from_iterable(lists)), _lengths(lists)
        positions = self._placement.extend(rows, counts)
        entries = np.fromiter(numbers, self._kind, len(positions))
        if len(entries):
            self._widen(entries.min(), entries.max())
        self._values.spread(positions, entries)

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have an entry that compares so."""
        if isinstance(value, str):
            return np.zeros(rows, np.bool_)
        return self._placement.rows_of(compare(self._seen(rows), operator, value), rows)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have an entry that equals some of the values."""
        numbers = [value for value in values if not isinstance(value, str)]
        return self._placement.rows_of(equals_some(self._seen(rows), numbers), rows)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return self._placement.present(rows)

    def entries(self, rows: int) -> tuple[npt.NDArray[np.generic], Positions]:
        """The entries of the first rows, in the order of rows, and the row that owns each. Not to be written to."""
        positions, owners = self._placement.owners(rows)
        return self._values.view()[positions].astype(self._kind, copy=False), owners

    def by_row(self, rows: int) -> tuple[npt.NDArray[np.generic], Mask | None]:
        """The entry of each of the first rows, and which rows have one (None: all of them); not of an array. Not to be written to."""
        return _padded(self._seen(rows), rows), _gaps(self._placement, rows)

    def arrays(self, keep: Mask) -> Arrays:
        """The values, and where they lie."""
        arrays, positions = self._placement.arrays(keep)
        return arrays | {"values": self._seen(len(keep))[positions]}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._placement.restore(arrays)
        self._values.adopt(np.asarray(arrays["values"]))

    def _seen(self, rows: int) -> npt.NDArray[np.generic]:
        return self._values.view(self._placement.count(rows))

    def _widen(self, low: float, high: float) -> None:
        """Give the integers more bytes if the new ones need it. Readers go on with the array that they have."""
        if self._kind is not np.int64:
            return
        least, greatest = _LIMITS[self._values.view().itemsize]
        if least <= low and high <= greatest:
            return
        wide = next(kind for kind in _NARROW if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
        if wide().itemsize > self._values.view().itemsize:
            wider: Growing[np.generic] = Growing(wide)
            wider.extend(self._values.view())
            self._values = wider


class DateColumn:
    """Instants to the nanosecond, in any year from 1 to 9999."""

    def __init__(self, *, is_array: bool = False) -> None:
        self._placement: Placement = Entries() if is_array else OnePerRow()
        self._is_array = is_array
        self._ticks = Growing(np.int64)
        self._rests = Growing(np.uint8)  # as far as the last one that is not 0

    def convert(self, value: PropertyValue) -> Converted:
        """RFC 3339 text as nanoseconds since 1970."""
        try:
            return [instant_ns(str(element)) for element in _elements(value, self._is_array)]
        except ValueError as wrong:
            raise InvalidValue(str(wrong), data_type="date") from wrong

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The instants of each value."""
        return list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries."""
        entries = cast("list[int]", converted)
        start = self._placement.append(row, len(entries))
        self._place(np.arange(start, start + len(entries)), entries)

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the entries of many rows."""
        lists = cast("Sequence[list[int]]", converted)
        self._place(self._placement.extend(rows, _lengths(lists)), list(chain.from_iterable(lists)))

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have an entry that compares so."""
        tick, rest = divmod(instant_ns(str(value)), _TICK_NS)
        ticks, rests = self._seen(rows)
        if len(rests) == 0 and rest == 0:
            return self._placement.rows_of(COMPARE[operator](ticks, tick), rows)
        hits = COMPARE[_STRICT.get(operator, operator)](ticks, tick)
        same = np.flatnonzero(ticks == tick)
        hits[same] = COMPARE[operator](_padded(rests, len(ticks))[same], rest)
        return self._placement.rows_of(hits, rows)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have an entry that equals some of the values."""
        wanted = {instant_ns(str(value)) for value in values}
        ticks, rests = self._seen(rows)
        hits = np.isin(ticks, np.array([instant // _TICK_NS for instant in wanted], np.int64))
        if len(rests) or any(instant % _TICK_NS for instant in wanted):
            found = np.flatnonzero(hits)
            instants = zip(ticks[found].tolist(), _padded(rests, len(ticks))[found].tolist(), strict=True)
            hits[found] = [tick * _TICK_NS + rest in wanted for tick, rest in instants]
        return self._placement.rows_of(hits, rows)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return self._placement.present(rows)

    def instants(self, rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], Positions]:
        """The entries of the first rows, in the order of rows: units of 100 ns since 1970, the nanoseconds left over, and the row that owns each."""
        positions, owners = self._placement.owners(rows)
        ticks, rests = self._seen(rows)
        return ticks[positions], _padded(rests, len(ticks))[positions], owners

    def by_row(self, rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8] | None, Mask | None]:
        """As `NumberColumn.by_row`; the nanoseconds left over are None where none is."""
        ticks, rests = self._seen(rows)
        return _padded(ticks, rows), _padded(rests, rows) if len(rests) else None, _gaps(self._placement, rows)

    def arrays(self, keep: Mask) -> Arrays:
        """The instants, and where they lie."""
        arrays, positions = self._placement.arrays(keep)
        ticks, rests = self._seen(len(keep))
        return arrays | {"ticks": ticks[positions], "rests": rests[positions[: len(rests)]]}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._placement.restore(arrays)
        self._ticks.adopt(np.asarray(arrays["ticks"], np.int64))
        self._rests.adopt(np.asarray(arrays["rests"], np.uint8))

    def _place(self, positions: Positions, instants: Sequence[int]) -> None:
        pairs = [divmod(instant, _TICK_NS) for instant in instants]
        rests = np.array([rest for _, rest in pairs], np.uint8)
        self._rests.spread(positions[rests > 0], rests[rests > 0])
        self._ticks.spread(positions, np.array([tick for tick, _ in pairs], np.int64))

    def _seen(self, rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        count = self._placement.count(rows)
        return self._ticks.view(count), self._rests.view()[:count]


_STRICT = {
    Operator.GREATER_THAN_EQUAL: Operator.GREATER_THAN,
    Operator.LESS_THAN_EQUAL: Operator.LESS_THAN,
}


def _int(value: object) -> int:
    number = int(cast("int", value))
    if number not in INT64:
        raise OverflowError(number)
    return number


def _float(value: object) -> float:
    return float(cast("float", value))


def _boolean(value: object) -> int:
    return int(bool(value))


def _elements(value: PropertyValue, is_array: bool) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        return (value,)
    if not is_array:
        raise ValueError(f"{value!r} is an array; the property is none")
    return value


def _lengths(lists: Sequence[Sequence[object]]) -> Positions:
    return np.fromiter(map(len, lists), np.int64, len(lists))


def _padded(values: npt.NDArray[Kind], length: int) -> npt.NDArray[Kind]:
    if len(values) == length:
        return values
    longer = np.zeros(length, values.dtype)
    longer[: len(values)] = values
    return longer


def _gaps(placement: Placement, rows: int) -> Mask | None:
    present = placement.present(rows)
    return None if present.all() else present
