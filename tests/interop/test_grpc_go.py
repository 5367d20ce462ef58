"""grpc-go, the client of Go programs: everything that it can ask for, over plaintext and TLS, on both transports."""

import pytest

from nearimage.doors.grpc.tls import Tls
from tests.interop.tools import program, run
from tests.transport.served import KINDS, served
from tests.transport.test_sockets import tls  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def interop() -> str:
    """The program of `grpcgo/`, which `make interop` builds: its packages come from Go's module proxy."""
    return program("interop")


@pytest.mark.parametrize("kind", KINDS)
def test_grpc_go_gets_what_it_asks_for(interop: str, kind: str) -> None:
    """Another implementation makes other choices within the same rules: frame sizes, windows, compression of headers, PINGs."""
    with served(kind) as door:
        done = run(interop, "-addr", door.address, "check")

    assert done.returncode == 0, done.stdout + done.stderr


def test_grpc_go_over_tls(interop: str, tls: Tls) -> None:  # noqa: F811
    """API keys travel in the metadata: over a network they need TLS."""
    with served(tls=tls) as door:
        done = run(interop, "-addr", f"localhost:{door.port}", "-ca", tls.certificate, "check")

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_with_many_connections_loses_nothing(interop: str) -> None:
    """Sixteen connections with eight calls each, all with a deadline: the load of a busy web server."""
    with served() as door:
        done = run(interop, "-addr", door.address, "load", "-method", "/t.T/Slow", "-connections", 16, "-streams", 8, "-seconds", 3, "-deadline", "10s")

    assert '"failed":0' in done.stdout, done.stdout + done.stderr
