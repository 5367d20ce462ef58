"""The calls of one connection without a socket: bytes in, bytes out, work done when the test says so, time that the test moves."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from nearimage.doors.access import OPEN
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.native.calls import Calls
from nearimage.doors.grpc.native.methods import methods_by_path
from nearimage.doors.grpc.native.service import Service
from nearimage.doors.grpc.native.work import Work
from nearimage.doors.memory import Memory
from tests.transport.peer import Frame, Peer
from tests.transport.served import Played, methods_of

MIB = 1024 * 1024


class Undone(Executor):
    """A pool whose work is done when the test asks for it."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Keep it."""
        self.jobs.append(lambda: fn(*args, **kwargs))
        return Future()

    def work(self) -> int:
        """Do everything, also what follows from it; how much it was."""
        done = 0
        while self.jobs:
            self.jobs.pop(0)()
            done += 1
        return done


@dataclass
class Timers:
    """What was to be called later, and the clock.

    Attributes:
        step: how far the clock goes on each time it is looked at.
    """

    now: float = 0.0
    step: float = 0.0
    waiting: "list[Timer]" = field(default_factory=list)

    def clock(self) -> float:
        """Now."""
        self.now += self.step
        return self.now

    def call_later(self, delay: float, what: Callable[[], None]) -> "Timer":
        """Keep it."""
        self.waiting.append(Timer(self.now + delay, what))
        return self.waiting[-1]

    def pass_by(self, seconds: float) -> None:
        """Move on, and call what is due."""
        self.now += seconds
        due = [one for one in self.waiting if one.at <= self.now]
        self.waiting = [one for one in self.waiting if one.at > self.now]
        for one in due:
            if not one.is_cancelled:
                one.what()


@dataclass
class Timer:
    """See `service.Timer`."""

    at: float
    what: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        """It will not be called."""
        self.is_cancelled = True


@dataclass
class World:
    """What the connections of a test share."""

    limits: Limits = field(default_factory=Limits)
    max_message_bytes: int = 4 * MIB
    max_unread_bytes: int = MIB
    memory_bytes: int = 8 * MIB
    threads: int = 2
    timers: Timers = field(default_factory=Timers)
    pool: Undone = field(default_factory=Undone)
    played: Played = field(default_factory=Played)

    def __post_init__(self) -> None:
        self.played.gate.set()
        self.memory = Memory(self.memory_bytes)
        self.service = Service(
            methods=methods_by_path(*methods_of(self.played)),
            access=OPEN,
            limits=self.limits,
            max_message_bytes=self.max_message_bytes,
            max_unread_bytes=self.max_unread_bytes,
            stall_s=60,
            memory=self.memory,
            work=Work(self.pool, self.threads, lambda what, *arguments: what(*arguments)),
            call_later=self.timers.call_later,
            clock=self.timers.clock,
        )

    def line(self, *settings: tuple[int, int]) -> "Line":
        """A connection that has been greeted."""
        line = Line(self)
        line.send(line.peer.hello(*settings))
        return line


class Line:
    """One connection, both ends.

    Attributes:
        reads: whether the client takes what is sent to it.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.peer = Peer()
        self.calls = Calls(world.service, lambda: None)
        self.connection = self.calls.connection

    def send(self, data: bytes) -> list[Frame]:
        """What comes back."""
        self.calls.receive(data)
        while self.connection.has_more:
            self.calls.receive(b"")
        return self.take()

    def take(self) -> list[Frame]:
        """What the server has to say now."""
        found: list[Frame] = []
        while data := self.connection.sender.take(1 << 16):
            found += self.peer.read(data)
        self.calls.relieve()
        return found
