"""Tenants, shards and figures over REST."""

from uuid import UUID

import httpx
import pytest

ID = str(UUID(int=7))
TENANTS = "/v1/schema/Ten/tenants"


@pytest.fixture
def kept_apart(http: httpx.Client) -> httpx.Client:
    body = {"class": "Ten", "properties": [{"name": "t", "dataType": ["text"]}], "multiTenancyConfig": {"enabled": True}}
    assert http.post("/v1/schema", json=body).status_code == 200
    made = [{"name": "anna"}, {"name": "bert", "activityStatus": "ACTIVE"}, {"name": "cold", "activityStatus": "COLD"}]
    assert http.post(TENANTS, json=made).json() == [made[0], {"name": "bert", "activityStatus": "HOT"}, made[2]]
    return http


def test_tenants_come_and_go(kept_apart: httpx.Client) -> None:
    """The older names of the states are what clients read, whichever they sent."""
    assert kept_apart.get(TENANTS).json() == [
        {"name": "anna", "activityStatus": "HOT"}, {"name": "bert", "activityStatus": "HOT"}, {"name": "cold", "activityStatus": "COLD"}
    ]  # fmt: skip
    assert kept_apart.get(f"{TENANTS}/bert").json() == {"name": "bert", "activityStatus": "HOT"}
    assert [kept_apart.head(f"{TENANTS}/{name}").status_code for name in ("bert", "zoe")] == [200, 404]
    assert kept_apart.put(TENANTS, json=[{"name": "bert", "activityStatus": "INACTIVE"}]).status_code == 200
    assert kept_apart.get(f"{TENANTS}/bert").json()["activityStatus"] == "COLD"
    assert kept_apart.request("DELETE", TENANTS, json=["bert", "nobody"]).status_code == 200
    assert kept_apart.get(f"{TENANTS}/bert").status_code == 404


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", [{"name": "a b"}], 422),
        ("POST", [{"name": "x"}, {"name": "x"}], 422),
        ("POST", [{"name": "x", "activityStatus": "LUKEWARM"}], 422),
        ("POST", {"name": "x"}, 400),
        ("PUT", [{"name": "zoe", "activityStatus": "HOT"}], 422),
        ("PUT", [{"name": "anna", "activityStatus": "FROZEN"}], 422),
        ("PUT", [{"name": "anna"}], 422),
        ("POST", [{"name": None}], 422),
        ("DELETE", ["anna", ""], 422),
    ],
)
def test_tenants_that_cannot_be_are_refused(kept_apart: httpx.Client, method: str, body: object, status: int) -> None:
    """And nothing is changed."""
    before = kept_apart.get(TENANTS).json()

    assert kept_apart.request(method, TENANTS, json=body).status_code == status
    assert kept_apart.get(TENANTS).json() == before


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/anna"), ("HEAD", "/anna")])
def test_tenants_of_a_collection_that_is_not_there_are_a_mistake(http: httpx.Client, method: str, path: str) -> None:
    """422 for all of them, as clients know it."""
    body = ["anna"] if method == "DELETE" else [{"name": "anna", "activityStatus": "HOT"}]
    assert http.request(method, f"/v1/schema/Missing/tenants{path}", json=body).status_code == 422


def test_objects_belong_to_the_tenant_that_the_request_names(kept_apart: httpx.Client) -> None:
    """An object of one tenant is not there for another, and no tenant at all is an error."""
    path = f"/v1/objects/Ten/{ID}"
    made = kept_apart.post("/v1/objects", json={"class": "Ten", "id": ID, "tenant": "anna", "properties": {"t": "a"}})
    assert made.json()["tenant"] == "anna"

    assert [kept_apart.get(path, params=query).status_code for query in ({"tenant": "anna"}, {"tenant": "bert"}, {})] == [200, 404, 422]
    assert kept_apart.patch(path, json={"tenant": "anna", "properties": {"t": "b"}}).status_code == 204
    assert kept_apart.patch(path, params={"tenant": "anna"}, json={"properties": {"t": "c"}}).status_code == 422  # the body says whose it is
    assert "tenant" not in kept_apart.get("/v1/objects?class=Ten&tenant=anna").json()["objects"][0]
    assert kept_apart.get("/v1/objects?class=Ten&tenant=anna").json()["objects"][0]["properties"] == {"t": "b"}
    assert [kept_apart.post("/v1/objects", json={"class": "Ten", "tenant": name}).status_code for name in ("zoe", "cold")] == [422, 422]
    assert [kept_apart.delete(path, params={"tenant": name}).status_code for name in ("bert", "anna")] == [204, 204]
    assert kept_apart.get(path, params={"tenant": "anna"}).status_code == 404


