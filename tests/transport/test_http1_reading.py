"""HTTP/1.1 out of bytes that are cut anywhere: what is asked, what is refused, and that nothing is kept that has no end."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.doors.http1.exchange import Exchange, Head, Response, Work
from nearimage.doors.http1.reading import Limits, Reader

MOST_HEAD, MOST_BODY = 2_000, 5_000
HOST = b"Host: here\r\n"
GET = b"GET /a%20b?c=d HTTP/1.1\r\n" + HOST + b"X-One: 1\r\nx-one: 2\r\n\r\n"
POST = b"POST /post HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = b"PUT /chunked HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nAuthorization: late\r\n\r\n"
OFFER = b"POST /offer HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nContent-Length: 5\r\n\r\nhello"
REFUSED = b"POST /refused HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nsent"


@dataclass
class Echo:
    """An exchange that tells what it was given."""

    head: Head
    pieces: list[bytes] = field(default_factory=list)

    def take(self, piece: bytes) -> None:
        if self.head.path == "/broken":
            raise ValueError("a mistake of the door")
        self.pieces.append(piece)

    def begin(self) -> Response | Work:
        return Response(200, b"%s %s " % (self.head.method.encode(), self.head.path.encode()) + b"".join(self.pieces))


def open_exchange(head: Head) -> Exchange | Response:
    return Response(401) if head.path == "/refused" else Echo(head)


def reader() -> Reader:
    return Reader(open_exchange, Limits(head_bytes=MOST_HEAD, body_bytes=MOST_BODY))


def answers(one: Reader) -> list[tuple[int, bytes]]:
    """The answers to all requests that are complete."""
    given = []
    while one.requests:
        answer = one.requests.popleft().begin()
        assert isinstance(answer, Response)
        given.append((answer.status, answer.body))
    return given


def read(pieces: Iterable[bytes]) -> list[tuple[int, bytes]]:
    one = reader()
    for piece in pieces:
        one.feed(piece)
    return answers(one)


ALL = GET + POST + CHUNKED + REFUSED + OFFER + GET
TOLD = [
    (200, b"GET /a b "),
    (200, b"POST /post hello"),
    (200, b"PUT /chunked abcde"),
    (401, b""),
    (200, b"POST /offer hello"),
    (200, b"GET /a b "),
]


def test_requests_one_behind_the_other_are_all_read() -> None:
    """Clients that do not wait for answers send several at once, and the network joins what was sent apart."""
    assert read([ALL]) == TOLD


@pytest.mark.parametrize("cut", range(1, len(ALL)))
def test_where_the_network_cuts_makes_no_difference(cut: int) -> None:
    """A packet may end anywhere: in the midst of a name, of a length, of a line's end."""
    assert read([ALL[:cut], ALL[cut:]]) == TOLD


def test_byte_after_byte_is_read_too() -> None:
    """The slowest network there is."""
    assert read(ALL[at : at + 1] for at in range(len(ALL))) == TOLD


def test_a_head_is_told_as_it_was_meant() -> None:
    """The doors rely on small letters, on lists of what came twice, and on a path without percent signs and without a host."""
    heads = list[Head]()

    def note(head: Head) -> Response:
        heads.append(head)
        return Response()

    one = Reader(note, Limits(body_bytes=0))
    one.feed(GET + b"GET http://other:80/x?y=http://z#w HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost:\r\n\r\nGET /%FF HTTP/1.1\r\nHost: a\r\n\r\n")

    assert [(head.method, head.path, head.query) for head in heads] == [
        ("GET", "/a b", b"c=d"),
        ("GET", "/x", b"y=http://z"),
        ("OPTIONS", "*", b""),
        ("GET", "/\ufffd", b""),
    ]
    assert heads[0].headers == {b"host": b"here", b"x-one": b"1, 2"}
    assert heads[0].header(b"x-one") == "1, 2"
    assert heads[0].header(b"authorization") is None


def test_what_is_behind_a_body_is_no_header() -> None:
    """Who has been let in without a key must not hand one in later, nor any other header that was looked at before."""
    one = reader()
    one.feed(CHUNKED)
    exchange = one.requests[0].exchange

    assert isinstance(exchange, Echo)
    assert b"authorization" not in exchange.head.headers


WRONG = {
    b"\x16\x03\x01\x02\x00\x01\x00": 400,  # TLS
    b"hello\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab": 400,
    b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n": 400,
    b"GET http://[::1/ HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\n" + HOST + b"Expect: wonders\r\n\r\n": 417,
    b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": 501,
    b"POST / HTTP/2.0\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n": 505,
    b"POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n": 400,
    b"CONNECT other:443 HTTP/1.1\r\n" + HOST + b"\r\n": 501,
    b"GET / HTTP/2.0\r\n" + HOST + b"\r\n": 505,
    b"GET /\r\n\r\n": 505,
}


