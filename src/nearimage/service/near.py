"""Near queries: what is near to what the caller has, nearest first.

    near --near_*--> one vector a target --engine--> hits                         one target: ranked and read in one call
                                         --engine--> ids of each --combine--> hits     several

How each kind of query gets its vector is in the module of its name. May import numpy, `domain` and `ports` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from nearimage.domain.columns import HitColumns, packed_ids
from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import IDS_ONLY, AnyVector, Hit
from nearimage.domain.query import AnyNear, NearMedia, NearObject, NearVector
from nearimage.domain.schema import Collection, Metric
from nearimage.domain.vectors import THRESHOLD_TOLERANCE, certainty_of, distance_of
from nearimage.service.combination import TargetDistances, combine_targets
from nearimage.service.near_media import near_media
from nearimage.service.near_object import near_object
from nearimage.service.near_text import near_text
from nearimage.service.near_vector import near_vector
from nearimage.service.question import Question, Ranked, page_of
from nearimage.service.targets import Target, spread, targets_of
from nearimage.service.vectorize import ObjectVectorizer


@dataclass(frozen=True, slots=True, kw_only=True)
class NearSearches:
    """Answers near queries."""

    vectorizer: ObjectVectorizer

    def hits(self, question: Question, near: AnyNear) -> Sequence[Hit]:
        """One page, nearest first.

        Raises:
            VectorNameUnknown, VectorNameAmbiguous, NoVectorizer, DimensionMismatch: as they say.
        """
        near = spread(question.collection, near) if isinstance(near, NearVector) else near
        targets = targets_of(question.collection, near.targets)
        if len(targets) > 1:
            return page_of(question, [Ranked(one, distance) for one, distance in self._combined(question, near, targets).items()])
        target = targets[0].vector
        nearest = question.shard.nearest(
            target.name,
            self.vectors(near, targets, question)[0],
            limit=question.limit,
            offset=question.offset,
            where=question.where,
            max_distance=max_distance(near, targets),
            projection=question.projection,
        )
        distances: list[float] = nearest.distances.tolist()
        certainties = [certainty_of(one) for one in distances] if target.metric is Metric.COSINE else None
        return HitColumns(nearest.records, distances=distances, certainties=certainties)

    def ranking(self, question: Question, near: AnyNear) -> dict[bytes, float]:
        """The nearest ids, packed, with their distances, nearest first: `question.depth` of them and with several targets perhaps more."""
        near = spread(question.collection, near) if isinstance(near, NearVector) else near
        targets = targets_of(question.collection, near.targets)
        if len(targets) > 1:
            return self._combined(question, near, targets)
        return _nearest(question, targets[0], self.vectors(near, targets, question)[0], max_distance(near, targets))

    def vectors(self, near: AnyNear, targets: Sequence[Target], question: Question) -> Sequence[AnyVector]:
        """The query's vector for each of the targets."""
        configs = [target.vector for target in targets]
        if isinstance(near, NearVector):
            return [near_vector(near, config, position) for position, config in enumerate(configs)]
        if isinstance(near, NearObject):
            return [near_object(near, config, question.shard) for config in configs]
        if isinstance(near, NearMedia):
            return near_media(near, question.collection, configs, self.vectorizer)
        return [near_text(near, config, self.vectorizer, question) for config in configs]

    def _combined(self, question: Question, near: AnyNear, targets: Sequence[Target]) -> dict[bytes, float]:
        if isinstance(near, NearVector) and len(near.vectors) not in (1, len(targets)):
            raise InvalidInput(f"nearVector has {len(near.vectors)} vectors for {len(targets)} targets; give one for all, or one for each")
        limit = max_distance(near, targets)
        vectors = self.vectors(near, targets, question)
        found = [_nearest(question, target, vector, None) for target, vector in zip(targets, vectors, strict=True)]
        union = list(dict.fromkeys(one for part in found for one in part))
        parts = []
        for target, vector, part in zip(targets, vectors, found, strict=True):
            missing = [UUID(bytes=one) for one in union if one not in part]
            measured = question.shard.distances(target.vector.name, vector, missing) if missing else {}
            parts.append(TargetDistances(weight=target.weight, found=part, measured={one.bytes: distance for one, distance in measured.items()}))
        ranked = combine_targets(parts, near.targets.combination)
        return {one: distance for one, distance in ranked if limit is None or distance <= limit + THRESHOLD_TOLERANCE}


def _nearest(question: Question, target: Target, vector: AnyVector, limit: float | None) -> dict[bytes, float]:
    nearest = question.shard.nearest(target.vector.name, vector, limit=question.depth, offset=0, where=question.where, max_distance=limit, projection=IDS_ONLY)
    distances: list[float] = nearest.distances.tolist()
    return dict(zip(packed_ids(nearest.records), distances, strict=True))


def max_distance(near: AnyNear, targets: Sequence[Target]) -> float | None:
    """The distance limit of a query, from its distance or its certainty.

    Raises:
        InvalidInput: both are given; or a certainty where the metric is not cosine, or with several targets.
    """
    if near.min_certainty is None:
        return near.max_distance
    if near.max_distance is not None:
        raise InvalidInput("a query takes a distance or a certainty, not both; leave one out")
    if len(targets) > 1:
        raise InvalidInput("certainty is defined for one target vector; with several use distance")
    if (target := targets[0].vector).metric is not Metric.COSINE:
        raise InvalidInput(f"certainty is defined for cosine only; vector {target.name!r} is compared by {target.metric}: use distance")
    return distance_of(near.min_certainty)


def reach_of(collection: Collection, near: AnyNear) -> float | None:
    """The distance limit of a query to a collection.

    Raises:
        InvalidInput, VectorNameUnknown, VectorNameAmbiguous: as for `max_distance` and `targets_of`.
    """
    near = spread(collection, near) if isinstance(near, NearVector) else near
    return max_distance(near, targets_of(collection, near.targets))


def deepened(question: Question, depth: int) -> Question:
    """The same question for the first `depth` hits."""
    return replace(question, offset=0, limit=depth)
