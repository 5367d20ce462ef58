"""A collection is made as asked, or refused with the name of the setting."""

from dataclasses import replace

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionExists, CollectionNotFound, InvalidSchema, TooManyCollections
from nearimage.domain.schema import Collection, DataType, Property, Tokenization, VectorConfig
from nearimage.service.services import build_services
from tests.fakes import World, dogs, image_vector, text


def test_a_collection_is_found_by_its_name_in_either_case_of_its_first_letter() -> None:
    """Python users write names as they name variables."""
    services = World().services()
    services.collections.create(dogs())

    assert services.collections.get("dog").name == "Dog"
    with pytest.raises(CollectionNotFound):
        services.collections.get("DOG")


def test_a_name_is_taken_in_any_case() -> None:
    """Some file systems and some people cannot tell them apart."""
    services = World().services()
    services.collections.create(dogs())

    with pytest.raises(CollectionExists):
        services.collections.create(dogs(name="DOG"))


def test_no_more_collections_than_the_server_may_have() -> None:
    """Each costs memory and files, so who runs the server sets a limit; the schema that grows by itself keeps to it."""
    services = build_services(World().parts(), maximum_collections=1)
    services.collections.create(dogs())

    with pytest.raises(TooManyCollections) as caught:
        services.collections.create(dogs(name="Cat"))
    with pytest.raises(TooManyCollections):
        services.objects.insert("Auto", Draft())

    assert caught.value.detail == {"maximum": 1}
    services.collections.drop("Dog")
    services.collections.create(dogs(name="Cat"))


@pytest.mark.parametrize(
    ("collection", "setting"),
    [
        (dogs(name="1Dog"), "class"),
        (dogs(name="Dog-X"), "class"),
        (dogs(name="D" * 256), "class"),
        (dogs(name=""), "class"),
        (Collection(name="C", properties=(text("not good"),)), "properties.name"),
        (Collection(name="C", properties=(text("id"),)), "properties.name"),
        (Collection(name="C", properties=(text("a"), text("A"))), "properties"),
        (Collection(name="C", properties=(Property(name="i", data_type=DataType.INT, tokenization=Tokenization.WORD),)), "tokenization"),
        (Collection(name="C", properties=(Property(name="i", data_type=DataType.INT, searchable=True),)), "indexSearchable"),
        (dogs(replace(image_vector(), name="a b")), "vectorConfig"),
        (dogs(VectorConfig(name="v", module="img2vec-martian")), "vectorizer"),
        (dogs(VectorConfig(name="v", module="img2vec-neural")), "imageFields"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_the_setting(collection: Collection, setting: str) -> None:
    """And nothing of it is made."""
    services = World().services()

    with pytest.raises(InvalidSchema) as caught:
        services.collections.create(collection)

    assert caught.value.detail["setting"] == setting
    assert services.collections.all() == ()


def test_dropping_takes_the_objects_along() -> None:
    """A collection made anew under the old name is empty."""
    services = World().services()
    services.collections.create(dogs())

    assert [services.collections.drop("dog") for _ in range(2)] == [True, False]
    assert services.collections.all() == ()


def test_warming_up_logs_what_is_missing_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """A server starts with a collection whose module is gone: its vectors can still be searched."""
    world = World()
    world.engine.create_collection(dogs(VectorConfig(name="v", module="img2vec-gone"), name="Old"))
    services = world.services()
    services.collections.create(dogs())

    services.warm_up()

    assert "Old" in caplog.text
    assert "img2vec-gone" in caplog.text
    assert "'Dog'" not in caplog.text
