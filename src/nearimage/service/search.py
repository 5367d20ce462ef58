"""Answer queries: what is near to what the caller has, nearest first; and listings, in the order of ids.

    Search --target--> named vector --near_*--> (dims,) --engine--> Hit, Hit, ...

One use case for all near queries; how each gets its vector is in the module of its name. May import `domain` and `ports` only.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from nearimage.domain.errors import InvalidInput, TooManyResults
from nearimage.domain.objects import Hit, Vector
from nearimage.domain.query import DEFAULT_LIMIT, MAXIMUM_RESULTS, AnyNear, Listing, NearImage, NearObject, NearVector, Search
from nearimage.domain.schema import Metric, VectorConfig
from nearimage.domain.vectors import certainty_of, distance_of
from nearimage.ports.engine import Shard
from nearimage.service.collections import Collections
from nearimage.service.filters import bind_filter, targets_of
from nearimage.service.near_image import near_image
from nearimage.service.near_object import near_object
from nearimage.service.near_text import near_text
from nearimage.service.near_vector import near_vector
from nearimage.service.shards import Shards
from nearimage.service.sorting import bind_sort
from nearimage.service.targets import target_of
from nearimage.service.vectorize import ObjectVectorizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """Runs queries against one database.

    Attributes:
        default_limit: hits where a query names no limit.
        maximum_results: the largest offset + limit.
    """

    collections: Collections
    shards: Shards
    vectorizer: ObjectVectorizer
    default_limit: int = DEFAULT_LIMIT
    maximum_results: int = MAXIMUM_RESULTS

    def near(self, query: Search) -> tuple[Hit, ...]:
        """Objects nearest first.

        Raises:
            CollectionNotFound, VectorNameUnknown, VectorNameAmbiguous, NoVectorizer, InvalidFilter, TooManyResults, DimensionMismatch: as they say.
        """
        collection = self.collections.get(query.collection)
        where = bind_filter(query.where, collection, targets=targets_of(self.collections, self.shards, query.tenant)) if query.where else None
        target = target_of(collection, query.near.target)
        limit, shard = self._limit(query.limit, query.offset), self.shards.reading(collection, query.tenant)
        nearest = shard.nearest(
            target.name,
            self._vector(query.near, target, shard),
            limit=limit,
            offset=query.offset,
            where=where,
            max_distance=max_distance(query.near, target),
            projection=query.projection,
        )
        cosine = target.metric is Metric.COSINE
        distances: Iterable[float] = nearest.distances.tolist()
        return tuple(Hit(record=r, distance=d, certainty=certainty_of(d) if cosine else None) for r, d in zip(nearest.records, distances, strict=True))

    def listing(self, query: Listing) -> tuple[Hit, ...]:
        """Objects in the order of their ids, or of other keys.

        Raises:
            CollectionNotFound, InvalidFilter, TooManyResults: as they say.
            InvalidInput: a cursor together with a filter, an offset or an order; a key that has no order.
        """
        collection = self.collections.get(query.collection)
        if query.after is not None and (query.where is not None or query.offset or query.sort):
            raise InvalidInput("after is a cursor over all objects in the order of ids: it cannot be combined with a filter, an offset or an order")
        sort = bind_sort(query.sort, collection)
        where = bind_filter(query.where, collection, targets=targets_of(self.collections, self.shards, query.tenant)) if query.where else None
        records = self.shards.reading(collection, query.tenant).scan(
            where=where, after=query.after, limit=self._limit(query.limit, query.offset), offset=query.offset, projection=query.projection, sort=sort
        )
        return tuple(Hit(record=record) for record in records)

    def _limit(self, asked: int | None, offset: int) -> int:
        limit = self.default_limit if asked is None else asked
        if limit < 0 or offset < 0:
            raise InvalidInput(f"limit and offset cannot be negative; got {limit} and {offset}")
        if limit + offset > self.maximum_results:
            raise TooManyResults(
                f"offset {offset} + limit {limit} is more than {self.maximum_results} results (QUERY_MAXIMUM_RESULTS); ask for fewer, or page with after",
                asked=limit + offset,
                maximum=self.maximum_results,
            )
        return limit

    def _vector(self, near: AnyNear, target: VectorConfig, shard: Shard) -> Vector:
        if isinstance(near, NearVector):
            return near_vector(near, target)
        if isinstance(near, NearObject):
            return near_object(near, target, shard)
        if isinstance(near, NearImage):
            return near_image(near, target, self.vectorizer)
        return near_text(near, target, self.vectorizer)


def max_distance(near: AnyNear, target: VectorConfig) -> float | None:
    """The distance limit of a query, from its distance or its certainty.

    Raises:
        InvalidInput: both are given, or a certainty where the metric is not cosine.
    """
    if near.min_certainty is None:
        return near.max_distance
    if near.max_distance is not None:
        raise InvalidInput("a query takes a distance or a certainty, not both; leave one out")
    if target.metric is not Metric.COSINE:
        raise InvalidInput(f"certainty is defined for cosine only; vector {target.name!r} is compared by {target.metric}: use distance")
    return distance_of(near.min_certainty)
