"""Clients are driven over both gRPC transports: the setting is for whoever runs the server, and nobody's program may depend on it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.senses import connected
from tests.conftest import running
from tests.servers import LiveServer
from tests.transport.served import KINDS


@pytest.fixture(scope="session", params=KINDS, autouse=True)
def grpc_transport(request: pytest.FixtureRequest) -> Iterator[str]:
    """Servers that a test starts answer over this one; a fixture that keeps a server for several tests has to ask for it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NEARIMAGE_GRPC_TRANSPORT", request.param)
        yield request.param


@pytest.fixture(scope="session")
def shared_server(grpc_transport: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """See `tests.conftest`; one for each transport."""
    yield from running(tmp_path_factory.mktemp(grpc_transport) / "data")


@pytest.fixture(scope="module")
def client(shared_server: LiveServer) -> Iterator[Any]:
    """The official Python client, connected."""
    with connected(shared_server) as one:
        yield one
