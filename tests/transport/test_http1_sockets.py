"""HTTP/1.1 on real sockets: order, patience, slow readers, clients that leave, and an end in good order."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from nearimage.doors.http1.patience import Patience
from nearimage.doors.http1.reading import Limits
from nearimage.doors.http1.server import Allowances
from tests.http_doors import Served, served
from tests.transport.http1 import LONG_S, MOST_BODY, Line, Played
from tests.waiting import eventually


@pytest.fixture
def door() -> Played:
    return Played()


@pytest.fixture
def running(door: Played) -> Iterator[Served]:
    patience = Patience(head_s=10, stall_s=60, idle_s=120)
    allowances = Allowances(limits=Limits(head_bytes=4_000, body_bytes=MOST_BODY), patience=patience, connections=20, memory_bytes=1_500_000)
    with ThreadPoolExecutor(2) as executor, served(door.open, executor, allowances) as one:
        yield one
        door.gate.set()


@pytest.fixture
def connect(running: Served) -> Iterator[Callable[[], Line]]:
    with ExitStack() as ending:

        def connected() -> Line:
            one = Line(running)
            ending.callback(one.socket.close)
            return one

        yield connected


@pytest.fixture
def line(connect: Callable[[], Line]) -> Line:
    return connect()


def test_an_answer_says_its_length_its_type_and_the_date(line: Line) -> None:
    """Without a length a client reads until the end of the connection; RFC 9110 asks for the date."""
    status, headers, body = line.ask("/quick", "POST", body=b"hello").answer()

    assert (status, body, headers["content-type"], headers["content-length"]) == (200, b"hello", "text/plain", "5")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
    assert "connection" not in headers


def test_head_has_the_length_and_no_body_and_204_has_neither(line: Line) -> None:
    """A body where none belongs would be taken for the next answer."""
    line.ask("/large/5", "HEAD").ask("/nothing").ask("/quick")

    status, headers, _ = line.answer(has_body=False)
    assert (status, headers["content-length"]) == (200, "5")
    status, headers, _ = line.answer()
    assert (status, "content-length" in headers) == (204, False)
    assert line.answer()[2] == b"/quick"


def test_answers_come_in_the_order_of_the_questions(line: Line, door: Played) -> None:
    """HTTP/1.1 has no numbers: a quick answer before a slow one would be taken for it."""
    line.ask("/wait/1").ask("/quick").ask("/wait/2").ask("/quick/2")
    eventually("the first has begun", lambda: door.begun == ["/wait/1"])
    door.gate.set()

    assert [line.answer()[2] for _ in range(4)] == [b"/wait/1", b"/quick", b"/wait/2", b"/quick/2"]


def test_a_slow_answer_holds_up_nobody_else(connect: Callable[[], Line], line: Line, door: Played, running: Served) -> None:
    """Each connection waits for its own thread only."""
    line.ask("/wait")
    eventually("it has begun", lambda: door.begun == ["/wait"])

    assert connect().ask("/quick").answer()[2] == b"/quick"


def test_what_was_asked_meanwhile_is_not_read_without_end(line: Line, door: Played) -> None:
    """A client that asks and asks and reads nothing must wait in its own memory, not in the server's."""
    line.ask("/wait")
    eventually("it has begun", lambda: door.begun == ["/wait"])
    line.socket.settimeout(0.5)
    more = b"GET /quick HTTP/1.1\r\nHost: here\r\n\r\n" * 1_000
    with suppress(TimeoutError):  # the buffers of the system are full
        for _ in range(2_000):
            line.socket.sendall(more)
        pytest.fail("everything was taken")

    assert len(door.opened) < 20_000


def test_a_large_answer_waits_for_its_reader_and_nothing_is_begun_meanwhile(line: Line, door: Played) -> None:
    """Answers that nobody reads take memory; so the next one is not made before."""
    line.ask("/large/30000000").ask("/wait")

    assert len(line.answer()[2]) == 30_000_000
    eventually("then the next one begins", lambda: door.begun == ["/wait"])


def test_who_asks_before_sending_is_told_to_go_on(line: Line) -> None:
    """So asks curl before every larger body, and waits a second for the answer."""
    line.ask("/quick", "POST", "Expect: 100-continue\r\nContent-Length: 5\r\n")
    assert line.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
    assert line.send(b"hello").answer()[2] == b"hello"


def test_who_is_refused_before_sending_is_told_at_once(line: Line) -> None:
    """The body would be for nothing; and as nobody knows whether it comes all the same, the connection ends."""
    line.ask("/refused", "POST", "Expect: 100-continue\r\nContent-Length: 5\r\n")
    status, headers, _ = line.answer()
    assert (status, headers["connection"], headers["www-authenticate"]) == (401, "close", "Bearer")
    assert line.rest() == b""


