"""Calls over HTTP/2, without a socket: what is asked and answered, how calls end, who waits for whom."""

import pytest

from nearimage.doors.grpc.http2.limits import Limits
from tests.transport.lines import MIB, Line, World
from tests.transport.peer import ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, message, number

INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 4, 5
NO_ERROR, CANCEL, REFUSED_STREAM, CALM = 0, 8, 7, 11


@pytest.fixture
def line() -> Line:
    return World().line()


def status(line: Line, stream: int) -> tuple[str, str]:
    fields = line.peer.replies()[stream]
    return fields["grpc-status"], fields.get("grpc-message", "")


def test_bytes_may_come_one_by_one(line: Line) -> None:
    """A network cuts where it likes; what is answered may not depend on it."""
    for one in line.peer.call(b"hello"):
        line.send(bytes([one]))

    assert line.peer.body(1) == message(b"hello")
    assert status(line, 1) == ("0", "")


def test_the_short_way_and_the_long_way_answer_the_same(line: Line) -> None:
    """A client must not be able to tell whether its request came in one piece and its header block was known."""
    requests = [line.peer.call(b"hello") for _ in range(3)]
    line.send(requests[0])  # the header block changes the table: the long way
    line.send(requests[1])  # known to nobody yet: the long way
    line.send(requests[2])  # the short way

    bare = [[(one.kind, one.flags, one.payload) for one in line.peer.got if one.stream == stream] for stream in (1, 3, 5)]
    assert bare[0] == bare[1] == bare[2]
    assert [kind for kind, _, _ in bare[0]] == [HEADERS, DATA, HEADERS]


def test_a_reply_waits_for_the_window_and_nobody_waits_for_it() -> None:
    """A slow reader holds up itself only: another stream of the same connection is answered meanwhile."""
    line = World().line((INITIAL_WINDOW_SIZE, 10))
    line.send(line.peer.call(b"x" * 20))
    assert len(line.peer.body(1)) == 10

    line.send(line.peer.call(b"y"))
    assert line.peer.body(3) == message(b"y")
    line.send(frame(WINDOW_UPDATE, 0, 1, number(5)))
    assert len(line.peer.body(1)) == 15
    line.send(frame(SETTINGS, 0, 0, b"\0\4" + number(1_000)))
    assert line.peer.body(1) == message(b"x" * 20)


def test_a_turn_ends_when_its_time_is_over() -> None:
    """A hundred quick searches of one connection, sent in one piece, would keep every other client waiting for the sum of them."""
    world = World()
    line = world.line()
    for _ in range(2):
        line.send(line.peer.call(b"known", "/t.T/Quick"))

    world.timers.step = 0.003  # so long takes whatever asks for the time
    line.calls.receive(b"".join(line.peer.call(b"hello", "/t.T/Quick") for _ in range(10)))
    first = len({one.stream for one in line.take() if one.kind == DATA})
    assert line.connection.has_more
    while line.connection.has_more:
        line.calls.receive(b"")

    assert 0 < first < 5
    assert len({one.stream for one in line.take() if one.kind == DATA}) == 10 - first


def test_replies_take_turns_frame_by_frame(line: Line) -> None:
    """A reply of megabytes may delay a small one by a frame, not by megabytes."""
    line.send(frame(WINDOW_UPDATE, 0, 0, number(10 * MIB)) + frame(SETTINGS, 0, 0, b"\0\4" + number(4 * MIB)))
    line.calls.receive(line.peer.call(b"40000", "/t.T/Large"))
    line.calls.receive(line.peer.call(b"40000", "/t.T/Large"))

    line.world.pool.work()
    order = [one.stream for one in line.take() if one.kind == DATA]

    assert order == [1, 3] * 4  # the prefix of each message, and three frames


def test_a_large_message_is_let_in_when_there_is_room(line: Line) -> None:
    """Memory is promised before the client sends: uploads wait in the clients, never in the server."""
    world = line.world
    for _ in range(5):
        stream = line.peer.stream()
        line.send(line.peer.call(stream=stream) + frame(DATA, 0, stream, b"\0" + number(2 * MIB)))

    grown = [one.stream for one in line.peer.got if one.kind == WINDOW_UPDATE and one.stream]
    assert grown == [1, 3]  # half of 8 MiB for one connection
    other = world.line()
    other.send(other.peer.call(stream=1) + frame(DATA, 0, 1, b"\0" + number(2 * MIB)))
    assert other.peer.of(1, WINDOW_UPDATE)
    assert world.memory.reserved_bytes < 8 * MIB
    line.send(frame(RST_STREAM, 0, 1, number(CANCEL)))
    assert line.peer.of(5, WINDOW_UPDATE) or line.take()


