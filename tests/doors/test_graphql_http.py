"""GraphQL over HTTP: statuses, methods, batches."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from nearimage.doors.graphql.answering import GraphQl, graphql
from nearimage.doors.graphql.door import GraphQlDoor
from nearimage.doors.site import Site
from tests.doors.graphql_world import services
from tests.fakes import World
from tests.http_doors import asked

DOGS = "{ Get { Dog(limit: 1) { breed } } }"
CORGI = {"data": {"Get": {"Dog": [{"breed": "Corgi"}]}}}


def serving(door: GraphQl | None) -> Iterator[httpx.Client]:
    with ThreadPoolExecutor(2) as executor, asked(Site(GraphQlDoor(graphql=door, max_bytes=10_000).endpoints()), executor, 10_000) as client:
        yield client


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    yield from serving(graphql(services()))


def test_a_question_by_post(http: httpx.Client) -> None:
    """What every client sends; keys that nobody knows are ignored."""
    answer = http.post("/v1/graphql", json={"query": DOGS, "variables": None, "operationName": None, "extensions": {}})

    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, CORGI, "application/json")


def test_a_question_by_get(http: httpx.Client) -> None:
    """For the address line of a browser."""
    query = "query A($n: Int) { Get { Dog(limit: $n) { breed } } } query B { Get { Dog { weight } } }"

    assert http.get("/v1/graphql", params={"query": DOGS}).json() == CORGI
    assert http.get("/v1/graphql", params={"query": query, "variables": '{"n": 1}', "operationName": "A"}).json() == CORGI
    assert http.get("/v1/graphql", params={"query": query, "variables": "{"}).status_code == 400


def test_get_without_a_question_is_no_method(http: httpx.Client) -> None:
    """Weaviate has no GET here, and what probes a server for it must see that; the same for what is no JSON."""
    for answer in (http.get("/v1/graphql"), http.get("/v1/graphql/batch")):
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert http.delete("/v1/graphql", params={"query": DOGS}).status_code == 405
    assert http.post("/v1/graphql", content=DOGS, headers={"Content-Type": "application/graphql"}).status_code == 415


def test_a_wrong_question_is_200_and_no_question_is_422(http: httpx.Client) -> None:
    """The protocol tells mistakes in the body; clients raise on another status."""
    assert http.post("/v1/graphql", json={"query": "{ Get { Nope { x } } }"}).status_code == 200
    for blank in ("  \n", "# nothing"):
        answer = http.post("/v1/graphql", json={"query": blank})
        assert (answer.status_code, list(answer.json())) == (200, ["errors"])
    for body in ({"query": ""}, {}):
        answer = http.post("/v1/graphql", json=body)
        assert (answer.status_code, list(answer.json())) == (422, ["error"])
    for misfit in ({"query": 3}, {"query": DOGS, "variables": []}):
        assert http.post("/v1/graphql", json=misfit).status_code == 400
    assert http.post("/v1/graphql", content=b"").status_code == 422
    assert http.post("/v1/graphql", content=b'{"query": ').status_code == 400
    assert http.post("/v1/graphql", content=b'{"query": "' + b" " * 10_000 + b'"}').status_code == 422


def test_a_batch_answers_in_order(http: httpx.Client) -> None:
    """One that is wrong costs the others nothing."""
    answer = http.post("/v1/graphql/batch", json=[{"query": DOGS}, {"query": "{ Get { Nope { x } } }"}, {"query": DOGS}])

    assert answer.status_code == 200
    assert [list(one) for one in answer.json()] == [["data"], ["errors"], ["data"]]
    assert http.post("/v1/graphql/batch", json=[]).status_code == 422
    assert http.post("/v1/graphql/batch", json={"query": DOGS}).status_code == 400


def test_one_of_a_batch_that_asks_nothing_costs_the_others_nothing(http: httpx.Client) -> None:
    """Its mistake is told in its place, also where the same alone would be refused by its status."""
    answer = http.post("/v1/graphql/batch", json=[{"query": ""}, {"query": DOGS, "variables": [1, 2]}, {"query": DOGS}, {"query": DOGS, "variables": {}}])

    assert answer.status_code == 200
    assert [list(one) for one in answer.json()] == [["errors"], ["errors"], ["data"], ["data"]]


@pytest.mark.parametrize("asked", [None, graphql(World().services())], ids=["switched off", "no collections"])
def test_where_there_is_nothing_to_ask(asked: GraphQl | None) -> None:
    """Switched off, or without a collection: 422 says that the next question will not do better."""
    for http in serving(asked):
        assert http.post("/v1/graphql", json={"query": DOGS}).status_code == 422
