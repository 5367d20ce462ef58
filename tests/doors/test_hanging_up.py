"""A client that hangs up while its answer is made: what waits on its behalf leaves, on every door that speaks HTTP.

from tests.http_doors import asked
The gRPC door's promise is in `tests/transport/test_both_transports.py`.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from nearimage.domain.cancellation import current_cancellation
from nearimage.domain.errors import NearimageError
from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.door import GraphQlDoor
from nearimage.doors.inference.door import InferenceDoor
from nearimage.doors.rest.call import About
from nearimage.ports.vectorizer import Bundle
from nearimage.service.services import Services
from tests.fakes import RED, ColourModule, ColourVectorizer, FakeMedia, World, image_vector
from tests.http_doors import rest_site, served
from tests.waiting import eventually

LONG_S = 20


class PatientVectorizer(ColourVectorizer):
    """Waits until it may go on or the request is cancelled, as a full queue would."""

    def __init__(self) -> None:
        self.begun, self.told, self.may_go_on = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        token = current_cancellation()
        assert token is not None
        self.begun.release()
        with token.on_cancel(self._cancelled):
            self.may_go_on.wait(LONG_S)
        token.check()
        return super().embed(bundles)

    def _cancelled(self) -> None:
        self.told.release()
        self.may_go_on.set()


@dataclass(frozen=True)
class PatientModule(ColourModule):
    """Makes the one patient vectorizer."""

    name: str = "multi2vec-clip"
    modalities: frozenset[Modality] = frozenset({Modality.TEXT, Modality.IMAGE})
    made: PatientVectorizer = field(default_factory=PatientVectorizer)

    def open(self, settings: ModuleSettings) -> PatientVectorizer:
        return self.made


class Remembering(ThreadPoolExecutor):
    """Knows what it was given to do."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.given: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future = super().submit(fn, *args, **kwargs)
        self.given.append(future)
        return future


@pytest.fixture
def module() -> PatientModule:
    return PatientModule()


@pytest.fixture
def services(module: PatientModule) -> Services:
    made = World(modules=(module,)).services()
    made.collections.create(Collection(name="Dog", properties=(Property(name="image", data_type=DataType.BLOB),), vectors=(image_vector("pic", module.name),)))
    return made


@pytest.fixture
def executor() -> Iterator[Remembering]:
    with Remembering(1) as pool:
        yield pool


@pytest.fixture
def port(services: Services, module: PatientModule, executor: Remembering) -> Iterator[int]:
    """All doors that speak HTTP on one port."""
    about = About(version="1.35.0", hostname="here", max_message_bytes=100_000)
    asking = GraphQlDoor(graphql=graphql(services), max_bytes=100_000)
    inference = InferenceDoor(vectorizer=module.made, media=FakeMedia(), max_bytes=100_000)
    with served(rest_site(services, about, (*asking.endpoints(), *inference.endpoints())).open, executor) as running:
        yield running.port


def send(port: int, path: str, body: object) -> socket.socket:
    """Ask, and do not wait for the answer."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", port), LONG_S)
    connection.sendall(head.encode() + content)
    return connection


QUESTION = {"query": '{ Get { Dog(nearText: {concepts: ["red"]}) { _additional { id } } } }'}
DOG: Mapping[str, Any] = {"class": "Dog", "properties": {"image": RED}}
ASKED: Mapping[str, tuple[str, object]] = {
    "a search": ("/v1/search/Dog/near-image", {"image": RED}),
    "an object": ("/v1/objects", DOG),
    "a batch": ("/v1/batch/objects", {"objects": [DOG, DOG]}),
    "GraphQL": ("/v1/graphql", QUESTION),
    "a batch of GraphQL": ("/v1/graphql/batch", [QUESTION, QUESTION]),
    "a container's contract": ("/vectorize", {"images": [RED]}),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_waits_for_a_client_that_hung_up_leaves(port: int, module: PatientModule, asked: str) -> None:
    """A user who presses stop, or a client's time-out, must not keep a model busy for nobody."""
    connection = send(port, *ASKED[asked])
    assert module.made.begun.acquire(timeout=LONG_S)

    connection.close()

    assert module.made.told.acquire(timeout=LONG_S)


def test_what_has_not_begun_is_not_begun(port: int, module: PatientModule, services: Services, executor: Remembering) -> None:
    """Behind one slow request, a hundred others may have been given up; none of them is to be worked on."""
    first = send(port, *ASKED["an object"])
    assert module.made.begun.acquire(timeout=LONG_S)
    given_up = [send(port, *ASKED["an object"]) for _ in range(5)]
    eventually("they wait in the pool", lambda: len(executor.given) == 6)
    for connection in given_up:
        connection.close()
    eventually("they have left it", lambda: sum(future.cancelled() for future in executor.given) == 5)
    module.made.may_go_on.set()
    assert first.recv(15) == b"HTTP/1.1 200 OK"
    first.close()

    last = send(port, *ASKED["an object"])  # the pool has one thread, so whatever was before it has been
    assert last.recv(15) == b"HTTP/1.1 200 OK"
    last.close()
    assert sum(shard.objects for shard in services.cluster.figures("Dog")) == 2


def test_an_import_stops_between_its_slices(services: Services, module: PatientModule, port: int) -> None:
    """A batch of thousands of pictures is decoded and embedded slice by slice; the slices after the client has gone are not decoded either."""
    connection = send(port, "/v1/batch/objects", {"objects": [DOG] * 200})
    assert module.made.begun.acquire(timeout=LONG_S)

    connection.close()

    assert module.made.told.acquire(timeout=LONG_S)
    answer = send(port, *ASKED["an object"])  # by the pool's one thread, so the batch is over
    assert answer.recv(15) == b"HTTP/1.1 200 OK"
    answer.close()
    media = services.pictures.media
    assert isinstance(media, FakeMedia)
    assert media.decoded < 130
