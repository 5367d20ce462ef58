"""Which transport carries gRPC: this program's own (`native`), or grpcio.

The handlers are the same, and so are the bytes of every reply (`tests/congruence/test_transports_agree.py`). May import `config`, `doors` and `service` only.
"""

from collections.abc import Awaitable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nearimage.config.settings import Settings
from nearimage.doors.access import OPEN, Access
from nearimage.doors.grpc.handlers import handlers, streams
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.native.door import Allowances, NativeDoor
from nearimage.doors.grpc.native.watch import Patience
from nearimage.doors.grpc.server import GrpcDoor
from nearimage.doors.grpc.tls import Tls
from nearimage.doors.memory import MIB
from nearimage.service.services import Services


@dataclass(frozen=True, slots=True)
class Transport:
    """What carries gRPC.

    Attributes:
        kind: "native" or "grpcio".
        threads: requests worked on at once, of all doors.
        access: who may call, on all doors.
        allowances: what clients may use; of the native one.
        tls: None for plaintext.
    """

    kind: str
    threads: int
    access: Access = OPEN
    allowances: Allowances = field(default_factory=Allowances)
    tls: Tls | None = None


def transport_of(settings: Settings, access: Access) -> Transport:
    """The transport that is set."""
    limits = Limits(
        streams=settings.grpc_streams,
        header_list_bytes=settings.grpc_header_bytes,
        header_table_bytes=settings.grpc_header_table_bytes,
        frame_bytes=settings.grpc_frame_bytes,
        window_bytes=settings.grpc_window_bytes,
        control_burst=settings.grpc_control_burst,
        control_per_s=settings.grpc_controls_per_s,
        reset_burst=settings.grpc_reset_burst,
        resets_per_s=settings.grpc_resets_per_s,
        continuation_frames=settings.grpc_continuations,
    )
    patience = Patience(
        handshake_s=settings.grpc_handshake_s,
        stall_s=settings.grpc_stall_s,
        keepalive_s=settings.grpc_keepalive_s,
        answer_s=settings.grpc_answer_s,
        idle_s=settings.grpc_idle_s,
    )
    memory_bytes, unread_bytes = settings.grpc_upload_mib * MIB, settings.grpc_unread_mib * MIB
    allowances = Allowances(limits=limits, patience=patience, connections=settings.grpc_connections, memory_bytes=memory_bytes, unread_bytes=unread_bytes)
    tls = Tls(Path(settings.grpc_certificate), Path(settings.grpc_key)) if settings.grpc_certificate else None
    return Transport(settings.grpc_transport, settings.threads, access, allowances, tls)


class GrpcServer(Protocol):
    """A server whose port is bound."""

    def start(self) -> Awaitable[Any]:
        """Answer from now on."""
        ...

    def stop(self, grace: float) -> Awaitable[Any]:
        """Accept nothing new, give what is under way so many seconds, and close."""
        ...


class Door(Protocol):
    """A transport with its methods."""

    def start(self, host: str, port: int) -> tuple[GrpcServer, int]:
        """Bind; returns the server, not yet answering, and its port."""
        ...


def grpc_door(services: Services, transport: Transport, executor: Executor, *, node: str, max_message_bytes: int) -> Door:
    """The gRPC door over a database; `node` is how the server calls itself."""
    methods, conversations, access, tls = handlers(services, node=node), streams(services), transport.access, transport.tls
    if transport.kind == "grpcio":
        return GrpcDoor(methods=methods, streams=conversations, executor=executor, access=access, max_message_bytes=max_message_bytes, tls=tls)
    return NativeDoor(
        methods=methods,
        streams=conversations,
        executor=executor,
        threads=transport.threads,
        max_message_bytes=max_message_bytes,
        access=access,
        allowances=transport.allowances,
        tls=tls,
    )
