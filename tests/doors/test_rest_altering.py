"""Collections that change while they are in use, over REST."""

from typing import Any
from uuid import UUID

import httpx
import pytest

ID = str(UUID(int=7))
PATH = "/v1/schema/Dog"


@pytest.fixture
def dogs(http: httpx.Client) -> httpx.Client:
    body = {"class": "Dog", "properties": [{"name": "breed", "dataType": ["text"]}, {"name": "weight", "dataType": ["int"]}]}
    assert http.post("/v1/schema", json=body).status_code == 200
    http.post("/v1/objects", json={"class": "Dog", "id": ID, "properties": {"breed": "Corgi", "weight": 12}, "vector": [1, 2]})
    return http


def test_what_may_change_changes_and_the_rest_is_refused(dogs: httpx.Client) -> None:
    """A client reads the definition, changes it and sends it back whole."""
    known = dogs.get(PATH).json()
    known["description"], known["vectorIndexConfig"]["ef"] = "dogs", 77

    assert dogs.put(PATH, json=known).json() == known
    assert dogs.get(PATH).json() == known
    for change in ({"class": "Cat"}, {"vectorIndexType": "flat"}, {"multiTenancyConfig": {"enabled": True}}, {"properties": known["properties"][:1]}):
        assert dogs.put(PATH, json=known | change).status_code == 422, change
    assert dogs.put("/v1/schema/Cat", json=known | {"class": "Cat"}).status_code == 404
    assert dogs.get(PATH).json() == known


def test_properties_come_one_by_one_and_stand_in_the_order_of_names_afterwards(dogs: httpx.Client) -> None:
    """Weaviate takes no new ones with a whole definition; its reply has them in the order sent, and the next reader finds them sorted."""
    known = dogs.get(PATH).json()
    more = [*known["properties"], {"name": "born", "dataType": ["date"]}]
    assert dogs.put(PATH, json=known | {"properties": more}).status_code == 422

    backwards = known | {"properties": known["properties"][::-1]}
    assert dogs.put(PATH, json=backwards).json() == backwards
    assert [prop["name"] for prop in dogs.get(PATH).json()["properties"]] == ["breed", "weight"]


def test_a_definition_in_the_place_of_another_says_what_was_sent_of_tenants_and_copies(dogs: httpx.Client) -> None:
    """What the request leaves out of them is not told afterwards, as in Weaviate."""
    known = dogs.get(PATH).json()
    part = {"class": "Dog", "properties": known["properties"]}

    assert dogs.put(PATH, json=part).json() == dogs.get(PATH).json()
    assert "multiTenancyConfig" not in dogs.get(PATH).json()
    assert dogs.get(PATH).json()["replicationConfig"] == {"asyncEnabled": False, "factor": 1}
    assert dogs.put(PATH, json=known).json() == known


def test_a_number_that_no_json_writer_takes_stays_readable(http: httpx.Client) -> None:
    """Settings are shown as they came; one that cannot be written would hide every collection from every client."""
    made = http.post("/v1/schema", json={"class": "Big", "moduleConfig": {"m": {"theirs": 2**65, "ours": 2**53}}})

    assert made.status_code == 200
    assert made.json()["moduleConfig"]["m"] == {"theirs": 2.0**65, "ours": 2**53}
    assert http.get("/v1/schema").json()["classes"][0]["class"] == "Big"
    assert http.post("/v1/schema/Big/properties", json={"name": "p", "dataType": ["int"], "moduleConfig": {"m": {"n": -(2**70)}}}).status_code == 200
    assert http.get("/v1/schema/Big").status_code == 200
    assert http.post("/v1/schema", content=b'{"class": 12345678901234567890', headers={"content-type": "application/json"}).status_code == 400


def test_a_property_is_added_once(dogs: httpx.Client) -> None:
    """Under its name with a small first letter, as clients of Weaviate know it."""
    added = dogs.post(f"{PATH}/properties", json={"name": "Born", "dataType": ["date"]})

    assert added.json()["name"] == "born"
    assert dogs.post(f"{PATH}/properties", json={"name": "born", "dataType": ["date"]}).status_code == 422
    assert dogs.post("/v1/schema/Cat/properties", json={"name": "born", "dataType": ["date"]}).status_code == 422
    assert dogs.patch(f"/v1/objects/Dog/{ID}", json={"properties": {"Born": "2024-01-01T00:00:00Z"}}).status_code == 204
    assert dogs.get(f"/v1/objects/Dog/{ID}").json()["properties"]["born"] == "2024-01-01T00:00:00Z"


def test_a_vector_without_a_name_may_get_named_ones_beside_it(dogs: httpx.Client) -> None:
    """It keeps its place: what says no name means it."""
    known: dict[str, Any] = dogs.get(PATH).json()
    known["vectorConfig"] = {"other": {"vectorizer": {"none": {}}}}

    altered = dogs.put(PATH, json=known).json()

    assert (altered["vectorizer"], list(altered["vectorConfig"])) == ("none", ["other"])
    dogs.put(f"/v1/objects/Dog/{ID}", json={"class": "Dog", "id": ID, "vector": [3, 4], "vectors": {"other": [1, 2, 3]}})
    read = dogs.get(f"/v1/objects/Dog/{ID}?include=vector").json()
    assert (read["vector"], read["vectors"]) == ([3, 4], {"other": [1, 2, 3]})
    assert len(dogs.post("/v1/search/Dog/near-object", json={"id": ID, "distance": 0.1}).json()["hits"]) == 1


