"""Which row each entry of a column belongs to, and which rows have the property at all.

An object's property has no entry (missing, or an empty array), one, or several (an array). A column keeps entries one after another in the order of rows;
`Entries` leads back: a mask over entries becomes a mask over rows. Where a property is no array and never missing, entry and row numbers are the same,
and the mask is the answer as it stands.

A mask is (rows,) bool. May import numpy and this package's `growing`.
"""

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.growing import Growing

Mask = npt.NDArray[np.bool_]


class Entries:
    """The rows behind a column's entries; grows only, see `growing`."""

    def __init__(self) -> None:
        self._owners = Growing(np.uint32)
        self._present = Growing(np.uint32)
        self._is_array = False

    def append(self, row: int, count: int) -> None:
        """The next `count` entries belong to this row, which has the property."""
        self._is_array = self._is_array or count != 1
        for _ in range(count):
            self._owners.append(row)
        self._present.append(row)

    def count(self, rows: int) -> int:
        """How many entries the first rows have."""
        return int(np.searchsorted(self._owners.view(), rows))

    def rows_of(self, hits: "npt.NDArray[np.bool_] | npt.NDArray[np.int64]", rows: int) -> Mask:
        """The rows that own entries, given by a mask over the first `count(rows)` or by numbers below it."""
        if hits.dtype == np.bool_ and len(hits) == rows and not self._is_array:
            return np.asarray(hits, np.bool_)
        return _mask(self._owners.view()[: self.count(rows)][hits], rows)

    def present(self, rows: int) -> Mask:
        """The rows that have the property, with or without entries."""
        owners = self._present.view()
        return _mask(owners[: np.searchsorted(owners, rows)], rows)


def _mask(numbers: npt.NDArray[np.uint32], rows: int) -> Mask:
    mask = np.zeros(rows, np.bool_)
    mask[numbers] = True
    return mask
