"""Routes of single objects and of lists. The base of all paths is /v1.

Older clients name an object by its id alone: the collection then comes from the body, or is looked for.

May import `domain`, `service` and `doors` only.
"""

from collections.abc import Hashable
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput, ObjectNotFound, TenantNotFound
from nearimage.domain.objects import IDS_ONLY, Projection
from nearimage.domain.query import Search, SortBy
from nearimage.domain.schema import Collection, DataType
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route, missing_is_invalid, read_id
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.rest.objects import ObjectBody, projection_of, read_draft, render_object

_NO_CONTENT = 204


def insert_object(call: Call) -> Response:
    """Store a new object."""
    body = _object(call)
    draft = read_draft(body)
    with missing_is_invalid():
        record = call.services.objects.insert(body.collection, draft)
    return json_response(render_object(call.services.collections.get(body.collection), record, draft.tenant))


def validate_object(call: Call) -> Response:
    """Say whether an object could be stored, and store nothing."""
    body = _object(call)
    if not body.id:
        raise InvalidInput("the object names no id; say which it would have")
    draft = read_draft(body)
    with missing_is_invalid():
        call.services.objects.check(body.collection, draft)
    return Response(200)


def list_objects(call: Call) -> Response:
    """Objects in the order of ids, or of ?sort; without ?class those of every collection; with ?exclude=blobs without their pictures."""
    limit, name = call.number("limit"), call.query.get("class")
    if min(limit or 0, call.number("offset") or 0) < 0:
        return Response(200)  # without a body, as in Weaviate
    objects = _list_one(call, call.services.collections.get(name), limit) if name else _list_all(call, limit)
    if limit == 0:
        objects = []
    told: Json = {"deprecations": [] if name else None, "objects": objects}
    return json_response(told | ({"totalResults": len(objects)} if objects else {}))


def _list_one(call: Call, collection: Collection, limit: int | None) -> list[Json]:
    after = call.query.get("after")
    if after and limit is None:
        raise InvalidInput("after needs a limit: how many objects to list at once")
    query = Search(
        collection=collection.name,
        tenant=call.tenant,
        after=read_id(after, where="after in query") if after else None,
        limit=limit or None,
        offset=call.number("offset") or 0,
        sort=_sort(call),
        projection=_projection(call, collection),
    )
    return [render_object(collection, hit.record) | {"vectorWeights": None} for hit in call.services.searches.run(query).hits]


def _list_all(call: Call, limit: int | None) -> list[Json]:
    """Collection by collection, in the order of their names: those without tenants, or with ?tenant those that have it."""
    if alone := [name for name in ("after", "sort") if call.query.get(name)]:
        raise InvalidInput(f"{alone[0]} works within one collection; say which with ?class=")
    searches = call.services.searches
    offset, wanted = call.number("offset") or 0, limit or searches.default_limit
    if offset + wanted > searches.maximum_results:
        raise InvalidInput(f"offset + limit is {offset + wanted}, more than this server lists at once ({searches.maximum_results})")
    found: list[Json] = []
    for collection in call.services.collections.all():
        if collection.tenancy.enabled != bool(call.tenant) or len(found) >= offset + wanted:
            continue
        query = Search(collection=collection.name, tenant=call.tenant, limit=offset + wanted - len(found), projection=_projection(call, collection))
        with suppress(TenantNotFound):
            found += [render_object(collection, hit.record, call.tenant) | {"vectorWeights": None} for hit in searches.run(query).hits]
    return found[offset:]


def _sort(call: Call) -> tuple[SortBy, ...]:
    """?sort=weight,breed&order=desc,asc: keys and, for each, which way; asc where nothing else is said."""
    keys = [key for key in call.query.get("sort", "").split(",") if key]
    orders = [order for order in call.query.get("order", "").split(",") if order]
    return tuple(SortBy(field=key, descending=order == "desc") for key, order in zip_longest(keys, orders[: len(keys)], fillvalue="asc"))


def get_object(call: Call) -> Response:
    """One object, pictures included unless ?exclude=blobs says otherwise."""
    object_id = call.object_id
    collection = call.services.collections.get(home(call))
    record = call.services.objects.get(collection.name, object_id, _projection(call, collection), call.tenant)
    return json_response(render_object(collection, record, call.tenant) | {"vectorWeights": None})


def head_object(call: Call) -> Response:
    """204 where there is such an object, 404 where not."""
    try:
        call.services.objects.get(home(call), call.object_id, IDS_ONLY, call.tenant)
    except ObjectNotFound:
        return Response(404)
    return Response(_NO_CONTENT)


def replace_object(call: Call) -> Response:
    """Put a whole object in the place of a stored one; a body that is another object's was sent to the wrong path."""
    body = read_body(call.body, ObjectBody)
    name, draft = _draft_for(call, body, whole=True)
    record = call.services.objects.replace(name, call.object_id, draft)
    told = render_object(call.services.collections.get(name), record, draft.tenant)
    if body.properties is None:
        del told["properties"]  # as in Weaviate, which tells what was sent
    return json_response(told)


