"""Whose object a request is about, and how many copies of it are to answer."""

from uuid import UUID

import httpx
import pytest

DOG, OTHER = (str(UUID(int=n)) for n in (1, 2))
PATH = f"/v1/objects/Dog/{DOG}"


@pytest.fixture
def dog(http: httpx.Client) -> httpx.Client:
    """A dog, and cats that it is not."""
    for name in ("Dog", "Cat"):
        http.post("/v1/schema", json={"class": name, "properties": [{"name": "name", "dataType": ["text"]}]})
    http.post("/v1/aliases", json={"class": "Dog", "alias": "Hound"})
    http.post("/v1/objects", json={"class": "Dog", "id": DOG, "properties": {"name": "Rex"}})
    return http


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PATH, {"class": "Dog", "id": OTHER}),
        (PATH, {"class": "Cat", "id": DOG}),
        (PATH, {"class": "Fish", "id": DOG}),
        (f"/v1/objects/{DOG}", {"class": "Dog", "id": OTHER}),
        (PATH, {"class": "Dog"}),
        (PATH, {"id": DOG}),
    ],
)
def test_a_whole_object_is_not_put_over_another(dog: httpx.Client, path: str, body: dict[str, str]) -> None:
    """Sent to the wrong path it would silently take the place of what is there; nor is one that does not say who it is, as in Weaviate."""
    refused = dog.put(path, json=body | {"properties": {"name": "Tom"}})

    assert refused.status_code == 422
    assert dog.get(PATH).json()["properties"] == {"name": "Rex"}


@pytest.mark.parametrize("body", [{"class": "dog", "id": DOG}, {"class": "Hound", "id": DOG}, {"class": "Dog", "id": DOG.upper()}])
def test_a_whole_object_may_say_whose_it_is_in_other_words(dog: httpx.Client, body: dict[str, str]) -> None:
    """An alias, or the case of a letter."""
    assert dog.put(PATH, json=body | {"properties": {"name": "Tom"}}).status_code == 200
    assert dog.get(PATH).json()["properties"] == {"name": "Tom"}


def test_of_a_change_only_the_path_is_asked(dog: httpx.Client) -> None:
    """As in Weaviate, which overwrites what a patch says of id and class."""
    assert dog.patch(PATH, json={"class": "Cat", "id": OTHER, "properties": {"name": "Tom"}}).status_code == 204
    assert dog.get(PATH).json()["properties"] == {"name": "Tom"}


@pytest.mark.parametrize("level", ["ONE", "QUORUM", "ALL", ""])
def test_every_level_of_consistency_is_kept(dog: httpx.Client, level: str) -> None:
    """There is one copy, and it agrees with itself."""
    assert dog.get(PATH, params={"consistency_level": level}).status_code == 200
    assert dog.request("HEAD", PATH, params={"consistency_level": level}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("HEAD", PATH), ("PUT", PATH), ("PATCH", PATH), ("DELETE", PATH), ("POST", "/v1/objects"), ("POST", "/v1/batch/objects")],
)
def test_what_is_no_level_of_consistency_is_refused(dog: httpx.Client, method: str, path: str) -> None:
    """Who wrote MOST believes that most copies were asked; nothing is done for that."""
    refused = dog.request(method, path, params={"consistency_level": "MOST"}, json={"class": "Dog", "properties": {"name": "Tom"}})

    assert refused.status_code == 400
    assert dog.get(PATH).json()["properties"] == {"name": "Rex"}


def test_a_level_of_consistency_is_not_for_one_node(dog: httpx.Client) -> None:
    """One says to ask several, the other to ask that one."""
    assert dog.get(PATH, params={"node_name": "here"}).status_code == 200
    assert dog.get(PATH, params={"node_name": "here", "consistency_level": "ONE"}).status_code == 400
