"""`Get`: objects of a collection, ranked, filtered, sorted or grouped.

    Dog(nearImage: {...}, limit: 3) { breed }  --read--> Search --service--> Found --columns--> [{"breed": ...}, ...]

Without limit, offset and autocut there are 100 objects; with offset or autocut only, or a negative limit, as many as other doors give; with a distance or a
certainty, and no limit, all that are near enough. A `sort` beside a near search puts the nearest, once found, in another order. A listing has no distances, so
that autocut leaves nothing of it. Groups are made of what a search found, and there are none of no objects.

May import `domain`, `doors` and `service` only.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import ID_FIELD, Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Hit, Projection
from nearimage.domain.query import AnyNear, Found, GroupBy, Hybrid, Search, SortBy, Words
from nearimage.domain.schema import LEGACY_VECTOR, Collection, DataType, Metric
from nearimage.doors.graphql.additional import Origin
from nearimage.doors.graphql.batches import Batch
from nearimage.doors.graphql.columns import Reader, Shown, written
from nearimage.doors.graphql.merging import Merging, merged
from nearimage.doors.graphql.parts import Part
from nearimage.doors.graphql.ranking import has_threshold, read_ranking
from nearimage.doors.graphql.selections import Field, Selections
from nearimage.doors.typed_filters import read_filter
from nearimage.doors.uuids import read_uuid
from nearimage.service.pace import kind_of
from nearimage.service.search import check_clauses
from nearimage.service.services import Services
from nearimage.service.targets import targets_of

DEFAULT_LIMIT = 100
"""Objects where a query says neither limit nor offset nor autocut (Weaviate's QUERY_DEFAULTS_LIMIT_GRAPHQL)."""

_FIRST_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Get:
    """Answers the fields under `Get`."""

    services: Services
    default_limit: int = DEFAULT_LIMIT

    def begin(self, field: Field, selections: Selections) -> Part:
        """One collection's objects.

        Raises:
            NearimageError: the arguments contradict themselves or each other.
        """
        collection = selections.collections[field.name]
        arguments = field.arguments
        fields = selections.below(field, collection.name)
        reader = Reader(self.services, selections, arguments.get("tenant") or "")
        by = read_ranking(arguments, collection)
        group_by = arguments.get("groupBy")
        shown = reader.shown(collection, fields, _origin(by) if group_by is None else Origin.GROUPED)
        told = {one.name for part in fields if part.name == "_additional" for one in selections.below(part, f"{collection.name}Additional")}
        query = replace(self.read(arguments, collection, shown.projection, by), explains="explainScore" in told)
        if "certainty" in told:
            _check_certainty(query, collection)
        merging = _merging(arguments.get("group"), by)
        asked = _Asked(
            query=query if merging is None else _with_vectors(query, collection),
            merging=merging,
            shown=shown,
            spend=selections.spend if reader.follows else None,
        )
        return Part(self._kind(query, collection, reader), partial(self._answer, asked))

    def _answer(self, asked: "_Asked") -> list[dict[str, Any]]:
        found = self._run(asked.query)
        if asked.query.by is None and asked.query.autocut:
            return []
        if asked.merging is not None:
            found = Found(hits=merged(found.hits, asked.merging))
        rendered = _rendered(asked, found)
        if asked.spend is not None:
            asked.spend(written(rendered, {}))
        return rendered

    def _kind(self, query: Search, collection: Collection, reader: Reader) -> Hashable | None:
        """None where it may wait: for pictures, for objects of other collections, for files that would have to be opened."""
        shown = query.projection.properties or ()
        pictures = any(prop.data_type is DataType.BLOB for prop in collection.properties if prop.name in shown)
        if pictures or reader.follows or not self.services.searches.is_at_hand(query):
            return None
        return kind_of(query)

    def read(self, arguments: Mapping[str, Any], collection: Collection, projection: Projection, by: AnyNear | Words | Hybrid | None) -> Search:
        """The query in the arguments.

        Raises:
            InvalidInput: it contradicts itself.
        """
        where, after, group_by = arguments.get("where"), arguments.get("after"), arguments.get("groupBy")
        query = Search(
            collection=collection.name,
            tenant=arguments.get("tenant") or "",
            by=by,
            where=None if where is None else read_filter(where, collection, self.services.collections.get),
            limit=self._limit(arguments, by),
            offset=arguments.get("offset") or 0,
            after=read_uuid(after, what="after") if after else None,
            autocut=max(0, arguments.get("autocut") or 0),
            sort=_sort(arguments.get("sort")),
            group_by=None if group_by is None or by is None else _group_by(group_by),
            projection=projection,
        )
        if after is not None:
            _check_cursor(query, arguments.get("limit"))
        return query

    def _run(self, query: Search) -> Found:
        """What a search finds; the nearest in the order of `sort`, if both are given."""
        if not (query.sort and isinstance(query.by, AnyNear)):
            return self.services.searches.run(query)
        if query.group_by:
            return self.services.searches.run(replace(query, sort=()))
        nearest = replace(query, sort=(), offset=0, limit=(query.limit or 0) + query.offset)
        found = {hit.record.id: hit for hit in self.services.searches.run(nearest).hits}
        if not found:
            return Found(hits=())
        ids = Compare(ID_FIELD, Operator.CONTAINS_ANY, tuple(map(str, found)))
        listing = Search(collection=query.collection, tenant=query.tenant, where=ids, sort=query.sort, limit=len(found), projection=IDS_ONLY)
        ordered = [found[hit.record.id] for hit in self.services.searches.run(listing).hits]
        return Found(hits=tuple(ordered[query.offset :]))

    def _limit(self, arguments: Mapping[str, Any], by: object) -> int:
        limit, offset = arguments.get("limit"), arguments.get("offset")
        searches = self.services.searches
        if limit == 0 and not offset and not isinstance(by, Hybrid):
            raise InvalidInput("limit 0 asks for nothing; leave it out for the default, or say how many")
        if limit is not None and limit >= 0:
            return int(limit)
        if has_threshold(by):
            return max(0, searches.maximum_results - (offset or 0))
        unsaid = limit is None and offset is None and arguments.get("autocut") is None
        return self.default_limit if unsaid else searches.default_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What to search, and what to show of it.

    Attributes:
        spend: counts the values of the answer, where references lead from one to the other.
    """

    query: Search
    merging: Merging | None
    shown: Shown
    spend: Callable[[int], None] | None


def _check_certainty(query: Search, collection: Collection) -> None:
    """Refuse to tell a certainty that there is none of."""
    if not isinstance(query.by, AnyNear):
        return
    targets = targets_of(collection, query.by.targets)
    if (metric := targets[0].vector.metric) is not Metric.COSINE:
        raise InvalidInput(f"certainty is defined for cosine only, and this vector is compared by {metric}; ask for the distance")
    if len(targets) > 1:
        raise InvalidInput("certainty is defined for one target vector, and here are several; ask for the distance")


def _sort(given: Any) -> tuple[SortBy, ...]:
    keys = given if isinstance(given, list) else [] if given is None else [given]
    if None in keys:
        raise InvalidInput("sort takes a list of {path, order}, and null is in it; leave it out")
    return tuple(SortBy(field=_path(key.get("path"), "sort"), descending=key.get("order") == "desc") for key in keys)


def _check_cursor(query: Search, limit: int | None) -> None:
    """Refuse what cannot go with a cursor, also with the empty one, which is before the first page.

    Raises:
        InvalidInput: there is no limit, or something else but a limit.
    """
    if limit is None or limit < 0:
        raise InvalidInput("after needs a limit: how many objects a page has")
    check_clauses(replace(query, after=_FIRST_ID))


def _group_by(given: Mapping[str, Any]) -> GroupBy:
    path, groups, per_group = _path(given.get("path"), "groupBy"), given.get("groups"), given.get("objectsPerGroup")
    if groups is None or per_group is None:
        raise InvalidInput(f"groupBy needs the number of groups, and objectsPerGroup; got {groups} and {per_group}")
    return GroupBy(property=path, groups=groups, per_group=per_group)


def _path(path: Any, what: str) -> str:
    parts = path if isinstance(path, list) else [path]
    if len(parts) != 1 or not parts[0]:
        raise InvalidInput(f"{what} takes a path of one property, got {path}")
    return str(parts[0])


def _merging(group: Mapping[str, Any] | None, by: object) -> Merging | None:
    """What is alike is not looked for among hits of a keyword search."""
    if group is None or isinstance(by, Words):
        return None
    if group.get("type") is None:
        raise InvalidInput("group needs a type, closest or merge")
    return Merging(merge=group["type"] == "merge", force=min(1.0, group["force"]))


def _origin(by: object) -> Origin:
    if isinstance(by, Hybrid):
        return Origin.HYBRID
    return Origin.LISTED if by is None else Origin.WORDS if isinstance(by, Words) else Origin.NEAR


def _with_vectors(query: Search, collection: Collection) -> Search:
    """The same, with the vector that tells how alike hits are: named ones do not, and a hybrid search reads none for that."""
    if not collection.legacy_vector or isinstance(query.by, Hybrid):
        return query
    wanted = query.projection.vectors or ()
    return replace(query, projection=replace(query.projection, vectors=tuple(dict.fromkeys((LEGACY_VECTOR, *wanted)))))


def _rendered(asked: _Asked, found: Found) -> list[dict[str, Any]]:
    query = asked.query
    if found.groups is None:
        return asked.shown.render(Batch(hits=found.hits, merged=asked.merging is not None and asked.merging.merge))
    best: list[Hit] = [group.hits[0] for group in found.groups]
    path, first = query.group_by.property if query.group_by else "", query.offset if isinstance(query.by, AnyNear) else 0
    return asked.shown.render(Batch(hits=best, groups=found.groups, path=path, first=first))