@pytest.mark.parametrize("data", WRONG, ids=repr)
def test_what_is_no_request_is_refused_behind_those_before_it(data: bytes) -> None:
    """A port scanner, a wrong protocol, an attack on proxies: told once what is wrong, and nothing of what follows is read."""
    one = reader()
    one.feed(POST + data + POST)
    (good, bad) = answers(one)

    assert (good[0], bad[0]) == (200, WRONG[data])
    assert b'"message": "' in bad[1]
    assert one.is_over
    one.feed(POST)
    assert not one.requests


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_after_the_last_request_nothing_is_read(version: str) -> None:
    """Who says that it closes, or speaks HTTP/1.0, waits for the end; what it sends behind that was not meant."""
    head = f"POST /last {version}\r\nHost: here\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    one = reader()
    one.feed(head.encode() + POST)

    assert [asked.is_last for asked in one.requests] == [True]
    assert answers(one) == [(200, b"POST /last ok")]
    assert one.is_over
    assert one.is_between


ENDLESS = {
    "one field": b"GET / HTTP/1.1\r\nHost: " + b"x" * 300_000,
    "many fields": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000,
    "fields of one name": b"GET / HTTP/1.1\r\n" + HOST + b"a:\r\n" * 300 + b"\r\n",
    "a path": b"GET /" + b"x" * 300_000,
    "fields that end": b"GET / HTTP/1.1\r\n" + HOST + b"a: " + b"b" * (MOST_HEAD + 10_000) + b"\r\n\r\n",
    "fields behind a body": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 50_000,
    "a field behind a body": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\na: " + b"b" * 300_000,
    "an extension of a chunk": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"b" * 300_000,
}


@pytest.mark.parametrize("step", [1_000, 400_000])
@pytest.mark.parametrize("kind", ENDLESS)
def test_what_has_no_end_is_broken_off(kind: str, step: int) -> None:
    """It waits in memory for an end that never comes; a thousand such connections would fill it."""
    one, data = reader(), ENDLESS[kind]
    for at in range(0, len(data), step):
        one.feed(data[at : at + step])
        if one.is_over:
            break
    if not one.is_over:  # all in one piece: no longer than what the network brings at once
        one.feed(b"more" * MOST_HEAD)

    assert one.is_over
    assert [status for status, _ in answers(one)] == [431]


def test_small_chunks_are_no_attack() -> None:
    """Some clients write a body byte by byte, and each becomes a chunk."""
    chunks = b"1\r\nx\r\n" * MOST_BODY
    assert read([b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", chunks, b"0\r\n\r\n"]) == [(200, b"POST / " + b"x" * MOST_BODY)]


def test_a_body_that_is_too_long_is_answered_at_once_and_the_rest_is_thrown_away() -> None:
    """The client learns it while it is sending; the connection goes on, for it has done nothing that cannot be read."""
    one = reader()
    one.feed(b"POST /long HTTP/1.1\r\n" + HOST + b"Content-Length: 8000\r\n\r\n")
    one.feed(b"x" * 4_000)
    assert not one.requests
    one.feed(b"x" * 2_000)
    assert answers(one) == [(200, b"POST /long " + b"x" * 6_000)]

    one.feed(b"x" * 2_000 + GET)

    assert answers(one) == [(200, b"GET /a b ")]


def test_a_body_that_nobody_wants_has_an_end_too() -> None:
    """Who has no key could send for ever."""
    one = reader()
    one.feed(b"POST /refused HTTP/1.1\r\n" + HOST + b"Content-Length: 8000000\r\n\r\n")
    assert answers(one) == [(401, b"")]

    for _ in range(3):
        assert not one.is_over
        one.feed(b"x" * 4_000)

    assert one.is_over
    assert not one.requests


@pytest.mark.parametrize(("path", "waits", "is_last"), [("/post", True, False), ("/refused", False, True)])
def test_who_asks_before_sending_is_told(path: str, waits: bool, is_last: bool) -> None:
    """A large body is announced by curl, which then waits a second; and after a refusal nobody knows whether the next bytes are the body or a request."""
    one = reader()
    one.feed(f"POST {path} HTTP/1.1\r\nHost: here\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n".encode())
    assert one.wants_continue == waits
    assert [asked.is_last for asked in one.requests] == ([] if waits else [is_last])


def test_a_mistake_of_a_door_is_not_the_clients() -> None:
    """It has a number in the log, and the client is told 500, not 400."""
    [(status, body)] = read([POST.replace(b"/post", b"/broken")])
    assert status == 500
    assert b"internal error" in body


PARTS = st.one_of(st.sampled_from([GET, POST, CHUNKED, OFFER, REFUSED, HOST, b"\r\n", b"0", b"GET / HTTP/1.1"]), st.binary(max_size=40))
DAMAGED = st.builds(lambda at, gone, put: ALL[:at] + put + ALL[at + gone :], st.integers(0, len(ALL)), st.integers(0, 5), st.binary(max_size=3))


@given(st.one_of(st.lists(PARTS, max_size=12).map(b"".join), DAMAGED), st.data())
def test_any_bytes_are_read_or_refused_however_they_are_cut(whole: bytes, data: st.DataObject) -> None:
    """Nothing that a client sends may end in an exception, and nothing depends on how it is cut."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    answered = read(pieces)

    assert answered == read([whole])
    assert 500 not in [status for status, _ in answered]
