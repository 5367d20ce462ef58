"""What each REST route does. The base of all paths is /v1.

May import starlette, `domain`, `service` and `doors` only.
"""

from dataclasses import replace
from itertools import zip_longest

from starlette.responses import Response

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput, InvalidSchema, NearimageError, NotSupported, ObjectNotFound
from nearimage.domain.objects import IDS_ONLY, Record
from nearimage.domain.query import Search, SortBy
from nearimage.domain.schema import Collection
from nearimage.doors.faults import fault_of
from nearimage.doors.rest.call import Call, Endpoint
from nearimage.doors.rest.class_defaults import Json
from nearimage.doors.rest.json_body import json_response, read_body
from nearimage.doors.rest.objects import BatchBody, ObjectBody, projection_of, read_draft, render_object
from nearimage.doors.rest.schema import ClassBody, read_class, render_class
from nearimage.doors.rest.search import picture, search
from nearimage.doors.uuids import read_uuid

_NO_CONTENT = 204


def well_known(_: Call) -> Response:
    """Live and ready: it answers, so it is."""
    return Response(status_code=200)


def meta(call: Call) -> Response:
    """Who this is and what clients may count on."""
    about = call.about
    modules: Json = {name: {"modalities": sorted(module.modalities)} for name, module in call.services.modules.items()}
    return json_response({"hostname": about.hostname, "version": about.version, "modules": modules, "grpcMaxMessageSize": about.max_message_bytes})


def nodes(call: Call) -> Response:
    """The one node there is; the batching of clients asks how busy it is."""
    if call.query.get("output", "minimal") not in ("minimal", "verbose"):
        raise InvalidInput(f"output is 'minimal' or 'verbose', got {call.query['output']!r}")
    node = {"name": "node1", "status": "HEALTHY", "version": call.about.version, "operationalMode": "ReadWrite", "shards": None}
    return json_response({"nodes": [node | {"batchStats": {"queueLength": 0, "ratePerSecond": 0}}]})


def list_schema(call: Call) -> Response:
    """Every collection."""
    return json_response({"classes": [render_class(c) for c in call.services.collections.all()]})


def create_class(call: Call) -> Response:
    """Make a collection; the reply shows it with all defaults."""
    if not call.body:
        raise InvalidSchema("the request has no body; send the collection as JSON", setting=None)
    collection = read_class(read_body(call.body, ClassBody), default_module=call.about.default_module)
    return json_response(render_class(call.services.collections.create(collection)))


def get_class(call: Call) -> Response:
    """One collection."""
    return json_response(render_class(call.services.collections.get(call.collection)))


def delete_class(call: Call) -> Response:
    """Drop a collection; 200 also where there was none, which is what the clients accept."""
    call.services.collections.drop(call.collection)
    return Response(status_code=200)


def insert_object(call: Call) -> Response:
    """Store a new object."""
    body = _object(call)
    collection = call.services.collections.get(body.collection)
    record = call.services.objects.insert(collection.name, read_draft(body))
    return json_response(render_object(collection, record))


def list_objects(call: Call) -> Response:
    """Objects of one collection, in the order of ids; with ?exclude=blobs without their pictures, for whoever shows them from their own route."""
    if "class" not in call.query:
        raise NotSupported("listing objects of all collections at once is not supported by this version; add ?class=", feature="list without class")
    collection = call.services.collections.get(call.query["class"])
    after = call.query.get("after")
    query = Search(
        collection=collection.name,
        after=read_uuid(after, what="after") if after else None,
        limit=call.number("limit"),
        offset=call.number("offset") or 0,
        sort=_sort(call),
        projection=projection_of(collection, call.query.get("include", ""), call.query.get("exclude", "")),
    )
    objects = [render_object(collection, hit.record) | {"vectorWeights": None} for hit in call.services.searches.run(query).hits]
    return json_response({"deprecations": [], "objects": objects, "totalResults": len(objects)})


def _sort(call: Call) -> tuple[SortBy, ...]:
    """?sort=weight,breed&order=desc,asc: keys and, for each, which way; asc where nothing is said."""
    keys = [key for key in call.query.get("sort", "").split(",") if key]
    orders = [order for order in call.query.get("order", "").split(",") if order]
    if wrong := [order for order in orders if order not in ("asc", "desc")]:
        raise InvalidInput(f"order is 'asc' or 'desc' for each key of sort, got {wrong[0]!r}")
    return tuple(SortBy(field=key, descending=order == "desc") for key, order in zip_longest(keys, orders[: len(keys)], fillvalue="asc"))


