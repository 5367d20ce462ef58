"""The REST door: JSON in, JSON out, statuses as the official clients count on them."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from nearimage.service.services import Services
from tests.fakes import BLUE, BROKEN, GREEN, RED

DOG = {
    "class": "Dog",
    "vectorizer": "img2vec-neural",
    "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}},
    "properties": [{"name": "breed", "dataType": ["text"]}, {"name": "image", "dataType": ["blob"]}, {"name": "weight", "dataType": ["int"]}],
}
ID = str(UUID(int=7))


@pytest.fixture
def dogs(http: httpx.Client) -> httpx.Client:
    assert http.post("/v1/schema", json=DOG).status_code == 200
    return http


def insert(http: httpx.Client, **properties: Any) -> Any:
    return http.post("/v1/objects", json={"class": "Dog", "id": ID, "properties": properties})


def message(response: Any) -> str:
    told = response.json()
    return str(told["error"][0]["message"] if "error" in told else told["message"])


def test_the_start_of_every_client(http: httpx.Client) -> None:
    """Clients ask these before anything else, and give up on another answer."""
    assert [http.get(f"/v1/.well-known/{name}").status_code for name in ("live", "ready")] == [200, 200]
    assert http.get("/v1/.well-known/openid-configuration").status_code == 404
    meta = http.get("/v1/meta").json()
    assert (meta["version"], meta["grpcMaxMessageSize"], sorted(meta["modules"])) == ("1.35.0", 100_000, ["img2vec-neural", "multi2vec-clip"])
    assert http.get("/v1/nodes").json()["nodes"][0]["batchStats"] == {"queueLength": 0, "ratePerSecond": 0}


def test_a_collection_comes_back_with_every_default(http: httpx.Client) -> None:
    """The clients parse these blocks strictly: one that is missing is an exception there."""
    made = http.post("/v1/schema", json={"class": "plain", "vectorizers": [], "hello": 1}).json()

    assert http.get("/v1/schema/Plain").json() == made
    assert made["class"] == "Plain"
    assert made["vectorizer"] == "none"
    assert made["properties"] is None
    assert made["invertedIndexConfig"]["bm25"] == {"b": 0.75, "k1": 1.2}
    assert made["vectorIndexConfig"]["distance"] == "cosine"
    assert {"multiTenancyConfig", "replicationConfig", "shardingConfig"} <= made.keys()
    assert http.get("/v1/schema").json() == {"classes": [made]}


def test_settings_come_back_as_they_were_sent(http: httpx.Client) -> None:
    """Also those that change nothing here: a schema must survive the round trip."""
    body = {
        "class": "Set",
        "description": "a text",
        "invertedIndexConfig": {"bm25": {"k1": 1.5, "b": 0.5}, "indexTimestamps": True},
        "vectorIndexType": "flat",
        "vectorIndexConfig": {"distance": "dot"},
        "properties": [{"name": "t", "dataType": ["text"], "tokenization": "field", "indexSearchable": False, "description": "d"}],
    }

    made = http.post("/v1/schema", json=body).json()

    assert made["description"] == "a text"
    assert made["invertedIndexConfig"]["bm25"] == {"k1": 1.5, "b": 0.5}
    assert made["invertedIndexConfig"]["indexTimestamps"] is True
    assert made["invertedIndexConfig"]["stopwords"]["preset"] == "en"
    assert (made["vectorIndexType"], made["vectorIndexConfig"]["distance"], made["vectorIndexConfig"]["rq"]["bits"]) == ("flat", "dot", 8)
    assert made["properties"][0] == {
        "name": "t", "dataType": ["text"], "tokenization": "field", "description": "d",
        "indexFilterable": True, "indexSearchable": False, "indexRangeFilters": False,
    }  # fmt: skip


@pytest.mark.parametrize(("data_type", "inverted", "told"), [("text", False, (False, False)), ("text", True, (True, True)), ("int", True, (True, False))])
def test_the_old_name_of_both_indexes_is_understood(http: httpx.Client, data_type: str, inverted: bool, told: tuple[bool, bool]) -> None:
    """Schemas of old clients switch an index off by it; an index that is there all the same costs memory and nobody asked for it."""
    made = http.post("/v1/schema", json={"class": "Old", "properties": [{"name": "p", "dataType": [data_type], "indexInverted": inverted}]}).json()[
        "properties"
    ][0]
    assert (made["indexFilterable"], made["indexSearchable"]) == told
    assert "indexInverted" not in made


@pytest.mark.parametrize("beside", ["indexFilterable", "indexSearchable", "indexRangeFilters"])
@pytest.mark.parametrize("value", [False, True])
def test_old_and_new_names_of_indexes_do_not_go_together(http: httpx.Client, beside: str, value: bool) -> None:
    """Which of the two is meant cannot be guessed."""
    refused = http.post("/v1/schema", json={"class": "Old", "properties": [{"name": "p", "dataType": ["int"], "indexInverted": True, beside: value}]})
    assert refused.status_code == 422
    assert "`indexInverted`" in refused.json()["error"][0]["message"]


@pytest.mark.parametrize("tokenization", ["whitespace", "lowercase", "trigram"])
@pytest.mark.parametrize("data_type", ["string", "string[]"])
def test_the_old_name_of_text_has_its_old_tokenizations_only(http: httpx.Client, data_type: str, tokenization: str) -> None:
    """`word` meant something else for it, so who mixes old and new is in doubt about what is found."""
    refused = http.post("/v1/schema", json={"class": "Old", "properties": [{"name": "p", "dataType": [data_type], "tokenization": tokenization}]})
    assert refused.status_code == 422
    assert "is not allowed for data type" in refused.json()["error"][0]["message"]


@pytest.mark.parametrize(
    "block",
    [
        {"bm25": {"k1": -1}},
        {"bm25": {"b": 1.01}},
        {"stopwords": {"preset": "klingon"}},
        {"stopwords": {"additions": [" "]}},
        {"stopwords": {"additions": ["a", "b"], "removals": ["b"]}},
    ],
)
def test_settings_of_keyword_search_that_cannot_be_are_refused(http: httpx.Client, block: dict[str, object]) -> None:
    """Found when the collection is made, not at the first search."""
    refused = http.post("/v1/schema", json={"class": "Set", "invertedIndexConfig": block})
    assert refused.status_code == 422
    assert http.get("/v1/schema/Set").status_code == 404


def test_a_tokenization_with_a_dictionary_is_refused_by_name(http: httpx.Client) -> None:
    """Weaviate knows it, so the client is right, and must learn that it is missing here."""
    refused = http.post("/v1/schema", json={"class": "Set", "properties": [{"name": "t", "dataType": ["text"], "tokenization": "kagome_ja"}]})
    assert refused.status_code != 200
    assert "kagome_ja" in refused.json()["error"][0]["message"]


def test_named_vectors_are_told_from_one_without_a_name(http: httpx.Client) -> None:
    """Which of the two a collection has decides what clients send."""
    config = {"vectorizer": {"img2vec-neural": {"imageFields": ["image"]}}}

    vectors = {"a": config, "own": {"vectorizer": {"none": {}}}}

    made = http.post("/v1/schema", json={"class": "Named", "properties": DOG["properties"], "vectorConfig": vectors}).json()

    assert made["vectorConfig"]["a"]["vectorizer"] == config["vectorizer"]
    assert made["vectorConfig"]["own"]["vectorIndexType"] == "hnsw"
    assert "vectorizer" not in made


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"class": "1Dog"}, 422),
        ({"class": ""}, 422),
        ({"class": 7}, 400),
        ({"properties": [{"name": "x"}]}, 422),
        ({"properties": [{"name": "x", "dataType": ["quaternion"]}]}, 422),
        ({"properties": [{"name": "x", "dataType": ["text"], "tokenization": "syllable"}]}, 422),
        ({"properties": [{"name": "id", "dataType": ["text"]}]}, 422),
        ({"vectorizer": "img2vec-martian"}, 422),
        ({"moduleConfig": {"img2vec-neural": {}}}, 422),
        ({"moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}, "multi2vec-clip": {}}}, 422),
        ({"vectorIndexType": "magic"}, 422),
        ({"vectorIndexConfig": {"distance": "miles"}}, 422),
        ({"vectorIndexConfig": {"distance": ["cosine"]}}, 422),
        ({"vectorConfig": {"a": {"vectorizer": {"none": {}}}}}, 422),
        ({"vectorizer": None, "vectorConfig": {"a": {"vectorizer": {}}}}, 422),
        ({"vectorizer": None, "vectorConfig": {"a b": {"vectorizer": {"none": {}}}}}, 422),
        ({"properties": [{"name": "x", "dataType": ["blobHash[]"]}]}, 422),
        ({"properties": [{"name": "x", "dataType": ["cref"]}]}, 422),
        ({"properties": [{"name": "x", "dataType": ["object"]}]}, 422),
        ({"properties": [{"name": "x", "dataType": ["Cat"]}]}, 422),
        ({"vectorizer": "none", "vectorConfig": {"a": {"vectorizer": {"none": {}}}}}, 422),
        ({"properties": [{"name": "x", "dataType": ["object"], "nestedProperties": [{"name": "y", "dataType": ["string"]}]}]}, 422),
        ({"properties": [{"name": "x", "dataType": ["text"], "moduleConfig": {"multi2vec-clip": {"skip": True}}}]}, 422),
        ({"multiTenancyConfig": {"enabled": "yes"}}, 400),
        ({"vectorIndexConfig": []}, 422),
        ({"shardingConfig": []}, 422),
    ],
)
def test_a_collection_that_cannot_be_is_refused_and_not_made(http: httpx.Client, change: dict[str, Any], status: int) -> None:
    """With the setting in the message, and nothing half-made."""
    response = http.post("/v1/schema", json={**DOG, **change})

    assert response.status_code == status
    assert message(response)
    assert http.get("/v1/schema").json() == {"classes": []}


def test_a_name_that_is_taken_and_one_that_is_not_there(dogs: httpx.Client) -> None:
    """Scripts delete before they create: an absent collection is no error then."""
    assert dogs.post("/v1/schema", json=DOG).status_code == 422
    assert dogs.get("/v1/schema/Cat").status_code == 404
    assert [dogs.delete("/v1/schema/Dog").status_code for _ in range(2)] == [200, 200]
    assert dogs.get("/v1/schema/Dog").status_code == 404


def test_an_object_lives_its_life(dogs: httpx.Client) -> None:
    """Insert, read, change, replace, delete: each with the status that the client accepts."""
    made = insert(dogs, breed="Corgi", image=RED, weight=12)
    assert made.status_code == 200
    assert made.json()["vector"] == [255, 0, 0]
    assert made.json()["properties"] == {"breed": "Corgi", "image": RED, "weight": 12}

    path = f"/v1/objects/Dog/{ID}"
    assert dogs.head(path).status_code == 204
    assert "vector" not in dogs.get(path).json()
    assert dogs.get(f"{path}?include=vector").json()["vector"] == [255, 0, 0]

    assert dogs.patch(path, json={"class": "Dog", "properties": {"breed": "Husky", "weight": None}}).status_code == 204
    assert dogs.get(path).json()["properties"] == {"breed": "Husky", "image": RED}

    assert dogs.put(path, json={"class": "Dog", "id": ID, "properties": {"breed": "Pug"}}).status_code == 200
    assert dogs.get(path).json()["properties"] == {"breed": "Pug"}

    assert [dogs.delete(path).status_code for _ in range(2)] == [204, 204]
    assert [dogs.head(path).status_code, dogs.get(path).status_code] == [404, 404]


def test_numbers_without_a_fraction_are_written_as_whole_ones(http: httpx.Client) -> None:
    """A client that keeps numbers as text and asks them for an integer fails at "2.0"."""
    inner = [{"name": "n", "dataType": ["number"]}]
    properties = [
        {"name": "n", "dataType": ["number"]},
        {"name": "ns", "dataType": ["number[]"]},
        {"name": "o", "dataType": ["object"], "nestedProperties": inner},
    ]
    assert http.post("/v1/schema", json={"class": "Dog", "properties": properties}).status_code == 200
    insert(http, n=2, ns=[1, 2.5], o={"n": 3.0})

    written = b'"properties":{"n":2,"ns":[1,2.5],"o":{"n":3}}'
    assert written in http.get(f"/v1/objects/Dog/{ID}").content
    assert written in http.get("/v1/objects?class=Dog").content
    assert written in http.post("/v1/search/Dog/objects", json={}).content


def test_the_second_insert_of_an_id_is_a_conflict(dogs: httpx.Client) -> None:
    """422 with "already exists": what clients look for."""
    insert(dogs, breed="Corgi")
    again = insert(dogs, breed="Husky")

    assert again.status_code == 422
    assert ID in message(again)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"class": "Dog", "id": "nope"}, 422),
        ({"properties": {}}, 422),
        ({"class": "Cat"}, 422),
        ({"class": "Dog", "properties": {"bread": "Corgi"}}, 422),
        ({"class": "Dog", "properties": {"weight": "heavy"}}, 422),
        ({"class": "Dog", "properties": {"image": "%%%"}}, 422),
        ({"class": "Dog", "properties": {"image": BROKEN}}, 422),
        ({"class": "Dog", "properties": []}, 422),
        ({"class": "Dog", "properties": {"weight": 5.0}}, 422),
        ({"class": "Dog", "vector": ["a"]}, 400),
        ({"class": "Dog", "vector": [True, False]}, 400),
        ({"class": "Dog", "vector": [1e300, 1]}, 422),
        ({"class": "Dog", "vector": [0, 0, 0]}, 422),
        ({"class": "Dog", "vectors": {"zzz": [1, 2, 3]}}, 422),
        ({"class": "Dog", "vector": [[1, 2], [3, 4]]}, 400),
        ({"class": "Dog", "tenant": "anna"}, 422),
        ([1, 2], 400),
    ],
)
def test_a_wrong_object_is_refused_and_not_stored(dogs: httpx.Client, body: Any, status: int) -> None:
    """With a message, and nothing half-written."""
    response = dogs.post("/v1/objects", json=body)

    assert response.status_code == status
    assert message(response)
    assert dogs.get("/v1/objects?class=Dog").json() == {"deprecations": [], "objects": []}


def test_a_body_that_is_no_json_is_400_and_one_too_deep_does_no_harm(dogs: httpx.Client) -> None:
    """A recursion limit is a limit on requests, not on the server's life."""
    assert dogs.post("/v1/objects", content=b'{"class": "Do').status_code == 400
    assert dogs.post("/v1/objects", content=b'{"class":"Dog","properties":{"breed":' + b"[" * 20_000 + b"]" * 20_000 + b"}}").status_code == 400
    assert dogs.post("/v1/schema", content=b"").status_code == 422
    assert dogs.get("/v1/meta").status_code == 200


