"""References, deletion by filter, and objects without a collection in the path."""

from typing import Any
from uuid import UUID

import httpx
import pytest

ANN, BEN, DOG = (str(UUID(int=n)) for n in (1, 2, 3))
OWNERS = f"/v1/objects/Dog/{DOG}/references/owner"


@pytest.fixture
def dogs(http: httpx.Client) -> httpx.Client:
    http.post("/v1/schema", json={"class": "Person", "properties": [{"name": "name", "dataType": ["text"]}]})
    props = [{"name": "owner", "dataType": ["Person"]}, {"name": "weight", "dataType": ["int"]}, {"name": "breed", "dataType": ["text"]}]
    http.post("/v1/schema", json={"class": "Dog", "properties": props})
    for one, name in ((ANN, "Ann"), (BEN, "Ben")):
        http.post("/v1/objects", json={"class": "Person", "id": one, "properties": {"name": name}})
    http.post("/v1/objects", json={"class": "Dog", "id": DOG, "properties": {"weight": 12, "breed": "Corgi"}})
    return http


def beacon(person: str) -> dict[str, str]:
    return {"beacon": f"weaviate://localhost/Person/{person}"}


def owners(http: httpx.Client) -> list[str]:
    properties = http.get(f"/v1/objects/Dog/{DOG}").json()["properties"]
    return [reference["href"].rsplit("/")[-1] for reference in properties.get("owner", [])]


def test_references_are_added_replaced_and_taken_away(dogs: httpx.Client) -> None:
    """One by one, or all at once; the rest of the object stays as it is."""
    assert [dogs.post(OWNERS, json=beacon(person)).status_code for person in (ANN, BEN)] == [200, 200]
    assert owners(dogs) == [ANN, BEN]
    assert dogs.request("DELETE", OWNERS, json=beacon(ANN)).status_code == 204
    assert owners(dogs) == [BEN]
    assert dogs.put(OWNERS, json=[beacon(ANN)]).status_code == 200
    assert owners(dogs) == [ANN]
    assert dogs.get(f"/v1/objects/Dog/{DOG}").json()["properties"]["breed"] == "Corgi"
    assert dogs.post(f"/v1/objects/{DOG}/references/owner", json=beacon(BEN)).status_code == 200
    assert owners(dogs) == [ANN, BEN]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/v1/objects/Dog/{DOG}/references/breed", beacon(ANN), 422),
        (f"/v1/objects/Dog/{BEN}/references/owner", beacon(ANN), 404),
        (OWNERS, {"beacon": "owner"}, 422),
        (OWNERS, {"beacon": f"weaviate://localhost/Dog/{DOG}"}, 422),
        ("/v1/objects/Dog/nope/references/owner", beacon(ANN), 422),
        (OWNERS, [beacon(ANN)], 400),
        (OWNERS, {"beacon": None}, 422),
        (f"/v1/objects/Fish/{DOG}/references/owner", beacon(ANN), 422),
        (f"/v1/objects/{UUID(int=99)}/references/owner", beacon(ANN), 422),
    ],
)  # fmt: skip
def test_a_reference_that_cannot_be_is_refused(dogs: httpx.Client, path: str, body: Any, status: int) -> None:
    """Whatever is wrong: the property, the object it starts at, or the beacon."""
    assert dogs.post(path, json=body).status_code == status
    assert owners(dogs) == []


def test_a_reference_is_taken_away_where_it_can_be(dogs: httpx.Client) -> None:
    """A beacon that leads elsewhere is no mistake, an object that is not there is one."""
    elsewhere = {"beacon": f"weaviate://localhost/Dog/{DOG}"}
    assert dogs.request("DELETE", OWNERS, json=elsewhere).status_code == 204
    assert dogs.request("DELETE", f"/v1/objects/Dog/{BEN}/references/owner", json=elsewhere).status_code == 404
    assert dogs.request("DELETE", OWNERS, json={"beacon": "owner"}).status_code == 422


def test_a_change_adds_references_and_none_to_none_is_none(dogs: httpx.Client) -> None:
    """An empty list takes nothing away, and a property that never had references is still without."""
    path = f"/v1/objects/Dog/{DOG}"
    assert dogs.patch(path, json={"properties": {"owner": []}}).status_code == 204
    assert "owner" not in dogs.get(path).json()["properties"]

    dogs.patch(path, json={"properties": {"owner": [beacon(ANN)]}})
    dogs.patch(path, json={"properties": {"owner": []}})
    assert owners(dogs) == [ANN]


@pytest.mark.parametrize("wrong", [{"from": "foo", "to": "/"}, {"from": "/", "to": "foo"}])
def test_many_references_with_one_that_is_no_uri_are_refused(dogs: httpx.Client, wrong: dict[str, str]) -> None:
    """As a whole: Weaviate looks at their form before it looks at any of them."""
    good = {"from": f"weaviate://localhost/Dog/{DOG}/owner", "to": beacon(ANN)["beacon"], "tenant": "anna"}

    assert dogs.post("/v1/batch/references", json=[good, wrong]).status_code == 422
    assert owners(dogs) == []


