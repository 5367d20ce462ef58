"""Autocut: end a result list where the distances jump.

The values are drawn as a curve from (0, 0) to (1, 1), place against value, both stretched to that square. Where many similar hits are followed by a
jump, the curve runs below the diagonal and then leaps over it: its height above the diagonal has a local maximum at the hit after the jump. The list ends
before the n-th such maximum. Example: distances 0.10 0.11 0.12 0.50 0.51 give heights 0, -0.23, -0.45, 0.23, 0; the fourth is the first maximum, so three stay.

Works on scores too, which fall instead of rise: the stretching turns them around. Source: Weaviate's documentation, "Autocut"; the rule for the last
point and the flat curve are those of its server. May import numpy only.
"""

from collections.abc import Sequence

import numpy as np


def autocut(values: Sequence[float], jumps: int) -> int:
    """How many of the first values to keep.

    Args:
        values: distances ascending, or scores descending.
        jumps: end before the jump with this number; 0 or less keeps all.
    """
    count = len(values)
    if jumps <= 0 or count <= 1 or values[0] == values[-1]:
        return count
    curve = np.asarray(values, np.float32)
    height = (curve - curve[0]) / (curve[-1] - curve[0]) - np.linspace(0, 1, count, dtype=np.float32)
    above_the_one_before = height[1:] > height[:-1]
    above_the_one_after = np.append(height[1:-1] > height[2:], True)
    if count > 2:
        above_the_one_after[-1] = height[-1] > height[-3]  # the last has no one after it: it counts if it is above the two before
    maxima = np.flatnonzero(above_the_one_before & above_the_one_after) + 1
    return int(maxima[jumps - 1]) if len(maxima) >= jumps else count
