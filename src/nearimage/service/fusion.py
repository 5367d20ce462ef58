"""Hybrid search: two rankings of the same objects become one.

    keyword leg   a 8.1   b 6.0   c 2.1     --\
                                               --> one score an object, highest first
    vector leg    c 0.9   a 0.7   d 0.3     --/

ranked           an object gets weight / (60 + place) from each leg, places from 0: only the order counts (Cormack, Clarke and Buettcher,
                 "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009; 60 is theirs)
relative score   each leg's scores are stretched to 0 .. 1, its weight for the best and nothing for the last, and added: distances between hits count.
                 A leg whose scores are all equal gives its whole weight to each.

Equal sums are ordered by the score in the last leg that has the object, then by id, so that pages fit together. May import `domain` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nearimage.domain.query import Fusion

RANK_CONSTANT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One ranking.

    Attributes:
        name: for explanations.
        weight: its share of the sum.
        scores: by packed id of the object, best first; higher is better.
    """

    name: str
    weight: float
    scores: Mapping[bytes, float]


@dataclass(frozen=True, slots=True)
class Fused:
    """An object in the joint ranking.

    Attributes:
        id: packed.
        parts: of each leg that has it, the leg's name, its score there and what that adds.
    """

    id: bytes
    score: float
    parts: tuple[tuple[str, float, float], ...]

    @property
    def explanation(self) -> str:
        """What each leg gave, for people; put into words only for whoever is shown it."""
        return "; ".join(f"{name}: original score {original:.7g}, normalized score {part:.7g}" for name, original, part in self.parts)


def fuse(legs: Sequence[Leg], how: Fusion, count: int | None = None) -> list[Fused]:
    """One ranking of all objects in any leg, best first: the first `count`, or all."""
    share = _ranked if how is Fusion.RANKED else _relative
    found: dict[bytes, _Sum] = {}
    for leg in legs:
        for (one, original), part in zip(leg.scores.items(), share(leg), strict=True):
            known = found.get(one)
            if known is None:
                found[one] = known = _Sum(one)
            known.total += part
            known.last = original
            known.parts += ((leg.name, original, part),)
    order = sorted(found.values(), key=lambda one: (-one.total, -one.last, one.id))
    return [Fused(one.id, one.total, one.parts) for one in order[:count]]


@dataclass(slots=True)
class _Sum:
    """What an object has so far."""

    id: bytes
    total: float = 0.0
    last: float = 0.0
    parts: tuple[tuple[str, float, float], ...] = ()


def _ranked(leg: Leg) -> list[float]:
    return [leg.weight / (RANK_CONSTANT + place) for place in range(len(leg.scores))]


def _relative(leg: Leg) -> list[float]:
    if not leg.scores:
        return []
    best, worst = max(leg.scores.values()), min(leg.scores.values())
    if best == worst:
        return [leg.weight] * len(leg.scores)
    return [leg.weight * (score - worst) / (best - worst) for score in leg.scores.values()]
