"""Routes that work on many objects at once: store, delete by filter. The base of all paths is /v1.

May import msgspec, `domain`, `service` and `doors` only.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidFilter, InvalidInput, InvalidParameter, NearimageError
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection
from nearimage.domain.values import Reference
from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import NOT_ONE_OF, Call, Route
from nearimage.doors.rest.json_body import Json, is_writable, json_response, read_body, read_settings
from nearimage.doors.rest.objects import BatchBody, ObjectBody, read_draft, render_object
from nearimage.doors.rest.sent import Sent
from nearimage.doors.typed_filters import read_filter
from nearimage.service.beacons import beacon_of

NO_TIME_MS = -62_135_596_800_000
"""The first moment of the year 1, in Unix milliseconds: how clients read "no time was given"."""

_OUTPUTS = ("minimal", "verbose")
_FIELDS = ("ALL", "class", "schema", "id", "creationTimeUnix")


class WhereBody(Sent, rename="camel", omit_defaults=True):
    """A filter as clients send it."""

    operator: str | None = None
    path: list[str] | None = None
    operands: "list[WhereBody] | None" = None
    value_text: str | None = None
    value_text_array: list[str] | None = None
    value_string: str | None = None
    value_string_array: list[str] | None = None
    value_date: str | None = None
    value_date_array: list[str] | None = None
    value_int: int | None = None
    value_int_array: list[int] | None = None
    value_number: float | None = None
    value_number_array: list[float] | None = None
    value_boolean: bool | None = None
    value_boolean_array: list[bool] | None = None
    value_geo_range: dict[str, Any] | None = None


class MatchBody(Sent):
    """Which objects to delete."""

    collection: str = msgspec.field(name="class", default="")
    where: WhereBody | None = None


class DeleteBody(Sent, rename="camel"):
    """A deletion by filter."""

    match: MatchBody | None = None
    output: str = "minimal"
    dry_run: bool = False
    deletion_time_unix_milli: int | None = None


def batch_objects(call: Call) -> Response:
    """Store many objects; each entry of the reply says how its object fared."""
    body = read_body(call.body, BatchBody)
    bodies = body.objects
    if wrong := [name for name in body.fields or () if name not in _FIELDS]:
        raise InvalidParameter(f"body.fields in body should be one of {list(_FIELDS)}, got {wrong[0]!r}", rule=NOT_ONE_OF)
    if not bodies:
        raise InvalidInput("objects is empty; send at least one object")
    where = "body.objects.{}.id in body"
    drafts = [read_draft(body, where.format(n)) for n, body in enumerate(bodies)]  # all of them before any is stored: one that cannot be read refuses all
    outcomes: list[Json] = [{} for _ in bodies]
    for name in dict.fromkeys(body.collection for body in bodies):
        positions = [n for n, body in enumerate(bodies) if body.collection == name]
        for n, outcome in zip(positions, _store(call, name, [bodies[n] for n in positions], [drafts[n] for n in positions]), strict=True):
            outcomes[n] = outcome
    return json_response(outcomes)


def _store(call: Call, name: str, bodies: Sequence[ObjectBody], drafts: Sequence[Draft]) -> list[Json]:
    now = call.services.objects.clock.now_ms()
    try:
        if not name:
            raise InvalidInput("the object names no class; say which collection it belongs to")
        stored = call.services.objects.put_many(name, drafts)
        collection = call.services.collections.get(name)
    except NearimageError as wrong:
        return [_failed(body, wrong, now) for body in bodies]
    return [
        _failed(body, outcome, now) if isinstance(outcome, NearimageError) else _stored(collection, outcome, draft.tenant)
        for body, draft, outcome in zip(bodies, drafts, stored, strict=True)
    ]


def _stored(collection: Collection, record: Record, tenant: str) -> Json:
    """How a stored object is told; of its references only where they lead, without the paths there."""
    told = render_object(collection, record, tenant) | {"deprecations": None, "result": {"status": "SUCCESS"}}
    beacons = {name: [{"beacon": beacon_of(one)} for one in value if isinstance(one, Reference)] for name, value in _references(record)}
    return told | {"properties": told["properties"] | beacons} if beacons else told


def _references(record: Record) -> Iterator[tuple[str, tuple[object, ...]]]:
    yield from ((name, value) for name, value in record.properties.items() if isinstance(value, tuple) and value and isinstance(value[0], Reference))


def _failed(body: ObjectBody, error: NearimageError, now_ms: int) -> Json:
    """Why an object was not stored, beside what was sent, as far as a reply can hold it; without an id with the one that it would have got."""
    errors = {"error": [{"message": fault_of(error).message}]}
    sent: Json = {"class": body.collection, "id": body.id or str(uuid4()), "properties": body.properties, "vector": body.vector, "vectors": body.vectors}
    told = {key: value for key, value in (sent | {"tenant": body.tenant}).items() if value is not None and is_writable(value)}
    return told | {"creationTimeUnix": now_ms, "lastUpdateTimeUnix": now_ms, "deprecations": None, "result": {"status": "FAILED", "errors": errors}}


def delete_objects(call: Call) -> Response:
    """Delete every object that passes a filter, or with dryRun only say which would be."""
    body = read_settings(call.body, DeleteBody)
    match = body.match
    if match is None or not match.collection:
        raise InvalidInput("a deletion needs match with class and where")
    if match.where is None:
        raise InvalidFilter("a deletion needs match.where: a filter that says which objects to delete", property=None)
    if body.output not in _OUTPUTS:
        raise InvalidInput(f"output is 'minimal' or 'verbose', got {body.output!r}")
    deletions, find = call.services.deletions, call.services.collections.get
    where: Json = msgspec.to_builtins(match.where)
    ids = deletions.delete(match.collection, read_filter(where, find(match.collection), find), tenant=call.tenant, dry_run=body.dry_run)
    results: Json = {"failed": 0, "limit": deletions.maximum, "matches": len(ids), "objects": None, "successful": 0 if body.dry_run else len(ids)}
    if ids and body.output == "verbose":  # without any it stays null, as in Weaviate
        results["objects"] = [{"id": str(one), "status": "DRYRUN" if body.dry_run else "SUCCESS"} for one in ids]
    told = {"class": call.services.collections.get(match.collection).name, "where": _echo(where)}
    time_ms = NO_TIME_MS if body.deletion_time_unix_milli is None else body.deletion_time_unix_milli
    return json_response({"match": told, "output": body.output, "dryRun": body.dry_run, "deletionTimeUnixMilli": time_ms, "results": results})


def _echo(where: Mapping[str, Any]) -> Json:
    """The filter as it was sent; path and operands are always there."""
    operands = where.get("operands")
    return {"path": None, **where, "operands": [_echo(part) for part in operands] if isinstance(operands, list) else None}


ROUTES = (
    Route(method="POST", path="/v1/batch/objects", endpoint=batch_objects, body=BatchBody, query=("consistency_level",)),
    Route(method="DELETE", path="/v1/batch/objects", endpoint=delete_objects, body=DeleteBody, query=("tenant", "consistency_level")),
)
