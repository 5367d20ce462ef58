"""A server whose vectors are made by an inference server, both ours: the two sides of the containers' contract."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.cli.test_processes import nearimage
from tests.servers import LiveServer, start_inference_server, start_server

DOG = {
    "class": "Dog",
    "vectorizer": "img2vec-neural",
    "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}},
    "properties": [{"name": "image", "dataType": ["blob"]}],
}


@pytest.fixture
def inference_server(data_folder: Path) -> Iterator[LiveServer]:
    server = start_inference_server(data_folder, "img2vec-neural")
    yield server
    assert server.stop() == 0


def vector_by(server: LiveServer, picture: str) -> list[float]:
    """The vector that a server stores for a picture."""
    with httpx.Client(base_url=server.url, timeout=60) as http:
        assert http.post("/v1/schema", json=DOG).status_code == 200
        stored = http.post("/v1/objects", json={"class": "Dog", "properties": {"image": picture}}).json()
        return http.get(f"/v1/objects/Dog/{stored['id']}", params={"include": "vector"}).json()["vector"]  # type: ignore[no-any-return]


def test_a_server_with_an_inference_server_stores_what_it_would_make_itself(
    inference_server: LiveServer, data_folder: Path, tmp_path: Path, photos: Mapping[str, Path]
) -> None:
    """A Weaviate user replaces the container by ours; a cluster may keep its models on one machine."""
    picture = b64encode(photos["cat"].read_bytes()).decode()
    remote = start_server(tmp_path / "remote", environment={"IMAGE_INFERENCE_API": inference_server.url})
    alone = start_server(data_folder)
    try:
        assert np.allclose(vector_by(remote, picture), vector_by(alone, picture), atol=1e-4)
        assert not (tmp_path / "remote" / "models").exists()  # nothing was converted there
    finally:
        codes = [remote.stop(), alone.stop()]
    assert codes == [0, 0]


def test_a_module_that_is_not_there_is_an_error_with_those_that_are() -> None:
    """One line on the terminal, exit code 1."""
    refused = nearimage("inference-server", "img2vec-martian", "--port", "0")

    assert refused.returncode == 1
    assert "img2vec-neural, multi2vec-clip, multi2vec-bind" in refused.stderr
    assert "Traceback" not in refused.stderr
