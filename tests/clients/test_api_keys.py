"""API keys: the official client with one, without, and with another, against a live server; every door asks for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import weaviate
from weaviate.auth import Auth
from weaviate.classes.query import Filter
from weaviate.exceptions import InsufficientPermissionsError, UnexpectedStatusCodeError, WeaviateBaseError

from tests.servers import LiveServer, start_server

KEYS = {
    "AUTHENTICATION_APIKEY_ENABLED": "true",
    "AUTHENTICATION_APIKEY_ALLOWED_KEYS": "s3cret",
    "AUTHENTICATION_APIKEY_USERS": "ann@example.com",
    "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[LiveServer]:
    server = start_server(tmp_path / "data", environment=KEYS)
    yield server
    assert server.stop() == 0


def test_the_client_works_with_a_key_and_is_told_without_one(locked: LiveServer) -> None:
    """Over REST and gRPC alike; what it may not do, it must be told as such and not as a server that is down."""
    ports = {"port": locked.http_port, "grpc_port": locked.grpc_port}
    with weaviate.connect_to_local(**ports, auth_credentials=Auth.api_key("s3cret")) as client:
        client.collections.create("Dog")
        dogs = client.collections.use("Dog")
        dogs.data.insert_many([{"name": "Corgi"}])
        assert len(dogs.query.fetch_objects().objects) == 1
        assert client.users.get_my_user().user_id == "ann@example.com"
    with pytest.raises((UnexpectedStatusCodeError, WeaviateBaseError)) as refused:
        weaviate.connect_to_local(**ports, auth_credentials=Auth.api_key("other"))
    assert "401" in str(refused.value)


def test_every_door_is_locked_and_only_health_is_open(locked: LiveServer) -> None:
    """A door that was forgotten would make the others' locks worthless."""
    for path in ("/v1/meta", "/v1/schema", "/v1/objects", "/v1/nodes", "/metrics", "/v1/schema.openapi.json", "/v1/nothing"):
        refused = httpx.get(locked.url + path)
        assert (refused.status_code, refused.json()["code"]) == (401, 401), path
        assert httpx.get(locked.url + path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert httpx.post(f"{locked.url}/v1/graphql", json={"query": "{Get{Dog{name}}}"}).status_code == 401
    assert [httpx.get(f"{locked.url}/v1/.well-known/{name}").status_code for name in ("live", "ready", "openid-configuration")] == [200, 200, 404]
    with grpc.insecure_channel(f"127.0.0.1:{locked.grpc_port}") as channel:
        for method in ("Search", "BatchObjects", "Nothing"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(f"/weaviate.v1.Weaviate/{method}")(b"", timeout=10, metadata=(("authorization", "Bearer wrong"),))
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError) as caught:
            list(channel.stream_stream("/weaviate.v1.Weaviate/BatchStream")(iter([b""]), timeout=10))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)


@pytest.mark.parametrize("transport", ["native", "grpcio"])
def test_who_may_only_read_changes_nothing_through_any_door(tmp_path: Path, transport: str) -> None:
    """A shop's page searches with a key that everybody can read in it."""
    users = {"AUTHENTICATION_APIKEY_ALLOWED_KEYS": "k-ann,k-bob,k-eve", "AUTHENTICATION_APIKEY_USERS": "ann,bob,eve"}
    lists = {
        "AUTHORIZATION_ADMINLIST_ENABLED": "true",
        "AUTHORIZATION_ADMINLIST_USERS": "ann",
        "AUTHORIZATION_ADMINLIST_READONLY_USERS": "bob",
        "NEARIMAGE_GRPC_TRANSPORT": transport,
    }
    server = start_server(tmp_path / "data", environment=KEYS | users | lists)
    ports = {"port": server.http_port, "grpc_port": server.grpc_port}
    with weaviate.connect_to_local(**ports, auth_credentials=Auth.api_key("k-ann")) as client:
        one = client.collections.create("Dog").data.insert({"name": "Corgi"})
    with weaviate.connect_to_local(**ports, auth_credentials=Auth.api_key("k-bob")) as client:
        dogs = client.collections.use("Dog")
        assert [found.uuid for found in dogs.query.fetch_objects().objects] == [one]
        assert dogs.aggregate.over_all().total_count == 1
        assert client.graphql_raw_query("{Get{Dog{name}}}").get["Dog"] == [{"name": "Corgi"}]
        assert dogs.query.fetch_object_by_id(one) is not None
        changes: list[Callable[[], object]] = [
            lambda: dogs.data.insert({"name": "Pug"}),
            lambda: dogs.data.insert_many([{"name": "Pug"}]),
            lambda: dogs.data.delete_by_id(one),
            lambda: dogs.data.delete_many(where=Filter.by_property("name").equal("corgi")),
            lambda: client.collections.delete("Dog"),
            lambda: client.collections.create("Cat"),
        ]
        for change in changes:
            with pytest.raises(InsufficientPermissionsError):
                change()
        assert len(dogs) == 1
    refused = httpx.get(f"{server.url}/v1/schema", headers={"Authorization": "Bearer k-eve"})
    assert (refused.status_code, "'eve'" in refused.json()["error"][0]["message"]) == (403, True)
    assert server.stop() == 0
