"""Columns of references: the 16 bytes of each id as two uint64, and which collection it is of.

The question is always "does one of these ids stand there?", with thousands of ids: one look-up of the low halves in a sorted array, then the few that are found
are compared whole. May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidValue
from nearimage.domain.filters import FilterScalar, Operator, PointsTo
from nearimage.domain.values import PropertyValue, Reference
from nearimage.engines.embedded.columns import Converted
from nearimage.engines.embedded.entries import Arrays, Entries, Mask, Positions
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.halves import among, halves_of

_NAMES_END = "\n"


class ReferenceColumn:
    """The references of one property."""

    def __init__(self) -> None:
        self._entries = Entries()
        self._high = Growing(np.uint64)
        self._low = Growing(np.uint64)
        self._collections = Growing(np.uint16)
        self._numbers: dict[str, int] = {}

    def convert(self, value: PropertyValue) -> Converted:
        """The references themselves."""
        if not isinstance(value, tuple) or not all(isinstance(one, Reference) for one in value):
            raise InvalidValue(f"{value!r} are no references; give a list of beacons", data_type="cref")
        return value

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The references of each object."""
        return list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's references."""
        self.extend(np.array((row,), np.int64), (converted,))

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the references of many rows."""
        lists = cast("Sequence[tuple[Reference, ...]]", converted)
        references = list(chain.from_iterable(lists))
        high, low = halves_of(b"".join(reference.id.bytes for reference in references))
        self._high.extend(high)
        self._low.extend(low)
        self._collections.extend([self._numbers.setdefault(reference.collection, len(self._numbers)) for reference in references])
        self._entries.extend(rows, np.fromiter(map(len, lists), np.int64, len(lists)))

    def leads_to(self, wanted: PointsTo, rows: int) -> Mask:
        """Which of the first rows have a reference to one of the objects."""
        number = self._numbers.get(wanted.collection)
        if number is None:
            return np.zeros(rows, np.bool_)
        count = self._entries.count(rows)
        hits = among(self._high.view(count), self._low.view(count), wanted.ids)
        hits &= self._collections.view(count) == number
        return self._entries.rows_of(hits, rows)

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A reference compares with no number or text."""
        return np.zeros(rows, np.bool_)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A reference equals no number or text."""
        return np.zeros(rows, np.bool_)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return self._entries.present(rows)

    def arrays(self, keep: Mask) -> Arrays:
        """The ids, the numbers of their collections, and the names behind the numbers."""
        arrays, positions = self._entries.arrays(keep)
        count = len(positions)
        names = np.frombuffer(_NAMES_END.join(tuple(self._numbers)).encode(), np.uint8)
        return arrays | {
            "high": self._high.view(count)[positions],
            "low": self._low.view(count)[positions],
            "collections": self._collections.view(count)[positions],
            "names": names,
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._entries.restore(arrays)
        self._high.adopt(np.asarray(arrays["high"], np.uint64))
        self._low.adopt(np.asarray(arrays["low"], np.uint64))
        self._collections.adopt(np.asarray(arrays["collections"], np.uint16))
        names = arrays["names"].tobytes().decode()
        self._numbers = {name: number for number, name in enumerate(names.split(_NAMES_END))} if names else {}
