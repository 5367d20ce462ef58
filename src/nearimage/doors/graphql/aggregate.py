"""`Aggregate`: figures of many objects, as a whole or group by group.

    Dog(groupBy: ["breed"]) { meta { count } weight { mean } groupedBy { value } }
      --read--> AggregateQuery --service--> Group, ... --figures--> [{"meta": {"count": 3}, ...}, ...]

May import `domain`, `doors` and `service` only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nearimage.domain.aggregates import (
    TOP_VALUES,
    AggregateQuery,
    Aggregation,
    BooleanSummary,
    DateSummary,
    Group,
    NumberSummary,
    ReferenceSummary,
    Summary,
    TextSummary,
)
from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Scalar
from nearimage.domain.schema import Collection, Property
from nearimage.doors.graphql.parts import Part
from nearimage.doors.graphql.ranking import read_counted
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.doors.grpc.search_reply import group_name
from nearimage.doors.number_texts import short
from nearimage.doors.typed_filters import read_filter
from nearimage.doors.whole_numbers import with_whole_numbers
from nearimage.service.services import Services

Figure = Callable[[Group], Any]
_OWN = ("meta", "groupedBy", TYPENAME)
_NAMES: Mapping[str, str] = {
    "totalTrue": "total_true",
    "totalFalse": "total_false",
    "percentageTrue": "share_true",
    "percentageFalse": "share_false",
    "pointingTo": "pointing_to",
}
"""Figures that go by another name in `domain.aggregates`."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Answers the fields under `Aggregate`."""

    services: Services

    def begin(self, field: Field, selections: Selections) -> Part:
        """Nothing is read yet: all of it may take its time."""
        return Part(None, lambda: self.answer(field, selections))

    def answer(self, field: Field, selections: Selections) -> list[dict[str, Any]]:
        """One collection's figures.

        Raises:
            NearimageError: as the use case does.
        """
        collection = selections.collections[field.name]
        typename = f"Aggregate{collection.name}"
        asked = selections.below(field, typename)
        query = self.read(field.arguments, collection, _properties(asked, selections, typename))
        figures = {one.key: _figure(one, collection, query, selections) for one in asked}
        groups = self.services.aggregates.run(query)
        selections.spend(len(groups) * selections.counted)
        return [{key: figure(group) for key, figure in figures.items()} for group in groups]

    def read(self, arguments: Mapping[str, Any], collection: Collection, properties: Mapping[str, int]) -> AggregateQuery:
        """The query in the arguments.

        Raises:
            InvalidInput: it contradicts itself.
        """
        where, limit, group_by = arguments.get("where"), arguments.get("limit"), arguments.get("groupBy")
        by, object_limit = read_counted(arguments, collection), arguments.get("objectLimit")
        if object_limit is not None and (by is None or object_limit < 1):
            raise InvalidInput(f"objectLimit says how many of a search's best count, at least 1; got {object_limit} {'with' if by else 'without'} a search")
        return AggregateQuery(
            collection=collection.name,
            tenant=arguments.get("tenant") or "",
            aggregation=Aggregation(properties=properties, group_by=_group_by(group_by), groups=limit),
            where=None if where is None else read_filter(where, collection, self.services.collections.get),
            by=by,
            object_limit=object_limit,
        )


def _group_by(path: Any) -> str | None:
    parts = path if isinstance(path, list) else [] if path is None else [path]
    if len(parts) > 1 or (path is not None and not parts):
        raise InvalidInput(f"groupBy takes a path of one property, got {path}")
    return str(parts[0]) if parts else None


def _properties(asked: tuple[Field, ...], selections: Selections, typename: str) -> dict[str, int]:
    """The properties to summarise, each with how many of its most frequent values are wanted."""
    wanted: dict[str, int] = {}
    for field in asked:
        if field.name in _OWN:
            continue
        limits = [
            TOP_VALUES if (limit := one.arguments.get("limit")) is None else limit
            for one in selections.below(field, f"{typename}{field.name}Obj")
            if one.name == "topOccurrences"
        ]
        wanted[field.name] = max([wanted.get(field.name, 0), *limits])
    return wanted


def _figure(field: Field, collection: Collection, query: AggregateQuery, selections: Selections) -> Figure:
    typename = f"Aggregate{collection.name}"
    if field.name == TYPENAME:
        return lambda _: typename
    if field.name == "meta":
        keys = {one.key: one.name for one in selections.below(field, f"{typename}MetaObject")}
        return lambda group: {key: group.objects if name == "count" else f"{typename}MetaObject" for key, name in keys.items()}
    if field.name == "groupedBy":
        return _grouped_by(field, f"{typename}GroupedByObj", query.aggregation.group_by, selections)
    prop = collection.property(field.name)
    if prop is None:
        raise InvalidInput(f"collection {collection.name!r} has no property {field.name!r}", property=field.name)
    return _property_figures(field, prop, f"{typename}{prop.name}", selections)


def _grouped_by(field: Field, typename: str, path: str | None, selections: Selections) -> Figure:
    keys = {one.key: one.name for one in selections.below(field, typename)}

    def figure(group: Group) -> Any:
        if path is None:
            return None
        said = {"path": [path], "value": _group_name(group.value), TYPENAME: typename}
        return {key: said[name] for key, name in keys.items()}

    return figure


def _group_name(value: Scalar | None) -> str:
    return short(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else group_name(value)


def _property_figures(field: Field, prop: Property, prefix: str, selections: Selections) -> Figure:
    parts = [(one.key, _part(one, prop, prefix, selections)) for one in selections.below(field, f"{prefix}Obj")]

    def figure(group: Group) -> Any:
        summary = group.summaries.get(prop.name)
        return None if summary is None else {key: part(summary) for key, part in parts}

    return figure


def _part(field: Field, prop: Property, prefix: str, selections: Selections) -> Callable[[Summary], Any]:
    if field.name == TYPENAME:
        return lambda _: f"{prefix}Obj"
    if field.name == "type":
        return lambda _: str(prop.data_type)
    if field.name == "topOccurrences":
        keys = {one.key: one.name for one in selections.below(field, f"{prefix}TopOccurrencesObj")}
        limit = field.arguments.get("limit")
        return lambda summary: _top(summary, keys, TOP_VALUES if limit is None else limit, f"{prefix}TopOccurrencesObj")
    name = _NAMES.get(field.name, field.name)
    return lambda summary: with_whole_numbers(getattr(summary, name)) if isinstance(summary, _KINDS) else None


_KINDS = (NumberSummary, DateSummary, BooleanSummary, TextSummary, ReferenceSummary)


def _top(summary: Summary, keys: Mapping[str, str], limit: int, typename: str) -> Any:
    found = summary.top[:limit] if isinstance(summary, TextSummary) else ()
    return [{key: {"value": value, "occurs": occurs, TYPENAME: typename}[name] for key, name in keys.items()} for value, occurs in found]
