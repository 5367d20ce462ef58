"""h2load, nghttp2's load generator: many requests at once on many connections, from a client that keeps to the letter of both protocols."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.http_doors import served as served_http
from tests.interop.tools import program, run
from tests.transport.http1 import Played
from tests.transport.peer import message
from tests.transport.served import served


@pytest.mark.parametrize(("method", "size"), [("Quick", 0), ("Slow", 1_000), ("Quick", 100_000)])
def test_a_hundred_streams_on_each_of_ten_connections(tmp_path: Path, method: str, size: int) -> None:
    """Every window, limit and turn is used at once; each request must be answered."""
    (tmp_path / "body").write_bytes(message(b"x" * size))
    fields = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    with served() as door:
        done = run(program("h2load"), "-n", 5_000, "-c", 10, "-m", 100, *fields, "-d", tmp_path / "body", f"http://{door.address}/t.T/{method}")

    assert re.search(r"5000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize(("path", "size"), [("/quick", 0), ("/wait", 0), ("/quick", 100_000), ("/large/100000", 0)])
def test_ten_pipelined_requests_on_each_of_twenty_connections(tmp_path: Path, path: str, size: int) -> None:
    """HTTP/1.1 as no browser speaks it any more, and as proxies may: each request must be answered, and none by another's answer."""
    (tmp_path / "body").write_bytes(b"x" * size)
    door = Played()
    door.gate.set()
    sent = ("-d", tmp_path / "body") if size else ()
    with ThreadPoolExecutor(4) as executor, served_http(door.open, executor) as running:
        done = run(program("h2load"), "--h1", "-n", 4_000, "-c", 20, "-m", 10, *sent, f"http://127.0.0.1:{running.port}{path}")

    assert re.search(r"4000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout), done.stdout + done.stderr
