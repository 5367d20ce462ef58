"""Objects as they are sent and told over REST, where the form matters."""

import httpx
import pytest

from tests.doors.test_rest import DOG, ID


@pytest.fixture
def dogs(http: httpx.Client) -> httpx.Client:
    """A collection of dogs."""
    assert http.post("/v1/schema", json=DOG).status_code == 200
    return http


@pytest.mark.parametrize(("body", "status"), [(b"null", 422), (b" \n", 422), (b"", 422), (b"[]", 400)])
def test_null_is_an_object_with_nothing_in_it(dogs: httpx.Client, body: bytes, status: int) -> None:
    """As it is to Go; it lacks a class. Blanks are no body."""
    assert dogs.post("/v1/objects", content=body).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("name", ["live", "ready"])
def test_whoever_asks_whether_it_is_there_is_told(http: httpx.Client, method: str, name: str) -> None:
    """Some programs that look after servers ask with HEAD."""
    assert http.request(method, f"/v1/.well-known/{name}").status_code == 200


def test_of_a_telephone_number_what_is_empty_is_not_told(http: httpx.Client) -> None:
    """Weaviate leaves out empty texts, zeros and what is false."""
    http.post("/v1/schema", json={"class": "Person", "properties": [{"name": "phone", "dataType": ["phoneNumber"]}]})
    told = http.post("/v1/objects", json={"class": "Person", "properties": {"phone": {"input": "+49 12"}}}).json()["properties"]["phone"]

    assert set(told) == {"input", "internationalFormatted", "nationalFormatted", "national", "countryCode"}


def test_a_whole_object_without_properties_is_told_without(dogs: httpx.Client) -> None:
    """The reply has what was sent; whoever reads the object then finds that there are none."""
    made = dogs.post("/v1/objects", json={"class": "Dog", "properties": {"weight": 1}}).json()
    path, whole = f"/v1/objects/Dog/{made['id']}", {"class": "Dog", "id": made["id"]}

    assert dogs.put(path, json=whole | {"properties": {}}).json()["properties"] == {}
    assert "properties" not in dogs.put(path, json=whole).json()
    assert dogs.get(path).json()["properties"] == {}


def test_a_batch_tells_of_references_where_they_lead(dogs: httpx.Client) -> None:
    """The path there is told by a GET."""
    dogs.post("/v1/schema/Dog/properties", json={"name": "friend", "dataType": ["Dog"]})
    objects = [{"class": "Dog", "id": ID, "properties": {"friend": [{"beacon": f"weaviate://localhost/Dog/{ID}"}], "weight": 1}}]

    (told,) = dogs.post("/v1/batch/objects", json={"objects": objects}).json()

    assert told["properties"] == objects[0]["properties"]
    assert set(dogs.get(f"/v1/objects/Dog/{ID}").json()["properties"]["friend"][0]) == {"beacon", "href"}


def test_the_parts_of_an_object_that_a_batch_asks_for_have_names(dogs: httpx.Client) -> None:
    """All is told in any case; a name that is none is a mistake."""
    objects = [{"class": "Dog", "properties": {"weight": 1}, "vectors": {"default": None}}]

    assert [dogs.post("/v1/batch/objects", json={"fields": fields, "objects": objects}).status_code for fields in (["id"], ["ALL"], ["foo"])] == [200, 200, 422]
    assert dogs.post("/v1/batch/objects", json={"objects": None}).status_code == 422


THERE_IS_NONE = [
    "GET /v1/.well-known/openid-configuration",
    "GET /v1/schema/Cat",
    f"GET /v1/objects/Cat/{ID}",
    f"GET /v1/objects/Dog/{ID}",
    f"GET /v1/objects/{ID}",
    "GET /v1/objects?class=Cat",
    f"PATCH /v1/objects/Dog/{ID}",
    f"PATCH /v1/objects/Cat/{ID}",
    f"POST /v1/objects/Dog/{ID}/references/friend",
    f"PUT /v1/objects/Dog/{ID}/references/friend",
    f"DELETE /v1/objects/Dog/{ID}/references/friend",
    "GET /v1/aliases/Cat",
    "PUT /v1/aliases/Cat",
    "DELETE /v1/aliases/Cat",
    f"GET /v1/classifications/{ID}",
]
BEACON = {"beacon": f"weaviate://localhost/Dog/{ID}"}


@pytest.mark.parametrize("asked", THERE_IS_NONE)
def test_that_there_is_none_is_told_without_a_body(dogs: httpx.Client, asked: str) -> None:
    """As in Weaviate, whose Java client (v5) takes an empty 404 for `no`, and one that says something for a failure."""
    dogs.post("/v1/schema/Dog/properties", json={"name": "friend", "dataType": ["Dog"]})
    method, path = asked.split()
    bodies = {"PATCH": {"class": path.split("/")[-2]}, "POST": BEACON, "PUT": {"class": "Dog"} if "aliases" in path else [], "DELETE": BEACON}
    answer = dogs.request(method, path, json=bodies.get(method))
    assert (answer.status_code, answer.content) == (404, b"")


def test_what_is_asked_for_and_cannot_be_is_told_in_words(dogs: httpx.Client) -> None:
    """A shard or node of what is not there is a mistake, and a whole object (PUT) needs one whose place it takes."""
    whole = dogs.put(f"/v1/objects/Dog/{ID}", json={"class": "Dog", "id": ID})
    answers = [whole, dogs.get("/v1/schema/Cat/shards"), dogs.get("/v1/nodes/Cat"), dogs.get("/v1/nothing")]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert all(answer.json() for answer in answers)
