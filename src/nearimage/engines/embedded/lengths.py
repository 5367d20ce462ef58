"""How long texts, arrays and lists of references are: what `len(name)` and IsNull ask.

One int32 a row; 0 where the property is missing, so that nothing else need be known. May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import FilterScalar, Operator
from nearimage.domain.values import Element, PropertyValue
from nearimage.engines.embedded.columns import Converted
from nearimage.engines.embedded.comparing import compare, equals_some
from nearimage.engines.embedded.entries import Arrays, Mask, Positions
from nearimage.engines.embedded.growing import Growing

_SIZED = frozenset((str, tuple))


class LengthColumn:
    """The length of one property's values."""

    def __init__(self) -> None:
        self._lengths = Growing(np.int32)

    def convert(self, value: PropertyValue) -> Converted:
        """The number of characters or of entries; 1 of what has no length."""
        return len(value) if isinstance(value, str | tuple) else 1

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The length of each value."""
        if _SIZED.issuperset(map(type, values)):
            return list(map(len, cast("Sequence[str | tuple[Element, ...]]", values)))
        return list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's length."""
        self._lengths.put(row, cast("int", converted))

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the lengths of many rows."""
        self._lengths.spread(rows, np.fromiter(cast("Sequence[int]", converted), np.int32, len(rows)))

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have a length that compares so; a missing value's is 0."""
        return np.zeros(rows, np.bool_) if isinstance(value, str) else compare(self._seen(rows), operator, value)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have one of these lengths."""
        return equals_some(self._seen(rows), [value for value in values if not isinstance(value, str)])

    def present(self, rows: int) -> Mask:
        """Which of the first rows have something that is longer than 0."""
        return self._seen(rows) > 0

    def arrays(self, keep: Mask) -> Arrays:
        """The lengths."""
        return {"lengths": self._seen(len(keep))[keep]}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._lengths.adopt(np.asarray(arrays["lengths"], np.int32))

    def _seen(self, rows: int) -> npt.NDArray[np.int32]:
        known = self._lengths.view()[:rows]
        return known if len(known) == rows else np.concatenate((known, np.zeros(rows - len(known), np.int32)))
