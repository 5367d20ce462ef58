"""Answer searches: near queries, keywords, both together, and listings.

    Search --resolve--> Question --near | words | hybrid | scan--> hits --boost, diversity, autocut, groupBy--> Found

One use case for all doors; each way of ranking is in the module of its name. May import numpy, `domain` and `ports` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearimage.domain.boost import Boost, BoostCondition, Passes
from nearimage.domain.columns import HitColumns
from nearimage.domain.errors import InvalidInput, TooManyResults
from nearimage.domain.filters import Filter
from nearimage.domain.objects import Hit, Projection
from nearimage.domain.query import DEFAULT_LIMIT, MAXIMUM_RESULTS, AnyNear, Diversity, Found, Hybrid, Search, Targets, Words
from nearimage.domain.schema import Collection
from nearimage.domain.vectors import THRESHOLD_TOLERANCE
from nearimage.ports.clock import Clock
from nearimage.service.autocut import autocut
from nearimage.service.boosting import boosted, check_boost
from nearimage.service.collections import Collections
from nearimage.service.diversity import distances_between, diversify
from nearimage.service.expiry import not_expired
from nearimage.service.filters import bind_filter
from nearimage.service.filters import targets_of as reference_targets
from nearimage.service.grouping import check_group_by, grouped
from nearimage.service.hybrid import hybrid_ranking
from nearimage.service.near import NearSearches, reach_of
from nearimage.service.question import Question, page_of
from nearimage.service.shards import Shards
from nearimage.service.sorting import BY_AGE, bind_sort
from nearimage.service.targets import targets_of
from nearimage.service.vectorize import ObjectVectorizer
from nearimage.service.words import word_hits


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
    clock: Clock
    default_limit: int = DEFAULT_LIMIT
    maximum_results: int = MAXIMUM_RESULTS

    def run(self, query: Search) -> Found:
        """Answer one search.

        Raises:
            CollectionNotFound, VectorNameUnknown, VectorNameAmbiguous, NoVectorizer, InvalidFilter, TooManyResults, DimensionMismatch: as they say.
            InvalidInput: clauses that contradict each other.
        """
        check_clauses(query)
        question = self._question(query)
        hits = self._boosted(query, query.boost, question) if query.boost else self._hits(query, question)
        if query.diversity and query.by is not None and not isinstance(query.by, Words):
            hits = _diversified(query.by.targets, query.diversity, question, hits)
        if query.group_by and not _is_scored(query):
            groups = grouped(hits, query.group_by)[query.offset : question.depth]
            return Found(hits=hits, groups=groups[: self._count(query, question, [group.hits[0] for group in groups])])
        if (count := self._count(query, question, hits)) < len(hits):
            hits = hits[:count]
        return Found(hits=hits, groups=grouped(hits, query.group_by, by_texts=True) if query.group_by else None)

    def _count(self, query: Search, question: Question, hits: Sequence[Hit]) -> int:
        """How many of these are before the jump where the query wants the list to end, and near enough."""
        count = autocut([_rank_value(hit) for hit in hits], query.autocut) if query.by and query.autocut > 0 else len(hits)
        near = self._unbounded(query, question)
        reach = reach_of(question.collection, near) if near else None
        return count if reach is None else sum((hit.distance or 0.0) <= reach + THRESHOLD_TOLERANCE for hit in hits[:count])

    def _unbounded(self, query: Search, question: Question) -> AnyNear | None:
        """The near query, if how far it reaches is looked at in the end: a jump is sought before that, and the company of a group's best hit may be farther."""
        is_late = (query.autocut > 0 or query.group_by) and not query.boost and not query.diversity and question.limit < self.maximum_results
        return query.by if is_late and not isinstance(query.by, Words | Hybrid) else None

    def is_at_hand(self, query: Search) -> bool:
        """Whether `run` would begin at once: nothing has to be opened first."""
        return self.shards.are_at_hand(self.collections.get(query.collection), query.tenant)

    def _question(self, query: Search) -> Question:
        collection = self.collections.get(query.collection)
        if query.group_by:
            check_group_by(query.group_by, collection)
        limit, offset = self._limit(query.limit, query.offset), query.offset
        if query.group_by and not _is_scored(query):  # the page is one of groups
            limit, offset = offset + limit, 0
        return Question(
            collection=collection,
            shard=self.shards.reading(collection, query.tenant),
            where=not_expired(self._filter(query.where, collection, query.tenant) if query.where else None, collection, self.clock.now_ms()),
            limit=limit,
            offset=offset,
            projection=_projection(query),
            explains=query.explains,
        )

    def _boosted(self, query: Search, boost: Boost, question: Question) -> Sequence[Hit]:
        """The page of the best hits in their new order."""
        check_boost(boost, question.collection)
        deeper = replace(question, offset=0, limit=self._limit(max(boost.depth, question.depth), 0))
        bound = replace(boost, conditions=tuple(self._bound(condition, query, question) for condition in boost.conditions))
        hits = boosted(bound, self._hits(query, deeper), question.shard, self.clock.now_ms())
        return hits[question.offset : question.depth]

    def _bound(self, condition: BoostCondition, query: Search, question: Question) -> BoostCondition:
        if not isinstance(condition.rule, Passes):
            return condition
        return replace(condition, rule=Passes(self._filter(condition.rule.where, question.collection, query.tenant)))

    def _filter(self, where: Filter, collection: Collection, tenant: str) -> Filter:
        return bind_filter(where, collection, targets=reference_targets(self.collections, self.shards, tenant))

    def _hits(self, query: Search, question: Question) -> Sequence[Hit]:
        near_searches = NearSearches(vectorizer=self.vectorizer)
        if query.by is None:
            sort = bind_sort(query.sort, question.collection)
            if query.where and not sort and query.after is None:
                sort = BY_AGE
            records = question.shard.scan(
                where=question.where, after=query.after, limit=question.limit, offset=question.offset, sort=sort, projection=question.projection
            )
            return HitColumns(records)
        if isinstance(query.by, Words):
            return word_hits(question, query.by)
        if isinstance(query.by, Hybrid):
            return page_of(question, hybrid_ranking(question, query.by, near_searches))
        if near := self._unbounded(query, question):
            reach_of(question.collection, near)  # before the search: what is wrong with it costs nothing
            return near_searches.hits(question, replace(near, max_distance=None, min_certainty=None))
        return near_searches.hits(question, query.by)

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