def test_a_body_over_the_limit_is_refused(dogs: httpx.Client) -> None:
    """The limit is the one that /v1/meta announces."""
    response = insert(dogs, breed="x" * 100_001)

    assert response.status_code == 422
    assert "100000" in message(response)


def test_a_list_pages_by_id(dogs: httpx.Client) -> None:
    """The cursor is the last id seen."""
    for n in range(1, 6):
        dogs.post("/v1/objects", json={"class": "Dog", "id": str(UUID(int=n)), "properties": {"weight": n}})

    def weights(query: str) -> list[int]:
        return [entry["properties"]["weight"] for entry in dogs.get(f"/v1/objects?class=Dog&{query}").json()["objects"]]

    assert weights("limit=2") == [1, 2]
    assert weights("limit=2&offset=1") == [2, 3]
    assert weights(f"limit=2&after={UUID(int=3)}") == [4, 5]
    assert weights("limit=2&after=") == [1, 2]
    for wrong in ("limit=three", "limit=10001", "after=nope&limit=2", f"after={UUID(int=3)}&offset=1", f"after={UUID(int=3)}"):
        assert dogs.get(f"/v1/objects?class=Dog&{wrong}").status_code == 422, wrong
    for wrong in ("everything", "interpretation", "vector,"):
        assert dogs.get(f"/v1/objects?class=Dog&include={wrong}").status_code == 400
    assert weights("limit=0") == []
    assert [dogs.get(f"/v1/objects?class=Dog&{nothing}").content for nothing in ("limit=-1", "offset=-1")] == [b"", b""]
    assert weights("sort=weight&order=upwards&limit=1") == [1]
    assert dogs.get("/v1/objects").json()["deprecations"] is None


