"""A REST door over a database in memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from nearimage.doors.rest.call import About
from nearimage.doors.rest.door import rest_app
from nearimage.service.services import Services
from tests.fakes import World


@pytest.fixture
def services() -> Services:
    return World().services()


@pytest.fixture
def http(services: Services) -> Iterator[TestClient]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=100_000)
    with ThreadPoolExecutor(2) as executor, TestClient(rest_app(services, about, executor)) as client:
        yield client
