"""h2spec, the conformance suite of HTTP/2 servers: RFC 9113's and RFC 7541's demands one by one, over plaintext and TLS.

There are no exceptions: every case passes, also in strict mode.
"""

import re

from nearimage.doors.grpc.tls import Tls
from tests.interop.tools import program, run
from tests.transport.served import served
from tests.transport.test_sockets import tls  # noqa: F401 - a fixture

_SUMMARY = re.compile(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed")


def check(port: int, *options: str) -> None:
    """Run the suite."""
    done = run(program("h2spec"), "--host", "127.0.0.1", "--port", port, "--timeout", 5, *options)
    summary = _SUMMARY.search(done.stdout)
    assert summary is not None, done.stdout + done.stderr
    total, passed, skipped, failed = map(int, summary.groups())
    assert (failed, skipped) == (0, 0), done.stdout[done.stdout.find("Failures:") :]
    assert passed == total > 140


def test_every_case_passes() -> None:
    """A client of any make may rely on any line of the standard."""
    with served() as door:
        check(door.port, "--strict")


def test_every_case_passes_over_tls(tls: Tls) -> None:  # noqa: F811
    """TLS cuts the bytes at other places."""
    with served(tls=tls) as door:
        check(door.port, "--tls", "--insecure")
