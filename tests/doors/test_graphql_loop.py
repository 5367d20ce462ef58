"""What the GraphQL door answers on the event loop, and what it leaves for a thread."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.door import SHORT_BYTES, GraphQlDoor
from nearimage.doors.rest.call import About
from nearimage.service.services import Services
from tests.doors.graphql_world import services as filled
from tests.fakes import RED, Counting
from tests.http_doors import asked as answering
from tests.http_doors import rest_site

DOGS = "{ Get { Dog(limit: 2) { breed } } }"


@pytest.fixture
def services() -> Services:
    return filled()


@pytest.fixture
def http(services: Services, threads: Counting) -> Iterator[httpx.Client]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=1_000_000)
    door = GraphQlDoor(graphql=graphql(services), max_bytes=about.max_message_bytes)
    with answering(rest_site(services, about, door.endpoints()), threads, about.max_message_bytes) as client:
        yield client


def asked(http: httpx.Client, query: str, times: int = 3) -> list[Any]:
    return [http.post("/v1/graphql", json={"query": query}).json() for _ in range(times)]


def test_a_question_is_answered_on_the_loop_once_its_like_was_quick(http: httpx.Client, threads: Counting) -> None:
    """A hop to a thread and back costs as much as a small answer, and much more on a busy machine; an unknown question may cost anything."""
    answers = asked(http, DOGS)
    assert threads.given == 1
    assert answers == [{"data": {"Get": {"Dog": [{"breed": "Corgi"}, {"breed": "Husky"}]}}}] * 3


def test_several_searches_in_one_document_are_answered_on_the_loop_too(http: httpx.Client, threads: Counting) -> None:
    """They are as quick as they were together."""
    asked(http, '{ Get { Dog(limit: 1) { breed } near: Kennel(nearVector: {vector: [1, 2] targetVectors: ["plan"]}) { name } } }')
    assert threads.given == 1


def test_a_slow_question_stays_in_a_thread(http: httpx.Client, threads: Counting, services: Services) -> None:
    """On the loop it would hold up every other client."""
    services.pace.quick_s = 0.0
    asked(http, DOGS)
    assert threads.given == 3


def test_more_values_in_a_question_of_the_same_shape_make_it_another_kind(http: httpx.Client, threads: Counting) -> None:
    """Literals are no part of a document's shape, and a page of thousands is not like a page of two."""
    asked(http, DOGS)
    asked(http, DOGS.replace("2", "5000"), times=1)
    asked(http, '{ Get { Dog(limit: 2 where: {path: ["breed"] operator: Equal valueText: "Corgi"}) { breed } } }', times=1)
    asked(http, '{ Get { Dog(limit: 2 where: {path: ["id"] operator: Equal valueText: "Corgi"}) { breed } } }', times=1)
    assert threads.given == 4


@pytest.mark.parametrize(
    "query",
    [
        "{ Get { Dog { breed image } } }",
        "{ Get { Owner { dogs { ... on Dog { breed } } } } }",
        "{ Get { Dog(nearImage: {image: \"" + RED + "\"}) { breed } } }",
        "{ Aggregate { Dog { meta { count } } } }",
        "{ Explore(nearVector: {vector: [1, 2]}) { beacon } }",
        "{ __schema { queryType { name } } }",
        "{ Get { Dog(limit: 1) { breed } } Aggregate { Dog { meta { count } } } }",
        "# " + "long " * (SHORT_BYTES // 5) + "\n" + DOGS,
    ],
    ids=["pictures", "references", "a model", "figures", "every collection", "the schema", "a search beside figures", "a long body"],
)  # fmt: skip
def test_what_may_wait_is_never_begun_on_the_loop(http: httpx.Client, threads: Counting, query: str) -> None:
    """Pictures are read from the disk, references lead anywhere, a model thinks."""
    asked(http, query)
    assert threads.given == 3


def test_a_tenant_that_would_have_to_be_opened_is_left_to_a_thread(http: httpx.Client, threads: Counting, services: Services, monkeypatch: Any) -> None:
    """Opening a shard reads files; its like having been quick says nothing about that."""
    asked(http, DOGS)
    monkeypatch.setattr(type(services.searches.shards.engine), "is_at_hand", lambda *_: False)
    asked(http, DOGS)
    assert threads.given == 4


def test_mistakes_are_told_alike_wherever_they_are_found(http: httpx.Client) -> None:
    """The first of a shape is read in a thread, the next on the loop."""
    for wrong in (
        "{ Get { Dog(nearVector: {vector: [1, 2], distance: 1, certainty: 1}) { breed } } }",
        "{ Get { Dog(limit: 0) { breed } } }",
        "{ Get { Dog(limit: $n) { breed } } }",
    ):
        first, *others = asked(http, wrong)
        assert first["errors"]
        assert others == [first, first]