def get_object(call: Call) -> Response:
    """One object, pictures included unless ?exclude=blobs says otherwise."""
    collection = call.services.collections.get(call.collection)
    projection = projection_of(collection, call.query.get("include", ""), call.query.get("exclude", ""))
    record = call.services.objects.get(collection.name, call.object_id, projection)
    return json_response(render_object(collection, record) | {"vectorWeights": None})


def head_object(call: Call) -> Response:
    """204 where there is such an object, 404 where not."""
    try:
        call.services.objects.get(call.collection, call.object_id, IDS_ONLY)
    except ObjectNotFound:
        return Response(status_code=404)
    return Response(status_code=_NO_CONTENT)


def replace_object(call: Call) -> Response:
    """Put a whole object in the place of a stored one."""
    collection = call.services.collections.get(call.collection)
    record = call.services.objects.replace(collection.name, call.object_id, _draft_for(call))
    return json_response(render_object(collection, record))


def merge_object(call: Call) -> Response:
    """Change some properties."""
    call.services.objects.merge(call.collection, call.object_id, _draft_for(call))
    return Response(status_code=_NO_CONTENT)


def delete_object(call: Call) -> Response:
    """Delete; 204 also where there was none: after it, there is none."""
    call.services.objects.delete(call.collection, call.object_id)
    return Response(status_code=_NO_CONTENT)


def batch_objects(call: Call) -> Response:
    """Store many objects; each entry of the reply says how its object fared."""
    bodies = read_body(call.body, BatchBody).objects
    if not bodies:
        raise InvalidInput("objects is empty; send at least one object")
    drafts = [read_draft(body) for body in bodies]  # all of them before any is stored: an object that cannot be read refuses the request whole
    outcomes: list[Json] = [{} for _ in bodies]
    for name in dict.fromkeys(body.collection for body in bodies):
        positions = [n for n, body in enumerate(bodies) if body.collection == name]
        for n, outcome in zip(positions, _store(call, name, [bodies[n] for n in positions], [drafts[n] for n in positions]), strict=True):
            outcomes[n] = outcome
    return json_response(outcomes)


def _store(call: Call, name: str, bodies: list[ObjectBody], drafts: list[Draft]) -> list[Json]:
    try:
        collection = call.services.collections.get(name)
        stored = call.services.objects.put_many(collection.name, drafts)
    except NearimageError as wrong:
        return [_failed(body, wrong) for body in bodies]
    return [
        _failed(body, outcome) if isinstance(outcome, NearimageError) else _stored(collection, outcome) for body, outcome in zip(bodies, stored, strict=True)
    ]


def _stored(collection: Collection, record: Record) -> Json:
    return render_object(collection, record) | {"deprecations": None, "result": {"status": "SUCCESS"}}


def _failed(body: ObjectBody, error: NearimageError) -> Json:
    errors = {"error": [{"message": fault_of(error).message}]}
    sent: Json = {"class": body.collection, "id": body.id, "properties": body.properties, "vector": body.vector, "vectors": body.vectors}
    return {key: value for key, value in sent.items() if value is not None} | {"deprecations": None, "result": {"status": "FAILED", "errors": errors}}


def _object(call: Call) -> ObjectBody:
    body = read_body(call.body, ObjectBody)
    if not body.collection:
        raise InvalidInput("the object names no class; say which collection it belongs to")
    return body


def _draft_for(call: Call) -> Draft:
    return replace(read_draft(read_body(call.body, ObjectBody)), id=call.object_id)


ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/v1/.well-known/live", well_known),
    ("GET", "/v1/.well-known/ready", well_known),
    ("GET", "/v1/meta", meta),
    ("GET", "/v1/nodes", nodes),
    ("GET", "/v1/schema", list_schema),
    ("POST", "/v1/schema", create_class),
    ("GET", "/v1/schema/{collection}", get_class),
    ("DELETE", "/v1/schema/{collection}", delete_class),
    ("GET", "/v1/objects", list_objects),
    ("POST", "/v1/objects", insert_object),
    ("HEAD", "/v1/objects/{collection}/{id}", head_object),
    ("GET", "/v1/objects/{collection}/{id}", get_object),
    ("PUT", "/v1/objects/{collection}/{id}", replace_object),
    ("PATCH", "/v1/objects/{collection}/{id}", merge_object),
    ("DELETE", "/v1/objects/{collection}/{id}", delete_object),
    ("POST", "/v1/batch/objects", batch_objects),
    ("GET", "/v1/objects/{collection}/{id}/pictures/{property}", picture),
    ("POST", "/v1/search/{collection}/{kind}", search),
)
