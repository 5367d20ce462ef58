"""What an engine answers to searches: objects with what ranked them, out of one snapshot. May import numpy and `domain` only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The answer to `Shard.nearest`.

    Attributes:
        records: nearest first; equal distances in the order of ids.
        distances: (len(records),) float32, ascending, in the named vector's metric.
    """

    records: Sequence[Record]
    distances: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The answer to `Shard.match_text`.

    Attributes:
        records: best first; equal scores in the order of ids.
        scores: (len(records),) float32, descending.
    """

    records: Sequence[Record]
    scores: npt.NDArray[np.float32]
