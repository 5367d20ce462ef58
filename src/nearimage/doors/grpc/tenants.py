"""TenantsGet: the tenants of a collection and whether they are active. May import `domain`, `service` and `doors.wire` only."""

import time

from nearimage.domain.errors import InvalidInput
from nearimage.domain.schema import TenantState
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.wire.messages import TenantActivityStatus, TenantsGetReply, TenantsGetRequest
from nearimage.service.services import Services

_STATUS = {
    TenantState.ACTIVE: TenantActivityStatus.TENANT_ACTIVITY_STATUS_HOT,
    TenantState.INACTIVE: TenantActivityStatus.TENANT_ACTIVITY_STATUS_COLD,
    TenantState.OFFLOADED: TenantActivityStatus.TENANT_ACTIVITY_STATUS_FROZEN,
}


def tenants_get(services: Services, request: bytes) -> bytes:
    """All tenants, or those named that are there.

    Raises:
        InvalidInput: the bytes are no such message, or no names where names are meant.
    """
    started = time.perf_counter()
    message = parse(TenantsGetRequest, request)
    found = services.tenants.all(message.collection)
    names = list(found)
    if message.WhichOneof("params") == "names":
        if not message.names.values:
            raise InvalidInput("names has no entry; name the tenants, or leave names out to get them all")
        names = [name for name in message.names.values if name in found]
    reply = TenantsGetReply()
    for name in names:
        reply.tenants.add(name=name, activity_status=_STATUS[found[name]])
    reply.took = time.perf_counter() - started
    return bytes(reply.SerializeToString())
