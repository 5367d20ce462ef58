"""Clients that mean harm: each loses its own connection, with a reason, and nobody else notices.

Named after the attacks on other servers that each test repeats.
"""

from collections.abc import Callable, Iterator

import pytest
from hpack import Encoder

from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.native.watch import Patience, Watch
from tests.transport.lines import Line, World
from tests.transport.peer import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    message,
    number,
)

CALM, COMPRESSION, FLOW_CONTROL, FRAME_SIZE, PROTOCOL = 11, 9, 3, 6, 1
Attack = Callable[[Line], Iterator[bytes]]


def ping_flood(_: Line) -> Iterator[bytes]:
    while True:
        yield frame(PING, 0, 0, b"12345678")


def settings_flood(_: Line) -> Iterator[bytes]:
    while True:
        yield frame(SETTINGS)


def acknowledgement_flood(_: Line) -> Iterator[bytes]:
    while True:
        yield frame(SETTINGS, ACK)


def priority_flood(_: Line) -> Iterator[bytes]:
    while True:
        yield frame(PRIORITY, 0, 1, number(3) + b"\1")


def unknown_flood(_: Line) -> Iterator[bytes]:
    while True:
        yield frame(99, 0, 0, b"what is this")


def empty_data_flood(line: Line) -> Iterator[bytes]:
    yield line.peer.call(stream=1)
    while True:
        yield frame(DATA, 0, 1)


def small_window_flood(line: Line) -> Iterator[bytes]:
    yield line.peer.call(stream=1)
    while True:
        yield frame(WINDOW_UPDATE, 0, 1, number(1))


def rapid_reset(line: Line) -> Iterator[bytes]:
    for stream in range(1, 1_000_000, 2):
        yield line.peer.call(b"", "/t.T/Wait", stream=stream) + frame(RST_STREAM, 0, stream, number(8))


def made_you_reset(line: Line) -> Iterator[bytes]:
    for stream in range(1, 1_000_000, 2):
        yield line.peer.call(b"", "/t.T/Wait", stream=stream) + frame(WINDOW_UPDATE, 0, stream, number(0))


def continuation_flood(_: Line) -> Iterator[bytes]:
    yield frame(HEADERS, 0, 1)
    while True:
        yield frame(CONTINUATION, 0, 1)


def endless_headers(_: Line) -> Iterator[bytes]:
    yield frame(HEADERS, 0, 1, bytes(16_000))
    while True:
        yield frame(CONTINUATION, 0, 1, bytes(16_000))


def hpack_bomb(line: Line) -> Iterator[bytes]:
    fields = line.peer.block([(":method", "POST"), (":scheme", "http"), (":path", "/t.T/Quick"), ("bomb", "x" * 3_900)])
    yield frame(HEADERS, END_HEADERS | END_STREAM, 1, fields)
    yield frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\x83\x86\xbf" + b"\xbe" * 16_000)


def late_data_flood(line: Line) -> Iterator[bytes]:
    yield line.peer.call(b"", "/t.T/Nothing", stream=1, end=False)
    while True:
        yield frame(DATA, 0, 1, b"x")


@pytest.mark.parametrize(
    "attack",
    [
        ping_flood,
        settings_flood,
        acknowledgement_flood,
        priority_flood,
        unknown_flood,
        empty_data_flood,
        small_window_flood,
        rapid_reset,
        made_you_reset,
        continuation_flood,
        endless_headers,
        hpack_bomb,
        late_data_flood,
    ],
)
def test_a_flood_ends_its_connection_and_no_other(attack: Attack) -> None:
    """CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316, CVE-2025-8671: frames that cost the server more than the client."""
    world = World(Limits(control_burst=100, reset_burst=50))
    hostile, decent = world.line(), world.line()

    sent = 0
    for piece in attack(hostile):
        hostile.send(piece)
        sent += 1
        if hostile.connection.is_over or sent > 2_000:
            break

    (goaway,) = [one for one in hostile.peer.got if one.kind == GOAWAY]
    assert goaway.code == CALM
    assert goaway.payload[8:], "it says why"
    assert sent < 400
    assert hostile.connection.sender.unsent_bytes == 0
    decent.send(decent.peer.call(b"hello"))
    assert decent.peer.body(1) == message(b"hello")


def test_decent_clients_may_ping_with_every_request() -> None:
    """A client with grpc-go measures the line with a PING for each reply: a busy client must never be taken for a hostile one."""
    world = World(Limits(control_burst=100, control_per_s=1))
    line = world.line()
    for _ in range(2_000):
        line.send(line.peer.call(b"x") + frame(PING, 0, 0, b"bdp-ping") + frame(WINDOW_UPDATE, 0, 0, number(64)))

    assert not line.connection.is_over


def test_a_client_may_cancel_what_others_keep(line_limits: Limits) -> None:
    """Deadlines that pass are part of life; only who does nothing else loses the connection."""
    line = World(line_limits).line()
    for _ in range(500):
        line.send(line.peer.call(b"x"))
        stream = line.peer.stream()
        line.send(line.peer.call(b"", "/t.T/Wait", stream=stream) + frame(RST_STREAM, 0, stream, number(8)))

    assert not line.connection.is_over


