"""The values of properties that no column keeps whole, as codes: numbers given to distinct values as they are met.

    breed   row 0 "Corgi", row 1 "Pug", row 2 nothing, row 3 "Corgi"      codes 0, 1, MISSING, 0      values ["Corgi", "Pug"]

Filters need the tokens of a text, not the text, so its column keeps tokens; orders, groups and most frequent values need the text. It is read from the
stored rows at the first question and kept. What a row holds never changes, so a code once learnt is good for every snapshot, older or newer: a
question learns the rows that are alive in its snapshot and not yet known, and reads nothing else. After an import of a thousand objects the next
question reads a thousand rows.

An array has a code for the whole, by which it is ordered, and leads from there to the codes of its entries, which are counted:

    tags    row 0 ("a", "b"), row 1 ("b",)     wholes [("a", "b"), ("b",)]   starts 0, 2, 3   elements 0, 1, 1   entries ["a", "b"]

Dates are kept as instants, places and telephone numbers as what they are ordered by. Ranks, the place of each value among all in ascending order, are
sorted when first asked for; values met since are merged in.

Memory: 4 bytes a row and some 200 bytes a distinct value, twice that once it was sorted by, at most `BUDGET_BYTES` a shard beyond what the last question
needed; those least recently asked for go first. Nothing of it is stored.

May import numpy, `domain` and this package.
"""

import sys
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.dates import instant_ns
from nearimage.domain.objects import PropertyValue, Scalar
from nearimage.domain.schema import DataType, Property
from nearimage.domain.values import Reference, order_of, sorted_as
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.growing import Growing

MISSING = -1
"""The code of a row without the property."""

_UNKNOWN = -2

BUDGET_BYTES = 256 * 2**20
"""Two text properties of half a million distinct values each."""

_SHARE_BYTES = 130
"""What a distinct value costs beside itself: its place in a dict and in a list, and the number it leads to (sys.getsizeof, CPython 3.11)."""

_INSERTED = 100
"""Values are inserted into the order, 10 us each, while they are fewer than a hundredth of it; merging costs 0.3 us for each value of the whole."""

_ROWS_AT_A_TIME = 1024
"""Few enough to be forgotten at once, enough to make the steps between them cheap."""

Value = Scalar | tuple[Scalar, ...]
Codes = npt.NDArray[np.int32]


Read = Callable[[Positions], Iterator[Mapping[str, PropertyValue]]]
"""Gives the stored properties of rows that are alive in a snapshot, ascending, in order."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one snapshot.

    Attributes:
        live: (rows,) bool.
        revision: the snapshot's.
        read: reads out of it.
    """

    live: Mask
    revision: int
    read: Read


@dataclass(frozen=True, slots=True)
class Coded:
    """One property, as a snapshot sees it.

    Attributes:
        codes: by row: the number of its value, or MISSING; rows that are dead in the snapshot may say anything.
        wholes: the values by number (dates: nanoseconds since 1970); of an array property, tuples. May grow.
        entries: the distinct entries of arrays by number; where there are no arrays, the values themselves.
        ranks: by code, the value's place in the ascending order of a sort, in which capitals do not count, so that several values may share a place.
            MISSING for an empty array, and in the last two places, where the codes below 0 find it. Sorts the distinct values the first time; may be longer
            than there were values in this view.
        entry_ranks: the places of entries in their own order, in which capitals count.
        starts, elements: the entries of whole n are `elements[starts[n] : starts[n + 1]]`; None where there are no arrays.
    """

    codes: Codes
    wholes: Sequence[Value]
    entries: Sequence[Scalar]
    ranks: Callable[[], Codes]
    entry_ranks: Callable[[], Codes]
    starts: Positions | None
    elements: Codes | None


