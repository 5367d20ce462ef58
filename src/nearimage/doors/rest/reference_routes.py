"""Routes of references from one object to others. The base of all paths is /v1.

May import msgspec, `domain`, `service` and `doors` only.
"""

import re
from collections.abc import Sequence
from contextlib import nullcontext

import msgspec

from nearimage.domain.errors import InvalidInput, InvalidParameter, NearimageError, NotFound
from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import WRONG_TYPE, Call, Route, missing_is_invalid, read_id
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.rest.object_routes import home
from nearimage.doors.rest.sent import Sent
from nearimage.service.references import Source

_URI = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*:")
"""How a URI begins; a list of references with anything else in it is refused as a whole."""

_START = re.compile(r"weaviate://[^/]+/(?P<collection>[^/]+)/(?P<id>[^/]+)/(?P<property>[^/]+)")
_NO_CONTENT = 204


class ReferenceBody(Sent):
    """A reference as clients send it."""

    beacon: str | None = None


class BatchReference(Sent):
    """A reference with where it starts, as clients send many of them."""

    start: str = msgspec.field(name="from", default="")
    to: str = ""
    tenant: str | None = None


def add_reference(call: Call) -> Response:
    """Let a property lead to one object more."""
    call.services.references.add(_source(call, adding=True), read_body(call.body, ReferenceBody).beacon or "")
    return Response(200)


def replace_references(call: Call) -> Response:
    """Let a property lead to these objects only."""
    beacons = [body.beacon or "" for body in read_body(call.body, list[ReferenceBody])]
    call.services.references.replace(_source(call, adding=True), beacons)
    return Response(200)


def delete_reference(call: Call) -> Response:
    """Take a reference away."""
    call.services.references.delete(_source(call), read_body(call.body, ReferenceBody).beacon or "")
    return Response(_NO_CONTENT)


def batch_references(call: Call) -> Response:
    """Add many references; each entry of the reply says how its reference fared."""
    bodies = read_body(call.body, list[BatchReference])
    if not bodies:
        raise InvalidInput("the list is empty; send at least one reference")
    if wrong := [text for body in bodies for text in (body.start, body.to) if text and not _URI.match(text)]:
        raise InvalidParameter(f"from and to in body must be of type uri, got {wrong[0]!r}", rule=WRONG_TYPE)
    return json_response(_add_all(call, bodies))


def _add_all(call: Call, bodies: Sequence[BatchReference]) -> list[Json]:
    errors: dict[int, NearimageError] = {}
    additions: dict[int, tuple[Source, str]] = {}
    for place, body in enumerate(bodies):
        try:
            additions[place] = _start(body), body.to
        except NearimageError as wrong:
            errors[place] = wrong
    places = list(additions)
    failed = call.services.references.add_many(list(additions.values()))
    errors |= {places[number]: wrong for number, wrong in failed.items()}
    return [_told(body, errors.get(place)) for place, body in enumerate(bodies)]


def _told(body: BatchReference, error: NearimageError | None) -> Json:
    """How a reference fared; one that failed leads from nowhere to nowhere, and of tenants nothing is told, as in Weaviate."""
    if error:
        return {"result": {"status": "FAILED", "errors": {"error": [{"message": fault_of(error).message}]}}}
    return {"from": body.start, "to": body.to, "result": {"status": "SUCCESS"}}


def _start(body: BatchReference) -> Source:
    found = _START.fullmatch(body.start)
    if found is None:
        raise InvalidInput(f"from must be weaviate://localhost/Collection/uuid/property, got {body.start!r}")
    return Source(collection=found["collection"], id=read_id(found["id"], where="the id in from"), property=found["property"], tenant=body.tenant or "")


def _source(call: Call, *, adding: bool = False) -> Source:
    """Where the reference in the path starts.

    Args:
        adding: references, to an object that has to be there: then one that no collection has, or whose collection is not there, is the request's mistake.
    """
    object_id = call.object_id
    with missing_is_invalid(NotFound) if adding else nullcontext():
        collection = call.services.collections.get(home(call)).name
    return Source(collection=collection, id=object_id, property=call.path["property"], tenant=call.tenant)


_QUERY = ("tenant", "consistency_level")
_NOT_THERE = {404: "there is no such object"}
ROUTES = (
    Route(method="POST", path="/v1/batch/references", endpoint=batch_references, body=list[BatchReference], query=("consistency_level",)),
    *(
        route
        for path in ("/v1/objects/{collection}/{id}/references/{property}", "/v1/objects/{id}/references/{property}")
        for route in (
            Route(method="POST", path=path, endpoint=add_reference, body=ReferenceBody, query=_QUERY, bare=_NOT_THERE),
            Route(method="PUT", path=path, endpoint=replace_references, body=list[ReferenceBody], query=_QUERY, bare=_NOT_THERE),
            Route(method="DELETE", path=path, endpoint=delete_reference, body=ReferenceBody, query=_QUERY, status=_NO_CONTENT, bare=_NOT_THERE),
        )
    ),
)