def test_a_refused_upload_gets_its_answer_though_it_goes_on(line: Line) -> None:
    """Closing at once would reset the connection, and the client would read an error of the network in place of the reason."""
    body = bytes(1_500_000)
    assert line.ask("/quick", "POST", body=body).answer()[0] == 422
    assert line.ask("/refused", "POST", body=body).answer()[0] == 401
    assert line.ask("/quick").answer()[0] == 200


@pytest.mark.parametrize("request_line", ["GET /quick HTTP/1.0\r\n", "GET /quick HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"])
def test_who_wants_one_answer_gets_the_end_after_it(line: Line, request_line: str) -> None:
    """Scripts read until the end."""
    answer = line.send(request_line.encode() + b"\r\n").rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\n/quick")


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET /quick\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"x" * 5_000])
def test_what_is_no_http_gets_a_reason_and_the_end(line: Line, data: bytes) -> None:
    """A line in a trace says more than a reset."""
    answer = line.send(data).rest()
    assert re.match(rb"HTTP/1\.1 (400|431|505) ", answer)
    assert b'{"error": [{"message": "' in answer


def test_who_has_finished_sending_gets_what_it_asked(line: Line) -> None:
    """`printf ... | nc` closes its side behind the questions."""
    line.ask("/quick/1").ask("/quick/2").ask("/quick/3").socket.shutdown(socket.SHUT_WR)
    assert re.findall(rb"/quick/\d", line.rest()) == [b"/quick/1", b"/quick/2", b"/quick/3"]


def test_who_hangs_up_while_a_thread_works_is_waited_for_no_more(line: Line, door: Played, running: Served) -> None:
    """Nobody reads the answer: a model, or a queue before it, is to be free for others."""
    line.ask("/wait")
    eventually("it has begun", lambda: door.begun == ["/wait"])
    line.socket.close()

    assert door.told.wait(LONG_S)
    eventually("the connection is gone", lambda: not running.server._open)


