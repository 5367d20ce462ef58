"""The official Python client on collections whose vectors are made by inference containers: all that multi2vec-bind takes, and what goes wrong."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from nearimage.domain.vectorizing import Modality
from nearimage.testing.vectorizer_contract import UNREADABLE
from tests.clients.senses import SENSES, connected, encoded, things_of_all_senses
from tests.containers import FakeContainer, breaking, file_vector, text_vector
from tests.servers import LiveServer, start_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.classes.config import Configure, DataType, Multi2VecField, Property
    from weaviate.classes.query import MetadataQuery, Move, NearMediaType, TargetVectors
    from weaviate.exceptions import WeaviateQueryError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client's own, about its legacy forms

MEDIA: Mapping[Modality, Any] = {modality: NearMediaType(modality) for modality in Modality if modality is not Modality.TEXT}


@pytest.fixture(scope="module")
def container() -> Iterator[FakeContainer]:
    with FakeContainer() as running:
        yield running


@pytest.fixture(scope="module")
def server(grpc_transport: str, container: FakeContainer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    variables = dict.fromkeys(("IMAGE_INFERENCE_API", "CLIP_INFERENCE_API", "BIND_INFERENCE_API"), container.url)
    started = start_server(tmp_path_factory.mktemp("containers") / "data", environment=variables)
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[Any]:
    with connected(server) as one:
        yield one


@pytest.fixture
def things(client: Any) -> Iterator[Any]:
    with things_of_all_senses(client) as made:
        yield made


def test_bind_takes_every_kind_of_input(things: Any, container: FakeContainer) -> None:
    """One object with seven fields: one request to the container, one vector, the mean of seven."""
    before = len(container.requests)
    one = things.data.insert({"title": "a cat", **{kind: encoded(kind.encode()) for kind in SENSES}})
    stored = things.query.fetch_object_by_id(one, include_vector=True).vector["default"]
    parts = [text_vector("a cat"), *(file_vector(modality, modality.encode()) for modality in MEDIA)]

    assert [set(body) for body in container.requests[before:]] == [{"texts", "images", "audio", "video", "imu", "thermal", "depth"}]
    assert np.allclose(stored, np.mean(parts, axis=0), atol=1e-6)


@pytest.mark.parametrize("modality", MEDIA)
def test_bind_is_searched_by_every_kind_of_media(things: Any, modality: Modality) -> None:
    """Each of the client's media types finds the object that has that very file."""
    ids = {kind: things.data.insert({kind: encoded(f"a {kind}".encode())}) for kind in SENSES}
    answer = things.query.near_media(encoded(f"a {modality}".encode()), MEDIA[modality], limit=2, return_metadata=MetadataQuery(distance=True))

    assert answer.objects[0].uuid == ids[modality]
    assert answer.objects[0].metadata.distance == pytest.approx(0, abs=1e-5)
    assert answer.objects[1].metadata.distance > 0.01


def test_bind_is_searched_by_words_with_moves(things: Any) -> None:
    """Words that were moved towards others find what these others describe."""
    ids = {words: things.data.insert({"title": words}) for words in ("red square", "green circle")}
    found = [
        things.query.near_text("red square", move_to=move, limit=1).objects[0].uuid for move in (None, Move(force=1.0, concepts="green circle green circle"))
    ]
    away = things.query.near_text("red square", move_away=Move(force=4.0, objects=ids["red square"], concepts="red"), limit=2)

    assert found[0] == ids["red square"]
    assert len(away.objects) == 2


def test_a_hybrid_search_embeds_its_words(things: Any) -> None:
    """The vector leg of hybrid is nearText."""
    one = things.data.insert({"title": "red square"})
    things.data.insert({"title": "blue"})

    assert things.query.hybrid("red square", alpha=1, limit=1).objects[0].uuid == one


def test_weights_stay_with_their_property(client: Any) -> None:
    """Weaviate takes the weights of an object that lacks a field for its other fields; here they stay where the schema put them."""
    name = f"Weighed_{uuid4().hex}"
    properties = [Property(name=kind, data_type=DataType.BLOB) for kind in ("b", "a", "c")]
    fields = [Multi2VecField(name="b", weight=0.7), Multi2VecField(name="a", weight=0.2), Multi2VecField(name="c", weight=0.1)]
    made = client.collections.create(name, properties=properties, vector_config=Configure.Vectors.multi2vec_clip(image_fields=fields))
    whole = made.data.insert({kind: encoded(kind.encode()) for kind in "abc"})
    without = made.data.insert({kind: encoded(kind.encode()) for kind in "ac"})
    stored = {one.uuid: one.vector["default"] for one in made.query.fetch_objects(include_vector=True).objects}
    a, b, c = (file_vector(Modality.IMAGE, kind.encode()) for kind in "abc")
    client.collections.delete(name)

    assert np.allclose(stored[whole], (0.2 * a + 0.7 * b + 0.1 * c) / 3, atol=1e-6)
    assert np.allclose(stored[without], (0.2 * a + 0.1 * c) / 0.3 / 2, atol=1e-6)


