"""h2load, nghttp2's load generator: many streams at once on many connections, from a client that keeps to the letter of the protocol."""

import re
from pathlib import Path

import pytest

from tests.interop.tools import program, run
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
