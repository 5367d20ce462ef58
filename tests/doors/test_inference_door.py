"""Our vectorizers under the contract of Weaviate's inference containers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from nearimage.domain.vectorizing import CONTRACT_LISTS, Modality
from nearimage.doors.inference.door import InferenceDoor
from nearimage.doors.site import Site
from tests.fakes import BLUE, BROKEN, RED, ColourVectorizer, FakeMedia
from tests.http_doors import asked


@pytest.fixture
def container() -> Iterator[httpx.Client]:
    with ThreadPoolExecutor(1) as executor:
        door = InferenceDoor(vectorizer=ColourVectorizer(), media=FakeMedia(), about={"model": "colour"}, max_bytes=2_000)
        with asked(Site(door.endpoints()), executor, 2_000) as http:
            yield http


@pytest.mark.parametrize("name", ["live", "ready"])
def test_it_says_that_it_is_there_without_a_word(container: httpx.Client, name: str) -> None:
    """Weaviate waits for 204 before it starts."""
    answer = container.get(f"/.well-known/{name}")

    assert (answer.status_code, answer.content) == (204, b"")


def test_it_describes_its_model(container: httpx.Client) -> None:
    """Weaviate repeats it under /v1/meta."""
    assert container.get("/meta").json() == {"model": "colour"}


def test_one_picture_has_one_vector(container: httpx.Client) -> None:
    """The contract of img2vec-neural, field by field."""
    answer = container.post("/vectors", json={"id": "7", "image": RED})

    assert answer.json() == {"id": "7", "vector": [255.0, 0.0, 0.0], "dim": 3, "error": ""}


def test_each_list_has_its_vectors_in_order(container: httpx.Client) -> None:
    """Weaviate counts on the order: the first vector is the first picture's."""
    answer = container.post("/vectorize", json={"texts": ["green", "red"], "images": [BLUE, RED], "imu": [BLUE], "audio": None}).json()

    assert answer["textVectors"] == [[0, 255, 0], [255, 0, 0]]
    assert answer["imageVectors"] == [[0, 0, 255], [255, 0, 0]]
    assert answer["imuVectors"] == [[0, 0, 255]]
    assert {answer[theirs] == [] for modality, (_, theirs) in CONTRACT_LISTS.items() if modality not in (Modality.TEXT, Modality.IMAGE, Modality.IMU)} == {True}


def test_nothing_asked_is_nothing_answered(container: httpx.Client) -> None:
    """Some clients send an empty request to see whether it answers."""
    assert set(map(len, container.post("/vectorize", json={}).json().values())) == {0}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/vectors", b""),
        ("/vectors", b"{"),
        ("/vectors", b'{"id": "1"}'),
        ("/vectors", b'{"id": "1", "image": 5}'),
        ("/vectors", b'{"id": "1", "image": "not base64"}'),
        ("/vectors", f'{{"id": "1", "image": "{BROKEN}"}}'.encode()),
        ("/vectorize", f'{{"texts": ["red"], "images": ["{BROKEN}"]}}'.encode()),
        ("/vectorize", b'{"texts": "red"}'),
        ("/vectorize", b"[]"),
        ("/vectorize", b" " * 3_000),
    ],
)
def test_what_is_wrong_is_told_as_an_error(container: httpx.Client, path: str, content: bytes) -> None:
    """Weaviate shows the error to whoever sent the picture; it is never this server's failure."""
    answer = container.post(path, content=content)

    assert 400 <= answer.status_code < 500
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]
