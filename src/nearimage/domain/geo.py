"""Distances on the globe, and the box around a circle.

The globe is a sphere of the mean radius; that is off by up to 0.5 % where the true earth is flatter.

Source:
    R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984).

May import numpy and the standard library only.
"""

import math

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_000.0
"""The mean radius, as Weaviate takes it."""

_MARGIN = 1e-6
"""Degrees (11 cm) by which a box is larger than it must be: rounding must not cut off what lies on the edge."""

Degrees = npt.NDArray[np.float64]


def distances_m(latitudes: Degrees, longitudes: Degrees, latitude: float, longitude: float) -> npt.NDArray[np.float64]:
    """The distance of each place to one, by the haversine formula, in metres.

    Args:
        latitudes, longitudes: (n,) float64 degrees; n may be 0.

    Returns:
        (n,) float64, 0 to half of the earth's circumference.
    """
    down, across = np.radians(latitudes - latitude), np.radians(longitudes - longitude)
    chord = np.sin(down / 2) ** 2 + np.cos(np.radians(latitudes)) * math.cos(math.radians(latitude)) * np.sin(across / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(chord, 1.0))), np.float64)


def reach(latitude: float, distance_m: float) -> tuple[float, float]:
    """How far a circle reaches from its middle, in degrees: to the north and south, and to the east and west.

    Around a pole, every longitude: 180.
    """
    angle = distance_m / EARTH_RADIUS_M
    north = math.degrees(angle) + _MARGIN
    if abs(latitude) + north >= 90:
        return north, 180.0
    return north, math.degrees(math.asin(min(1.0, math.sin(min(angle, math.pi / 2)) / math.cos(math.radians(latitude))))) + _MARGIN
