"""The collection that `nearimage index` makes, and how it fills one that is there already.

    name, path, folder (text)   size (int)   modified (date)   image (blob)
    words    made by multi2vec-clip, where it has a model: search by words, and by picture
    picture  made by img2vec-neural: search by picture

May import `domain` and `service.picture_choice` only.
"""

from dataclasses import dataclass
from typing import Any

from nearimage.cli.connection import Connection, Json
from nearimage.domain.errors import CollectionNotFound, InvalidInput, InvalidSchema, ModelMissing
from nearimage.domain.schema import Collection
from nearimage.service.picture_choice import picture_property, words_vector

PICTURE_VECTOR = "picture"
WORDS_VECTOR = "words"

_PROPERTIES: tuple[Json, ...] = (  # the search page calls an object by its first text
    {"name": "name", "dataType": ["text"], "tokenization": "word", "description": "the file's name"},
    {"name": "path", "dataType": ["text"], "tokenization": "field", "description": "the file, as an absolute path"},
    {"name": "folder", "dataType": ["text"], "tokenization": "field", "description": "the folder it is in, as an absolute path"},
    {"name": "size", "dataType": ["int"], "description": "of the file, in bytes"},
    {"name": "modified", "dataType": ["date"], "description": "when the file was last written"},
    {"name": "image", "dataType": ["blob"], "description": "the file's bytes"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCollection:
    """A collection that takes picture files.

    Attributes:
        picture: its property for the picture.
        others: what else is to be filled, of path, folder, name, size and modified.
        made: whether it was made just now, empty.
        has_words: whether it can be searched by words.
    """

    name: str
    picture: str
    others: frozenset[str]
    made: bool
    has_words: bool

    def not_done(self, *, model: str | None, clip_model: str | None) -> list[str]:
        """What the user asked for that a collection which is there already cannot have, a sentence each."""
        notices = []
        if model and not self.made:
            notices.append(f"{self.name} is there already: --model concerns new collections and is not looked at.")
        if clip_model and not self.has_words:
            notices.append(f"{self.name} is there already, without a vector for words; choose another --collection to have one.")
        return notices


def open_collection(connection: Connection, name: str, *, model: str | None, clip_model: str | None) -> PictureCollection:
    """The collection of that name, made if it is not there.

    Args:
        model: of img2vec-neural, None for its default.
        clip_model: of multi2vec-clip; None makes the vector for words only where the database has a default model.

    Raises:
        InvalidSchema, ModelMissing: it cannot be made so.
        InvalidInput: it is there and has no place for a picture, or several.
    """
    try:
        return _described(connection, connection.collection(name), made=False)
    except CollectionNotFound:
        return _described(connection, _make(connection, name, model, clip_model), made=True)


def _make(connection: Connection, name: str, model: str | None, clip_model: str | None) -> Collection:
    if clip_model:
        return connection.create(pictures_schema(name, model=model, clip={"model": clip_model}))
    try:
        return connection.create(pictures_schema(name, model=model, clip={}))
    except (InvalidSchema, ModelMissing):  # multi2vec-clip has no default model; anything else comes up again
        return connection.create(pictures_schema(name, model=model, clip=None))


def pictures_schema(name: str, *, model: str | None = None, clip: dict[str, Any] | None = None) -> Json:
    """The collection as Weaviate's clients describe one.

    Args:
        clip: settings of multi2vec-clip besides its fields; None leaves the vector for words out.
    """
    vectors: Json = {}
    if clip is not None:  # the first one, which the search page begins with: it takes words as well
        vectors[WORDS_VECTOR] = {"vectorizer": {"multi2vec-clip": {"imageFields": ["image"], **clip}}}
    vectors[PICTURE_VECTOR] = {"vectorizer": {"img2vec-neural": {"imageFields": ["image"]} | ({"model": model} if model else {})}}
    return {"class": name, "description": "Picture files, by `nearimage index`", "properties": list(_PROPERTIES), "vectorConfig": vectors}


def _described(connection: Connection, collection: Collection, *, made: bool) -> PictureCollection:
    try:
        picture = picture_property(collection)
    except InvalidInput as unfit:
        raise InvalidInput(f"{unfit.message}; choose another with --collection", **unfit.detail) from unfit
    wanted = {prop["name"]: prop["dataType"][0] for prop in _PROPERTIES}
    fits = {prop.name for prop in collection.properties if wanted.get(prop.name) == prop.data_type}
    return PictureCollection(
        name=collection.name,
        picture=picture,
        others=frozenset(fits - {"image"}),
        made=made,
        has_words=words_vector(connection.modules, collection) is not None,
    )
