"""Which lists a filtered search looks at: those nearest to the query that together hold enough of what passes.

    lists by nearness      7    2    9    4    1    ...
    of what passes         0   .1   .3    0   .2    ...      half of it: lists 2, 9 and 1

Lists without any are left out, wherever they are. Two things make the same share worth less:

    few lists hold what passes    a third of 256 lists hides less than a third of 8: shares grow with the square root of the ratio, as the number of
                                  lists that a search of n vectors needs does (docs/design/engine/vector-search.md)
    it lies away from the query   "far from this picture": then all lists that hold it are nearly as near, and hits are anywhere among them. It shows in the
                                  lists around the query: under a filter that has nothing to do with it, a quarter of them hold a quarter of what passes

May import numpy and this package.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.ann.codes import Slots

_AWAY = 0.5
"""Less than this part of what an unrelated filter would leave around the query."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The lists that hold what passes, nearest first.

    Attributes:
        lists: their numbers; int64, contiguous.
        before: (n,): the share of what passes that nearer lists hold.
        places: (n,): where each stands among all lists, as a share of them.
        worth: by how much greater a share must be, because so few lists hold what passes; 1 if all do.
    """

    lists: Slots
    before: npt.NDArray[np.float64]
    places: npt.NDArray[np.float64]
    worth: float

    def first(self, share: float) -> Slots:
        """Those to look at; at least one, if there is any."""
        return self.lists if share >= 1 else self.lists[: np.searchsorted(self.before, share)]

    def leads_away(self, share: float) -> bool:
        """Whether what passes lies away from the query: too little of it is in this share of all lists."""
        around = int(np.searchsorted(self.places, share))
        held = self.before[around] if around < len(self.before) else 1.0
        return bool(held < _AWAY * share)


def walk(nearness: npt.NDArray[np.float32], counts: Slots) -> Walk:
    """Where to look.

    Args:
        nearness: by list; greater is nearer.
        counts: by list, how many pass.
    """
    order = np.argsort(nearness)[::-1]
    inside = counts[order]
    places = np.flatnonzero(inside)
    filled = inside[places]
    held = np.cumsum(filled)
    before = (held - filled) / max(1, int(filled.sum()))
    return Walk(order[places], before, places / len(order), math.sqrt(len(order) / max(1, len(places))))
