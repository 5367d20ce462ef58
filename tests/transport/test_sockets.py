"""The native transport on real sockets: TLS, other protocols on the port, connections by the thousand, large transfers beside small ones."""

import gc
import os
import random
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from nearimage.domain.errors import InvalidInput, PortTaken
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.native.door import Allowances
from nearimage.doors.grpc.tls import Tls
from tests.transport.peer import GOAWAY, PING, Peer, frame, message
from tests.transport.served import KINDS, Served, door_of, served
from tests.waiting import eventually

LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture
def door() -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for localhost; skips where there is no openssl to make one."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    try:
        subprocess.run([*command, "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl cannot make a certificate here")
    return Tls(folder / "cert.pem", folder / "key.pem")


def said(port: int, data: bytes) -> bytes:
    """What comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(data)
        got = b""
        while piece := line.recv(65_536):
            got += piece
    return got


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_over_tls(tls: Tls, kind: str) -> None:
    """API keys travel in the metadata: over a network they need TLS."""
    with served(kind, tls=tls) as door:
        trusted = grpc.ssl_channel_credentials(tls.certificate.read_bytes())
        with grpc.secure_channel(f"localhost:{door.port}", trusted, LARGE) as channel:
            for size in (1, 200_000):
                assert channel.unary_unary("/t.T/Quick")(b"x" * size, timeout=10) == b"x" * size


def test_tls_agrees_on_http2_and_nothing_else(tls: Tls) -> None:
    """A client that speaks HTTP/1.1 only must be told, not be misunderstood."""
    with served(tls=tls) as door:
        context = ssl.create_default_context(cafile=str(tls.certificate))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", door.port)) as line, context.wrap_socket(line, server_hostname="localhost") as secure:
            assert secure.selected_alpn_protocol() == "h2"


def test_a_key_that_does_not_fit_is_said_at_the_start(tls: Tls, tmp_path: Path) -> None:
    """Better no server than one whose clients all fail in the handshake."""
    (tmp_path / "other.pem").write_text("no key")
    with pytest.raises(InvalidInput, match=r"other\.pem"):
        Tls(tls.certificate, tmp_path / "other.pem").context()


def test_http_1_gets_an_answer_in_http_1(door: Served) -> None:
    """Who opens the gRPC port in a browser should learn what it is for."""
    answer = said(door.port, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 505 ")
    assert b"REST and the search page are on the other port" in answer


def test_noise_gets_a_reason_and_is_closed(door: Served) -> None:
    """TLS sent to a plaintext port, a port scanner: a line in a trace says more than a reset."""
    peer = Peer()
    peer.read(said(door.port, b"\x16\x03\x01\x02\x00\x01\x00"))

    assert b"connection preface is missing" in next(one.payload for one in peer.got if one.kind == GOAWAY)


def test_a_flood_is_told_why_and_others_notice_nothing() -> None:
    """The offender loses its connection; a client beside it must not lose a request."""
    with served(allowances=Allowances(limits=Limits(control_burst=100))) as door, grpc.insecure_channel(door.address) as channel:
        ask = channel.unary_unary("/t.T/Quick")
        assert ask(b"before", timeout=10) == b"before"
        peer = Peer()
        peer.read(said(door.port, peer.hello() + frame(PING, 0, 0, b"12345678") * 5_000))
        assert any(one.kind == GOAWAY and one.code == 11 for one in peer.got)
        assert ask(b"after", timeout=10) == b"after"


def test_one_connection_too_many_is_closed() -> None:
    """Connections take files; the last one would take the file that the database needs."""
    with served(allowances=Allowances(connections=3)) as door:
        lines = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(3)]
        eventually("three are open", lambda: len(door.native._open) == 3)
        assert said(door.port, b"") == b""
        for line in lines:
            line.close()


def test_a_taken_port_is_said(door: Served) -> None:
    """Two servers that share a port would each answer half of the requests."""
    with pytest.raises(PortTaken, match=str(door.port)):
        door_of("native", ({}, {}), ThreadPoolExecutor(1), Allowances()).start("127.0.0.1", door.port)


def test_ten_thousand_connections_dropped_anywhere_leave_nothing_behind() -> None:
    """Clients crash, networks break: what remains of each would add up until the server does not start a thread or open a file any more."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # the memory of this process is that of all tests before
        left = fresh.submit(left_by_dropped_connections).result()

    assert left.after_kib - left.before_kib < 8 * 1024, left
    assert left.reserved_bytes == 0
    assert left.idle_threads == 4


class Left(NamedTuple):
    """Of a server whose connections were dropped: memory after the first thousand and after ten thousand, and what is held at the end."""

    before_kib: int
    after_kib: int
    reserved_bytes: int
    idle_threads: int


def left_by_dropped_connections() -> Left:
    """Drop ten thousand at random points."""
    chance, peer = random.Random(3), Peer()  # noqa: S311 - the same every time, on purpose
    whole = peer.hello() + peer.call(b"x", "/t.T/Slow") + peer.call(b"y") + peer.call(path="/t.T/Converse") + frame(0, 0, 5, message(b"z")[:4])
    with served() as door:

        def drop(times: int) -> None:
            for number in range(times):
                if number % 100 == 0:  # else thousands are open at once on a busy machine, and memory once needed is not given back
                    eventually("those before are closed", lambda: not door.native._open)
                with socket.create_connection(("127.0.0.1", door.port)) as line, suppress(OSError):
                    line.sendall(whole[: chance.randrange(len(whole))])
                    if chance.random() < 0.5:
                        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a good-bye

        def at_rest() -> int:
            eventually("all are closed", lambda: not door.native._open and open_files() <= files + 4)  # the event loop opens one or two for itself, once
            gc.collect()
            return memory_kib()

        files = open_files()
        drop(1_000)
        before = at_rest()
        drop(9_000)
        after = at_rest()
        return Left(before, after, door.native.service.memory.reserved_bytes, door.native.service.work._idle_threads)


def memory_kib() -> int:
    """Anonymous memory of this process."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))


def open_files() -> int:
    """Of this process."""
    return len(os.listdir("/proc/self/fd"))


UPLOADING = """
import sys, grpc
with grpc.insecure_channel(sys.argv[1], [("grpc.max_send_message_length", -1)]) as channel:
    calls = [channel.unary_unary("/t.T/Discard").future(bytes(16_000_000), timeout=100) for _ in range(100)]
    print({call.result() for call in calls})
"""
"""In a process of its own: this one's memory is the server's, then."""


def test_uploads_do_not_exceed_the_memory_and_do_not_shut_out_searches() -> None:
    """A hundred uploads of 16 MB at once are 1.6 GB: they must take turns, and small requests must pass between them."""
    with served(allowances=Allowances(memory_bytes=64 << 20)) as door, grpc.insecure_channel(door.address) as searches:
        assert searches.unary_unary("/t.T/Quick")(b"x", timeout=10) == b"x"
        before, most_reserved, most_used = memory_kib(), 0, 0
        with subprocess.Popen([sys.executable, "-c", UPLOADING, door.address], stdout=subprocess.PIPE, text=True) as uploading:
            while uploading.poll() is None:
                assert searches.unary_unary("/t.T/Quick")(b"x", timeout=10) == b"x"
                most_reserved = max(most_reserved, door.native.service.memory.reserved_bytes)
                most_used = max(most_used, memory_kib())
            assert uploading.stdout is not None
            assert uploading.stdout.read() == "{b'16000000'}\n"

        assert 16_000_000 <= most_reserved <= 64 << 20
        assert door.native.service.memory.reserved_bytes == 0
        assert most_used - before < 96 * 1024