def test_all_uploads_get_their_turn(line: Line) -> None:
    """Whoever waits for room gets it when others are done; nobody is refused, nobody starves, and the memory is never exceeded."""
    body, world = message(b"u" * MIB), line.world
    sent, windows = {}, {}
    line.send(frame(WINDOW_UPDATE, 0, 0, number(2**30)) + frame(SETTINGS, 0, 0, b"\0\4" + number(2**30)))  # the client reads whatever comes
    for stream in range(1, 41, 2):
        line.send(line.peer.call(path="/t.T/Slow", stream=stream))
        sent[stream], windows[stream] = 0, 65_535
    for _ in range(2_000):
        for stream, at in sent.items():
            size = min(16_384, windows[stream], len(body) - at)
            if size:
                line.send(frame(DATA, END_STREAM if at + size == len(body) else 0, stream, body[at : at + size]))
                sent[stream], windows[stream] = at + size, windows[stream] - size
        assert world.memory.reserved_bytes <= 8 * MIB
        world.pool.work()
        line.take()
        for one in line.peer.got:
            if one.kind == WINDOW_UPDATE and one.stream:
                windows[one.stream] += int.from_bytes(one.payload, "big")
        line.peer.got.clear()
        if all(at == len(body) for at in sent.values()):
            break

    assert all(at == len(body) for at in sent.values())
    assert world.memory.reserved_bytes == 0


def test_a_reset_takes_waiting_work_out_of_the_queue(line: Line) -> None:
    """A client that gave up must not keep a thread from those who still wait."""
    for _ in range(4):
        line.send(line.peer.call(b"work", "/t.T/Wait"))
    line.send(frame(RST_STREAM, 0, 5, number(CANCEL)) + frame(RST_STREAM, 0, 7, number(CANCEL)))
    line.world.pool.work()
    line.take()

    assert len(line.world.played.begun) == 2  # as many as there are threads had begun
    assert sorted(line.peer.replies()) == [1, 3]


def test_connections_take_turns_in_the_pool() -> None:
    """A client with a hundred requests under way delays another's single one by one, not by a hundred."""
    world = World(threads=1)
    greedy, modest = world.line(), world.line()
    greedy.send(b"".join(greedy.peer.call(b"greedy", "/t.T/Wait") for _ in range(100)))
    modest.send(modest.peer.call(b"modest", "/t.T/Wait"))
    world.pool.work()

    assert world.played.begun.index(b"modest") <= 2


def test_a_deadline_answers_and_the_late_result_is_dropped(line: Line) -> None:
    """The client has gone on by then; a second answer on the stream would break the protocol."""
    line.send(line.peer.call(b"work", "/t.T/Wait", more=[("grpc-timeout", "500m")]))
    line.world.timers.pass_by(0.6)
    line.take()
    line.world.pool.work()

    assert status(line, 1) == ("4", "Deadline Exceeded")
    assert not line.take()


def test_an_answer_in_time_stops_the_clock(line: Line) -> None:
    """Timers that run on would answer twice, and pile up."""
    line.send(line.peer.call(b"work", "/t.T/Wait", more=[("grpc-timeout", "1S")]))
    line.world.pool.work()
    line.take()
    line.world.timers.pass_by(2)

    assert status(line, 1) == ("0", "")
    assert not line.take()


@pytest.mark.parametrize(
    ("body", "end", "wrong"),
    [
        (b"", END_STREAM, "got none"),
        (b"\0\0\0", END_STREAM, "less than that"),
        (message(b"whole")[:-1], END_STREAM, "less than that"),
        (message(b"one") + message(b"two"), END_STREAM, "got more"),
        (b"\2" + number(1) + b"x", END_STREAM, "0 (plain) or 1 (compressed)"),
        (message(b"not gzip", 1), END_STREAM, "names no grpc-encoding"),
    ],
)
def test_a_broken_message_is_the_clients_mistake(line: Line, body: bytes, end: int, wrong: str) -> None:
    """Whoever writes a client needs to read what was wrong; INTERNAL would send them to our log."""
    line.send(line.peer.call() + frame(DATA, end, 1, body))
    line.world.pool.work()
    line.take()
    code, text = status(line, 1)

    assert code == "3"
    assert wrong in text


@pytest.mark.parametrize(("more", "code"), [([("grpc-timeout", "soon")], "3"), ([("grpc-encoding", "brotli")], "12"), ([("grpc-timeout", "123456789S")], "3")])
def test_fields_that_cannot_be_read_are_refused_in_words(line: Line, more: list[tuple[str, str]], code: str) -> None:
    """To ignore a deadline or an encoding would give an answer that looks right."""
    line.send(line.peer.call(b"", more=more))

    assert status(line, 1)[0] == code


def test_a_bomb_unfolds_to_the_limit_and_no_further(line: Line) -> None:
    """A kilobyte of zeros must not become a gigabyte of memory."""
    import gzip

    bomb = gzip.compress(bytes(50 * MIB))
    line.send(line.peer.call(more=[("grpc-encoding", "gzip")], path="/t.T/Slow") + b"".join(_data(1, message(bomb, 1))))
    line.world.pool.work()
    line.take()

    assert status(line, 1)[0] == "8"


