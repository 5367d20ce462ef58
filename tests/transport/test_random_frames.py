"""A client that does anything: right frames, wrong frames, torn frames, in any order (Hypothesis); and conversations that are damaged on the way.

No exception leaves the protocol, nothing grows without bound, and nothing is left behind. `python tests/transport/fuzz.py` goes on for as long as it
is told to.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nearimage.doors.grpc.http2.limits import Limits
from tests.transport.fuzz import run
from tests.transport.invariants import check, check_nothing_is_left
from tests.transport.lines import World
from tests.transport.peer import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, message, number

STREAMS = st.integers(0, 12) | st.sampled_from([2**31 - 1, 101])
METHODS = st.sampled_from(["Quick", "Slow", "Wait", "Fail", "Large", "Converse", "Nothing"])
BODIES = st.binary(max_size=40) | st.integers(0, 70_000).map(lambda size: str(size).encode())
FIELDS = st.lists(
    st.sampled_from([("grpc-timeout", "1S"), ("grpc-timeout", "x"), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"), ("te", "gzip"), ("Big", "x")]),
    max_size=2,
)


class AnyClient(RuleBasedStateMachine):
    """One connection, and a client that means nothing in particular."""

    def __init__(self) -> None:
        super().__init__()
        limits = Limits(streams=4, control_burst=50, reset_burst=20, window_bytes=65_535)
        self.world = World(limits, max_message_bytes=200_000, memory_bytes=400_000, max_unread_bytes=50_000)
        self.line = self.world.line()

    @rule(method=METHODS, body=BODIES, more=FIELDS, end=st.booleans())
    def call(self, method: str, body: bytes, more: list[tuple[str, str]], end: bool) -> None:
        """A call as it should be, or nearly."""
        self.line.send(self.line.peer.call(body, f"/t.T/{method}", more=more, end=end))

    @rule(stream=STREAMS, method=METHODS, flags=st.sampled_from([END_HEADERS, END_HEADERS | END_STREAM, 0]))
    def headers_anywhere(self, stream: int, method: str, flags: int) -> None:
        """On a stream that may be anything by now."""
        block = self.line.peer.block([(":method", "POST"), (":scheme", "http"), (":path", f"/t.T/{method}"), ("content-type", "application/grpc")])
        self.line.send(frame(HEADERS, flags, stream, block))

    @rule(stream=STREAMS, body=BODIES, flags=st.sampled_from([0, END_STREAM, 8]), length=st.none() | st.integers(0, 300_000))
    def data_anywhere(self, stream: int, body: bytes, flags: int, length: int | None) -> None:
        """Data that fits or not, with a promise that is kept or not."""
        whole = message(body) if length is None else b"\0" + number(length) + body
        self.line.send(frame(DATA, flags, stream, whole))

    @rule(method=METHODS, length=st.integers(65_000, 210_000), sent=st.integers(0, 60_000))
    def promise(self, method: str, length: int, sent: int) -> None:
        """A large message that begins, and may never go on."""
        stream = self.line.peer.stream()
        body = b"\0" + number(length) + bytes(sent)
        pieces = [body[at : at + 16_000] for at in range(0, len(body), 16_000)]
        self.line.send(self.line.peer.call(path=f"/t.T/{method}", stream=stream) + b"".join(frame(DATA, 0, stream, piece) for piece in pieces))

    @rule(kind=st.integers(0, 11), flags=st.integers(0, 255), stream=STREAMS, payload=st.binary(max_size=30))
    def anything(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Any frame at all."""
        self.line.send(frame(kind, flags, stream, payload))

    @rule(stream=STREAMS, increment=st.sampled_from([0, 1, 5_000, 2**20, 2**31 - 1]))
    def window(self, stream: int, increment: int) -> None:
        """Room, or too much of it."""
        self.line.send(frame(WINDOW_UPDATE, 0, stream, number(increment)))

    @rule(value=st.sampled_from([0, 1, 65_535, 2**31 - 1]))
    def initial_window(self, value: int) -> None:
        """All windows move at once."""
        self.line.send(frame(SETTINGS, 0, 0, b"\0\4" + number(value)))

    @rule(stream=STREAMS)
    def reset(self, stream: int) -> None:
        """Give up."""
        self.line.send(frame(RST_STREAM, 0, stream, number(8)))

    @rule(data=st.binary(max_size=40))
    def noise(self, data: bytes) -> None:
        """No frame at all."""
        self.line.send(data)

    @rule()
    def torn(self) -> None:
        """A frame whose end comes later, or never."""
        self.line.send(frame(PING, 0, 0, b"12345678")[:11])

    @rule()
    def continuation(self) -> None:
        """Where it may not be, mostly."""
        self.line.send(frame(CONTINUATION, END_HEADERS, 1, b"\x82"))

    @rule()
    def work(self) -> None:
        """The pool does what it has."""
        self.world.pool.work()
        self.line.take()

    @rule(seconds=st.sampled_from([0.5, 2, 70]))
    def time(self, seconds: float) -> None:
        """Deadlines pass, messages stall."""
        self.world.timers.pass_by(seconds)
        self.line.calls.watch_messages(seconds)
        self.line.take()

    @rule()
    def good_bye(self) -> None:
        """The server goes down."""
        self.line.connection.shut_down()
        self.line.take()

    @rule()
    def connect_again(self) -> None:
        """The same memory and pool, another connection."""
        check_nothing_is_left(self.line)
        self.line = self.world.line()

    @invariant()
    def all_is_well(self) -> None:
        """See `invariants`."""
        check(self.line)

    def teardown(self) -> None:
        """Nothing is left."""
        check_nothing_is_left(self.line)


AnyClient.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyClient = AnyClient.TestCase


def test_damaged_conversations_do_no_damage() -> None:
    """What Hypothesis builds is made of frames; a network and an attacker are made of bytes. The seed is fixed, so a failure comes again."""
    run(seed=20_26, seconds=5, rounds=3_000)
