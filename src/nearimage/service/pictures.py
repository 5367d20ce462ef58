"""Show the pictures of objects, whole or small. May import `domain` and `ports` only."""

from dataclasses import dataclass
from uuid import UUID

from nearimage.domain.errors import InvalidInput, NotFound
from nearimage.domain.objects import Projection
from nearimage.ports.media import Media
from nearimage.service.objects import Objects

SHORT_SIDES = range(16, 2049)
"""The sizes of thumbnails: smaller shows nothing, larger is no thumbnail."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it goes over the wire."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Reads the pictures of objects."""

    objects: Objects
    media: Media

    def get(self, collection: str, object_id: UUID, name: str, short_side: int | None = None, *, tenant: str = "") -> Picture:
        """The picture in one property of an object: as it was stored, or a thumbnail.

        Args:
            short_side: pixels of the thumbnail's shorter side; None asks for the picture itself.

        Raises:
            ObjectNotFound: there is no such object.
            NotFound: the object has no picture in this property.
            InvalidInput: `short_side` is out of range, or the bytes stored are no picture.
        """
        if short_side is not None and short_side not in SHORT_SIDES:
            raise InvalidInput(f"short_side must be between {SHORT_SIDES.start} and {SHORT_SIDES.stop - 1}, got {short_side}")
        value = self.objects.get(collection, object_id, Projection(properties=(name,)), tenant).properties.get(name)
        if not isinstance(value, bytes):
            raise NotFound(f"object {object_id} has no picture in property {name!r}", id=str(object_id), property=name)
        if short_side is None:
            return Picture(value, self.media.media_type(value))
        return Picture(self.media.thumbnail(value, short_side=short_side), "image/jpeg")
