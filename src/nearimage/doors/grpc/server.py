"""The transport of the gRPC door: grpcio's asyncio server around the handlers.

Handlers begin on the event loop; what they leave to do blocks, and is done in the pool that the doors share. May import grpc, `domain` and `doors` only.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import grpc

from nearimage.domain.errors import Denied, PortTaken, Unauthenticated
from nearimage.doors.access import OPEN, Access
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.handlers import HEALTH, READS, Handler, OpenSession
from nearimage.doors.grpc.tls import Tls
from nearimage.doors.waiting import in_thread

MAX_MESSAGE_BYTES = 104_858_000
"""What the clients allow themselves by default and `/v1/meta` announces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcDoor:
    """Serves gRPC on one address."""

    methods: Mapping[str, Handler]
    streams: Mapping[str, OpenSession]
    executor: Executor
    access: Access = OPEN
    max_message_bytes: int = MAX_MESSAGE_BYTES
    tls: Tls | None = None

    def start(self, host: str, port: int) -> tuple[Any, int]:
        """Bind and return the server, not yet started, with its port.

        Raises:
            PortTaken: another program listens there.
        """
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self.max_message_bytes),
                ("grpc.max_send_message_length", self.max_message_bytes),
                ("grpc.so_reuseport", 0),  # or a second server would share the port, and each answer half of the requests
            ]
        )
        server.add_generic_rpc_handlers((_Methods(self),))
        try:
            return server, self._bind(server, f"{host}:{port}")
        except RuntimeError as wrong:
            message = f"port {port} on {host} (gRPC) is in use; stop what listens there or choose another with --grpc-port"
            raise PortTaken(message, host=host, port=port) from wrong

    def _bind(self, server: Any, address: str) -> Any:
        if self.tls is None:
            return server.add_insecure_port(address)
        certificate, key = self.tls.read()
        return server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))

    async def answer(self, method: str, request: bytes, context: Any) -> bytes:
        """Run one handler; what it raises becomes the status of the call. grpcio cancels this where the client hangs up or its deadline passes."""
        try:
            answer = self.methods[method].begin(request)
            return answer if isinstance(answer, bytes) else await in_thread(self.executor, answer)
        except Exception as error:  # noqa: BLE001 - the door's boundary
            await _abort(context, error)

    async def converse(self, method: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Run one session: every message is answered before the next one is read, so a slow disk holds up the sender."""
        session = self.streams[method]()
        try:
            async for request in requests:
                for reply in await in_thread(self.executor, partial(session.answer, request)):
                    yield reply
                if session.is_over:
                    return
        except Exception as error:  # noqa: BLE001 - the door's boundary
            await _abort(context, error)

    def refusal(self, method: str, metadata: Sequence[tuple[str, str | bytes]]) -> Unauthenticated | Denied | None:
        """Why a call is not let in; anybody may ask whether the server is there."""
        if method in HEALTH:
            return None
        sent = next((value for name, value in metadata or () if name == "authorization"), None)
        try:
            user = self.access.user(sent.decode("latin-1") if isinstance(sent, bytes) else sent)
            self.access.check(user, reads=method in READS)
        except (Unauthenticated, Denied) as refused:
            return refused
        return None


async def _abort(context: Any, error: Exception) -> NoReturn:
    fault = fault_of(error)
    await context.abort(getattr(grpc.StatusCode, fault.grpc_code), fault.message)
    raise AssertionError("abort raises") from error


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc has no types
    def __init__(self, door: GrpcDoor) -> None:
        self._door = door

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method
        refusal = self._door.refusal(method, handler_call_details.invocation_metadata)
        if refusal:

            async def refuse(_: bytes, context: Any) -> bytes:
                await _abort(context, refusal)

            return grpc.unary_unary_rpc_method_handler(refuse)
        if method in self._door.streams:

            async def stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
                async for reply in self._door.converse(method, requests, context):  # grpcio looks whether this function is a generator itself
                    yield reply

            return grpc.stream_stream_rpc_method_handler(stream)
        if method not in self._door.methods:
            return None

        async def unary(request: bytes, context: Any) -> bytes:
            return await self._door.answer(method, request, context)

        return grpc.unary_unary_rpc_method_handler(unary)
