"""A REST door over a database in memory."""

from collections.abc import Iterator

import httpx
import pytest

from nearimage.doors.rest.call import About
from nearimage.service.services import Services
from tests.fakes import Counting, World
from tests.http_doors import asked, rest_site


@pytest.fixture
def services() -> Services:
    return World().services()


@pytest.fixture
def threads() -> Iterator[Counting]:
    with Counting(2) as executor:
        yield executor


@pytest.fixture
def http(services: Services, threads: Counting) -> Iterator[httpx.Client]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=100_000)
    with asked(rest_site(services, about), threads, about.max_message_bytes) as client:
        yield client
