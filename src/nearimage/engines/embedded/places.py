"""Columns of places on the globe, and which of them lie within a circle.

    1  the latitudes between the circle's southern and northern end      a scan, as for any range of numbers
    2  of these, the longitudes between its western and eastern end
    3  of these, the exact distance                                      few are left, unless the circle is large

May import numpy, `domain` and this package.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidValue
from nearimage.domain.filters import FilterScalar, GeoRange, Operator
from nearimage.domain.geo import distances_m, reach
from nearimage.domain.values import GeoCoordinates, PropertyValue
from nearimage.engines.embedded.columns import Converted
from nearimage.engines.embedded.entries import Arrays, Mask, OnePerRow, Positions
from nearimage.engines.embedded.growing import Growing


class GeoColumn:
    """Latitudes and longitudes, in degrees."""

    def __init__(self) -> None:
        self._placement = OnePerRow()
        self._latitudes = Growing(np.float64)
        self._longitudes = Growing(np.float64)

    def convert(self, value: PropertyValue) -> Converted:
        """The value itself."""
        if not isinstance(value, GeoCoordinates):
            raise InvalidValue(f"{value!r} is no place; give latitude and longitude", data_type="geoCoordinates")
        return value

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The values themselves."""
        return list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's place."""
        self.extend(np.array((row,), np.int64), (converted,))

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the places of many rows."""
        places = cast("Sequence[GeoCoordinates]", converted)
        positions = self._placement.extend(rows, np.ones(len(rows), np.int64))
        self._latitudes.spread(positions, [place.latitude for place in places])
        self._longitudes.spread(positions, [place.longitude for place in places])

    def within(self, wanted: GeoRange, rows: int) -> Mask:
        """Which of the first rows have a place in the circle."""
        count = self._placement.count(rows)
        latitudes, longitudes = self._latitudes.view(count), self._longitudes.view(count)
        north, east = reach(wanted.latitude, wanted.distance_m)
        hits = latitudes >= wanted.latitude - north
        hits &= latitudes <= wanted.latitude + north
        found = np.flatnonzero(hits)
        if east < 180:
            aside = np.abs(longitudes[found] - wanted.longitude)
            found = found[np.minimum(aside, 360 - aside) <= east]
        found = found[distances_m(latitudes[found], longitudes[found], wanted.latitude, wanted.longitude) <= wanted.distance_m]
        hits[:] = False
        hits[found] = True
        return self._placement.rows_of(hits, rows)

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A place compares with no number or text."""
        return np.zeros(rows, np.bool_)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:  # noqa: ARG002 the protocol's arguments
        """A place equals no number or text."""
        return np.zeros(rows, np.bool_)

    def present(self, rows: int) -> Mask:
        """Which rows have a place."""
        return self._placement.present(rows)

    def arrays(self, keep: Mask) -> Arrays:
        """The places, and which rows have one."""
        arrays, positions = self._placement.arrays(keep)
        count = len(positions)
        return arrays | {"latitudes": self._latitudes.view(count)[positions], "longitudes": self._longitudes.view(count)[positions]}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._placement.restore(arrays)
        self._latitudes.adopt(np.asarray(arrays["latitudes"], np.float64))
        self._longitudes.adopt(np.asarray(arrays["longitudes"], np.float64))
