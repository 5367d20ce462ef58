"""Pictures by URL through the official Python client, which passes any text on: on import and in queries."""

import subprocess
import sys
import warnings
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fetching.web import Web, redirect, reply
from tests.servers import LiveServer, start_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import weaviate
    from weaviate.classes.config import Configure, DataType, Property
    from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateQueryError

FEW = 3


@pytest.fixture(scope="module")
def web(photos: Mapping[str, Path]) -> Iterator[Web]:
    """A web server with photographs, and with less useful answers."""
    some = list(photos.items())[:FEW]
    answers = {f"/{name}.jpg": reply(path.read_bytes(), Content_Type="image/jpeg") for name, path in some}
    answers |= {"/moved": redirect(f"/{some[0][0]}.jpg"), "/words": reply(b"<html>Not found</html>"), "/elsewhere": redirect("http://[::1]:8000/")}
    with Web(answers) as serving:
        yield serving


@pytest.fixture(scope="module")
def server(grpc_transport: str, tmp_path_factory: pytest.TempPathFactory, photos: Mapping[str, Path]) -> Iterator[LiveServer]:
    """A server that may fetch from 127.0.0.1 and read the photographs' folder."""
    folder = next(iter(photos.values())).parent
    environment = {"NEARIMAGE_FETCH_ALLOW": "127.0.0.1", "NEARIMAGE_FILE_ROOT": str(folder)}
    serving = start_server(tmp_path_factory.mktemp("urls") / "data", environment=environment)
    yield serving
    assert serving.stop() == 0


@pytest.fixture
def dogs(server: LiveServer) -> Iterator[Any]:
    """An empty collection of pictures."""
    properties = [Property(name="breed", data_type=DataType.TEXT), Property(name="image", data_type=DataType.BLOB)]
    with weaviate.connect_to_local(port=server.http_port, grpc_port=server.grpc_port) as client:
        yield client.collections.create(f"Dog_{uuid4().hex}", properties=properties, vector_config=Configure.Vectors.img2vec_neural(image_fields=["image"]))


def test_pictures_are_imported_and_searched_by_url(dogs: Any, web: Web, photos: Mapping[str, Path]) -> None:
    """The object keeps the bytes, as if they had been sent: what lies behind a URL changes, an object does not."""
    names = list(photos)[:FEW]
    assert dogs.data.insert_many([{"breed": name, "image": web.url(f"/{name}.jpg")} for name in names]).errors == {}

    for near in (web.url(f"/{names[1]}.jpg"), f"file://{photos[names[1]]}", f"data:image/jpeg;base64,{b64encode(photos[names[1]].read_bytes()).decode()}"):
        hit = dogs.query.near_image(near, limit=1, return_properties=["breed", "image"]).objects[0]
        assert hit.properties["breed"] == names[1]
        assert hit.properties["image"] == b64encode(photos[names[1]].read_bytes()).decode()
    assert dogs.query.near_image(web.url("/moved"), limit=1).objects[0].properties["breed"] == names[0]


def test_a_dead_link_fails_its_object_alone(dogs: Any, web: Web, photos: Mapping[str, Path]) -> None:
    """With the reason, as each object of a batch has its own."""
    name = next(iter(photos))

    result = dogs.data.insert_many(
        [{"breed": "gone", "image": web.url("/gone")}, {"breed": "good", "image": web.url(f"/{name}.jpg")}, {"breed": "words", "image": web.url("/words")}]
    )

    assert set(result.errors) == {0, 2}
    assert "404" in result.errors[0].message
    assert "HTML" in result.errors[2].message
    assert [found.properties["breed"] for found in dogs.iterator()] == ["good"]


def test_single_objects_take_urls_too(dogs: Any, web: Web, photos: Mapping[str, Path]) -> None:
    """Over REST: inserting, replacing, changing."""
    first, second = list(photos)[:2]
    made = dogs.data.insert({"breed": first, "image": web.url(f"/{first}.jpg")})
    dogs.data.update(uuid=made, properties={"image": web.url(f"/{second}.jpg")})

    hit = dogs.query.near_image(photos[second], limit=1, return_metadata=["distance"]).objects[0]
    assert hit.uuid == made
    assert hit.metadata.distance < 1e-3
    with pytest.raises(UnexpectedStatusCodeError, match="404"):
        dogs.data.insert({"image": web.url("/gone")})


def test_other_doors_take_urls_alike(dogs: Any, server: LiveServer, web: Web, photos: Mapping[str, Path]) -> None:
    """GraphQL, REST and the command line: one rule, wherever a picture is written as text."""
    names = list(photos)[:2]
    dogs.data.insert_many([{"breed": name, "image": web.url(f"/{name}.jpg")} for name in names])
    url, collection = web.url(f"/{names[1]}.jpg"), dogs.name
    query = '{ Get { %s(nearImage: {image: "%s"}, limit: 1) { breed } } }' % (collection, url)  # noqa: UP031 - braces

    found = httpx.post(f"{server.url}/v1/graphql", json={"query": query}).json()["data"]["Get"][collection]
    searched = httpx.post(f"{server.url}/v1/search/{collection}/near-image", json={"image": url, "limit": 1}).json()
    asked = subprocess.run(
        [sys.executable, "-m", "nearimage", "search", url, "--collection", collection, "--url", server.url, "--limit", "1", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert [hit["breed"] for hit in found] == [names[1]]
    for text in (str(searched), asked.stdout):
        assert names[1] in text
        assert names[0] not in text


@pytest.mark.parametrize(
    "near",
    [
        "http://[::1]:{port}/a.jpg",
        "http://10.0.0.1/a.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{port}/elsewhere",
        "file:///etc/hostname",
    ],
)
def test_what_is_not_allowed_is_refused_as_the_request_s_mistake(dogs: Any, web: Web, near: str) -> None:
    """The client must not try again, and must read what to do."""
    with pytest.raises(WeaviateQueryError) as caught:
        dogs.query.near_image(near.format(port=web.port), limit=1)

    assert "is not" in str(caught.value)
