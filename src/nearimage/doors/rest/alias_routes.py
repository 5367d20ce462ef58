"""Routes of aliases. The base of all paths is /v1.

May import msgspec, `domain`, `service` and `doors` only.
"""

import msgspec

from nearimage.domain.errors import CollectionNotFound, InvalidInput
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.rest.sent import Sent


class AliasBody(Sent):
    """An alias as clients send it: when it is changed, its own name stands in the path."""

    alias: str = ""
    collection: str = msgspec.field(name="class", default="")


def list_aliases(call: Call) -> Response:
    """Every alias, or those of ?class."""
    found = call.services.aliases.all(call.query.get("class"))
    return json_response({"aliases": [_render(alias, collection) for alias, collection in found.items()]})


def create_alias(call: Call) -> Response:
    """Give a collection another name."""
    body = read_body(call.body, AliasBody)
    try:
        return json_response(_render(*call.services.aliases.create(body.alias, body.collection)))
    except CollectionNotFound as missing:  # 422, as clients expect here
        raise InvalidInput(missing.message, **missing.detail) from missing


def get_alias(call: Call) -> Response:
    """One alias."""
    return json_response(_render(*call.services.aliases.get(call.path["alias"])))


def replace_alias(call: Call) -> Response:
    """Let an alias stand for another collection."""
    call.services.aliases.get(call.path["alias"])
    try:
        return json_response(_render(*call.services.aliases.replace(call.path["alias"], read_body(call.body, AliasBody).collection)))
    except CollectionNotFound as missing:
        raise InvalidInput(missing.message, **missing.detail) from missing


def delete_alias(call: Call) -> Response:
    """Forget an alias."""
    call.services.aliases.drop(call.path["alias"])
    return Response(204)


def _render(alias: str, collection: str) -> Json:
    return {"alias": alias, "class": collection}


_ALIAS = "/v1/aliases/{alias}"
_NOT_THERE = {404: "there is no such alias"}
ROUTES = (
    Route(method="GET", path="/v1/aliases", endpoint=list_aliases, query=("class",)),
    Route(method="POST", path="/v1/aliases", endpoint=create_alias, body=AliasBody),
    Route(method="GET", path=_ALIAS, endpoint=get_alias, bare=_NOT_THERE),
    Route(method="PUT", path=_ALIAS, endpoint=replace_alias, body=AliasBody, bare=_NOT_THERE),
    Route(method="DELETE", path=_ALIAS, endpoint=delete_alias, status=204, bare=_NOT_THERE),
)