def test_several_named_vectors_and_a_search_over_them(client: Any) -> None:
    """The module of each vector sees its own fields; one picture is asked about in two spaces at once."""
    name = f"Named_{uuid4().hex}"
    vectors = [
        Configure.Vectors.img2vec_neural(name="neural", image_fields=["image"]),
        Configure.Vectors.multi2vec_clip(name="clip", image_fields=["image"], text_fields=["title"]),
        Configure.Vectors.self_provided(name="own"),
    ]
    properties = [Property(name="title", data_type=DataType.TEXT), Property(name="image", data_type=DataType.BLOB)]
    made = client.collections.create(name, properties=properties, vector_config=vectors)
    ids = [made.data.insert({"image": encoded(data)}, vector={"own": [1.0, 2.0]}) for data in (b"one", b"two")]
    found = made.query.near_image(encoded(b"two"), limit=1, target_vector=TargetVectors.sum(["neural", "clip"])).objects
    with pytest.raises(WeaviateQueryError, match="own"):
        made.query.near_image(encoded(b"two"), target_vector="own")
    with pytest.raises(WeaviateQueryError, match="neural"):
        made.query.near_text("two", target_vector="neural")
    client.collections.delete(name)

    assert found[0].uuid == ids[1]


def test_in_a_batch_one_bad_file_fails_alone_with_the_containers_reason(things: Any) -> None:
    """Whoever imports a thousand pictures must learn which one is broken, and keep the rest."""
    objects = [{"audio": encoded(str(number).encode())} for number in range(20)]
    objects[7] = {"audio": encoded(UNREADABLE)}
    answer = things.data.insert_many(objects)

    assert list(answer.errors) == [7]
    assert "fail with status 500: cannot identify file" in answer.errors[7].message
    assert things.aggregate.over_all(total_count=True).total_count == 19


def test_an_update_asks_the_container_only_for_what_changed(client: Any, container: FakeContainer) -> None:
    """A new title must not have the picture embedded again, least of all for the vectors that never saw the title."""
    name = f"Updated_{uuid4().hex}"
    vectors = [
        Configure.Vectors.img2vec_neural(name="picture", image_fields=["image"]),
        Configure.Vectors.multi2vec_clip(name="words", text_fields=["title"]),
    ]
    properties = [Property(name="title", data_type=DataType.TEXT), Property(name="image", data_type=DataType.BLOB)]
    made = client.collections.create(name, properties=properties, vector_config=vectors)
    one = made.data.insert({"title": "old", "image": encoded(b"picture")})
    before = len(container.requests)
    made.data.update(one, properties={"title": "new"})
    made.data.replace(one, properties={"title": "newer", "image": encoded(b"picture")})
    asked = [set(body) for body in container.requests[before:]]
    made.data.update(one, properties={"title": "newest"}, vector={"words": [1.0] * 8})
    stored = made.query.fetch_object_by_id(one, include_vector=True).vector
    client.collections.delete(name)

    assert asked == [{"texts"}, {"texts"}]
    assert len(container.requests) == before + 2
    assert stored["words"] == [1.0] * 8  # what the user supplies wins


def test_a_broken_connection_is_not_seen_by_the_client(things: Any, container: FakeContainer) -> None:
    """Containers are restarted under a running server."""
    container.behaviours.append(breaking)

    assert things.data.insert({"image": encoded(b"picture")})


def test_meta_repeats_what_containers_say(server: LiveServer) -> None:
    """Clients read the model's facts there."""
    modules = httpx.get(f"{server.url}/v1/meta").json()["modules"]

    assert modules == {"img2vec-neural": {}, "multi2vec-clip": {"model": "fake"}, "multi2vec-bind": {"model": "fake"}}


def test_a_server_starts_without_its_container_and_uses_it_once_it_is_there(tmp_path: Any) -> None:
    """Servers and containers are started together, in any order; until then a query is told to come again."""
    with FakeContainer() as container:
        port_taken_later = container.url
    server = start_server(tmp_path / "data", environment={"CLIP_INFERENCE_API": port_taken_later, "MODULES_CLIENT_TIMEOUT": "2s"})
    try:
        with httpx.Client(base_url=server.url, timeout=30) as http:
            made = {"class": "Dog", "vectorizer": "multi2vec-clip", "moduleConfig": {"multi2vec-clip": {"textFields": ["title"]}}}
            assert http.post("/v1/schema", json=made).status_code == 200
            refused = http.post("/v1/objects", json={"class": "Dog", "properties": {"title": "red"}})
            assert refused.status_code == 503
            assert "container" in refused.json()["error"][0]["message"]
            with FakeContainer(port=int(port_taken_later.rpartition(":")[2])):
                assert http.post("/v1/objects", json={"class": "Dog", "properties": {"title": "red"}}).status_code == 200
    finally:
        assert server.stop() == 0
    assert any("is not ready" in line for line in server.log)
