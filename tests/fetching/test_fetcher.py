"""Fetching a URL: what arrives, what is refused, and that nothing takes for ever."""

import gzip
import socket
import threading
import time
from itertools import chain, repeat

import pytest

from nearimage.domain.errors import FetchFailed, InvalidUrl, PictureTooLarge, UrlRefused
from nearimage.media.allowance import Allowance
from nearimage.media.destinations import Destinations, read_places
from nearimage.media.fetching import Fetcher, FetchLimits, system_resolver
from tests.fetching.asking import BODY, HERE, LIMIT, fetch, leads_to, refusal
from tests.fetching.web import Answer, Web, redirect, reply


def test_the_bytes_arrive_and_the_request_is_modest() -> None:
    """One GET with the host's name, no coding asked for, and nothing that says who asks."""
    with Web({"/dog.jpg": reply(BODY)}) as web:
        assert fetch(web.url("/dog.jpg?size=2#tail")) == BODY

        (request,) = web.requests
    assert request.startswith("GET /dog.jpg?size=2 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{web.port}\r\n" in request
    assert "Accept-Encoding: identity\r\n" in request
    assert {line.partition(":")[0] for line in request.split("\r\n")[1:] if line} == {"Host", "Accept", "Accept-Encoding", "Connection", "User-Agent"}


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_a_body_in_chunks_arrives(pieces: int) -> None:
    """Many servers do not know the length before they send."""
    chunk = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
    with Web({"/": lambda wire: wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * pieces + b"0\r\n\r\n")}) as web:
        assert fetch(web.url("/")) == BODY * pieces


def test_a_body_that_ends_with_the_connection_arrives() -> None:
    """Servers of HTTP/1.0 say its end by closing."""
    with Web({"/": lambda wire: wire.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + BODY)}) as web:
        assert fetch(web.url("/")) == BODY


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://127.1:{}/", "http://2130706433:{}/", "http://[::ffff:127.0.0.1]:{}/"])
def test_this_machine_is_not_fetched_from(url: str) -> None:
    """The first thing an attacker tries, in each spelling; no connection is even made."""
    with Web({"/": reply(BODY)}) as web:
        error = refusal(url.format(web.port), Destinations())

        assert isinstance(error, UrlRefused)
        assert "NEARIMAGE_FETCH_ALLOW" in error.message
        assert web.requests == []


def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    """Anybody can point a name of theirs at 127.0.0.1."""
    with Web({"/": reply(BODY)}) as web:
        error = refusal(web.url("/", "pictures.example"), Destinations(), resolve=leads_to("127.0.0.1"))

        assert isinstance(error, UrlRefused)
        assert web.requests == []


def test_a_name_is_asked_for_once_and_its_address_is_the_one_connected_to() -> None:
    """A name server that answers differently the second time (DNS rebinding) gets no second question."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with Web({"/": reply(BODY)}) as web:
        assert fetch(web.url("/", "pictures.example"), resolve=rebinding) == BODY

        assert f"Host: pictures.example:{web.port}\r\n" in web.requests[0]
    assert asked == ["pictures.example"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy resolves names by itself, behind the check."""
    with Web({"/": reply(BODY)}) as web, Web({"/": reply(b"from the proxy")}) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("/"))

        assert fetch(web.url("/")) == BODY
        assert proxy.requests == []