class _Distinct:
    """Values, each with the number of its first meeting; numbered by one thread at a time."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.bytes = 0
        self._numbers: dict[Value, int] = {}
        self._order: Positions = np.empty(0, np.int64)  # the numbers of values in ascending order, as far as they were sorted
        self._ranks: Codes = np.full(2, MISSING, np.int32)

    def number(self, value: Value) -> int:
        found = self._numbers.get(value)
        if found is None:
            found = len(self.values)
            self.values.append(value)
            self._numbers[value] = found
            self.bytes += sys.getsizeof(value) + _SHARE_BYTES
        return found

    def ranks(self, lock: threading.Lock) -> Codes:
        """See `Coded`."""
        with lock:
            known, count = len(self._order), len(self.values)
            if known < count:
                new = sorted(range(known, count), key=self.values.__getitem__)
                if len(new) * _INSERTED < count:
                    places = [bisect_left(self._order, self.values[number], key=self.values.__getitem__) for number in new]
                    self._order = np.insert(self._order, places, new)
                else:
                    self._order = np.array(sorted([*self._order.tolist(), *new], key=self.values.__getitem__))  # two runs are merged, not sorted
                self._ranks = np.full(count + 2, MISSING, np.int32)
                self._ranks[self._order] = np.arange(count)
            return self._ranks


class _Places:
    """The places of distinct values in the order of a sort, found when it is first asked for."""

    def __init__(self) -> None:
        self._distinct = _Distinct()
        self._numbers = Growing(np.int32)
        self._ranks: Codes = np.full(2, MISSING, np.int32)

    def ranks(self, values: Sequence[Value], lock: threading.Lock) -> Codes:
        """See `Coded`."""
        with lock:
            new = values[len(self._numbers) :]
            self._numbers.extend([MISSING if value == () else self._distinct.number(sorted_as(value)) for value in new])
            numbers = self._numbers.view()
        made = self._ranks
        if len(made) != len(numbers) + 2:
            made = self._ranks = np.append(self._distinct.ranks(lock)[numbers], np.full(2, MISSING, np.int32))
        return made

    @property
    def bytes(self) -> int:
        return self._distinct.bytes + 8 * len(self._numbers)


class ValueCodes:
    """The codes of one property."""

    def __init__(self, prop: Property) -> None:
        self._is_array = prop.data_type.is_list
        self._is_date = prop.data_type.element is DataType.DATE
        self._codes: Codes = np.empty(0, np.int32)
        self._wholes = _Distinct()
        self._entries = _Distinct() if self._is_array else self._wholes
        self._places = _Places()
        self._starts = Growing(np.int64)
        self._starts.append(0)
        self._elements = Growing(np.int32)
        self.complete_at = -1
        """The revision of the newest snapshot whose rows are all known."""

    @property
    def bytes(self) -> int:
        """About what it takes in memory."""
        entries = self._entries.bytes if self._is_array else 0
        return self._codes.nbytes + self._wholes.bytes + self._places.bytes + entries + 12 * len(self._elements)

    def unknown(self, live: Mask, revision: int) -> Positions:
        """The rows alive in the snapshot that have no code yet."""
        if self.complete_at == revision:
            return np.empty(0, np.int64)
        if len(self._codes) < len(live):
            longer = np.full(max(len(live), len(self._codes) * 5 // 4), _UNKNOWN, np.int32)
            longer[: len(self._codes)] = self._codes
            self._codes = longer
        return np.flatnonzero(live & (self._codes[: len(live)] == _UNKNOWN))

    def learn(self, rows: Positions, values: Sequence[PropertyValue | None]) -> None:
        """What these rows hold."""
        self._codes[rows] = [MISSING if value is None else self._number(value) for value in values]

    def view(self, rows: int, lock: threading.Lock) -> Coded:
        """What is known of the first rows; the lock is taken for ranks."""
        starts, elements = (self._starts.view(), self._elements.view()) if self._is_array else (None, None)
        return Coded(
            codes=self._codes[:rows],
            wholes=self._wholes.values,
            entries=cast("list[Scalar]", self._entries.values),
            ranks=partial(self._places.ranks, self._wholes.values, lock),
            entry_ranks=partial(self._entries.ranks, lock),
            starts=starts,
            elements=elements,
        )

    def _number(self, value: PropertyValue) -> int:
        if not self._is_array:
            return self._wholes.number(self._kept(cast("Scalar", order_of(value))))
        whole = tuple(self._kept(entry) for entry in cast("tuple[Scalar, ...]", value))
        number = self._wholes.number(whole)
        if number == len(self._starts) - 1:
            self._elements.extend([self._entries.number(entry) for entry in whole])
            self._starts.append(len(self._elements))
        return number

    def _kept(self, value: Scalar | Reference) -> Scalar:
        if isinstance(value, Reference):
            return str(value)
        return instant_ns(str(value)) if self._is_date else value


class CodedValues:
    """The codes of one table's properties, as far as they were asked for. Any thread may ask; one at a time learns."""

    def __init__(self) -> None:
        self._known: dict[str, ValueCodes] = {}  # the one asked for last is last
        self._lock = threading.Lock()

    def of(self, rows: Rows, properties: Sequence[Property]) -> dict[str, Coded]:
        """The codes of these properties, by name.

        Cost:
            Rows not known yet are read (bench/engine_aggregates.py); other askers wait for that. Else nothing.
        """
        with self._lock:
            asked = {prop.name: self._known.get(prop.name) or ValueCodes(prop) for prop in properties}
            self._known = {name: codes for name, codes in self._known.items() if name not in asked} | asked
            _learn(rows, asked)
            self._shrink(keep=len(asked))
            return {name: codes.view(len(rows.live), self._lock) for name, codes in asked.items()}

    def _shrink(self, *, keep: int) -> None:
        total = sum(codes.bytes for codes in self._known.values())
        for name in list(self._known)[: len(self._known) - keep]:
            if total <= BUDGET_BYTES:
                return
            total -= self._known.pop(name).bytes


def _learn(rows: Rows, asked: Mapping[str, ValueCodes]) -> None:
    unknown = {name: found for name, codes in asked.items() if len(found := codes.unknown(rows.live, rows.revision))}
    if unknown:
        wanted = np.zeros(len(rows.live), np.bool_)
        for found in unknown.values():
            wanted[found] = True
        union = np.flatnonzero(wanted)
        stored = rows.read(union)
        for start in range(0, len(union), _ROWS_AT_A_TIME):
            some = union[start : start + _ROWS_AT_A_TIME]
            values = list(islice(stored, len(some)))
            for name in unknown:
                asked[name].learn(some, [properties.get(name) for properties in values])
    for codes in asked.values():
        codes.complete_at = max(codes.complete_at, rows.revision)