def _data(stream: int, body: bytes) -> list[bytes]:
    pieces = [body[at : at + 16_384] for at in range(0, len(body), 16_384)]
    return [frame(DATA, END_STREAM if number_of == len(pieces) - 1 else 0, stream, piece) for number_of, piece in enumerate(pieces)]


def test_a_client_that_does_not_read_is_not_worked_for(line: Line) -> None:
    """Replies that nobody takes would fill the memory; requests of such a client wait until it reads."""
    for _ in range(40):
        line.send(line.peer.call(b"100000", "/t.T/Large"))
    line.world.pool.work()
    line.take()

    unread = line.connection.sender.unsent_bytes
    assert MIB < unread < 2 * MIB
    for stream in range(1, 81, 2):
        line.send(frame(WINDOW_UPDATE, 0, stream, number(200_000)) + frame(WINDOW_UPDATE, 0, 0, number(200_000)))
        line.world.pool.work()
    line.take()

    assert len(line.peer.replies()) == 40
    assert line.connection.sender.unsent_bytes == 0


def test_a_conversation_is_held_back_until_its_messages_are_answered(line: Line) -> None:
    """The window grows when a message is stored, not when it is received: a slow disk slows the client down."""
    line.send(line.peer.call(path="/t.T/Converse"))
    for _ in range(3):
        line.send(frame(DATA, 0, 1, message(b"m" * 16_000)))
    assert not line.peer.of(1, WINDOW_UPDATE)

    line.world.pool.work()
    line.take()
    assert line.peer.of(1, WINDOW_UPDATE)


def test_good_bye_lets_calls_end_and_refuses_new_ones(line: Line) -> None:
    """A restart costs nobody a request: what was accepted is answered, what comes later is told to go elsewhere."""
    line.send(line.peer.call(b"under way", "/t.T/Wait"))
    line.connection.shut_down()
    told = line.take()
    assert [(one.kind, one.code if one.kind == GOAWAY else 0) for one in told] == [(GOAWAY, NO_ERROR), (PING, 0)]
    line.send(line.peer.call(b"on the way", "/t.T/Wait"))
    line.send(frame(PING, ACK, 0, told[1].payload))
    line.send(line.peer.call(b"too late", "/t.T/Wait"))
    assert [int.from_bytes(one.payload[:4], "big") for one in line.peer.got if one.kind == GOAWAY] == [2**31 - 1, 3]
    assert not line.connection.is_drained
    line.world.pool.work()
    line.take()

    assert line.connection.is_drained
    assert sorted(line.peer.replies()) == [1, 3]


def test_too_many_requests_at_once_are_refused_and_may_be_tried_again() -> None:
    """REFUSED_STREAM tells a client that nothing was done: it asks again by itself."""
    line = World(Limits(streams=2)).line()
    for _ in range(3):
        line.send(line.peer.call(b"", "/t.T/Wait"))

    assert [one.code for one in line.peer.of(5, RST_STREAM)] == [REFUSED_STREAM]


def test_somebody_who_speaks_no_grpc_is_told_so(line: Line) -> None:
    """Who opens the port in a browser or with curl should learn in a sentence what it is for."""
    block = line.peer.block([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "here")])
    line.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block))

    assert b"speaks gRPC" in line.peer.body(1)
    assert line.peer.replies()[1][":status"] == "405"


@pytest.mark.parametrize("promised", ["1", "100"])
def test_a_body_that_is_not_as_long_as_it_says_is_refused_however_it_is_cut(line: Line, promised: str) -> None:
    """An answer to the first piece would hide the lie in the next one; requests are smuggled by such lies (RFC 9113 section 8.1.1)."""
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "here"), ("content-length", promised)]
    line.send(frame(HEADERS, END_HEADERS, 1, line.peer.block(fields)))
    line.send(frame(DATA, 0, 1, b"test"))
    line.send(frame(DATA, END_STREAM, 1, b"test"))

    assert [one.code for one in line.peer.of(1, RST_STREAM)] == [1]
    assert not line.peer.of(1, HEADERS)


def test_an_endless_body_of_somebody_who_speaks_no_grpc_is_answered(line: Line) -> None:
    """Whoever uploads a file to the wrong port waits for room that never comes, unless it is told."""
    block = line.peer.block([(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "here")])
    line.send(frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, 0, 1, bytes(16_384)))

    assert line.peer.replies()[1][":status"] == "415"


def test_a_small_header_table_is_respected(line: Line) -> None:
    """A client without memory for a header table must still be able to read every reply (RFC 7541 section 4.2)."""
    line.peer._decoder.max_allowed_table_size = 0
    line.send(frame(SETTINGS, 0, 0, b"\0\1" + number(0)))
    line.send(line.peer.call(b"one"))
    line.send(line.peer.call(b"two"))

    assert {stream: fields["grpc-status"] for stream, fields in line.peer.replies().items()} == {1: "0", 3: "0"}
