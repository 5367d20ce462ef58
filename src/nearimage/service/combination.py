"""Several target vectors in one search: an object's distances become one.

    title   a 0.1   b 0.4              minimum        a 0.1   c 0.2   b 0.3
    image   c 0.2   a 0.6   b 0.3      sum, average   an object needs a distance for every target: c has none for title, so it is measured,
                                                      and dropped if it has no such vector

Each target is searched for the same number of nearest; the union of what they find is ranked by the combined distance. Relative score stretches each target's
distances to 0 .. 1 first (all equal: 1), so that metrics and models of different scale can be added; lower stays nearer; what is dropped stretches nothing.
Source: Weaviate's documentation, "Multiple target vectors"; wire facts, section 3.

May import `domain` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nearimage.domain.query import Combination


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDistances:
    """What one target found.

    Attributes:
        weight: of this target; 1 where the combination has none.
        found: distances of the nearest, by packed id of the object.
        measured: distances of objects that only other targets found; absent where the object lacks the vector.
    """

    weight: float
    found: Mapping[bytes, float]
    measured: Mapping[bytes, float]

    def of(self, one: bytes) -> float | None:
        """The object's distance, or None where it has no such vector."""
        return self.found.get(one, self.measured.get(one))


def combine_targets(targets: Sequence[TargetDistances], how: Combination) -> list[tuple[bytes, float]]:
    """All objects that some target found and that can be ranked, nearest first, equals by id."""
    union = dict.fromkeys(one for target in targets for one in target.found)
    if how is Combination.MINIMUM:
        ranked = {one: min(distance for t in targets if (distance := t.of(one)) is not None) for one in union}
    elif how is Combination.RELATIVE_SCORE:
        whole = {one: None for one in union if all(target.of(one) is not None for target in targets)}
        ranked = _added([_stretched(target, whole) for target in targets], whole)
    else:
        ranked = _added(targets, union)
    return sorted(ranked.items(), key=lambda pair: (pair[1], pair[0]))


def _added(targets: Sequence[TargetDistances], union: Mapping[bytes, None]) -> dict[bytes, float]:
    sums: dict[bytes, float] = {}
    for one in union:
        parts = [(target.weight, target.of(one)) for target in targets]
        if all(distance is not None for _, distance in parts):
            sums[one] = sum(weight * distance for weight, distance in parts if distance is not None)
    return sums


def _stretched(target: TargetDistances, among: Mapping[bytes, None]) -> TargetDistances:
    everything = {one: distance for one in among if (distance := target.of(one)) is not None}
    nearest, farthest = min(everything.values(), default=0.0), max(everything.values(), default=0.0)
    stretched = {one: (distance - nearest) / (farthest - nearest) if farthest > nearest else 1.0 for one, distance in everything.items()}
    return TargetDistances(weight=target.weight, found=stretched, measured={})
