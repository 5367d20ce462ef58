"""Roles, groups and users made by request: there are none, and programs that list them are told so. The base of all paths is /v1.

This is what Weaviate answers where neither roles nor such users are switched on; only its empty bodies, which no client can read, are empty lists here.
Keys, and who may only read, are settings (`doors.access`).

May import `domain` and `doors` only.
"""

from nearimage.domain.errors import NotSupported
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.json_body import json_response

_ROLE = "/v1/authz/roles/{role}"
_USER = "/v1/users/db/{user}"
_LISTS = (
    "/v1/users/db",
    "/v1/authz/roles",
    f"{_ROLE}/users",
    f"{_ROLE}/user-assignments",
    f"{_ROLE}/group-assignments",
    "/v1/authz/users/{user}/roles",
    "/v1/authz/users/{user}/roles/{kind}",
    "/v1/authz/groups/{kind}",
    "/v1/authz/groups/{group}/roles/{kind}",
)
_REFUSED = (
    ("POST", "/v1/authz/roles"),
    ("GET", _USER),
    ("POST", _USER),
    ("DELETE", _USER),
    ("POST", f"{_USER}/rotate-key"),
    ("POST", f"{_USER}/activate"),
    ("POST", f"{_USER}/deactivate"),
)


def none_at_all(_: Call) -> Response:
    """There are none."""
    return json_response([])


def no_permission(_: Call) -> Response:
    """A role that is not there permits nothing."""
    return json_response(False)


def refuse(_: Call) -> Response:
    """Roles and users are not made by request."""
    raise NotSupported("roles and users are not made by request here; set AUTHENTICATION_APIKEY_USERS and AUTHORIZATION_ADMINLIST_USERS")


ROUTES = (
    *(Route(method="GET", path=path, endpoint=none_at_all) for path in _LISTS),
    *(Route(method=method, path=path, endpoint=refuse) for method, path in _REFUSED),
    Route(method="POST", path=f"{_ROLE}/has-permission", endpoint=no_permission, asks=True),
)
