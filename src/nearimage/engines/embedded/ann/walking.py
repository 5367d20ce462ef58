r"""Which lists a search looks at: the nearest ones, and of the others those that may hold a hit.

    lists, nearest first      7    2    9    4    1    ...
                              `sure`    | more only if a member may be nearer than the hits found so far

A member of a list is x = c + e, with the list's centre c and a difference e whose squared length is r on average (standard deviation w). To a query at the
squared distance D from the centre it has

    |q - x|^2 = D + |e|^2 - 2 (q - c) . e      about D + r, give or take S = sqrt(8 D r / kept + w^2)

for the direction of e is nearly random in so many dimensions. After the sure lists, let T be how far the last hit is so far. A list has a hit only if one of
its members is nearer than T, which is (D + r - T) / S deviations nearer than usual. Up to how many deviations lists are looked at, `reach`, is measured at the
build (`measuring`). Under an inner product, where far is -q . x, a member has about -q . c, give or take sqrt(2 |q|^2 r / kept).

T belongs to the query and to what passes its filter. So nearly the same reach does under every filter (`planner`): where what passes is far away, T is far, and
more lists are looked at; lists that hold nothing of it are left out wherever they are. Five deviations found 0.994 to 1.000 of the neighbours of pictures,
clusters and isotropic vectors under filters of all kinds, and looked at 0.13 to 1.0 of the codes (docs/design/engine/vector-search.md).

What is left out: T as it becomes while more lists are looked at. It would spare some of the last ones.

May import numpy and this package.
"""

import math

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.ann.codes import Codes, Slots

Numbers = npt.NDArray[np.float32]

_TINY = float(np.finfo(np.float32).tiny)


def in_order(nearness: Numbers, counts: Slots | None) -> Slots:
    """The numbers of the lists that hold what passes, nearest first; int64, contiguous.

    Args:
        nearness: by list; greater is nearer.
        counts: by list, how many pass; None if all do.
    """
    order: Slots = (-nearness).argsort()
    return order if counts is None else order[counts[order] > 0]


def sure(lists: int) -> int:
    """How many of so many lists are looked at in any case: their square root, 16 of 256.

    With half as many the reach that finds as much makes up for what is saved; with a sixteenth of 1,504 a search of a million pictures looked at half as many
    codes again and found the same.
    """
    return math.ceil(math.sqrt(lists))


def deviations(nearness: Numbers, squared: float, limit: float, codes: Codes) -> Numbers:
    """(lists,): by how many deviations a member of each list must be nearer than usual to be as near as a limit.

    Args:
        nearness: by list; greater is nearer.
        squared: the projected query's squared length.
        limit: a squared distance, or a negative inner product.
    """
    squares, kept = codes.spread.squares, codes.kept
    if codes.inner_product:
        usual, variance = -nearness, squares * np.float32(2 * squared / kept)
    else:
        away = np.maximum(squared - 2 * nearness, 0)
        usual, variance = away + squares, away * squares * np.float32(8 / kept) + codes.spread.deviations**2
    found: Numbers = (usual - np.float32(limit)) / np.sqrt(np.maximum(variance, _TINY))
    return found
