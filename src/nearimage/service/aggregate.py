"""Answer questions about many objects at once: counts, sums, most frequent values, group by group.

    AggregateQuery --bind--> Aggregation --engine--> Group, Group, ...
                   --search--> ids --^

What a reference may lead to is read off the collection; everything else comes from the engine. May import `domain` and `ports` only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID

from nearimage.domain.aggregates import GROUPED, MAX_GROUPS, SUMMARISED, AggregateQuery, Aggregation, Group, ReferenceSummary, Summary
from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import IDS_ONLY
from nearimage.domain.query import Hybrid, NearVector, Words
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.beacons import beacon_to
from nearimage.service.collections import Collections
from nearimage.service.filters import bind_filter, targets_of
from nearimage.service.hybrid import found_by_any_leg
from nearimage.service.near import NearSearches
from nearimage.service.question import Question
from nearimage.service.shards import Shards
from nearimage.service.vectorize import ObjectVectorizer
from nearimage.service.words import word_ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregates:
    """Runs aggregate queries against one database."""

    collections: Collections
    shards: Shards
    vectorizer: ObjectVectorizer

    def run(self, query: AggregateQuery) -> tuple[Group, ...]:
        """The groups of the objects that pass; without `group_by` exactly one.

        Raises:
            CollectionNotFound, InvalidFilter: as they say.
            InvalidInput: an unknown property, one that cannot be summarised or grouped by, or a negative limit.
        """
        collection = self.collections.get(query.collection)
        aggregation = bind_aggregation(query.aggregation, collection)
        where = bind_filter(query.where, collection, targets=targets_of(self.collections, self.shards, query.tenant)) if query.where else None
        references = {prop.name: ReferenceSummary(pointing_to=prop.targets) for prop in _named(aggregation.properties, collection) if _is_reference(prop)}
        asked = replace(aggregation, properties={name: top for name, top in aggregation.properties.items() if name not in references})
        shard = self.shards.reading(collection, query.tenant)
        if query.by is None:
            groups = shard.aggregate(asked, where=where)
        else:
            limit = shard.count() if query.object_limit is None else query.object_limit
            question = Question(collection=collection, shard=shard, where=where, limit=limit, offset=0, projection=IDS_ONLY)
            groups = shard.aggregate(asked, ids=self._found(query, question))
        by = collection.property(aggregation.group_by or "")
        return tuple(_told(group, references, by) for group in groups)

    def _found(self, query: AggregateQuery, question: Question) -> list[UUID]:
        """What the search finds of the objects that pass the filter."""
        by, near_searches = query.by, NearSearches(vectorizer=self.vectorizer)
        if question.limit < 0:
            raise InvalidInput(f"objectLimit cannot be negative, got {question.limit}")
        if isinstance(by, Words):
            return _ids(word_ranking(question, by))
        if isinstance(by, Hybrid):
            if query.object_limit is None and not _ends(by):
                raise InvalidInput("a hybrid search finds every object; give it a distance, a certainty, a vector or an objectLimit")
            return _ids(found_by_any_leg(question, by, near_searches))
        if by is None or (query.object_limit is None and by.max_distance is None and by.min_certainty is None):
            raise InvalidInput("a search by vector finds every object; give it a distance, a certainty or an objectLimit")
        if len(set(by.targets.names)) > 1:
            raise InvalidInput(f"aggregating takes one target vector, got {list(by.targets.names)}")
        return _ids(islice(near_searches.ranking(question, by), question.limit))


def _ends(hybrid: Hybrid) -> bool:
    """Whether a hybrid search needs no limit: a vector that is brought along is one, as in Weaviate."""
    near = hybrid.near
    return isinstance(near, NearVector) or hybrid.max_distance is not None or (near is not None and (near.max_distance, near.min_certainty) != (None, None))


def _ids(packed: Iterable[bytes]) -> list[UUID]:
    return [UUID(bytes=one) for one in packed]


def bind_aggregation(aggregation: Aggregation, collection: Collection) -> Aggregation:
    """Check what is to be summarised, and set how many groups are told at most.

    Raises:
        InvalidInput: an unknown property, one that cannot be summarised or grouped by (detail has "property"), or a negative limit.
    """
    for prop in _named(aggregation.properties, collection):
        if prop.data_type.element not in SUMMARISED and not _is_reference(prop):
            raise InvalidInput(f"property {prop.name!r} is of type {prop.data_type}, which has no summary; leave it out", property=prop.name)
    for prop in _named([aggregation.group_by] if aggregation.group_by is not None else [], collection):
        if prop.data_type.element not in GROUPED:
            raise InvalidInput(f"objects cannot be grouped by {prop.name!r} of type {prop.data_type}; choose another property", property=prop.name)
    limits = [*aggregation.properties.values(), *([aggregation.groups] if aggregation.groups is not None else [])]
    if min(limits, default=0) < 0:
        raise InvalidInput(f"limits of groups and of frequent values cannot be negative; got {min(limits)}")
    return aggregation if aggregation.groups is not None else replace(aggregation, groups=MAX_GROUPS)


def _named(names: Iterable[str], collection: Collection) -> list[Property]:
    found: list[Property] = []
    for name in names:
        prop = collection.property(name)
        if prop is None:
            have = sorted(p.name for p in collection.properties)
            raise InvalidInput(f"collection {collection.name!r} has no property {name!r} to aggregate; it has {have}", property=name)
        found.append(prop)
    return found


def _is_reference(prop: Property) -> bool:
    return prop.data_type is DataType.REFERENCE


def _told(group: Group, references: dict[str, ReferenceSummary], by: Property | None) -> Group:
    """The group with what is asked of references; what is grouped by references is told by their beacons."""
    if by and _is_reference(by):
        group = replace(group, value=beacon_to(str(group.value)))
    summaries: dict[str, Summary] = {**group.summaries, **references}
    return replace(group, summaries=summaries) if references else group
