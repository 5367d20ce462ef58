"""blobHash: a picture is looked at once, and only its hash is kept."""

import hashlib
from dataclasses import replace
from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidSchema, InvalidValue, NearimageError
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import Projection, Record
from nearimage.domain.query import NearMedia, Search
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.vectorizing import Modality
from nearimage.service.services import Services
from tests.fakes import BLUE, GREEN, RED, World, image_vector, text

CATS = Collection(
    name="Cat",
    properties=(text("name"), Property(name="picture", data_type=DataType.BLOB_HASH)),
    vectors=(image_vector("look", "img2vec-neural", imageFields=["picture"]),),
)
EVERYTHING = Projection(vectors=None)


def digest(picture: str) -> str:
    return hashlib.sha256(picture.encode()).hexdigest()


@pytest.fixture
def cats() -> Services:
    made = World().services()
    made.collections.create(CATS)
    made.objects.put_many("Cat", [Draft(id=UUID(int=n), properties={"name": f"cat {n}", "picture": p}) for n, p in enumerate((RED, GREEN), 1)])
    return made


def read(services: Services, number: int) -> Record:
    return services.objects.get("Cat", UUID(int=number), EVERYTHING)


def test_the_hash_of_the_text_sent_is_stored_beside_the_vector(cats: Services) -> None:
    """Clients compare it with the hash of what they have, so it is over the base64 text, as Weaviate's is; searches need the picture's vector."""
    found = read(cats, 1)
    assert found.properties == {"name": "cat 1", "picture": digest(RED)}
    assert found.vectors["look"].tolist() == [255, 0, 0]
    hits = cats.searches.run(Search(collection="Cat", by=NearMedia(modality=Modality.IMAGE, data=GREEN), limit=1)).hits
    assert [hit.record.id.int for hit in hits] == [2]


def test_it_can_be_filtered_by(cats: Services) -> None:
    """To find out whether a picture is there already is what a hash is for."""
    hits = cats.searches.run(Search(collection="Cat", where=Compare("picture", Operator.EQUAL, digest(GREEN)))).hits
    assert [hit.record.id.int for hit in hits] == [2]


def test_a_change_beside_it_keeps_the_vector_and_a_new_picture_changes_both(cats: Services) -> None:
    """The picture is gone: were the vector made anew from the hash, or dropped, a new name would cost the object its place in searches."""
    cats.objects.merge("Cat", UUID(int=1), Draft(properties={"name": "other"}))
    assert read(cats, 1).properties == {"name": "other", "picture": digest(RED)}
    assert read(cats, 1).vectors["look"].tolist() == [255, 0, 0]
    cats.objects.merge("Cat", UUID(int=1), Draft(properties={"picture": BLUE}))
    assert read(cats, 1).properties["picture"] == digest(BLUE)
    assert read(cats, 1).vectors["look"].tolist() == [0, 0, 255]


def test_what_is_no_base64_is_refused(cats: Services) -> None:
    """A hash of rubbish could never be compared with that of a picture."""
    for wrong in ("no base64!", 7):
        (outcome,) = cats.objects.put_many("Cat", [Draft(properties={"picture": wrong})])
        assert isinstance(outcome, NearimageError)
    with pytest.raises(InvalidValue):
        cats.objects.insert("Cat", Draft(properties={"picture": [RED]}))


@pytest.mark.parametrize("settings", [{"imageFields": ["picture", "other"]}, {"textFields": ["picture"]}, {"imageFields": ["picture"], "textFields": ["name"]}])
def test_a_vector_made_of_a_blob_hash_is_made_of_nothing_else(settings: dict[str, list[str]]) -> None:
    """Once the picture is gone, a vector of both could not be made anew when the other changes."""
    services = World().services()
    with pytest.raises(InvalidSchema, match="blobHash"):
        services.collections.create(replace(CATS, vectors=(image_vector("look", "multi2vec-clip", **settings),)))
