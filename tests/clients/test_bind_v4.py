"""The official Python client on `multi2vec-bind` with a model of one's own in the server's process: every sense in, every sense asked for."""

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from tests.bind_towers import NAME, stored_bind
from tests.clients.senses import SENSES, connected, encoded, things_of_all_senses
from tests.fetching.web import Web, reply
from tests.servers import LiveServer, start_server
from tests.unit.vectorizers.bind_inputs import FilmCase, SoundCase, film, grey, sound
from tests.unit.vectorizers.recordings import film_file, sound_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.classes.config import Configure, DataType, Multi2VecField, Property
    from weaviate.classes.query import NearMediaType
    from weaviate.exceptions import WeaviateQueryError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client's own, about its legacy forms

FEW = 3


def _picture(number: int) -> bytes:
    file = BytesIO()
    Image.fromarray(grey((240 + 40 * number, 320))).save(file, "PNG")
    return file.getvalue()


def _motion(number: int) -> bytes:
    rows = np.sin(np.arange(1_200)[:, None] / (5 + 30 * number) + np.arange(6))
    return b"ax,ay,az,gx,gy,gz\n" + "\n".join(",".join(f"{value:.5f}" for value in row) for row in rows).encode()


SOUNDS = [sound(SoundCase(40_000 + 9_000 * number, (16_000, 22_050, 44_100)[number])) for number in range(FEW)]
RATES = (16_000, 22_050, 44_100)
FILMS = [film(FilmCase(20 + 15 * number, 10.0, 64 + 16 * number, 96)) for number in range(FEW)]

FILES = {
    "image": [_picture(number) for number in range(FEW)],
    "thermal": [_picture(number) for number in range(FEW)],
    "depth": [_picture(number) for number in range(FEW)],
    "audio": [sound_file(samples, rate) for samples, rate in zip(SOUNDS, RATES, strict=True)],
    "video": [film_file(frames) for frames in FILMS],
    "imu": [_motion(number) for number in range(FEW)],
}


@pytest.fixture(scope="module")
def server(grpc_transport: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose store has a small random model, which is the module's default."""
    folder = tmp_path_factory.mktemp("bind")
    stored_bind(folder / "data" / "models", folder / "files")
    started = start_server(folder / "data", environment={"NEARIMAGE_BIND_MODEL": NAME, "NEARIMAGE_FETCH_ALLOW": "127.0.0.1"})
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


@pytest.mark.parametrize("sense", SENSES)
def test_each_sense_finds_what_it_put_in(things: Any, sense: str) -> None:
    """The whole path: file in an object, decoded, prepared, through its tower; the same file in a query, through another door, to the same vector."""
    ids = [things.data.insert({sense: encoded(data)}) for data in FILES[sense]]

    for number, data in enumerate(FILES[sense]):
        hits = things.query.near_media(encoded(data), NearMediaType(sense), return_metadata=["distance"], limit=FEW).objects
        assert hits[0].uuid == ids[number]
        assert hits[0].metadata.distance < 1e-4
        assert {hit.uuid for hit in hits} == set(ids)


def test_words_find_words_and_senses_find_each_other(things: Any) -> None:
    """All vectors lie in one space, so anything may be asked about anything."""
    made = things.data.insert_many([{"title": "a dog that barks"}, {"audio": encoded(FILES["audio"][0])}, {"video": encoded(FILES["video"][0])}])
    assert made.errors == {}

    hits = things.query.near_text("a dog that barks", return_metadata=["distance"]).objects
    assert hits[0].uuid == made.uuids[0]
    assert hits[0].metadata.distance < 1e-4
    assert len(hits) == 3
    assert len(things.query.near_image(encoded(FILES["image"][0])).objects) == 3


def test_fields_are_weighed_as_the_schema_says(client: Any) -> None:
    """A weight belongs to its sense, also where the sense before it is missing."""
    made = Configure.Vectors.multi2vec_bind(image_fields=[Multi2VecField(name="image", weight=0.1)], audio_fields=[Multi2VecField(name="audio", weight=0.9)])
    name = f"Weighed_{uuid4().hex}"
    properties = [Property(name="image", data_type=DataType.BLOB), Property(name="audio", data_type=DataType.BLOB)]
    things = client.collections.create(name, properties=properties, vector_config=made)
    picture, heard = encoded(FILES["image"][0]), encoded(FILES["audio"][0])
    both, alone, silent = (things.data.insert(p) for p in ({"image": picture, "audio": heard}, {"audio": heard}, {"image": picture}))
    vectors = [np.array(things.query.fetch_object_by_id(one, include_vector=True).vector["default"]) for one in (both, alone, silent)]
    client.collections.delete(name)

    np.testing.assert_allclose(vectors[0], (0.1 * vectors[2] + 0.9 * vectors[1]) / 2, atol=1e-5)


def test_a_recording_is_found_by_url(things: Any) -> None:
    """Films are large; whoever has them on a server need not send them."""
    with Web({"/bark.flac": reply(sound_file(SOUNDS[0], RATES[0], "flac", "flac"))}) as web:
        made = things.data.insert({"audio": web.url("/bark.flac")})
        hit = things.query.near_media(web.url("/bark.flac"), NearMediaType.AUDIO, return_metadata=["distance"], limit=1).objects[0]

    assert hit.uuid == made
    assert hit.metadata.distance < 1e-4


def test_what_cannot_be_read_fails_its_object_alone(things: Any) -> None:
    """With a reason that says what the bytes are not, and what could be sent."""
    good, bad = encoded(FILES["audio"][0]), encoded(b"%PDF-1.7 is no sound")

    result = things.data.insert_many([{"audio": good}, {"audio": bad}, {"imu": bad}, {"video": encoded(FILES["video"][0][:700])}])

    assert set(result.errors) == {1, 2, 3}
    assert "FLAC" in result.errors[1].message
    assert "six columns" in result.errors[2].message
    with pytest.raises(WeaviateQueryError, match="no sound that can be read"):
        things.query.near_media(bad, NearMediaType.AUDIO)
