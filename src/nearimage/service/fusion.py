"""Hybrid search: two rankings of the same objects become one.

    keyword leg   a 8.1   b 6.0   c 2.1     --\
                                               --> one score an object, highest first
    vector leg    c 0.9   a 0.7   d 0.3     --/

ranked           an object gets weight / (60 + place) from each leg, places from 0: only the order counts (Cormack, Clarke and Buettcher,
                 "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009; 60 is theirs)
relative score   each leg's scores are stretched to 0 .. 1, its weight for the best and nothing for the last, and added: distances between hits count.
                 A leg whose scores are all equal gives its whole weight to each.

Equal sums are ordered by the score in the last leg that has the object, then by id, so that pages fit together. What a leg adds is a single float, and so are
the sums: clients see every digit. May import numpy and `domain` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

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
        how: the rankings were joined.
    """

    id: bytes
    score: float
    parts: tuple[tuple[str, float, float], ...]
    how: Fusion

    @property
    def explanation(self) -> str:
        """What each leg gave, in the form that clients know; put into words only for whoever is shown it."""
        document = f"Document {UUID(bytes=self.id)}"
        if self.how is Fusion.RANKED:
            return "".join(f"\nHybrid (Result Set {name}) {document} contributed {_short(part)} to the score" for name, _, part in self.parts)
        told = ((name, f"original score {_short(original)}, normalized score: {_short(part)}") for name, original, part in reversed(self.parts))
        return " - ".join(f"\nHybrid (Result Set {name}) {document}: {scores}" for name, scores in told)


def fuse(legs: Sequence[Leg], how: Fusion, count: int | None = None) -> list[Fused]:
    """One ranking of all objects in any leg, best first: the first `count`, or all."""
    share = _ranked if how is Fusion.RANKED else _relative
    parts = [dict(zip(leg.scores, share(leg), strict=True)) for leg in legs]
    totals: dict[bytes, float] = {}
    last: dict[bytes, float] = {}
    for leg, part in zip(legs, parts, strict=True):
        both = totals.keys() & part.keys()
        totals = totals | part | dict(zip(both, _singles([totals[one] + part[one] for one in both]), strict=True))
        last.update(leg.scores)
    best = sorted(_contenders(totals, count), key=lambda one: (-totals[one], -last[one], one))[:count]
    return [
        Fused(one, totals[one], tuple((leg.name, leg.scores[one], part[one]) for leg, part in zip(legs, parts, strict=True) if one in part), how)
        for one in best
    ]


def _contenders(totals: Mapping[bytes, float], count: int | None) -> list[bytes]:
    """Whoever has as much as the last of the first `count`: only these have to be put in order, a dozen of the two hundred in two legs."""
    if not count or count >= len(totals):
        return list(totals)
    least = sorted(totals.values(), reverse=True)[count - 1]
    return [one for one, total in totals.items() if total >= least]


def _ranked(leg: Leg) -> list[float]:
    return _singles([leg.weight / (RANK_CONSTANT + place) for place in range(len(leg.scores))])


def _relative(leg: Leg) -> list[float]:
    if not leg.scores:
        return []
    scores, weight = np.fromiter(leg.scores.values(), np.float32, len(leg.scores)), np.float32(leg.weight)
    best, worst = scores.max(), scores.min()
    shares: list[float] = (np.full_like(scores, weight) if best == worst else weight * ((scores - worst) / (best - worst))).tolist()
    return shares


def _singles(numbers: Sequence[float]) -> list[float]:
    """The nearest single floats."""
    rounded: list[float] = np.array(numbers, np.float32).tolist()
    return rounded


def _short(number: float) -> str:
    """As few digits as say which single float it is."""
    single = np.float32(number)
    if 0 < abs(single) < 1e-4:
        return np.format_float_scientific(single, trim="-", exp_digits=2)
    return np.format_float_positional(single, trim="-")