def check_clauses(query: Search) -> None:
    """Refuse clauses that contradict each other.

    Raises:
        InvalidInput: the message names them.
    """
    if query.by is not None and query.sort:
        raise InvalidInput("sort cannot be combined with a search, which has an order of its own; leave one out")
    if query.after is not None:
        others = {"search": query.by, "where": query.where, "sort": query.sort, "offset": query.offset, "groupBy": query.group_by}
        if given := [name for name, value in others.items() if value]:
            raise InvalidInput(f"after is a cursor over all objects: it cannot be combined with {', '.join(given)}")
    if query.group_by and query.by is None:
        raise InvalidInput("groupBy groups what a search finds; it needs one: near*, bm25 or hybrid")
    if query.boost and query.by is None:
        raise InvalidInput("boost changes the order of a search; it needs one: near*, bm25 or hybrid")
    if query.diversity:
        _check_diversity(query, query.diversity)


def _check_diversity(query: Search, diversity: Diversity) -> None:
    if query.by is None or isinstance(query.by, Words):
        raise InvalidInput("MMR selection needs a search by vector: near* or hybrid")
    if diversity.limit is not None and diversity.limit < 1:
        raise InvalidInput(f"MMR limit must be at least 1, got {diversity.limit}")
    if diversity.limit is not None and query.limit is not None and diversity.limit > query.limit:
        raise InvalidInput(f"MMR limit ({diversity.limit}) cannot be larger than the query limit ({query.limit})")
    if not 0 <= diversity.balance <= 1:
        raise InvalidInput(f"MMR balance must be between 0 and 1, got {diversity.balance}")


def _projection(query: Search) -> Projection:
    """What is asked for, with the property to group by."""
    asked = query.projection
    if query.group_by is None or asked.properties is None or query.group_by.property in asked.properties:
        return asked
    return replace(asked, properties=(*asked.properties, query.group_by.property))


def _is_scored(query: Search) -> bool:
    """Whether words have a part in the ranking."""
    return isinstance(query.by, Words | Hybrid)


def _rank_value(hit: Hit) -> float:
    return hit.score if hit.score is not None else hit.distance or 0.0


def _farness(hit: Hit) -> float:
    """How far a hit is from the query, for weighing it against difference: its distance, or what its score lacks to 1."""
    return hit.distance if hit.score is None and hit.distance is not None else 1 - (hit.score or 0.0)


def _diversified(targets: Targets, diversity: Diversity, question: Question, hits: Sequence[Hit]) -> list[Hit]:
    """The hits chosen, in the order of choice; those without the vector are left out."""
    target = targets_of(question.collection, targets)[0].vector
    vectors = question.shard.get([hit.record.id for hit in hits], Projection(properties=(), vectors=(target.name,)))
    with_vector = [hit for hit in hits if hit.record.id in vectors and target.name in vectors[hit.record.id].vectors]
    if not with_vector:
        return []
    apart = distances_between([vectors[hit.record.id].vectors[target.name] for hit in with_vector], target)
    far = np.array([_farness(hit) for hit in with_vector], np.float32)
    limit = len(with_vector) if diversity.limit is None else diversity.limit
    return [with_vector[pick] for pick in diversify(far, apart, limit=limit, balance=diversity.balance)]
