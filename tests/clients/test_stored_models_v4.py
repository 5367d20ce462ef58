"""The official Python client on a server whose models are its user's own: `multi2vec-clip` and `img2vec-neural` through the model store."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.onnx_towers.model import StoredTowers
from nearimage.vectorizers.store.folder import StoredModel
from nearimage.vectorizers.store.scenes import scene
from tests.clients.senses import connected, encoded
from tests.servers import LiveServer, start_server
from tests.stored_models import NAME, stored_clip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.classes.config import Configure, DataType, Property
    from weaviate.classes.query import MetadataQuery
    from weaviate.exceptions import UnexpectedStatusCodeError

SCENES = 6


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return stored_clip(tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def server(grpc_transport: str, model: StoredModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    variables = {"NEARIMAGE_MODELS": str(model.folder.parent), "NEARIMAGE_CLIP_MODEL": NAME, "NEARIMAGE_IMG2VEC_MODEL": NAME}
    started = start_server(tmp_path_factory.mktemp("server") / "data", environment=variables)
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[Any]:
    with connected(server) as one:
        yield one


def picture(number: int) -> str:
    out = io.BytesIO()
    Image.fromarray(scene(number, width=48, height=40)).save(out, "PNG")
    return encoded(out.getvalue())


def test_the_servers_default_model_makes_the_vectors_and_answers(client: Any, model: StoredModel) -> None:
    """The client cannot name a model, so the server's default must be used for import, nearImage and nearText alike."""
    vectors = [
        Configure.Vectors.multi2vec_clip(name="clip", image_fields=["image"]),
        Configure.Vectors.img2vec_neural(name="neural", image_fields=["image"]),
    ]
    properties = [Property(name="image", data_type=DataType.BLOB), Property(name="number", data_type=DataType.INT)]
    scenes = client.collections.create("Scene", properties=properties, vector_config=vectors)
    assert not scenes.data.insert_many([{"image": picture(n), "number": n} for n in range(SCENES)]).has_errors

    found = scenes.query.near_image(picture(3), target_vector="clip", limit=1, include_vector=True, return_metadata=MetadataQuery(distance=True)).objects[0]
    towers = StoredTowers(model)
    expected = towers.embed_images([scene(3, width=48, height=40)])[0]
    assert (found.properties["number"], found.metadata.distance) == (3, pytest.approx(0, abs=1e-5))
    for name in ("clip", "neural"):
        assert np.abs(np.array(found.vector[name]) - expected).max() <= 1e-5
    words = towers.embed_texts(["a red circle"])[0]
    nearest = max(range(SCENES), key=lambda n: float(towers.embed_images([scene(n, width=48, height=40)])[0] @ words))
    towers.close()
    assert scenes.query.near_text("a red circle", target_vector="clip", limit=1).objects[0].properties["number"] == nearest


def test_a_damaged_model_is_refused_by_name_and_never_replaced(client: Any, server: LiveServer, model: StoredModel, tmp_path: Path) -> None:
    """Another model's vectors would be stored beside the right ones, and found at random."""
    other = stored_clip(tmp_path, model.folder.parent.parent / "files", name="broken-clip")
    other.folder.rename(model.folder.parent / "broken-clip")
    path = model.folder.parent / "broken-clip" / other.manifest.towers[Modality.IMAGE].file
    path.write_bytes(path.read_bytes()[:-1])
    schema = {
        "class": "Broken",
        "properties": [{"name": "image", "dataType": ["blob"]}],
        "vectorizer": "multi2vec-clip",
        "moduleConfig": {"multi2vec-clip": {"imageFields": ["image"], "model": "broken-clip"}},
    }
    with pytest.raises(UnexpectedStatusCodeError, match="nearimage models remove broken-clip"):
        client.collections.create_from_dict(schema).data.insert({"image": picture(1)})


def test_a_model_that_is_not_there_is_said_when_the_schema_is_made(client: Any) -> None:
    """With the command that gets it."""
    schema = {"class": "Absent", "vectorizer": "multi2vec-clip", "moduleConfig": {"multi2vec-clip": {"imageFields": ["image"], "model": "clip-vit-b-32"}}}
    with pytest.raises(UnexpectedStatusCodeError, match="nearimage models pull clip-vit-b-32"):
        client.collections.create_from_dict(schema)
