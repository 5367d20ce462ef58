"""API keys: the official client with one, without, and with another, against a live server; every door asks for it."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import weaviate
from weaviate.auth import Auth
from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateBaseError

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
