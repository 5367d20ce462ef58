"""What the commands `index` and `search` need of a database, wherever it is.

Two things implement it: `server` asks a running server over REST, `folder` opens a data folder in this process. The commands hold a `Connection` and
do not know which. May import `domain` only.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

from nearimage.domain.drafts import Draft
from nearimage.domain.objects import Hit, Record
from nearimage.domain.query import Search
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality

Json = dict[str, Any]


class Connection(Protocol):
    """A database; a context manager that lets go of it. Every call may raise any `NearimageError`, the same ones wherever the database is."""

    @property
    def place(self) -> str:
        """Where it is, as people say it: "the server at ...", "the data folder ..."."""
        ...

    @property
    def modules(self) -> Mapping[str, frozenset[Modality]]:
        """The vectorizer modules it has, and what each can be asked about."""
        ...

    @property
    def max_picture_bytes(self) -> int:
        """The largest picture that is worth sending."""
        ...

    def collection(self, name: str) -> Collection:
        """The collection of that name.

        Raises:
            CollectionNotFound: there is none.
        """
        ...

    def create(self, schema: Json) -> Collection:
        """Make a collection, described as Weaviate's clients do.

        Raises:
            InvalidSchema: it cannot be made so.
        """
        ...

    def list_objects(self, query: Search) -> Sequence[Record]:
        """One page of objects without their pictures, in the order of ids; only `collection`, `after` and `limit` are looked at."""
        ...

    def put(self, collection: str, drafts: Sequence[Draft]) -> list[str | None]:
        """Store objects, replacing those whose ids are taken; for each, in order: None, or why it was not stored."""
        ...

    def near(self, query: Search) -> Sequence[Hit]:
        """Objects nearest to a picture or to words."""
        ...

    def thumbnail(self, collection: str, object_id: UUID, property_name: str, *, short_side: int) -> bytes:
        """A small JPEG of an object's picture.

        Raises:
            NotFound: the object has none in this property.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
