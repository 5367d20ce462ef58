"""What the header fields of a call ask for (gRPC over HTTP/2, "Requests").

    :method POST, :path /package.Service/Method, te: trailers, content-type: application/grpc[+proto], grpc-timeout: 1500m, grpc-encoding: gzip

Who is no gRPC client is answered in HTTP, in words; who is, with a status. Read once for each header block that comes (`Head.reading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nearimage.domain.errors import Denied, Unauthenticated
from nearimage.doors.access import Access
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.handlers import HEALTH, READS
from nearimage.doors.grpc.http2.requests import Head
from nearimage.doors.grpc.native.messages import ENCODINGS
from nearimage.doors.grpc.native.methods import Method
from nearimage.doors.grpc.native.service import Service
from nearimage.doors.grpc.native.status import Status

_TIMEOUT_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT_DIGITS = 8
_HEALTH, _READS = (frozenset(method.encode() for method in methods) for methods in (HEALTH, READS))

ONLY_GRPC = "this port speaks gRPC only; REST and the search page are on the other port\n"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not made.

    Attributes:
        http_status: what to answer somebody who speaks no gRPC; None if a gRPC status is understood.
    """

    status: Status
    message: str
    http_status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call as its header fields describe it.

    Attributes:
        timeout_s: how long the client waits; None for ever.
        encoding: of its compressed messages.
        reply_encoding: of the replies: that of the request if the client takes it.
    """

    method: Method
    timeout_s: float | None = None
    encoding: str = "identity"
    reply_encoding: str = "identity"


def read_asked(head: Head, service: Service) -> Asked | Refusal:
    """Read the fields of a request."""
    values = head.values
    if values[b":method"] != b"POST":
        return Refusal(Status.UNIMPLEMENTED, f"gRPC calls are POST requests; {ONLY_GRPC}", http_status=405)
    content_type = values.get(b"content-type", b"")
    if content_type.split(b";")[0].split(b"+")[0] != b"application/grpc":
        return Refusal(Status.INVALID_ARGUMENT, f"the content-type of gRPC is application/grpc; {ONLY_GRPC}", http_status=415)
    if head.size_bytes > service.limits.header_list_bytes:
        return Refusal(Status.RESOURCE_EXHAUSTED, f"the metadata has {head.size_bytes} bytes, {service.limits.header_list_bytes} are allowed; send less of it")
    if (stranger := _stranger(values, service.access)) is not None:
        return stranger
    method = service.methods.get(values[b":path"])
    if method is None:
        return Refusal(Status.UNIMPLEMENTED, "Method not found!")  # grpcio's words
    return _read_options(values, method)


def _stranger(values: Mapping[bytes, bytes], access: Access) -> Refusal | None:
    """Why a call is not let in; anybody may ask whether the server is there."""
    if values[b":path"] in _HEALTH:
        return None
    sent = values.get(b"authorization")
    try:
        user = access.user(sent.decode("latin-1") if sent is not None else None)
        access.check(user, reads=values[b":path"] in _READS)
    except (Unauthenticated, Denied) as refused:
        return Refusal(Status[fault_of(refused).grpc_code], refused.message)
    return None


def _read_options(values: Mapping[bytes, bytes], method: Method) -> Asked | Refusal:
    try:
        timeout_s = _read_timeout(values.get(b"grpc-timeout"))
    except ValueError:
        said = values[b"grpc-timeout"].decode("latin-1")
        return Refusal(Status.INVALID_ARGUMENT, f"grpc-timeout is up to {_TIMEOUT_DIGITS} digits and a unit (H, M, S, m, u or n), got {said!r}")
    encoding = values.get(b"grpc-encoding", b"identity").decode("latin-1")
    if encoding != "identity" and encoding not in ENCODINGS:
        return Refusal(Status.UNIMPLEMENTED, f"messages compressed with {encoding!r} cannot be read; use gzip, deflate or none")
    accepted = {name.strip() for name in values.get(b"grpc-accept-encoding", b"").decode("latin-1").split(",")}
    return Asked(method=method, timeout_s=timeout_s, encoding=encoding, reply_encoding=encoding if encoding in accepted else "identity")


def _read_timeout(text: bytes | None) -> float | None:
    if text is None:
        return None
    digits, unit = text[:-1], text[-1:].decode("latin-1")
    if not digits.isdigit() or len(digits) > _TIMEOUT_DIGITS or unit not in _TIMEOUT_UNITS_S:
        raise ValueError(text)
    return int(digits) * _TIMEOUT_UNITS_S[unit]
