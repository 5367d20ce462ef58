"""The collection an import makes, the collections it can fill, and the vector a search chooses."""

import pytest

from nearimage.cli.connection import Json
from nearimage.cli.picture_collection import open_collection
from nearimage.domain.errors import InvalidInput
from nearimage.service.picture_choice import picture_vector, words_vector
from tests.unit.cli.fake_connection import FakeConnection


def schema(*properties: tuple[str, str], **vectors: str) -> Json:
    return {
        "class": "Mine",
        "properties": [{"name": name, "dataType": [kind]} for name, kind in properties],
        "vectorConfig": {name: {"vectorizer": {module: {"model": "given"}}} for name, module in vectors.items()},
    }


@pytest.mark.parametrize(
    ("default_clip", "clip_model", "vectors"),
    [(False, None, ["picture"]), (True, None, ["words", "picture"]), (False, "starter", ["words", "picture"])],
)
def test_words_need_a_model(default_clip: bool, clip_model: str | None, vectors: list[str]) -> None:
    """The starter model must never come unasked, and where a server has a model, words should work without asking."""
    connection = FakeConnection(default_clip=default_clip)
    made = open_collection(connection, "Pictures", model=None, clip_model=clip_model)

    assert [vector.name for vector in connection.collections["Pictures"].vectors] == vectors
    assert made.has_words == (len(vectors) == 2)


def test_the_models_asked_for_are_in_the_schema() -> None:
    """Whoever opens the collection later, without these options, must get the same vectors."""
    connection = FakeConnection()
    open_collection(connection, "Pictures", model="efficientnet-lite0", clip_model="starter")
    words, picture = connection.collections["Pictures"].vectors

    assert (words.module_settings["model"], picture.module_settings["model"]) == ("starter", "efficientnet-lite0")


def test_a_collection_that_is_there_gets_what_it_has_properties_for() -> None:
    """Users make their own collections first, with a client; what fits by name and type is filled."""
    connection = FakeConnection()
    connection.create(schema(("photo", "blob"), ("name", "text"), ("size", "text"), v="img2vec-neural"))
    found = open_collection(connection, "Mine", model="m", clip_model="c")

    assert (found.picture, found.others, found.made) == ("photo", frozenset({"name"}), False)
    assert len(found.not_done(model="m", clip_model="c")) == 2


@pytest.mark.parametrize("properties", [[("name", "text")], [("a", "blob"), ("b", "blob")]])
def test_a_collection_without_one_place_for_a_picture_is_refused(properties: list[tuple[str, str]]) -> None:
    """Guessing would fill the wrong property of somebody's data."""
    connection = FakeConnection()
    connection.create(schema(*properties, v="img2vec-neural"))

    with pytest.raises(InvalidInput, match="--collection"):
        open_collection(connection, "Mine", model=None, clip_model=None)


@pytest.mark.parametrize(
    ("vectors", "for_picture", "for_words"),
    [
        ({"a": "multi2vec-clip", "b": "img2vec-neural"}, "b", "a"),
        ({"a": "multi2vec-clip"}, "a", "a"),
        ({"a": "img2vec-neural"}, "a", None),
        ({"a": "none"}, None, None),
        ({"a": "none", "b": "none", "c": "multi2vec-clip"}, "c", "c"),
    ],
)
def test_the_question_chooses_the_vector(vectors: dict[str, str], for_picture: str | None, for_words: str | None) -> None:
    """A user who types words into a collection with two vectors should not have to know their names."""
    connection = FakeConnection()
    mine = connection.create(schema(("image", "blob"), **vectors))

    assert (picture_vector(connection.modules, mine), words_vector(connection.modules, mine)) == (for_picture, for_words)
