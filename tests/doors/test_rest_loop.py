"""What the REST door answers on the event loop, and how it finds who answers."""

from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.service.services import Services
from tests.fakes import RED, Counting, World, dogs

NOTE = Collection(name="Note", properties=(Property(name="text", data_type=DataType.TEXT),), vectors=(VectorConfig(name="v"),))
ONE = UUID(int=1)


@pytest.fixture
def services() -> Services:
    made = World().services()
    made.collections.create(dogs())
    made.collections.create(NOTE)
    made.objects.put_many("Note", [Draft(id=ONE, properties={"text": "one"})])
    made.objects.put_many("Dog", [Draft(id=ONE, properties={"breed": "Corgi", "image": RED})])
    return made


def test_an_object_is_read_on_the_loop_once_that_was_quick(http: httpx.Client, threads: Counting) -> None:
    """A hop to a thread and back takes as long as reading it."""
    answers = [http.get(f"/v1/objects/Note/{ONE}").json() for _ in range(3)]
    assert threads.given == 1
    assert answers[0]["properties"] == {"text": "one"}
    assert answers[0] == answers[1] == answers[2]


def test_a_slow_read_stays_in_a_thread(http: httpx.Client, threads: Counting, services: Services) -> None:
    """On the loop it would hold up every other client."""
    services.pace.quick_s = 0.0
    for _ in range(3):
        http.get(f"/v1/objects/Note/{ONE}")
    assert threads.given == 3


@pytest.mark.parametrize("path", [f"/v1/objects/Dog/{ONE}", f"/v1/objects/{ONE}"])
def test_pictures_and_objects_without_a_collection_are_read_in_a_thread(http: httpx.Client, threads: Counting, path: str) -> None:
    """Pictures come from the disk, and looking through every collection may open any of them."""
    for _ in range(3):
        assert http.get(path).status_code == 200
    assert threads.given == 3


def test_an_object_without_its_pictures_is_read_on_the_loop(http: httpx.Client, threads: Counting) -> None:
    """Its row is as short as any."""
    for _ in range(3):
        assert "image" not in http.get(f"/v1/objects/Dog/{ONE}?exclude=blobs").json()["properties"]
    assert threads.given == 1


def test_writes_are_never_made_on_the_loop(http: httpx.Client, threads: Counting) -> None:
    """They wait for the disk."""
    for _ in range(3):
        assert http.patch(f"/v1/objects/Note/{ONE}", json={"class": "Note", "properties": {"text": "other"}}).status_code == 204
    assert threads.given == 3


def test_a_collection_whose_name_is_a_word_of_the_paths_is_reached(http: httpx.Client, services: Services) -> None:
    """Literal segments come first on the short way, and must not hide what only the long way finds."""
    services.collections.create(replace(NOTE, name="Validate"))
    services.objects.put_many("Validate", [Draft(id=ONE, properties={"text": "hidden"})])
    assert http.get(f"/v1/objects/validate/{ONE}").json()["properties"] == {"text": "hidden"}


def test_what_the_short_way_does_not_know_is_answered_as_ever(http: httpx.Client) -> None:
    """Slashes too many are forgiven, as around a collection that a program does not name, an unknown path is 404, a wrong method 405 with those there are."""
    assert http.get("/v1/objects/").status_code == 200
    assert http.get(f"/v1/objects//{ONE}").json()["class"] == "Dog"
    assert http.get(f"/v1//objects/Note/{ONE}//").json()["class"] == "Note"
    assert http.get("//").status_code == 404
    assert http.get("/v1/nothing").status_code == 404
    assert http.get(f"/v1/objects/Note/{ONE}/more/and/more").status_code == 404
    refused = http.post(f"/v1/objects/Note/{ONE}")
    assert (refused.status_code, "GET" in refused.headers["Allow"]) == (405, True)


def test_a_query_string_of_thousands_of_names_is_refused(http: httpx.Client) -> None:
    """Taking it apart would hold up everybody else."""
    refused = http.get("/v1/objects?" + "&".join("a" * 1_000))
    assert (refused.status_code, "256 names" in refused.text) == (400, True)


def test_whether_it_is_alive_is_answered_on_the_loop(http: httpx.Client, threads: Counting) -> None:
    """A pool full of imports must not make the server look dead, or an orchestrator restarts it amid them."""
    for _ in range(3):
        assert http.get("/v1/.well-known/live").status_code == http.get("/v1/.well-known/ready").status_code == 200
    assert threads.given == 1
