"""`group`: hits that are alike become one.

    closest   the nearest of them stands for all
    merge     one object of all, without an id and times of its own: texts in a row, the mean of numbers, places and vectors, what most say of true and
              false, references together; of other values nothing

Hits are walked best first; each joins the first group that has a member like it, or opens one. Two hits are alike where (1 - cos) / 2 of their vectors is
less than the force, so that 0 groups nothing and 1 everything. May import numpy and `domain` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearimage.domain.objects import Hit, Vector
from nearimage.domain.schema import LEGACY_VECTOR, Metric
from nearimage.domain.values import GeoCoordinates, PropertyValue, Reference
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
        hits: those without a vector, or with named ones only, stay alone.

    Cost:
        O(hits x hits x dims).
    """
    groups: list[list[Hit]] = []
    for hit in hits:
        vector = _vector(hit)
        place = next((place for place, group in enumerate(groups) if vector is not None and _alike(vector, group, merging.force)), None)
        if place is None:
            groups.append([hit])
        else:
            groups[place].append(hit)
    return tuple(_one(group) if merging.merge else group[0] for group in groups)


def _vector(hit: Hit) -> Vector | None:
    return hit.record.vectors.get(LEGACY_VECTOR)


def _alike(vector: Vector, group: Sequence[Hit], force: float) -> bool:
    members = [known for hit in group if (known := _vector(hit)) is not None]
    return bool(members) and bool((distances(Metric.COSINE, np.stack(members), vector) / 2 < force).any())


def _one(group: Sequence[Hit]) -> Hit:
    best = group[0]
    names = dict.fromkeys(name for hit in group for name in hit.record.properties)
    values = {name: _value([hit.record.properties[name] for hit in group if name in hit.record.properties]) for name in names}
    compared = [vector for hit in group if (vector := _vector(hit)) is not None]
    vectors = {LEGACY_VECTOR: _mean(compared)} if compared else {}
    record = replace(best.record, properties={n: v for n, v in values.items() if v is not None}, vectors=vectors, created_ms=0, updated_ms=0)
    return Hit(record=record, distance=None if best.distance is None else 0.0, certainty=None if best.certainty is None else 1.0)


def _mean(vectors: Sequence[Vector]) -> Vector:
    return np.asarray(np.mean(np.stack(vectors), axis=0), np.float32)


def _value(values: Sequence[PropertyValue]) -> PropertyValue | None:
    first = values[0]
    if isinstance(first, str):
        texts = list(dict.fromkeys(str(value) for value in values))
        return texts[0] if len(texts) == 1 else f"{texts[0]} ({', '.join(texts[1:])})"
    if isinstance(first, bool):
        return sum(value is True for value in values) * 2 >= len(values)
    if isinstance(first, int | float):
        mean = float(np.mean([value for value in values if isinstance(value, int | float)]))
        return int(mean) if isinstance(first, int) else mean
    if isinstance(first, tuple):
        links = [entry for value in values if isinstance(value, tuple) for entry in value if isinstance(entry, Reference)]
        return tuple(dict.fromkeys(links)) or None
    if isinstance(first, GeoCoordinates):
        places = [value for value in values if isinstance(value, GeoCoordinates)]
        return GeoCoordinates(float(np.mean([place.latitude for place in places])), float(np.mean([place.longitude for place in places])))
    return first if isinstance(first, bytes) else None