@pytest.fixture
def line_limits() -> Limits:
    return Limits(reset_burst=50, resets_per_s=1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(WINDOW_UPDATE, 0, 0, number(2**31 - 1)), FLOW_CONTROL),
        (frame(SETTINGS, 0, 0, b"\0\4" + number(2**31)), FLOW_CONTROL),
        (frame(SETTINGS, 0, 0, b"\0\5" + number(1)), PROTOCOL),
        (frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff"), COMPRESSION),
        (frame(HEADERS, END_HEADERS, 2, b"\x82"), PROTOCOL),
        (frame(DATA, 0, 0, b"x"), PROTOCOL),
        (frame(PING, 0, 0, b"short"), FRAME_SIZE),
        (b"\xff\xff\xff" + bytes(6), FRAME_SIZE),
    ],
)
def test_what_breaks_the_protocol_is_named(wrong: bytes, code: int) -> None:
    """Whoever writes a client finds the mistake by the code and the words, not by a connection that just closes."""
    line = World().line()
    line.send(wrong)

    assert [(one.code, bool(one.payload[8:])) for one in line.peer.got if one.kind == GOAWAY] == [(code, True)]


def test_more_than_the_window_allows_resets_the_stream() -> None:
    """The window is what bounds the memory: who ignores it is not trusted with it."""
    line = World().line()
    line.send(line.peer.call(path="/t.T/Converse"))
    for _ in range(5):
        line.send(frame(DATA, 0, 1, b"\0" + number(15_000) + bytes(16_000 - 5)))

    assert [one.code for one in line.peer.of(1, RST_STREAM)] == [FLOW_CONTROL]


def test_a_table_that_changes_makes_known_blocks_unknown() -> None:
    """The same bytes mean other fields then; an answer to another call than the one that was made would be the worst of mistakes."""
    line = World().line()
    encoder = Encoder()
    fields = [(":method", "POST"), (":scheme", "http"), ("te", "trailers"), ("content-type", "application/grpc")]
    for stream, name in enumerate(["Quick"] * 3 + ["Nothing"] * 3 + ["Quick"] * 3):
        block = encoder.encode([(":path", f"/t.T/{name}"), *fields])
        line.send(frame(HEADERS, END_HEADERS, 2 * stream + 1, block) + frame(DATA, END_STREAM, 2 * stream + 1, message(b"x")))

    statuses = [fields["grpc-status"] for _, fields in sorted(line.peer.replies().items())]
    assert statuses == ["0"] * 3 + ["12"] * 3 + ["0"] * 3


@pytest.fixture
def patience() -> Patience:
    return Patience(handshake_s=10, stall_s=60, keepalive_s=300, answer_s=20, idle_s=3_600)


def waited(line: Line, patience: Patience, seconds: float, *, heard: bool = True) -> bool:
    """Whether the connection is still kept after so long."""
    watch = Watch(line.connection, patience)
    for _ in range(int(seconds / 5)):
        line.calls.watch_messages(5)
        if not watch.tick(5, heard):
            return False
    line.take()
    return not line.connection.is_over


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(b"", 15), (PREFACE[:10], 15), (PREFACE, 15), (PREFACE + frame(SETTINGS) + b"\0\0", 65), (PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1), 65)],
)
def test_what_begins_must_go_on(patience: Patience, said: bytes, seconds: float) -> None:
    """Slowloris: a thousand connections that never finish a sentence are a thousand files and no work."""
    line = Line(World())
    line.send(said)

    assert not waited(line, patience, seconds)


def test_a_message_that_does_not_go_on_gives_its_room_back(patience: Patience) -> None:
    """A client could keep all the memory for uploads by promising and never sending; those who wait come next."""
    world = World()
    line = world.line()
    line.send(line.peer.call() + frame(DATA, 0, 1, b"\0" + number(2**21)))
    assert world.memory.reserved_bytes
    watch = Watch(line.connection, patience)
    for _ in range(15):
        line.calls.watch_messages(5)
        watch.tick(5, True)
    line.take()

    assert world.memory.reserved_bytes == 0
    assert line.peer.replies()[1]["grpc-status"] == "10"
    assert not line.connection.is_over


def test_replies_that_are_not_read_end_the_connection(patience: Patience) -> None:
    """A client that asks and never reads would keep its replies in memory for ever."""
    line = World().line()
    line.send(line.peer.call(b"1000000", "/t.T/Large"))
    line.world.pool.work()
    line.take()

    assert not waited(line, patience, 70)
    assert line.connection.sender.unsent_bytes == 0


def test_silence_is_asked_and_then_given_up(patience: Patience) -> None:
    """Machines vanish without a word, and nothing else would ever notice."""
    line = World().line()
    watch = Watch(line.connection, patience)
    assert all(watch.tick(5, False) for _ in range(61))
    assert [one.kind for one in line.take()] == [PING]
    assert not all(watch.tick(5, False) for _ in range(6))


def test_a_quiet_client_that_answers_is_kept(patience: Patience) -> None:
    """A client that waits for an hour between two searches keeps its connection for as long as it is there."""
    line = World().line()
    watch = Watch(line.connection, patience)
    for _ in range(10):
        while not line.connection.awaits_answer:
            assert watch.tick(5, False)
        (ping,) = line.take()
        line.send(frame(PING, ACK, 0, ping.payload))
        assert watch.tick(5, True)
    assert not line.connection.is_over


def test_without_calls_for_an_hour_a_connection_is_let_go(patience: Patience) -> None:
    """A connection takes a file; clients connect again by themselves."""
    line = World().line()

    assert waited(line, patience, 3_500)
    waited(line, patience, 3_700)
    assert line.connection.is_drained
