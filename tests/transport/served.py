"""A gRPC door over handlers made for tests, on either transport, in a thread of this process."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import uvloop

from nearimage.domain.cancellation import current_cancellation
from nearimage.domain.errors import InvalidInput, NotFound
from nearimage.doors.grpc.handlers import Answer, Handler, OpenSession
from nearimage.doors.grpc.native.door import Allowances, NativeDoor, NativeServer
from nearimage.doors.grpc.server import GrpcDoor
from nearimage.doors.grpc.tls import Tls
from nearimage.doors.grpc.transport import Door, GrpcServer

Methods = tuple[Mapping[str, Handler], Mapping[str, OpenSession]]

KINDS = ("native", "grpcio")
MAX_MESSAGE_BYTES = 104_858_000
THREADS = 4
WORDS = "no such thing: 100 % of Käse\nis gone"


@dataclass
class Played:
    """What the handlers were asked to do, seen from the test.

    Attributes:
        begun: messages whose work has begun in a thread.
        gate: work that waits for the test goes on when it is set.
        told: set when work that waited learnt that nobody waits for it.
    """

    begun: list[bytes] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)

    def wait(self, message: bytes) -> bytes:
        """Work that takes until the test says so."""
        self.begun.append(message)
        token = current_cancellation()
        with token.on_cancel(self.told.set) if token else nullcontext():
            self.gate.wait(20)
        return message


class Echoing:
    """A conversation: every message comes back twice; "stop" ends it, "bad" is a mistake."""

    def __init__(self) -> None:
        self.is_over = False

    def answer(self, request: bytes) -> Sequence[bytes]:
        """See `handlers.Session`."""
        if request == b"bad":
            raise InvalidInput(WORDS)
        self.is_over = request == b"stop"
        return () if self.is_over else (request, request)


def _fail(message: bytes) -> Answer:
    raise NotFound(WORDS) if message == b"missing" else ValueError("a mistake of the server's own")


def _large(message: bytes) -> Answer:
    return lambda: bytes(int(message))


@dataclass(frozen=True)
class Served:
    """A running door.

    Attributes:
        server: what answers; its connections can be counted on the native transport.
    """

    kind: str
    port: int
    server: GrpcServer
    played: Played
    loop: asyncio.AbstractEventLoop

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def native(self) -> NativeServer:
        """The server of the native transport."""
        assert isinstance(self.server, NativeServer)
        return self.server

    def stop(self, grace_s: float) -> None:
        """Shut down in good order, from another thread."""

        async def stop() -> None:
            await self.server.stop(grace_s)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(grace_s + 10)


def methods_of(played: Played) -> Methods:
    """Methods for tests: quick, slow, waiting, failing, large; and a conversation."""
    unary = {
        "/t.T/Quick": Handler(lambda message: message),
        "/t.T/Slow": Handler(lambda message: lambda: message),
        "/t.T/Wait": Handler(lambda message: lambda: played.wait(message)),
        "/t.T/Fail": Handler(_fail),
        "/t.T/Large": Handler(_large),
        "/t.T/Discard": Handler(lambda message: lambda: str(len(message)).encode()),
        "/grpc.health.v1.Health/Check": Handler(lambda _: b"\x08\x01"),
    }
    return unary, {"/t.T/Converse": Echoing}


def door_of(kind: str, methods: Methods, executor: Executor, allowances: Allowances, tls: Tls | None = None) -> Door:
    """A door with these methods."""
    unary, streams = methods
    if kind == "grpcio":
        return GrpcDoor(methods=unary, streams=streams, executor=executor, max_message_bytes=MAX_MESSAGE_BYTES, tls=tls)
    return NativeDoor(methods=unary, streams=streams, executor=executor, threads=THREADS, max_message_bytes=MAX_MESSAGE_BYTES, allowances=allowances, tls=tls)


@contextmanager
def served(kind: str = "native", *, allowances: Allowances | None = None, tls: Tls | None = None, methods: Methods | None = None) -> Iterator[Served]:
    """A door that answers until the block ends.

    Args:
        methods: what is called with one message, and what opens conversations; those for tests without it.
    """
    played, loop, ready, ended = Played(), uvloop.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Served] = []

    async def run() -> None:
        server, port = door_of(kind, methods or methods_of(played), executor, allowances or Allowances(), tls).start("127.0.0.1", 0)
        await server.start()
        found.append(Served(kind, port, server, played, loop))
        ready.set()
        await ended.wait()
        await server.stop(0)

    with ThreadPoolExecutor(THREADS) as executor:
        thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
        thread.start()
        assert ready.wait(10)
        try:
            yield found[0]
        finally:
            played.gate.set()
            loop.call_soon_threadsafe(ended.set)
            thread.join(20)
            loop.close()
