"""`group`: hits that are alike become one.

    closest   the nearest of them stands for all
    merge     one object of all: text in a row, numbers and vectors by their mean, lists and references one after another

Hits are walked best first; each joins the first group whose first member is alike, or opens one. Two hits are alike where (1 - cos) / 2 of their vectors is
less than the force, so that 0 groups nothing and 1 everything. May import numpy and `domain` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearimage.domain.objects import Hit, Vector
from nearimage.domain.schema import Metric
from nearimage.domain.values import PropertyValue
from nearimage.domain.vectors import distances


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """How hits are put together.

    Attributes:
        merge: into one object of all; else the nearest stands for all.
        force: 0 to 1.
    """

    merge: bool
    force: float


def merged(hits: Sequence[Hit], merging: Merging) -> tuple[Hit, ...]:
    """One hit a group, in the order of their best.

    Args:
        hits: with the vector to compare first among their vectors; a hit without one stays alone.

    Cost:
        O(hits x groups x dims).
    """
    groups: list[list[Hit]] = []
    firsts: list[Vector | None] = []
    for hit in hits:
        vector = next(iter(hit.record.vectors.values()), None)
        place = _alike(vector, firsts, merging.force)
        if place is None:
            groups.append([hit])
            firsts.append(vector)
        else:
            groups[place].append(hit)
    return tuple(_one(group) if merging.merge and len(group) > 1 else group[0] for group in groups)


def _alike(vector: Vector | None, firsts: Sequence[Vector | None], force: float) -> int | None:
    for place, first in enumerate(firsts):
        if vector is not None and first is not None and float(distances(Metric.COSINE, first[None], vector)[0]) / 2 < force:
            return place
    return None


def _one(group: Sequence[Hit]) -> Hit:
    best = group[0].record
    names = dict.fromkeys(name for hit in group for name in hit.record.properties)
    properties = {name: _value([hit.record.properties[name] for hit in group if name in hit.record.properties]) for name in names}
    vectors = {name: _mean([hit.record.vectors[name] for hit in group if name in hit.record.vectors]) for name in best.vectors}
    return replace(group[0], record=replace(best, properties=properties, vectors=vectors))


def _mean(vectors: Sequence[Vector]) -> Vector:
    return np.asarray(np.mean(np.stack(vectors), axis=0), np.float32)


def _value(values: Sequence[PropertyValue]) -> PropertyValue:
    first = values[0]
    if isinstance(first, str):
        texts = list(dict.fromkeys(str(value) for value in values))
        return texts[0] if len(texts) == 1 else f"{texts[0]} ({', '.join(texts[1:])})"
    if isinstance(first, bool):
        return sum(value is True for value in values) * 2 > len(values)
    if isinstance(first, int | float):
        return float(np.mean([value for value in values if isinstance(value, int | float)]))
    if isinstance(first, tuple):
        return tuple(entry for value in values if isinstance(value, tuple) for entry in value)
    return first
