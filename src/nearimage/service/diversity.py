"""Maximal marginal relevance: of many similar hits show a few that differ.

Greedy: the nearest hit first; then, again and again, the hit with the smallest

    balance * (distance to the query)  -  (1 - balance) * (distance to the nearest hit chosen so far)

balance 1 keeps the order of the search, balance 0 looks for difference only. On cosine this is the similarity form of the paper; on distances it works for
every metric. Both distances are in the same metric, so nothing is normalised. Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for
reordering documents and producing summaries", SIGIR 1998.

May import numpy and `domain` only.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import AnyVector
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectors import distances, max_sim_distance

Apart = Callable[[int], npt.NDArray[np.float32]]
"""How far all hits are from the one at this position."""


def distances_between(vectors: Sequence[AnyVector], target: VectorConfig) -> Apart:
    """The distances between hits, by their vectors, of which there is at least one."""
    if target.is_multi:
        return lambda one: np.array([max_sim_distance(target.metric, other, vectors[one]) for other in vectors], np.float32)
    matrix = np.stack(vectors)
    return lambda one: distances(target.metric, matrix, matrix[one])


def diversify(to_query: npt.NDArray[np.float32], apart: Apart, *, limit: int, balance: float) -> list[int]:
    """The positions of the chosen hits, in the order of choice.

    Args:
        to_query: (n,) distances, nearest first; n may be 0.
        apart: for hits in the same order.
        limit: how many to choose.
        balance: 0 .. 1.

    Cost:
        O(limit x n x dims).
    """
    chosen: list[int] = []
    left = np.ones(len(to_query), np.bool_)
    nearest_chosen = np.full(len(to_query), np.inf)
    while len(chosen) < min(limit, len(to_query)):
        worth = balance * to_query - ((1 - balance) * nearest_chosen if chosen else 0)
        pick = int(np.argmin(np.where(left, worth, np.inf))) if chosen else 0
        chosen.append(pick)
        left[pick] = False
        nearest_chosen = np.minimum(nearest_chosen, apart(pick))
    return chosen