def test_a_batch_says_of_each_object_how_it_fared(dogs: httpx.Client) -> None:
    """In the order of the request."""
    objects = [
        {"class": "Dog", "id": str(UUID(int=1)), "properties": {"image": RED}},
        {"class": "Cat", "id": str(UUID(int=2))},
        {"class": "Dog", "id": str(UUID(int=3)), "properties": {"weight": "heavy"}},
        {"class": "Dog", "properties": {"image": BLUE}},
    ]

    answers = dogs.post("/v1/batch/objects", json={"fields": ["ALL"], "objects": objects}).json()

    assert [answer["result"]["status"] for answer in answers] == ["SUCCESS", "FAILED", "FAILED", "SUCCESS"]
    assert answers[0]["vector"] == [255, 0, 0]
    assert "weight" in answers[2]["result"]["errors"]["error"][0]["message"]
    assert dogs.post("/v1/batch/objects", json={}).status_code == 422


def test_a_batch_with_an_object_that_cannot_be_read_stores_nothing(dogs: httpx.Client) -> None:
    """A request that is refused must not have been half carried out, whatever collections it names and in which order."""
    dogs.post("/v1/schema", json={"class": "Cat"})
    objects = [{"class": "Dog", "properties": {"weight": 1}}, {"class": "Cat", "id": "nope"}]

    assert dogs.post("/v1/batch/objects", json={"objects": objects}).status_code == 422
    assert dogs.get("/v1/objects?class=Dog").json() == {"deprecations": [], "objects": []}