def test_redirects_are_followed_and_counted() -> None:
    """Stores answer with a signed place elsewhere; a circle must end."""
    with Web({}) as other, Web({"/": redirect("/a"), "/a": redirect("b?x=1", "307 Temporary Redirect"), "/b": reply(BODY), "/loop": redirect("/loop")}) as web:
        other._answers = {"/": redirect(web.url("/b"))}

        assert fetch(web.url("/")) == BODY
        assert fetch(other.url("/")) == BODY
        assert isinstance(refusal(web.url("/loop")), FetchFailed)
        assert sum("GET /loop " in request for request in web.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{}/secret",
        "http://[::1]:{}/secret",
        "//0.0.0.0:{}/secret",
        "http://10.0.0.1:{}/secret",
        "http://169.254.169.254:{}/latest/meta-data/",
        "http://pictures.example@127.0.0.1:{}/secret",
    ],
)
def test_a_redirect_to_a_private_place_is_refused(target: str) -> None:
    """The way around every check that looks at the first URL only."""
    with Web({"/secret": reply(BODY)}) as private, Web({"/": redirect(target.format(private.port))}) as web:
        rules = Destinations(allow=read_places("pictures.example"))
        addresses = {"pictures.example": ["127.0.0.1"]}

        error = refusal(web.url("/", "pictures.example"), rules, resolve=lambda host, port: addresses.get(host) or system_resolver(host, port))

        assert isinstance(error, UrlRefused | InvalidUrl)
        assert private.requests == []
        assert len(web.requests) == 1


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1:6379/_FLUSHALL", "data:image/png;base64,AAAA", "http://127.0.0.1:22/"]
)
def test_a_redirect_to_another_protocol_is_refused(target: str) -> None:
    """A web server must not be able to make this one read its own files."""
    with Web({"/": redirect(target)}) as web:
        assert isinstance(refusal(web.url("/")), InvalidUrl)


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "500 Internal Server Error", "206 Partial Content", "304 Not Modified", "302 Found"])
def test_another_status_is_named(status: str) -> None:
    """The person who sent the URL sees at once whether it is gone or closed."""
    with Web({"/": reply(b"<html>", status)}) as web:
        error = refusal(web.url("/"))

    assert isinstance(error, FetchFailed)
    assert status in error.message


def test_a_stated_length_over_the_limit_is_refused_at_once() -> None:
    """Nothing is read of what will not be kept."""
    with Web({"/": lambda wire: wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")}) as web:
        error = refusal(web.url("/"))

    assert isinstance(error, PictureTooLarge)
    assert error.detail == {"limit": LIMIT, "got": 99_999_999_999}


def endless(head: bytes, piece: bytes) -> Answer:
    """Sends until nobody listens."""

    def answer(wire: socket.socket) -> None:
        for part in chain([head], repeat(piece)):
            wire.sendall(part)

    return answer


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", bytes(10_000)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + bytes(10_000) + b"\r\n"),
    ],
)
def test_an_endless_body_ends_at_the_limit(head: bytes, piece: bytes) -> None:
    """Content-Length is a claim; the count is what holds."""
    with Web({"/": endless(head, piece)}) as web:
        assert isinstance(refusal(web.url("/")), PictureTooLarge)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Header: again\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"x" * 5_000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: again\r\n"),
        (b"not a web server ", b"at all " * 1_000),
    ],
)
def test_an_endless_head_ends(head: bytes, piece: bytes) -> None:
    """What comes around the body is bounded too."""
    started = time.monotonic()
    with Web({"/": endless(head, piece)}) as web:
        assert isinstance(refusal(web.url("/"), timeout_s=1), FetchFailed)

    assert time.monotonic() - started < 10


def dripping(head: bytes, piece: bytes) -> Answer:
    """Sends a little now and then, so that no single read times out."""

    def answer(wire: socket.socket) -> None:
        wire.sendall(head)
        while True:
            time.sleep(0.05)
            wire.sendall(piece)

    return answer


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
)
def test_a_slow_drip_ends_at_the_deadline(head: bytes, piece: bytes) -> None:
    """A byte each second would hold a thread for a day if each read had a time limit of its own."""
    started = time.monotonic()
    with Web({"/": dripping(head, piece)}) as web:
        error = refusal(web.url("/"), timeout_s=0.5)

    assert isinstance(error, FetchFailed)
    assert "in time" in error.message
    assert time.monotonic() - started < 10