def test_a_tenant_is_listed_through_all_collections_that_have_it(kept_apart: httpx.Client) -> None:
    """Who asks without a tenant sees nobody's objects but those of collections without tenants."""
    kept_apart.post("/v1/schema", json={"class": "Eleven", "multiTenancyConfig": {"enabled": True, "autoTenantCreation": True}})
    kept_apart.post("/v1/schema", json={"class": "One"})
    for number, (name, tenant) in enumerate([("Ten", "anna"), ("Eleven", "anna"), ("Eleven", "zoe"), ("One", None)]):
        made = kept_apart.post("/v1/objects", json={"class": name, "id": str(UUID(int=number)), "tenant": tenant})
        assert made.status_code == 200

    def listed(query: str) -> list[tuple[str, str | None]]:
        return [(one["class"], one.get("tenant")) for one in kept_apart.get(f"/v1/objects{query}").json()["objects"]]

    assert listed("?tenant=anna") == [("Eleven", "anna"), ("Ten", "anna")]
    assert (listed("?tenant=zoe"), listed("?tenant=nobody"), listed("")) == ([("Eleven", "zoe")], [], [("One", None)])
    assert kept_apart.get(f"/v1/objects/{UUID(int=2)}?tenant=zoe").json()["class"] == "Eleven"


def test_a_shard_made_read_only_refuses_writes_and_answers_reads(kept_apart: httpx.Client) -> None:
    """For as long as it says so, and only that shard."""
    shards, objects = "/v1/schema/Ten/shards", {"class": "Ten", "id": ID, "tenant": "anna"}
    kept_apart.post("/v1/objects", json=objects)

    assert kept_apart.put(f"{shards}/anna", json={"status": "READONLY"}).json() == {"status": "READONLY"}

    assert {shard["name"]: shard["status"] for shard in kept_apart.get(shards).json()} == {"anna": "READONLY", "bert": "READY"}
    path = f"/v1/objects/Ten/{ID}?tenant=anna"
    writes = [kept_apart.delete(path), kept_apart.post("/v1/objects", json=objects | {"id": str(UUID(int=8))}), kept_apart.put(path, json=objects)]
    assert [answer.status_code for answer in writes] == [422, 422, 422]
    assert kept_apart.get(path).status_code == 200
    assert kept_apart.post("/v1/objects", json=objects | {"tenant": "bert"}).status_code == 200
    kept_apart.put(f"{shards}/anna", json={"status": "READY"})
    assert kept_apart.delete(path).status_code == 204
    assert [kept_apart.put(f"{shards}/{name}", json={"status": state}).status_code for name, state in (("anna", "TIRED"), ("zoe", "READY"))] == [422, 422]
    assert kept_apart.put(f"{shards}/anna", json={"status": "ready"}).json() == {"status": "ready"}
    assert kept_apart.put("/v1/schema/Missing/shards/anna", json={"status": "READY"}).status_code == 422


def test_a_tenant_made_anew_is_not_read_only(kept_apart: httpx.Client) -> None:
    """The state belonged to what was dropped."""
    kept_apart.put("/v1/schema/Ten/shards/anna", json={"status": "READONLY"})
    kept_apart.request("DELETE", TENANTS, json=["anna"])
    kept_apart.post(TENANTS, json=[{"name": "anna"}])

    assert kept_apart.post("/v1/objects", json={"class": "Ten", "tenant": "anna"}).status_code == 200


def test_nodes_tell_how_full_the_shards_are(kept_apart: httpx.Client) -> None:
    """Figures of the shards that are there, not made-up ones."""
    kept_apart.post("/v1/schema", json={"class": "One"})
    kept_apart.post("/v1/objects", json={"class": "One", "vector": [1, 2]})

    verbose = kept_apart.get("/v1/nodes?output=verbose").json()["nodes"][0]
    of_one = kept_apart.get("/v1/nodes/One?output=verbose").json()["nodes"][0]

    assert verbose["stats"] == {"objectCount": 1, "shardCount": 3}
    assert [(shard["class"], shard["objectCount"], shard["vectorIndexingStatus"]) for shard in of_one["shards"]] == [("One", 1, "READY")]
    assert kept_apart.get("/v1/nodes/One").json()["nodes"][0]["shards"] is None
    assert kept_apart.get("/v1/nodes/One?output=").json() == kept_apart.get("/v1/nodes/One").json()
    elsewhere = kept_apart.get("/v1/nodes/One?output=verbose&shardName=elsewhere").json()["nodes"][0]
    assert (elsewhere["shards"], elsewhere["stats"]) == (None, {"objectCount": 0, "shardCount": 0})
    assert [kept_apart.get(f"/v1/nodes{rest}").status_code for rest in ("?output=everything", "/Missing")] == [422, 404]
    statistics = kept_apart.get("/v1/cluster/statistics").json()
    (only,) = statistics["statistics"]
    assert (statistics["synchronized"], only["bootstrapped"], only["leaderId"]) == (True, True, only["name"])
    assert [member["id"] for member in only["raft"]["latestConfiguration"]] == [only["name"]]
    assert (only["raft"]["state"], only["raft"]["numPeers"], only["raft"]["appliedIndex"]) == ("Leader", "0", "0")