def test_many_references_say_how_each_fared(dogs: httpx.Client) -> None:
    """In the order of the request."""
    start = f"weaviate://localhost/Dog/{DOG}"
    sent = [{"from": f"{start}/owner", "to": beacon(ANN)["beacon"]}, {"from": f"{start}/breed", "to": beacon(ANN)["beacon"]}, {"from": "/", "to": "/"}]

    answers = dogs.post("/v1/batch/references", json=sent).json()

    assert [answer["result"]["status"] for answer in answers] == ["SUCCESS", "FAILED", "FAILED"]
    assert [(answer.get("from"), answer.get("to")) for answer in answers] == [(sent[0]["from"], sent[0]["to"]), (None, None), (None, None)]
    assert owners(dogs) == [ANN]


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ({"operator": "Equal", "path": ["weight"], "valueNumber": 1}, 422),
        ({"operator": "Equal", "path": ["breed"], "valueInt": 1}, 422),
        ({"operator": "ContainsAny", "path": ["breed"], "valueText": "a"}, 422),
        ({"operator": "ContainsAny", "path": ["breed"], "valueTextArray": []}, 422),
        ({"operator": "And", "path": ["breed"], "operands": [{"operator": "Equal", "path": ["breed"], "valueText": "a"}]}, 422),
        ({"operator": "Equal", "path": "weight", "valueInt": 1}, 400),
        ({"operator": "Equal", "path": ["weight"], "valueInt": 1.5}, 400),
        ({"operator": "ContainsAny", "path": ["breed"], "valueText": ["a"]}, 400),
    ],
)
def test_a_filter_of_a_deletion_says_what_it_compares(dogs: httpx.Client, where: dict[str, Any], status: int) -> None:
    """A value under the name of another type was meant for another property, and what is deleted is gone."""
    assert dogs.request("DELETE", "/v1/batch/objects", json={"match": {"class": "Dog", "where": where}}).status_code == status


def test_a_filter_of_a_deletion_is_told_back_in_full(dogs: httpx.Client) -> None:
    """Path and operands at every level, as clients expect them."""
    corgis = {"operator": "ContainsAny", "path": ["breed"], "valueTextArray": ["corgi"]}
    match = {"class": "Dog", "where": {"operator": "Or", "operands": [corgis]}}
    told = dogs.request("DELETE", "/v1/batch/objects", json={"match": match, "dryRun": True}).json()["match"]["where"]

    assert told == {"operator": "Or", "path": None, "operands": [{**corgis, "operands": None}]}


@pytest.mark.parametrize("value", ["18446744073709551616", "[" * 300 + "]" * 300], ids=["a number beyond 64 bits", "lists in lists"])
def test_what_no_reply_can_hold_costs_the_others_of_a_batch_nothing(dogs: httpx.Client, value: str) -> None:
    """An object that fails is told beside what was sent; the reply must come all the same, for the others are stored."""
    body = (
        f'{{"objects": [{{"class": "Dog", "properties": {{"breed": {value}}}}}, {{"class": "Dog", "id": "{UUID(int=77)}", "properties": {{"breed": "Pug"}}}}]}}'
    )

    answers = dogs.post("/v1/batch/objects", content=body, headers={"Content-Type": "application/json"}).json()

    assert [answer["result"]["status"] for answer in answers] == ["FAILED", "SUCCESS"]
    assert UUID(answers[0]["id"])  # the one that it would have got
    assert dogs.get(f"/v1/objects/Dog/{UUID(int=77)}").json()["properties"] == {"breed": "Pug"}


def test_a_deletion_is_not_carried_out_if_it_could_not_be_told(dogs: httpx.Client) -> None:
    """The reply repeats what was asked; no reply holds whole numbers beyond 64 bits."""
    where = {"path": ["nothing"], "operator": "Equal", "valueInt": 1}
    body = {"match": {"class": "Dog", "where": where}, "deletionTimeUnixMilli": 1 << 64}
    assert dogs.request("DELETE", "/v1/batch/objects", json=body).status_code == 400

    around = {"geoCoordinates": {"latitude": 1, "longitude": 1}, "distance": {"max": 1 << 64}}
    dogs.post("/v1/schema/Dog/properties", json={"name": "home", "dataType": ["geoCoordinates"]})
    match = {"class": "Dog", "where": {"path": ["home"], "operator": "WithinGeoRange", "valueGeoRange": around}}
    told = dogs.request("DELETE", "/v1/batch/objects", json={"match": match}).json()
    assert told["match"]["where"]["valueGeoRange"]["distance"] == {"max": float(1 << 64)}


