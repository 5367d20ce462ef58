"""A database in a dict, for the commands' parts: it stores drafts, refuses pictures that say "bad", and notes what it was asked."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

import msgspec
import pybase64

from nearimage.cli.connection import Json
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionNotFound, InvalidSchema, NotFound
from nearimage.domain.objects import Hit, PropertyValue, Record
from nearimage.domain.query import Search
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.rest.schema import ClassBody, read_class

MODULES: Mapping[str, frozenset[Modality]] = {"img2vec-neural": frozenset({Modality.IMAGE}), "multi2vec-clip": frozenset(Modality)}


class FakeConnection:
    """Implements `nearimage.cli.connection.Connection`.

    Args:
        default_clip: whether multi2vec-clip has a default model.
        on_put: called after each batch.
    """

    place = "the fake"
    max_picture_bytes = 1_000
    modules = MODULES

    def __init__(self, *, default_clip: bool = False, on_put: Callable[[], None] = lambda: None) -> None:
        self._default_clip = default_clip
        self.on_put = on_put
        self.collections: dict[str, Collection] = {}
        self.objects: dict[UUID, Mapping[str, object]] = {}
        self.batches: list[int] = []

    def collection(self, name: str) -> Collection:
        if name not in self.collections:
            raise CollectionNotFound(f"there is no {name}")
        return self.collections[name]

    def create(self, schema: Json) -> Collection:
        made = read_class(msgspec.convert(schema, ClassBody))
        if any(v.module == "multi2vec-clip" and not v.module_settings.get("model") and not self._default_clip for v in made.vectors):
            raise InvalidSchema("no model", setting="model")
        self.collections[made.name] = made
        return made

    def list_objects(self, query: Search) -> Sequence[Record]:
        ids = sorted(known for known in self.objects if query.after is None or known > query.after)[: query.limit]
        return [Record(id=known, properties={n: _stored(v) for n, v in self.objects[known].items() if n != "image"}) for known in ids]

    def put(self, collection: str, drafts: Sequence[Draft]) -> list[str | None]:
        self.batches.append(len(drafts))
        reasons = ["it is bad" if pybase64.b64decode(str(draft.properties["image"])).startswith(b"bad") else None for draft in drafts]
        self.objects.update({draft.id: draft.properties for draft, reason in zip(drafts, reasons, strict=True) if draft.id and reason is None})
        self.on_put()
        return reasons

    def near(self, query: Search) -> Sequence[Hit]:
        return ()

    def thumbnail(self, collection: str, object_id: UUID, property_name: str, *, short_side: int) -> bytes:
        raise NotFound("there is none")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None


def _stored(value: object) -> PropertyValue:
    assert isinstance(value, str | int)
    return value