@pytest.mark.parametrize("path", ["/broken", "/wait/broken"])
def test_a_mistake_of_a_door_is_told_with_a_number_and_the_connection_goes_on(line: Line, door: Played, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """A stack trace is for the log, not for whoever asks."""
    door.gate.set()
    status, _, body = line.ask(path).answer()

    assert (status, b"a mistake" in body) == (500, False)
    assert "a mistake of the door" in caplog.text
    assert line.ask("/quick").answer()[0] == 200


def ticks(running: Served, seconds: int) -> None:
    """Let time go by, as the connections see it."""
    for _ in range(seconds // 5):
        running.ask(lambda server: server._tell(lambda one: one.tick(5.0)))


def test_a_head_that_does_not_end_is_given_up(line: Line, running: Served, door: Played) -> None:
    """Slowloris: a byte now and then would keep a connection for ever."""
    line.ask("/quick").answer()
    line.send(b"GET /quick HTTP/1.1\r\nHo")
    eventually("it has come", lambda: any(one._reader.is_in_head for one in list(running.server._open)))
    ticks(running, 10)
    line.send(b"st: he")
    ticks(running, 10)

    assert line.answer()[0] == 408
    assert line.rest() == b""
    assert door.opened == ["/quick"]


def test_a_body_that_does_not_go_on_is_given_up_and_a_slow_one_is_not(connect: Callable[[], Line], running: Served) -> None:
    """A picture over a bad line takes minutes; half of one that goes no further takes memory."""
    slow, dead = connect(), connect()
    for one, sent in ((slow, 100_000), (dead, 100)):
        one.send(b"POST /quick HTTP/1.1\r\nHost: here\r\nContent-Length: 200000\r\n\r\n" + bytes(sent))
    eventually("both have come", lambda: sorted(one._reader.body_bytes for one in list(running.server._open)) == [100, 100_000])
    ticks(running, 75)

    assert dead.answer()[0] == 408
    assert slow.send(bytes(100_000)).answer()[0] == 200


def test_who_was_refused_and_goes_on_slowly_gets_no_second_answer(line: Line, running: Served) -> None:
    """It would be taken for the answer to the next question."""
    line.send(b"POST /refused HTTP/1.1\r\nHost: here\r\nContent-Length: 200000\r\n\r\n")
    assert line.answer()[0] == 401
    ticks(running, 75)
    assert line.rest() == b""


def test_idle_connections_are_closed_after_a_while_and_waiting_ones_never(connect: Callable[[], Line], running: Served, door: Played) -> None:
    """Machines vanish without a word, and each would keep a file; who waits for an answer is not idle."""
    idle, waiting = connect(), connect()
    idle.ask("/quick").answer()
    waiting.ask("/wait")
    eventually("it has begun", lambda: door.begun == ["/wait"])
    ticks(running, 130)

    assert idle.rest() == b""
    door.gate.set()
    assert waiting.answer()[2] == b"/wait"


def test_an_answer_that_nobody_reads_is_given_up(line: Line, running: Served) -> None:
    """It waits in memory."""
    line.ask("/large/50000000")
    eventually("it is more than the system takes", lambda: any(not one._is_writable for one in list(running.server._open)))
    ticks(running, 75)
    eventually("it is gone", lambda: not running.server._open)


def test_one_connection_too_many_is_closed(connect: Callable[[], Line], running: Served) -> None:
    """Connections take files; the last one would take the file that the database needs."""
    lines = [connect() for _ in range(20)]
    eventually("all are open", lambda: len(running.server._open) == 20)

    assert connect().rest() == b""
    assert lines[0].ask("/quick").answer()[0] == 200


def test_an_end_in_good_order_answers_what_is_under_way(connect: Callable[[], Line], running: Served, door: Played) -> None:
    """A restart must not cost anybody a request that has begun; nobody else may begin one."""
    idle, waiting, sending = connect(), connect(), connect()
    idle.ask("/quick").answer()
    waiting.ask("/wait")
    sending.send(b"POST /quick HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nhalf ")
    eventually("they have begun", lambda: door.begun == ["/wait"] and len(door.opened) == 3)

    stopping = threading.Thread(target=running.stop, args=(LONG_S,))
    stopping.start()
    assert idle.rest() == b""
    with pytest.raises(ConnectionRefusedError):
        connect()
    door.gate.set()
    for one, answer in ((waiting.ask("/never"), b"/wait"), (sending.send(b"whole"), b"half whole")):
        status, headers, body = one.answer()
        assert (status, headers["connection"], body) == (200, "close", answer)
    stopping.join(LONG_S)
    assert "/never" not in door.begun


def test_who_is_not_done_in_time_is_cut_off(line: Line, running: Served, door: Played) -> None:
    """A server that is told to stop stops."""
    line.ask("/wait")
    eventually("it has begun", lambda: door.begun == ["/wait"])
    running.stop(0.1)

    assert line.rest() == b""
    assert door.told.wait(LONG_S)


def test_connections_that_vanish_leave_nothing(connect: Callable[[], Line], running: Served) -> None:
    """Thousands of clients over months; what one leaves behind is what fills memory."""
    for number in range(300):
        one = connect()
        one.send(b"POST /quick HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nGET"[: number % 60])
        one.socket.close()
    eventually("they are gone", lambda: not running.server._open)


def test_an_end_says_nothing_more_to_who_asks_before_sending(line: Line, running: Served, door: Played) -> None:
    """After the last answer the line is closed for writing, and an invitation to send would be one to a server that is gone."""
    line.ask("/wait")
    eventually("it has begun", lambda: door.begun == ["/wait"])
    line.ask("/quick", "POST", "Expect: 100-continue\r\nContent-Length: 5\r\n")
    eventually("its head has come", lambda: door.opened == ["/wait", "/quick"])
    stopping = threading.Thread(target=running.stop, args=(LONG_S,))
    stopping.start()
    eventually("it knows that it is to end", lambda: all(one._is_stopping for one in list(running.server._open)))
    door.gate.set()

    assert line.answer()[2] == b"/wait"
    assert line.rest() == b""
    stopping.join(LONG_S)


def reading(running: Served) -> list[int]:
    """How much of a body each connection has read."""
    return sorted(one._reader.body_bytes for one in list(running.server._open))


@pytest.mark.parametrize("more", ["Content-Length: 900000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_large_uploads_wait_for_room_and_small_ones_do_not(connect: Callable[[], Line], running: Served, more: str) -> None:
    """A hundred clients with a hundred pictures each must not take memory for all of them at once; nobody is refused, or given up for having to wait."""
    body = bytes(900_000) if "Length" in more else b"dbba0\r\n" + bytes(900_000) + b"\r\n0\r\n\r\n"
    head = f"POST /quick HTTP/1.1\r\nHost: here\r\n{more}\r\n".encode()
    first, second = connect().send(head + body[:300_000]), connect()
    eventually("the first is read", lambda: max(reading(running), default=0) > 290_000)
    sending = threading.Thread(target=second.send, args=(head + body,))
    sending.start()
    eventually("the second waits", lambda: any(one._room is not None and not one._room.is_granted for one in list(running.server._open)))
    ticks(running, 65)

    assert connect().ask("/quick", "POST", body=bytes(10_000)).answer()[0] == 200
    assert reading(running)[-2] < 600_000
    assert first.send(body[300_000:]).answer()[0] == 200
    assert second.answer()[0] == 200
    sending.join(LONG_S)
    assert running.server.memory.reserved_bytes == 0


def test_who_leaves_amid_an_upload_gives_its_room_back(connect: Callable[[], Line], running: Served) -> None:
    """Else uploads would stand still for ever after some broken lines."""
    head = b"POST /quick HTTP/1.1\r\nHost: here\r\nContent-Length: 900000\r\n\r\n"
    for _ in range(4):
        one = connect().send(head)
        eventually("it has room", lambda: running.server.memory.reserved_bytes == 900_000)
        one.socket.close()
        eventually("it is gone", lambda: not running.server._open)

    assert running.server.memory.reserved_bytes == 0
