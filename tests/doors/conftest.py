"""A REST door over a database in memory."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from nearimage.doors.rest.call import About
from nearimage.doors.rest.door import rest_app
from nearimage.service.services import Services
from tests.fakes import Counting, World


@pytest.fixture
def services() -> Services:
    return World().services()


@pytest.fixture
def threads() -> Iterator[Counting]:
    with Counting(2) as executor:
        yield executor


@pytest.fixture
def http(services: Services, threads: Counting) -> Iterator[TestClient]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=100_000)
    with TestClient(rest_app(services, about, threads)) as client:
        yield client
