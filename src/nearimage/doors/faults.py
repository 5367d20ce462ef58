"""The one table of errors: family -> HTTP status, gRPC code.

The numbers come from the official clients, not from taste: Python v4 retries gRPC on UNAVAILABLE and nothing else, so `Busy` goes there; its REST
calls list the statuses they accept one by one, and a conflict over an id is expected as 422. The first row that fits counts.

An exception that is not ours becomes "internal" with an id: the client gets the id, the log gets the stack.

May import `domain` and the standard library only.
"""

import logging
from dataclasses import dataclass
from uuid import uuid4

from nearimage.domain.errors import (
    Busy,
    Conflict,
    Corrupt,
    Denied,
    InvalidInput,
    MalformedJson,
    MalformedRequest,
    NearimageError,
    NotFound,
    NotSupported,
    Unauthenticated,
    UnsupportedMediaType,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """What a door tells the client."""

    code: str
    message: str
    http_status: int
    grpc_code: str


_TABLE: tuple[tuple[type[NearimageError], int, str], ...] = (
    (MalformedJson, 400, "INVALID_ARGUMENT"),
    (MalformedRequest, 400, "INVALID_ARGUMENT"),
    (UnsupportedMediaType, 415, "INVALID_ARGUMENT"),
    (InvalidInput, 422, "INVALID_ARGUMENT"),
    (NotFound, 404, "NOT_FOUND"),
    (Conflict, 422, "ALREADY_EXISTS"),
    (Unauthenticated, 401, "UNAUTHENTICATED"),
    (Denied, 403, "PERMISSION_DENIED"),
    (Busy, 503, "UNAVAILABLE"),
    (NotSupported, 422, "UNIMPLEMENTED"),
    (Corrupt, 500, "DATA_LOSS"),
)


def fault_of(error: BaseException) -> Fault:
    """How an exception is told to a client; one that is not ours is logged with its stack."""
    for family, status, grpc_code in _TABLE:
        if isinstance(error, family):
            return Fault(error.code, error.message, status, grpc_code)
    incident = uuid4().hex[:12]
    _log.error("internal error %s", incident, exc_info=error)
    return Fault("internal", f"internal error {incident}: the server's log has the details under this number", 500, "INTERNAL")