def test_a_server_that_says_nothing_is_given_up() -> None:
    """It accepted the connection, and that is all it does."""

    def silent(wire: socket.socket) -> None:
        wire.recv(1)  # until the other side has had enough

    with Web({"/": silent}) as web:
        assert "in time" in refusal(web.url("/"), timeout_s=0.3).message


def test_a_slow_name_server_is_given_up() -> None:
    """The system's resolver knows no deadline, so somebody else must."""
    is_given_up = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        assert is_given_up.wait(30)
        return ["127.0.0.1"]

    assert "in time" in refusal("http://slow.example/", resolve=slow, timeout_s=0.2).message
    is_given_up.set()


def test_time_counts_over_all_redirects() -> None:
    """Five redirects must not have five times the time."""

    def slowly(wire: socket.socket) -> None:
        time.sleep(0.3)
        redirect("/")(wire)

    with Web({"/": slowly}) as web:
        assert "in time" in refusal(web.url("/"), timeout_s=0.5).message


@pytest.mark.parametrize("stated", [len(BODY) + 1, LIMIT - 1])
def test_a_body_that_is_cut_off_is_refused(stated: int) -> None:
    """Half a picture stored as a whole one would be wrong for ever."""
    with Web({"/": reply(BODY, Content_Length=str(stated))}) as web:
        error = refusal(web.url("/"))

    assert isinstance(error, FetchFailed)
    assert f"{len(BODY):,} of {stated:,}" in error.message


def test_what_follows_the_stated_length_is_left() -> None:
    """The length is what the server promised; the rest belongs to nobody."""
    with Web({"/": reply(BODY + b"more", Content_Length=str(len(BODY)))}) as web:
        assert fetch(web.url("/")) == BODY


@pytest.mark.parametrize("length", ["-1", "abc", "1e9", ""])
def test_a_length_that_is_no_number_costs_nothing(length: str) -> None:
    """The body is counted anyway."""
    with Web({"/": reply(BODY, Content_Length=length)}) as web:
        assert fetch(web.url("/")) == BODY


def test_chunks_that_break_off_are_refused() -> None:
    """Without the last chunk nobody knows whether that was all."""
    with Web({"/": lambda wire: wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")}) as web:
        assert isinstance(refusal(web.url("/")), FetchFailed)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip"])
def test_what_is_packed_is_refused_and_never_unpacked(coding: str) -> None:
    """A gigabyte of zeros fits into a megabyte."""
    with Web({"/": reply(gzip.compress(bytes(1_000_000)), Content_Encoding=coding)}) as web:
        error = refusal(web.url("/"))

    assert isinstance(error, FetchFailed)
    assert coding in error.message


def test_nobody_there_is_said() -> None:
    """A wrong port is the most common mistake."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    error = refusal(f"http://127.0.0.1:{port}/")

    assert isinstance(error, FetchFailed)
    assert "refused" in error.message.lower()


def test_the_next_address_is_tried() -> None:
    """A host with a dead address is still a host."""
    rules = Destinations(allow=read_places("127.0.0.0/8"))
    with Web({"/": reply(BODY)}) as web:
        assert fetch(web.url("/", "two.example"), rules, resolve=leads_to("127.0.0.9", "127.0.0.1")) == BODY


def test_a_name_that_nobody_knows_is_said() -> None:
    """A typing error in a name."""

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert "Name or service not known" in refusal("http://typo.example/", resolve=unknown).message


def test_the_request_s_allowance_ends_a_fetch() -> None:
    """A thousand large pictures in one small request would not fit into memory."""
    fetcher = Fetcher(HERE, FetchLimits(max_bytes=LIMIT))
    with Web({"/": reply(bytes(50_000))}) as web:
        allowance = Allowance(120_000, time.monotonic() + 10)
        assert len(fetcher.fetch(web.url("/"), allowance)) == 50_000
        assert len(fetcher.fetch(web.url("/"), allowance)) == 50_000
        with pytest.raises(FetchFailed, match="120,000"):
            fetcher.fetch(web.url("/"), allowance)
    fetcher.close()
