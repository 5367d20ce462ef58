"""Where a collection's picture is, and which named vector a search is for, where the user names neither.

A collection may have one vector made from pictures and another that understands words as well. Words choose the first that understands them; a picture
prefers one made from pictures alone, which sees more. May import `domain` only.
"""

from collections.abc import Mapping

from nearimage.domain.errors import InvalidInput
from nearimage.domain.schema import Collection, DataType
from nearimage.domain.vectorizing import Modality

PICTURE_PROPERTY = "image"
"""What the property is called in collections that are made for pictures."""

Modalities = Mapping[str, frozenset[Modality]]
"""The vectorizer modules that there are, by name, and what each can be asked about."""


def picture_properties(collection: Collection) -> list[str]:
    """The properties that hold pictures."""
    return [prop.name for prop in collection.properties if prop.data_type is DataType.BLOB]


def picture_property(collection: Collection) -> str:
    """The property that holds an object's picture: `image`, or the only one that can.

    Raises:
        InvalidInput: there is none, or there are several; detail has "have".
    """
    blobs = picture_properties(collection)
    if PICTURE_PROPERTY in blobs:
        return PICTURE_PROPERTY
    if len(blobs) != 1:
        have = f"several, {blobs}, and none called {PICTURE_PROPERTY!r}" if blobs else "none"
        raise InvalidInput(f"a picture needs one property of type blob; collection {collection.name!r} has {have}", have=blobs)
    return blobs[0]


def words_vector(modalities: Modalities, collection: Collection) -> str | None:
    """The vector to search by words, or None where words cannot be searched."""
    return next(iter(_vectors(modalities, collection, Modality.TEXT)), None)


def picture_vector(modalities: Modalities, collection: Collection) -> str | None:
    """The vector to search by a picture, or None where pictures cannot be searched."""
    found = _vectors(modalities, collection, Modality.IMAGE)
    worded = _vectors(modalities, collection, Modality.TEXT)
    return next((name for name in found if name not in worded), next(iter(found), None))


def _vectors(modalities: Modalities, collection: Collection, modality: Modality) -> list[str]:
    return [vector.name for vector in collection.vectors if modality in modalities.get(vector.module, frozenset())]