def merge_object(call: Call) -> Response:
    """Change some properties."""
    name, draft = _draft_for(call, read_body(call.body, ObjectBody))
    call.services.objects.merge(name, call.object_id, draft)
    return Response(_NO_CONTENT)


def delete_object(call: Call) -> Response:
    """Delete; 204 also where there was none: after it, there is none. By its id alone an object goes from every collection that has it."""
    named, object_id = call.path.get("collection"), call.object_id
    homes = [named] if named else list(call.services.whereabouts.homes(object_id, call.tenant))
    for name in homes:
        call.services.objects.delete(name, object_id, call.tenant)
    return Response(_NO_CONTENT if homes else 404)  # without a collection that has it, nobody knows what was meant


def home(call: Call) -> str:
    """The collection of the object in the path: it is named there, or looked for.

    Raises:
        ObjectNotFound: no collection has it.
    """
    return call.path.get("collection") or call.services.whereabouts.home(call.object_id, call.tenant)


def _object(call: Call) -> ObjectBody:
    body = read_body(call.body, ObjectBody)
    if not body.collection:
        raise InvalidInput("the object names no class; say which collection it belongs to")
    return body


def _draft_for(call: Call, body: ObjectBody, *, whole: bool = False) -> tuple[str, Draft]:
    """The collection and the draft of a change to the object in the path; whose tenant it is, the body says.

    Args:
        whole: whether the body is to be that object; of a change only the path is asked whose it is, as in Weaviate.
    """
    object_id = call.object_id
    name = call.path.get("collection") or body.collection
    if not name:
        raise InvalidInput("the object names no class; say which collection it belongs to")
    draft = read_draft(body)
    if whole and draft.id != object_id:
        raise InvalidInput(f"the path names object {object_id}, the body {draft.id}; an id cannot be changed", id=str(draft.id))
    if whole and not body.collection:
        raise InvalidInput("the object names no class; say which collection it belongs to")
    if whole and body.collection != name:
        _refuse_another(call, name, body.collection)
    return name, replace(draft, id=object_id)


def _refuse_another(call: Call, name: str, named_by_body: str) -> None:
    """Two names may be one collection's, by an alias or in the case of the first letter."""
    with missing_is_invalid():
        other = call.services.collections.get(named_by_body).name
    if other != call.services.collections.get(name).name:
        raise InvalidInput(f"the path names collection {name!r}, the body {named_by_body!r}; an object stays in its collection", collection=other)


def _kind_of_read(call: Call) -> Hashable | None:
    return _kind(call, call.path["collection"])


def _kind(call: Call, name: str) -> Hashable | None:
    """Objects of one collection cost alike; pictures, or a collection that has to be opened, are waited for."""
    collection = call.services.collections.get(name)
    with_pictures = call.query.get("exclude") != "blobs" and any(prop.data_type is DataType.BLOB for prop in collection.properties)
    if with_pictures or not call.services.objects.shards.are_at_hand(collection, call.tenant):
        return None
    return ("object", collection.name, call.query.get("include", ""))


def _kind_of_list(call: Call) -> Hashable | None:
    """So do lists in one order, of about as many objects; of all collections, they have to be looked for."""
    name = call.query.get("class")
    one = _kind(call, name) if name else None
    last = (call.number("offset") or 0) + (call.number("limit") or 0)
    return one and (one, last.bit_length(), call.query.get("sort", ""), call.query.get("order", ""))


def _projection(call: Call, collection: Collection) -> Projection:
    return projection_of(collection, call.query.get("include", ""), call.query.get("exclude", ""))


_READ = ("include", "exclude", "tenant", "consistency_level", "node_name")
_LIST = ("class", "limit", "offset", "after", "sort", "order", "include", "exclude", "tenant")
_WRITE = ("consistency_level", "tenant")
_NOT_THERE = {404: "there is no such object"}
_NO_COLLECTION = {404: "there is no such collection"}
_NAMED, _BY_ID = "/v1/objects/{collection}/{id}", "/v1/objects/{id}"
ROUTES = (
    Route(method="GET", path="/v1/objects", endpoint=list_objects, query=_LIST, bare=_NO_COLLECTION, kind=_kind_of_list),
    Route(method="POST", path="/v1/objects", endpoint=insert_object, body=ObjectBody, query=("consistency_level",)),
    Route(method="POST", path="/v1/objects/validate", endpoint=validate_object, body=ObjectBody, asks=True),
    *(
        route
        for path, kind in ((_NAMED, _kind_of_read), (_BY_ID, None))
        for route in (
            Route(method="HEAD", path=path, endpoint=head_object, query=_WRITE, status=_NO_CONTENT, kind=kind),
            Route(method="GET", path=path, endpoint=get_object, query=_READ, bare=_NOT_THERE, kind=kind),
            Route(method="PUT", path=path, endpoint=replace_object, body=ObjectBody, query=("consistency_level",)),
            Route(method="PATCH", path=path, endpoint=merge_object, body=ObjectBody, query=("consistency_level",), status=_NO_CONTENT, bare=_NOT_THERE),
            Route(method="DELETE", path=path, endpoint=delete_object, query=_WRITE, status=_NO_CONTENT, bare=_NOT_THERE),
        )
    ),
)
