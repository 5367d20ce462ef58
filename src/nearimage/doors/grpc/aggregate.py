"""Aggregate: figures about many objects, over gRPC.

    AggregateRequest --read--> AggregateQuery --service--> Group, Group, ... --render--> AggregateReply

A request names for each property the kind of figures (int, number, text ...) and which of them; the reply has those and no others. May import `domain`,
`service` and `doors` only; messages are `Any`, see `doors.wire.messages`.
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
    Summary,
    TextSummary,
)
from nearimage.domain.errors import InvalidInput
from nearimage.domain.schema import Collection
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
    groups = services.aggregates.run(_query(message))
    reply = AggregateReply()
    if message.HasField("group_by"):
        for group in groups:
            out = reply.grouped_results.groups.add()
            out.grouped_by.path.append(message.group_by.property)
            _write_value(out.grouped_by, group.value)
            _write(out, message, collection, group)
        reply.grouped_results.SetInParent()
    else:
        _write(reply.single_result, message, collection, groups[0])
    reply.took = time.perf_counter() - started
    return bytes(reply.SerializeToString())


def _query(message: Any) -> AggregateQuery:
    properties = {}
    for wanted in message.aggregations:
        text = wanted.text
        limit = text.top_occurences_limit if text.HasField("top_occurences_limit") else TOP_VALUES
        properties[wanted.property] = limit if wanted.WhichOneof("aggregation") == "text" else 0
    return AggregateQuery(
        collection=message.collection,
        tenant=message.tenant,
        aggregation=Aggregation(
            properties=properties,
            group_by=message.group_by.property if message.HasField("group_by") else None,
            groups=message.limit if message.HasField("limit") else None,
        ),
        where=read_filter(message.filters) if message.HasField("filters") else None,
        by=read_ranking(message, ("hybrid",)),
        object_limit=message.object_limit if message.HasField("object_limit") else None,
    )


def _write(out: Any, message: Any, collection: Collection, group: Group) -> None:
    """Fill a `Single` or a `Group`."""
    out.objects_count = group.objects if message.objects_count else 0  # clients look for it also where they did not ask
    for wanted in message.aggregations:
        kind = wanted.WhichOneof("aggregation")
        if kind is None:
            continue
        summary, write = group.summaries[wanted.property], _WRITERS[kind]
        part = out.aggregations.aggregations.add(property=wanted.property)
        prop = collection.property(wanted.property)
        if not isinstance(summary, _KINDS[kind]) or prop is None:
            raise InvalidInput(f"property {wanted.property!r} is {prop and prop.data_type}; it has no figures of kind {kind}", property=wanted.property)
        getattr(part, kind).SetInParent()
        write(getattr(part, kind), getattr(wanted, kind), summary, str(prop.data_type))


def _write_number(out: Any, wanted: Any, summary: NumberSummary, data_type: str) -> None:
    if wanted.count:
        out.count = summary.count
    if wanted.type:
        out.type = data_type
    for name in ("sum", "mean", "mode", "median", "maximum", "minimum"):
        value = getattr(summary, name)
        if getattr(wanted, name) and value is not None:
            setattr(out, name, min(max(value, _INT64[0]), _INT64[1]) if isinstance(value, int) else value)


def _write_text(out: Any, wanted: Any, summary: TextSummary, data_type: str) -> None:
    if wanted.count:
        out.count = summary.count
    if wanted.type:
        out.type = data_type
    out.top_occurences.SetInParent()  # always: the Python client that wants the values only does not say so
    for value, occurs in summary.top:
        out.top_occurences.items.add(value=value, occurs=occurs)


def _write_boolean(out: Any, wanted: Any, summary: BooleanSummary, data_type: str) -> None:
    figures = {
        "count": summary.count,
        "type": data_type,
        "total_true": summary.total_true,
        "total_false": summary.total_false,
        "percentage_true": summary.share_true,
        "percentage_false": summary.share_false,
    }
    for name, value in figures.items():
        if getattr(wanted, name) and value is not None:
            setattr(out, name, value)


def _write_date(out: Any, wanted: Any, summary: DateSummary, data_type: str) -> None:
    out.type = data_type if wanted.type else ""  # clients look for it also where they did not ask
    for name in ("count", "median", "mode", "maximum", "minimum"):
        value = getattr(summary, name)
        if getattr(wanted, name) and value is not None:
            setattr(out, name, value)


def _write_reference(out: Any, wanted: Any, summary: ReferenceSummary, _: str) -> None:
    if wanted.type:
        out.type = "cref"
    if wanted.pointing_to:
        out.pointing_to.extend(summary.pointing_to)


_WRITERS: Mapping[str, Callable[[Any, Any, Any, str], None]] = {
    "int": _write_number,
    "number": _write_number,
    "text": _write_text,
    "boolean": _write_boolean,
    "date": _write_date,
    "reference": _write_reference,
}
_KINDS: Mapping[str, type[Summary]] = {
    "int": NumberSummary,
    "number": NumberSummary,
    "text": TextSummary,
    "boolean": BooleanSummary,
    "date": DateSummary,
    "reference": ReferenceSummary,
}


def _write_value(out: Any, value: object) -> None:
    """The value that a group shares."""
    if isinstance(value, bool):
        out.boolean = value
    elif isinstance(value, int):
        out.int = value
    elif isinstance(value, float):
        out.number = value
    else:
        out.text = str(value)
