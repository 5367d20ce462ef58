"""Settings of collections over REST: what is told back is what is kept."""

from typing import Any

import httpx
import pytest

from nearimage.doors.rest.call import About
from nearimage.service.services import Services
from tests.fakes import Counting
from tests.http_doors import asked, rest_site


@pytest.mark.parametrize("asked", [0, -3, None, 1])
def test_fewer_copies_than_one_are_one(http: httpx.Client, asked: int | None) -> None:
    """As in Weaviate, where 0 is what old clients send for "as you like"."""
    made = http.post("/v1/schema", json={"class": "Set", "replicationConfig": {"factor": asked}})

    assert made.json()["replicationConfig"] == {"asyncEnabled": False, "deletionStrategy": "TimeBasedResolution", "factor": 1}


def test_more_copies_than_nodes_are_refused(http: httpx.Client) -> None:
    """Also afterwards, and nothing else is changed by the try."""
    asked = {"replicationConfig": {"factor": 2}}
    assert http.post("/v1/schema", json={"class": "Set"} | asked).status_code == 422

    known = http.post("/v1/schema", json={"class": "Set"}).json()
    assert http.put("/v1/schema/Set", json=known | asked | {"description": "new"}).status_code == 422
    assert http.get("/v1/schema/Set").json() == known


def test_shards_are_counted_as_they_are(http: httpx.Client) -> None:
    """What was asked for is told beside it, and a definition that is sent back changes nothing, whole or in part."""
    asked = {"desiredCount": 3, "actualCount": 7}
    made = http.post("/v1/schema", json={"class": "Set", "shardingConfig": asked}).json()

    counts = {"actualCount": 1, "actualVirtualCount": 128, "desiredCount": 3, "desiredVirtualCount": 384, "virtualPerPhysical": 128}
    assert made["shardingConfig"] == counts | {"function": "murmur3", "key": "_id", "strategy": "hash"}
    for body in (made, made | {"shardingConfig": asked}):
        assert http.put("/v1/schema/Set", json=body).status_code == 200
    assert http.put("/v1/schema/Set", json=made | {"shardingConfig": {"desiredCount": 2}}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"vectorIndexConfig": {"maxConnections": 1}},
        {"vectorIndexConfig": {"ef": "x"}},
        {"vectorIndexType": "flat", "vectorIndexConfig": {"sq": {"enabled": True}}},
        {"vectorConfig": {"v": {"vectorizer": {"none": {}}, "vectorIndexConfig": {"rq": {"enabled": True, "bits": 3}}}}},
        {"invertedIndexConfig": {"cleanupIntervalSeconds": -1}},
        {"multiTenancyConfig": {"enabled": False, "autoTenantCreation": True}},
        {"properties": [{"name": "p", "dataType": ["text"], "indexRangeFilters": True}]},
    ],
)
def test_settings_that_weaviate_refuses_are_the_clients_mistake(http: httpx.Client, wrong: dict[str, Any]) -> None:
    """422 is what every client takes for "look at your definition"."""
    assert http.post("/v1/schema", json={"class": "Set"} | wrong).status_code == 422
    assert http.get("/v1/schema").json()["classes"] == []


def test_who_runs_the_server_says_which_index_is_the_default(services: Services, threads: Counting) -> None:
    """DEFAULT_VECTOR_INDEX, for vectors with and without a name; a schema that names one is not overruled, and a definition that is sent back fits."""
    about = About(version="1.39.2", hostname="here", max_message_bytes=100_000, default_index="flat")
    with asked(rest_site(services, about), threads, about.max_message_bytes) as client:
        bare = client.post("/v1/schema", json={"class": "Bare"}).json()
        bodies = {"silent": {"vectorizer": {"none": {}}}, "said": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"}}
        named = client.post("/v1/schema", json={"class": "Named", "vectorConfig": bodies}).json()

        assert (bare["vectorIndexType"], bare["vectorIndexConfig"]["rq"]["rescoreLimit"]) == ("flat", -1)
        assert {name: vector["vectorIndexType"] for name, vector in named["vectorConfig"].items()} == {"silent": "flat", "said": "hnsw"}
        assert client.put("/v1/schema/Named", json=named | {"description": "d"}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, {}),
        ({"bm25": {"k1": 3}}, {"bm25": {"k1": 3}}),
        ({"bm25": {}}, {"bm25": {}}),
        ({"cleanupIntervalSeconds": 0, "usingBlockMaxWAND": False, "unheard": 1}, {}),
        ({"indexNullState": False, "indexTimestamps": True}, {"indexTimestamps": True}),
        ({"stopwords": {"additions": ["the", "foo"]}}, {"stopwords": {"additions": ["foo"], "preset": "en", "removals": None}}),
        ({"stopwords": {"additions": ["the"], "removals": []}}, {"stopwords": {"additions": None, "preset": "en", "removals": []}}),
    ],
)
def test_settings_of_keyword_search_are_told_as_they_are_taken(http: httpx.Client, sent: dict[str, Any], told: dict[str, Any]) -> None:
    """A block takes the place of its defaults as a whole, and what is off or zero is not told."""
    made = http.post("/v1/schema", json={"class": "Set", "invertedIndexConfig": sent}).json()

    stopwords = {"additions": None, "preset": "en", "removals": None}
    usual = {"bm25": {"b": 0.75, "k1": 1.2}, "cleanupIntervalSeconds": 60, "stopwords": stopwords, "usingBlockMaxWAND": True}
    assert made["invertedIndexConfig"] == usual | told
    assert http.get("/v1/schema/Set").json() == made


def test_objects_that_expire_by_their_own_times_have_these_indexed(http: httpx.Client) -> None:
    """Weaviate sees to it by itself, and tells so."""
    expiry = {"enabled": True, "defaultTtl": 3600, "deleteOn": "_creationTimeUnix"}
    assert http.post("/v1/schema", json={"class": "Set", "objectTtlConfig": expiry}).json()["invertedIndexConfig"]["indexTimestamps"] is True


def test_tenants_are_the_shards(http: httpx.Client) -> None:
    """So nothing is told of others, and a definition can be sent back as it was read."""
    made = http.post("/v1/schema", json={"class": "Set", "multiTenancyConfig": {"enabled": True}}).json()

    assert set(made["shardingConfig"].values()) == {0, ""}
    assert http.put("/v1/schema/Set", json=made).json() == made


@pytest.mark.parametrize("properties", [None, []])
def test_a_list_of_no_properties_is_told_as_it_was_sent(http: httpx.Client, properties: object) -> None:
    """Weaviate keeps an empty list and no list apart."""
    assert http.post("/v1/schema", json={"class": "Set", "properties": properties}).json()["properties"] == properties
    assert http.get("/v1/schema/Set").json()["properties"] == properties


def test_settings_that_no_server_reads_are_not_kept(http: httpx.Client) -> None:
    """Who misspells one sees it by what is told back."""
    unheard = {"unheard": 1}
    flat = unheard | {"bq": {"enabled": True} | unheard}
    made = http.post("/v1/schema", json={"class": "Set", "shardingConfig": unheard, "vectorIndexType": "flat", "vectorIndexConfig": flat}).json()

    assert "unheard" not in str(made)


def test_names_of_settings_may_come_in_another_case(http: httpx.Client) -> None:
    """LangChain's store asks for tenants under `MultiTenancyConfig`."""
    made = http.post("/v1/schema", json={"class": "Set", "MultiTenancyConfig": {"enabled": True, "autoTenantCreation": True}, "ofNobody": 1})

    assert made.json()["multiTenancyConfig"] == {"autoTenantActivation": False, "autoTenantCreation": True, "enabled": True}
