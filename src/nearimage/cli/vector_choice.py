"""Which named vector a search is for, where the user names none.

A collection may have one vector made from pictures and another that understands words as well. Words choose the first that understands them; a picture
prefers one made from pictures alone, which sees more. May import `domain` only.
"""

from nearimage.cli.connection import Connection
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality


def words_vector(connection: Connection, collection: Collection) -> str | None:
    """The vector to search by words, or None where words cannot be searched."""
    return next(iter(_vectors(connection, collection, Modality.TEXT)), None)


def picture_vector(connection: Connection, collection: Collection) -> str | None:
    """The vector to search by a picture, or None where pictures cannot be searched."""
    found = _vectors(connection, collection, Modality.IMAGE)
    worded = _vectors(connection, collection, Modality.TEXT)
    return next((name for name in found if name not in worded), next(iter(found), None))


def _vectors(connection: Connection, collection: Collection, modality: Modality) -> list[str]:
    return [vector.name for vector in collection.vectors if modality in connection.modules.get(vector.module, frozenset())]
