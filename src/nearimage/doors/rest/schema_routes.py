"""Routes of collections, their properties and their shards. The base of all paths is /v1.

May import msgspec, `domain`, `service` and `doors` only.
"""

from dataclasses import replace

from nearimage.domain.errors import CollectionNotFound, InvalidSchema
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route, missing_is_invalid
from nearimage.doors.rest.json_body import json_response, read_body, read_settings
from nearimage.doors.rest.schema import ClassBody, PropertyBody, read_class, read_property, render_class, render_property
from nearimage.doors.rest.sent import Sent
from nearimage.doors.rest.shard_figures import of_collection
from nearimage.service.names import collection_name


class ShardBody(Sent):
    """The state that a shard shall have: READY or READONLY."""

    status: str = ""


def list_schema(call: Call) -> Response:
    """Every collection."""
    return json_response({"classes": [render_class(c) for c in call.services.collections.all()]})


def create_class(call: Call) -> Response:
    """Make a collection; the reply shows it with all defaults."""
    about = call.about
    collection = read_class(read_settings(call.body, ClassBody), default_module=about.default_module, default_index=about.default_index)
    return json_response(render_class(call.services.collections.create(collection)))


def get_class(call: Call) -> Response:
    """One collection."""
    return json_response(render_class(call.services.collections.get(call.collection)))


def alter_class(call: Call) -> Response:
    """Put another definition in the place of a collection's; what may not change is refused."""
    known, about = call.services.collections.get(call.collection), call.about
    body = read_settings(call.body, ClassBody)
    wanted = read_class(body, default_module=about.default_module, default_index=about.default_index, known=known)
    if collection_name(wanted.name) != known.name:
        raise InvalidSchema(f"the path names collection {known.name!r}, the body {wanted.name!r}; a collection cannot be renamed", setting="class")
    altered = call.services.collections.alter(wanted)
    in_order_sent = tuple(prop for sent in wanted.properties if (prop := altered.property(sent.name)))
    return json_response(render_class(replace(altered, properties=in_order_sent)))


def delete_class(call: Call) -> Response:
    """Drop a collection; 200 also where there was none, which is what the clients accept."""
    call.services.collections.drop(call.collection)
    return Response(200)


def add_property(call: Call) -> Response:
    """Give a collection another property."""
    prop = read_property(read_settings(call.body, PropertyBody))
    try:
        return json_response(render_property(call.services.collections.add_property(call.collection, prop)))
    except CollectionNotFound as missing:  # 422, as clients expect here
        raise InvalidSchema(missing.message, setting="class") from missing


def drop_index(call: Call) -> Response:
    """Give up an index of a property: filterable, searchable or rangeFilters. What is stored stays."""
    call.services.collections.drop_index(call.collection, call.path["property"], call.path["index"])
    return Response(200)


def list_shards(call: Call) -> Response:
    """The shards of a collection: one, or one for each active tenant; and what goes on in the background for each."""
    node = call.about.hostname
    figures = call.services.cluster.figures(call.collection, call.tenant)
    return json_response([of_collection(one, node) for one in figures])


def set_shard(call: Call) -> Response:
    """Make a shard read-only, or ready for writing again."""
    state = read_body(call.body, ShardBody).status
    with missing_is_invalid():
        call.services.cluster.set_state(call.collection, call.path["shard"], state)
    return json_response({"status": state})


_CLASS = "/v1/schema/{collection}"
ROUTES = (
    Route(method="GET", path="/v1/schema", endpoint=list_schema),
    Route(method="POST", path="/v1/schema", endpoint=create_class, body=ClassBody),
    Route(method="GET", path=_CLASS, endpoint=get_class, bare={404: "there is no such collection"}),
    Route(method="PUT", path=_CLASS, endpoint=alter_class, body=ClassBody),
    Route(method="DELETE", path=_CLASS, endpoint=delete_class),
    Route(method="POST", path=f"{_CLASS}/properties", endpoint=add_property, body=PropertyBody),
    Route(method="DELETE", path=f"{_CLASS}/properties/{{property}}/index/{{index}}", endpoint=drop_index),
    Route(method="GET", path=f"{_CLASS}/shards", endpoint=list_shards, query=("tenant",)),
    Route(method="PUT", path=f"{_CLASS}/shards/{{shard}}", endpoint=set_shard, body=ShardBody),
)
