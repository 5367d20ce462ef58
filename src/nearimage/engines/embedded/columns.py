"""What a column of the index is, and the plainest one.

A column answers filters on one property. It first converts a value, which may fail, and appends it only after the commit, which may not. It can be written
to a file as flat arrays and taken up again from them, so that opening a shard need not decode every object.

May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import FilterScalar, Operator
from nearimage.domain.objects import PropertyValue
from nearimage.engines.embedded.entries import Arrays, Mask, OnePerRow, Positions

Converted = object
"""A value as a column wants it appended; only the column that made it looks inside."""

ConvertedRow = dict[str, Converted]
"""The values of one object, by property."""


class Column(Protocol):
    """The values of one filterable property. Masks that come out are the caller's to write to."""

    def convert(self, value: PropertyValue) -> Converted:
        """A value as entries of this column.

        Raises:
            InvalidValue: it does not fit.
        """
        ...

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The same for the values of many objects, at least one; they are looked at together where that is quicker.

        Raises:
            InvalidValue: some value does not fit; which, `convert` says.
        """
        ...

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries; rows come in ascending order."""
        ...

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the entries of many rows, ascending, as `append` would one after another."""
        ...

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have an entry that compares so; Equal, Like and the four orders only."""
        ...

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have an entry that equals some of the values, in one pass; there may be ten thousand values."""
        ...

    def present(self, rows: int) -> Mask:
        """Which of the first rows have the property."""
        ...

    def arrays(self, keep: Mask) -> Arrays:
        """What is known of the rows that are kept, numbered anew from 0, as flat arrays.

        Safe beside a writer, who only appends behind the rows that the mask covers.
        """
        ...

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:
        """Take up what `arrays` gave for so many rows; only on a fresh column. The arrays may be read-only maps: they are copied at the next append."""
        ...


class PresenceColumn:
    """Only whether a property is there (blobs, phone numbers, nested objects); an empty array is not."""

    def __init__(self) -> None:
        self._here = OnePerRow()

    def convert(self, value: PropertyValue) -> Converted:
        """Whether there is something."""
        return value != ()

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """Whether there is something in each."""
        return list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """The row has the property, if it has."""
        if converted:
            self._here.append(row, 1)

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Those of the rows have the property that have it."""
        rows = rows[np.fromiter(map(bool, converted), np.bool_, len(rows))]
        self._here.extend(rows, np.ones(len(rows), np.int64))

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A blob compares with nothing."""
        return np.zeros(rows, np.bool_)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A blob equals nothing."""
        return np.zeros(rows, np.bool_)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return self._here.present(rows)

    def arrays(self, keep: Mask) -> Arrays:
        """The rows that have the property."""
        return self._here.arrays(keep)[0]

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._here.restore(arrays)
