"""Aggregate: figures about many objects, over gRPC.

    AggregateRequest --read--> AggregateQuery --service--> Group, Group, ... --render--> AggregateReply

A request names for each property the kind of figures (int, number, text ...) and which of them. The reply has the kind that the property's type has; of
numbers and dates the figures asked for, of texts, booleans and references all of them. Groups always say how many objects they have, and by which number.

May import `domain`, `service` and `doors` only; messages are `Any`, see `doors.wire.messages`.
"""

import time
from collections.abc import Callable, Mapping
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
    TextSummary,
)
from nearimage.domain.errors import InvalidInput
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.doors.grpc.filters import read_filter
from nearimage.doors.grpc.near_request import read_ranking
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.wire.messages import AggregateReply, AggregateRequest
from nearimage.service.services import Services

_INT64 = (-(2**63), 2**63 - 1)


def aggregate(services: Services, request: bytes) -> bytes:
    """Answer an AggregateRequest.

    Raises:
        InvalidInput: the bytes are no such message; a property that is not there, or has no such figures.
    """
    started = time.perf_counter()
    message = parse(AggregateRequest, request)
    collection = services.collections.get(message.collection)
    groups = services.aggregates.run(_query(message, collection))
    reply = AggregateReply()
    if message.HasField("group_by"):
        for group in groups:
            out = reply.grouped_results.groups.add()
            out.grouped_by.path.append(message.group_by.property)
            _write_value(out.grouped_by, group.value)
            out.objects_count = group.objects
            _write(out, message, collection, group)
    else:
        reply.single_result.objects_count = groups[0].objects if message.objects_count else 0  # clients look for it also where they did not ask
        _write(reply.single_result, message, collection, groups[0])
    reply.took = time.perf_counter() - started
    return bytes(reply.SerializeToString())


def _query(message: Any, collection: Collection) -> AggregateQuery:
    properties = {}
    for wanted in message.aggregations:
        text = wanted.text
        limit = text.top_occurences_limit if text.HasField("top_occurences_limit") else TOP_VALUES
        properties[wanted.property] = limit
    return AggregateQuery(
        collection=message.collection,
        tenant=message.tenant,
        aggregation=Aggregation(
            properties=properties,
            group_by=message.group_by.property if message.HasField("group_by") else None,
            groups=message.limit if message.HasField("limit") else None,
        ),
        where=read_filter(message.filters) if message.HasField("filters") else None,
        by=read_ranking(message, ("hybrid",), collection),
        object_limit=message.object_limit if message.HasField("object_limit") else None,
    )


def _write(out: Any, message: Any, collection: Collection, group: Group) -> None:
    """Fill a `Single` or a `Group`; the figures of a property are those of its type, whatever kind the request calls them."""
    for wanted in message.aggregations:
        prop = collection.property(wanted.property)
        if prop is None:
            raise InvalidInput(f"collection {collection.name!r} has no property {wanted.property!r} to aggregate", property=wanted.property)
        kind, write = _kind_of(prop)
        part = out.aggregations.aggregations.add(property=prop.name)
        getattr(part, kind).SetInParent()
        asked = wanted.WhichOneof("aggregation")
        names = {field.name for field, value in getattr(wanted, asked).ListFields() if value is True} if asked else set()
        write(getattr(part, kind), names, group.summaries[prop.name], str(prop.data_type))


def _kind_of(prop: Property) -> tuple[str, Callable[[Any, set[str], Any, str], None]]:
    if prop.data_type.element is DataType.UUID:
        raise InvalidInput(f"property {prop.name!r} is {prop.data_type}, which has no figures; leave it out", property=prop.name)
    if prop.data_type is DataType.REFERENCE:
        return "reference", _write_reference
    return _KINDS.get(prop.data_type.element, ("text", _write_text))


def _write_number(out: Any, names: set[str], summary: NumberSummary, data_type: str) -> None:
    figures = names.intersection(_FIGURES)
    if figures:
        out.type = data_type if "type" in names else ""  # clients look for it also where they did not ask
    for name in figures:
        value = getattr(summary, name)
        if value is not None:
            setattr(out, name, min(max(value, _INT64[0]), _INT64[1]) if isinstance(value, int) else value)


def _write_text(out: Any, names: set[str], summary: TextSummary, data_type: str) -> None:
    """All of it always: the Python client that wants the values only does not say so."""
    out.count = summary.count
    out.type = data_type if "type" in names else ""
    for value, occurs in summary.top:
        out.top_occurences.items.add(value=value, occurs=occurs)


def _write_boolean(out: Any, names: set[str], summary: BooleanSummary, data_type: str) -> None:
    out.count, out.total_true, out.total_false = summary.count, summary.total_true, summary.total_false
    out.type = data_type if "type" in names else ""
    if summary.share_true is not None and summary.share_false is not None:
        out.percentage_true, out.percentage_false = summary.share_true, summary.share_false


def _write_date(out: Any, names: set[str], summary: DateSummary, data_type: str) -> None:
    figures = names.intersection(("count", "median", "mode", "maximum", "minimum"))
    if figures:
        out.type = data_type if "type" in names else ""
    for name in figures:
        value = getattr(summary, name)
        if value is not None:
            setattr(out, name, value)


def _write_reference(out: Any, _: set[str], summary: ReferenceSummary, __: str) -> None:
    out.type = "cref"
    out.pointing_to.extend(summary.pointing_to)


_FIGURES = ("count", "sum", "mean", "mode", "median", "maximum", "minimum")
_KINDS: Mapping[DataType, tuple[str, Callable[[Any, set[str], Any, str], None]]] = {
    DataType.INT: ("int", _write_number),
    DataType.NUMBER: ("number", _write_number),
    DataType.BOOLEAN: ("boolean", _write_boolean),
    DataType.DATE: ("date", _write_date),
}
"""Of all other types texts are told."""


def _write_value(out: Any, value: object) -> None:
    """The value that a group shares."""
    if isinstance(value, bool):
        out.boolean = value
    elif isinstance(value, int | float):
        out.number = value
    else:
        out.text = str(value)