def test_deleting_by_filter_first_dry_then_for_good(dogs: httpx.Client) -> None:
    """What the dry run counts is what goes; the rest stays."""
    for n in range(10, 14):
        dogs.post("/v1/objects", json={"class": "Dog", "id": str(UUID(int=n)), "properties": {"weight": n}})
    limits = [{"path": ["weight"], "operator": "GreaterThan", "valueInt": 11}, {"path": ["weight"], "operator": "LessThan", "valueInt": 13}]
    body = {"match": {"class": "Dog", "where": {"operator": "And", "operands": limits}}, "output": "verbose"}

    def delete(**change: Any) -> Any:
        return dogs.request("DELETE", "/v1/batch/objects", json=body | change).json()["results"]

    dry = delete(dryRun=True)
    done = delete()

    assert (dry["matches"], dry["successful"], {one["status"] for one in dry["objects"]}) == (2, 0, {"DRYRUN"})
    assert (done["matches"], done["successful"], [one["id"] for one in done["objects"]]) == (2, 2, [DOG, str(UUID(int=12))])
    assert delete() == delete(output="minimal") == {"failed": 0, "limit": 10_000, "matches": 0, "objects": None, "successful": 0}


@pytest.mark.parametrize(
    "where",
    [
        None,
        {},
        [],
        {"operator": "Equal", "path": ["weight"]},
        {"operator": "Equal", "path": ["weight"], "valueInt": 1, "valueText": "x"},
        {"operator": "Equal", "path": ["weight"], "valueInt": "1"},
        {"operator": "Equal", "path": ["weight"], "valueBoolean": 1},
        {"operator": "Equal", "path": ["owner", "Person"], "valueText": "Ann"},
        {"operator": "Alike", "path": ["weight"], "valueInt": 1},
        {"operator": "And"},
        {"operator": "Not", "operands": []},
        {"operator": "Equal", "path": [3], "valueInt": 1},
        {"operator": "WithinGeoRange", "path": ["weight"], "valueGeoRange": {"geoCoordinates": {"latitude": 1}}},
    ],
)
def test_a_filter_that_says_nothing_clear_deletes_nothing(dogs: httpx.Client, where: object) -> None:
    """Deleting by a misread filter cannot be undone."""
    refused = dogs.request("DELETE", "/v1/batch/objects", json={"match": {"class": "Dog", "where": where}})

    assert refused.status_code in (400, 422)
    assert dogs.head(f"/v1/objects/Dog/{DOG}").status_code == 204


def test_a_filter_may_follow_a_reference(dogs: httpx.Client) -> None:
    """Reference, collection, property: as clients write paths."""
    dogs.post(OWNERS, json=beacon(ANN))
    where = {"operator": "Equal", "path": ["owner", "Person", "name"], "valueText": "Ann"}

    gone = dogs.request("DELETE", "/v1/batch/objects", json={"match": {"class": "Dog", "where": where}}).json()

    assert gone["results"]["successful"] == 1


def test_an_object_is_found_by_its_id_alone(dogs: httpx.Client) -> None:
    """As older clients ask: the collection is looked for, or comes from the body."""
    path = f"/v1/objects/{DOG}"

    assert dogs.get(path).json()["class"] == "Dog"
    assert dogs.head(path).status_code == 204
    assert dogs.patch(path, json={"class": "Dog", "properties": {"weight": 13}}).status_code == 204
    assert dogs.put(path, json={"class": "Dog", "id": DOG, "properties": {"weight": 14}}).json()["properties"] == {"weight": 14}
    assert dogs.put(path, json={"properties": {}}).status_code == 422
    assert [dogs.delete(path).status_code for _ in range(2)] == [204, 404]


def test_an_object_deleted_by_its_id_alone_is_gone_everywhere(dogs: httpx.Client) -> None:
    """Who names no collection means them all: a second object of that id must not stay behind unseen."""
    dogs.post("/v1/objects", json={"class": "Dog", "id": ANN})

    assert dogs.delete(f"/v1/objects/{ANN}").status_code == 204
    assert [dogs.head(f"/v1/objects/{name}/{ANN}").status_code for name in ("Dog", "Person")] == [404, 404]
    assert dogs.head(f"/v1/objects/Person/{BEN}").status_code == 204


def test_a_list_without_a_collection_goes_through_all_of_them(dogs: httpx.Client) -> None:
    """In the order of names, and within each in that of ids."""

    def ids(query: str) -> list[str]:
        return [entry["id"] for entry in dogs.get(f"/v1/objects?{query}").json()["objects"]]

    assert ids("") == [DOG, ANN, BEN]
    assert ids("limit=1&offset=1") == [ANN]
    assert dogs.get(f"/v1/objects?limit=2&after={ANN}").status_code == 422


def test_an_object_can_be_checked_without_storing_it(dogs: httpx.Client) -> None:
    """Nothing is left behind either way."""
    fine = {"class": "Dog", "id": BEN, "properties": {"weight": 3}}

    assert dogs.post("/v1/objects/validate", json=fine).status_code == 200
    for wrong in ({"properties": {"weight": "x"}}, {"id": None}, {"class": "Cat"}):
        assert dogs.post("/v1/objects/validate", json={**fine, **wrong}).status_code == 422, wrong
    assert dogs.head(f"/v1/objects/Dog/{BEN}").status_code == 404