def test_search_over_rest(dogs: httpx.Client) -> None:
    """One request, for curl, the page and the command line."""
    for n, image in enumerate((RED, GREEN, BLUE), 1):
        dogs.post("/v1/objects", json={"class": "Dog", "id": str(UUID(int=n)), "properties": {"breed": f"b{n}", "image": image}})

    hits = dogs.post("/v1/search/Dog/near-image", json={"image": GREEN, "limit": 1}).json()["hits"]

    assert hits == [{"id": str(UUID(int=2)), "distance": 0, "certainty": 1, "properties": {"breed": "b2"}}]
    assert len(dogs.post("/v1/search/Dog/near-object", json={"id": str(UUID(int=1)), "distance": 0.5}).json()["hits"]) == 1
    passing = {"where": {"path": ["breed"], "operator": "NotEqual", "valueText": "b2"}, "limit": 9}
    assert [hit["properties"]["breed"] for hit in dogs.post("/v1/search/Dog/near-image", json={"image": RED, **passing}).json()["hits"]] == ["b1", "b3"]
    listed = dogs.post("/v1/search/Dog/objects", json=passing).json()["hits"]
    assert [(hit["properties"]["breed"], hit["distance"]) for hit in listed] == [("b1", None), ("b3", None)]
    for kind, body, status in [
        ("near-image", {"image": RED, "where": {"path": ["breed"]}}, 422),
        ("objects", {"where": []}, 400),
        ("near-image", {}, 422),
        ("near-image", {"image": BROKEN}, 422),
        ("near-image", {"image": RED, "colour": 1}, 400),
        ("near-image", {"image": RED, "distance": 1, "certainty": 1}, 422),
        ("near-text", {"text": "red"}, 422),
        ("near-smell", {"text": "red"}, 422),
    ]:
        assert dogs.post(f"/v1/search/Dog/{kind}", json=body).status_code == status, (kind, body)