def test_an_index_given_up_is_gone_and_the_values_stay(dogs: httpx.Client) -> None:
    """Filters on it are refused from then on."""
    where = {"path": ["weight"], "operator": "Equal", "valueInt": 12}
    ask: dict[str, Any] = {"match": {"class": "Dog", "where": where}, "dryRun": True}
    assert dogs.request("DELETE", "/v1/batch/objects", json=ask).status_code == 200

    assert dogs.delete(f"{PATH}/properties/weight/index/filterable").status_code == 200

    assert dogs.get(PATH).json()["properties"][1]["indexFilterable"] is False
    assert dogs.request("DELETE", "/v1/batch/objects", json=ask).status_code == 422
    assert dogs.get(f"/v1/objects/Dog/{ID}").json()["properties"]["weight"] == 12
    assert [dogs.delete(f"{PATH}/properties/{rest}").status_code for rest in ("zzz/index/filterable", "weight/index/magic")] == [422, 422]


@pytest.mark.parametrize(
    "change", [{"rq": {"enabled": False, "bits": 8}}, {"rq": {"enabled": True, "bits": 1}}, {"rq": {"enabled": False}, "bq": {"enabled": True}}]
)
def test_a_quantizer_of_a_flat_index_stays(http: httpx.Client, change: dict[str, Any]) -> None:
    """Weaviate refuses the same, so a definition moves both ways."""
    flat = {"class": "Flat", "vectorIndexType": "flat", "vectorIndexConfig": {"rq": {"enabled": True, "bits": 8}}}
    known = http.post("/v1/schema", json=flat).json()
    known["vectorIndexConfig"] |= change

    assert http.put("/v1/schema/Flat", json=known).status_code == 422


def test_a_flat_index_without_a_quantizer_stays_without(http: httpx.Client) -> None:
    """Others may be compressed later, a flat one is read through what was made of each object as it came."""
    known = http.post("/v1/schema", json={"class": "Flat", "vectorIndexType": "flat"}).json()
    known["vectorIndexConfig"]["bq"] |= {"enabled": True}

    assert http.put("/v1/schema/Flat", json=known).status_code == 422


def test_named_vectors_do_not_get_one_without_a_name_beside_them(http: httpx.Client) -> None:
    """Also one that nobody makes would be another vector."""
    known = http.post("/v1/schema", json={"class": "Named", "vectorConfig": {"a": {"vectorizer": {"none": {}}}}}).json()

    assert http.put("/v1/schema/Named", json=known | {"vectorizer": "none"}).status_code == 422


def test_one_replica_has_nobody_to_catch_up_with(http: httpx.Client) -> None:
    """So asynchronous replication is off, whatever was asked."""
    made = http.post("/v1/schema", json={"class": "One", "replicationConfig": {"factor": 1, "asyncEnabled": True}}).json()

    assert made["replicationConfig"]["asyncEnabled"] is False


def test_a_time_to_live_comes_back_as_it_was_sent_and_can_be_taken_away(http: httpx.Client) -> None:
    """One that is switched off is told as such, one that was never spoken of is absent: the Java client goes by that."""
    lives = {"enabled": True, "deleteOn": "_creationTimeUnix", "defaultTtl": 60, "filterExpiredObjects": True}
    known = http.post("/v1/schema", json={"class": "Brief", "objectTtlConfig": lives}).json()
    assert known["objectTtlConfig"] == lives

    changes = {"objectTTLConfig": {"enabled": True, "deleteOn": "_lastUpdateTimeUnix"}}
    changed = http.put("/v1/schema/Brief", json=known | changes).json()
    assert changed["objectTtlConfig"] == lives | {"deleteOn": "_lastUpdateTimeUnix"}
    off = http.put("/v1/schema/Brief", json=changed | {"objectTTLConfig": {"enabled": False}}).json()
    assert off["objectTtlConfig"] == changed["objectTtlConfig"] | {"enabled": False}
    http.put("/v1/schema/Brief", json=known | {"objectTtlConfig": {"enabled": False}})
    nothing = {"enabled": False, "deleteOn": "", "defaultTtl": 0, "filterExpiredObjects": False}
    assert http.get("/v1/schema/Brief").json()["objectTtlConfig"] == nothing
    del known["objectTtlConfig"]
    assert "objectTtlConfig" not in http.put("/v1/schema/Brief", json=known).json()
    for wrong in ({"enabled": True}, lives | {"deleteOn": "zzz"}, lives | {"defaultTtl": 0}):
        assert http.put("/v1/schema/Brief", json=known | {"objectTtlConfig": wrong}).status_code == 422
