"""Move a text query towards some concepts or objects, or away from them.

    moveTo force f           q * (1 - f/2) + t * f/2        0 <= f <= 1: at 1 the query is half way there
    moveAwayFrom force f     q + (q - t) * f/2              f >= 0

t is the mean of the concepts' and the objects' vectors. moveTo comes first. Source: wire facts, 2.3. May import numpy and `domain` only.
"""

import math
from collections.abc import Sequence

import numpy as np

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Vector


def move_to(query: Vector, targets: Sequence[Vector], force: float) -> Vector:
    """The query, moved towards the mean of the targets (at least one).

    Raises:
        InvalidInput: the force is not between 0 and 1.
    """
    if not 0 <= force <= 1:
        raise InvalidInput(f"moveTo.force must be between 0 and 1, got {force}", setting="moveTo.force")
    return np.asarray(query * (1 - force / 2) + np.mean(targets, axis=0) * (force / 2), np.float32)


def move_away(query: Vector, targets: Sequence[Vector], force: float) -> Vector:
    """The query, moved away from the mean of the targets (at least one).

    Raises:
        InvalidInput: the force is negative or not finite.
    """
    if not 0 <= force < math.inf:
        raise InvalidInput(f"moveAwayFrom.force must be 0 or positive, got {force}", setting="moveAwayFrom.force")
    return np.asarray(query + (query - np.mean(targets, axis=0)) * (force / 2), np.float32)
