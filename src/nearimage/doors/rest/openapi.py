"""The REST door as an OpenAPI 3.1 document.

It is written from the table of routes and the types that requests are read into, so it cannot say anything else than what the door does.

May import msgspec and `doors` only.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from nearimage.doors.rest.call import Route
from nearimage.doors.rest.json_body import Json
from nearimage.doors.rest.sent import Sent

_REF = "#/components/schemas/{name}"
_ERROR: Json = {
    "type": "object",
    "description": "What went wrong: a list of messages, or, of a part of the request that has the wrong form, one message with its number.",
    "properties": {
        "error": {"type": "array", "items": {"type": "object", "properties": {"message": {"type": "string"}, "code": {"type": "string"}}}},
        "code": {"type": "integer"},
        "message": {"type": "string"},
    },
}


def document(routes: Sequence[Route], *, version: str) -> Json:
    """The document.

    Args:
        version: that the server reports.
    """
    bodies = [route.body for route in routes if route.body is not None]
    schemas, components = msgspec.json.schema_components(bodies, ref_template=_REF)
    for name in {one.__name__ for one in _every_kind(Sent)} & components.keys():
        components[name].pop("additionalProperties")  # names that nobody knows are left out
    known = dict(zip((id(body) for body in bodies), schemas, strict=True))
    paths: dict[str, Json] = {}
    for route in routes:
        described = _operation(route, known.get(id(route.body)))
        paths.setdefault(route.path, {})[route.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "nearimage", "version": version, "description": "Image search over REST, with the paths that clients of Weaviate know."},
        "paths": paths,
        "components": {"schemas": {**components, "Error": _ERROR}},
    }


def _every_kind(kind: type[Sent]) -> Iterator[type[Sent]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _every_kind(one)


def _operation(route: Route, schema: Json | None) -> Json:
    summary, _, more = (route.endpoint.__doc__ or "").strip().partition("\n")
    in_path = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in re.findall(r"{(\w+)}", route.path)]
    in_query = [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in route.query]
    error = {"description": "it was refused, or failed", "content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}}}
    operation: Json = {
        "operationId": _operation_id(route),
        "summary": summary,
        "parameters": [*in_path, *in_query],
        "responses": {str(route.status): {"description": "done"}, **{str(code): {"description": why} for code, why in route.bare.items()}, "default": error},
    }
    if more.strip():
        operation["description"] = re.sub(r"\s+", " ", more).strip()
    if schema is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _operation_id(route: Route) -> str:
    """The method and the path in words, which no other route has."""
    return re.sub(r"\W+", "_", f"{route.method.lower()}{route.path.removeprefix('/v1')}").strip("_")