def test_pictures_are_served_and_never_run(dogs: httpx.Client) -> None:
    """A browser that guesses types would run what a stranger uploaded."""
    insert(dogs, breed="Corgi", image=RED)
    path = f"/v1/objects/Dog/{ID}/pictures"

    whole = dogs.get(f"{path}/image")
    assert (whole.content, whole.headers["content-type"], whole.headers["x-content-type-options"]) == (b"RGB\xff\x00\x00", "image/rgb", "nosniff")
    assert dogs.get(f"{path}/image?short_side=64").headers["content-type"] == "image/jpeg"
    assert [dogs.get(f"{path}/{rest}").status_code for rest in ("breed", "zzz", "image?short_side=9", "image?short_side=big")] == [404, 404, 422, 422]


def test_unknown_paths_and_methods_are_told_apart(http: httpx.Client) -> None:
    """404 for a path, 405 with the methods that are allowed for a method."""
    assert http.get("/v1/no-such-thing").status_code == 404
    refused = http.put("/v1/meta", json={})
    assert (refused.status_code, "GET" in refused.headers["allow"]) == (405, True)


def test_a_bug_becomes_a_number_not_a_traceback(
    services: Services, dogs: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Stacks are for our log; the client gets what finds them there."""

    def explode(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(services.collections), "all", explode)

    response = dogs.get("/v1/schema")

    assert response.status_code == 500
    assert "secret" not in response.text
    number = message(response).split()[2].rstrip(":")
    assert number in caplog.text
    assert "secret detail" in caplog.text
