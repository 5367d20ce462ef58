"""Classifications over REST, as the official clients ask for them."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.waiting import eventually

URL = "/v1/classifications"
CAT, NEW = str(UUID(int=1)), str(UUID(int=20))
TASK = {"class": "Photo", "type": "knn", "settings": {"k": 1}, "classifyProperties": ["kind"], "basedOnProperties": ["title"]}


@pytest.fixture
def photos(http: httpx.Client) -> httpx.Client:
    """A photograph of a known kind, and one of none."""
    http.post("/v1/schema", json={"class": "Kind"})
    http.post("/v1/schema", json={"class": "Photo", "properties": [{"name": "title", "dataType": ["text"]}, {"name": "kind", "dataType": ["Kind"]}]})
    http.post("/v1/objects", json={"class": "Kind", "id": CAT, "vector": [1, 0]})
    label = [{"beacon": f"weaviate://localhost/Kind/{CAT}"}]
    http.post("/v1/objects", json={"class": "Photo", "properties": {"kind": label}, "vector": [1, 0]})
    http.post("/v1/objects", json={"class": "Photo", "id": NEW, "vector": [1, 1]})
    return http


def ended(http: httpx.Client, run: str) -> Any:
    eventually("the classification ends", lambda: http.get(f"{URL}/{run}").json()["status"] != "running")
    return http.get(f"{URL}/{run}").json()


@pytest.mark.parametrize("method", ["knn", "zeroshot"])
def test_one_is_begun_asked_for_and_done(photos: httpx.Client, method: str) -> None:
    """201, then its state until it is no longer running: what clients wait for."""
    begun = photos.post(URL, json=TASK | {"type": method})
    assert begun.status_code == 201
    assert {key: begun.json()[key] for key in ("class", "type", "status", "classifyProperties", "basedOnProperties")} == {
        "class": "Photo", "type": method, "status": "running", "classifyProperties": ["kind"], "basedOnProperties": ["title"]
    }  # fmt: skip
    assert begun.json().get("settings") == ({"k": 1} if method == "knn" else None)

    told = ended(photos, begun.json()["id"])

    assert (told["status"], told["meta"]["count"], told["meta"]["countSucceeded"], told["meta"]["countFailed"]) == ("completed", 1, 1, 0)
    assert told["meta"]["completed"] >= told["meta"]["started"]
    assert photos.get(f"/v1/objects/Photo/{NEW}").json()["properties"]["kind"][0]["beacon"] == f"weaviate://localhost/Kind/{CAT}"


def test_without_a_method_three_neighbours_decide(photos: httpx.Client) -> None:
    """The defaults of Weaviate."""
    sent = {key: TASK[key] for key in ("class", "classifyProperties", "basedOnProperties")}
    told = photos.post(URL, json=sent | {"filters": {"sourceWhere": {"path": ["id"], "operator": "Like", "valueText": "*"}}}).json()
    assert (told["type"], told["settings"]) == ("knn", {"k": 3})


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"class": "Nope"}, 400),
        ({"class": ""}, 400),
        ({"classifyProperties": ["title"]}, 400),
        ({"basedOnProperties": None}, 400),
        ({"settings": {"k": "three"}}, 400),
        ({"type": "guess"}, 400),
        ({"filters": {"trainingSetWhere": {"path": ["nope"], "operator": "Equal", "valueText": "x"}}}, 400),
        ({"type": "text2vec-contextionary-contextual"}, 422),
        ({"type": "text2vec-contextionary"}, 422),
    ],
)
def test_what_cannot_be_done_is_refused(photos: httpx.Client, change: dict[str, Any], status: int) -> None:
    """400, as clients expect here; 422 for what this version lacks."""
    assert photos.post(URL, json=TASK | change).status_code == status


def test_one_that_nobody_began_is_not_found(http: httpx.Client) -> None:
    """404, so that a client stops waiting."""
    assert http.get(f"{URL}/{NEW}").status_code == 404
