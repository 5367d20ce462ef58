"""Routes of the tenants of a collection. The base of all paths is /v1.

Clients send the older names of a tenant's state (HOT, COLD, FROZEN) or today's; what they read are the older ones, as from Weaviate.

May import msgspec, `domain`, `service` and `doors` only.
"""

from collections.abc import Sequence

from nearimage.domain.errors import InvalidInput, InvalidParameter
from nearimage.domain.schema import Tenant, TenantState
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import NOT_ONE_OF, Call, Route, missing_is_invalid
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.rest.sent import Sent

_STATES = {
    **{state.value: state for state in TenantState},
    "HOT": TenantState.ACTIVE,
    "COLD": TenantState.INACTIVE,
    "FROZEN": TenantState.OFFLOADED,
}
_NAMES = {TenantState.ACTIVE: "HOT", TenantState.INACTIVE: "COLD", TenantState.OFFLOADED: "FROZEN"}


class TenantBody(Sent, rename="camel"):
    """A tenant as clients send it."""

    name: str | None = None
    activity_status: str | None = None


@missing_is_invalid()
def create_tenants(call: Call) -> Response:
    """Make tenants; the reply shows them as they were sent, in the older names of states."""
    bodies = read_body(call.body, list[TenantBody])
    call.services.tenants.create(call.collection, _read(bodies))
    return _echoed(bodies)


@missing_is_invalid()
def update_tenants(call: Call) -> Response:
    """Activate and deactivate tenants."""
    bodies = read_body(call.body, list[TenantBody])
    tenants = _read(bodies)
    if unsaid := [body.name for body in bodies if not body.activity_status]:
        raise InvalidInput(f"tenant {unsaid[0]!r} has no activityStatus; say which it shall have")
    call.services.tenants.update(call.collection, tenants)
    return _echoed(bodies)


@missing_is_invalid()
def delete_tenants(call: Call) -> Response:
    """Drop tenants with all their objects."""
    names = read_body(call.body, list[str])
    if "" in names:
        raise InvalidInput(f"the tenant at index {names.index('')} has no name")
    call.services.tenants.delete(call.collection, names)
    return Response(200)


@missing_is_invalid()
def list_tenants(call: Call) -> Response:
    """Every tenant of a collection."""
    return json_response([_render(name, state) for name, state in call.services.tenants.all(call.collection).items()])


@missing_is_invalid()
def get_tenant(call: Call) -> Response:
    """One tenant."""
    state = call.services.tenants.find(call.collection, call.path["tenant"])
    return Response(404) if state is None else json_response(_render(call.path["tenant"], state))


@missing_is_invalid()
def head_tenant(call: Call) -> Response:
    """200 where there is such a tenant, 404 where not."""
    return Response(200 if call.services.tenants.exists(call.collection, call.path["tenant"]) else 404)


def _read(bodies: Sequence[TenantBody]) -> list[Tenant]:
    wrong = [body.activity_status for body in bodies if body.activity_status not in (None, "", *_STATES)]
    if wrong:
        raise InvalidParameter(f"activityStatus is one of {list(_STATES)}, got {wrong[0]!r}", rule=NOT_ONE_OF)
    return [Tenant(body.name or "", _STATES[body.activity_status or "HOT"]) for body in bodies]


def _echoed(bodies: Sequence[TenantBody]) -> Response:
    return json_response([{"name": body.name} | ({"activityStatus": _NAMES[_STATES[body.activity_status]]} if body.activity_status else {}) for body in bodies])


def _render(name: str, state: TenantState) -> Json:
    return {"name": name, "activityStatus": _NAMES[state]}


_TENANTS = "/v1/schema/{collection}/tenants"
ROUTES = (
    Route(method="GET", path=_TENANTS, endpoint=list_tenants),
    Route(method="POST", path=_TENANTS, endpoint=create_tenants, body=list[TenantBody]),
    Route(method="PUT", path=_TENANTS, endpoint=update_tenants, body=list[TenantBody]),
    Route(method="DELETE", path=_TENANTS, endpoint=delete_tenants, body=list[str]),
    Route(method="GET", path=f"{_TENANTS}/{{tenant}}", endpoint=get_tenant, bare={404: "there is no such tenant"}),
    Route(method="HEAD", path=f"{_TENANTS}/{{tenant}}", endpoint=head_tenant),
)
