"""A data folder, opened in this process; implements `connection.Connection`.

May import `app`, `config`, `domain`, `service` and the REST door's schema.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

from nearimage.app import MIB, open_database
from nearimage.cli.connection import Json
from nearimage.config.settings import Settings
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import NearimageError
from nearimage.domain.objects import Hit, Record
from nearimage.domain.query import Search
from nearimage.domain.schema import Collection
from nearimage.doors.rest.schema import ClassBody, read_class
from nearimage.doors.rest.sent import read_value


class FolderConnection:
    """See the protocol.

    Raises:
        FolderInUse: another process has it; detail has "http_port" where that is a server.
        FolderUnusable, FormatTooNew: it cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._database = open_database(settings)
        self._services = self._database.services
        self.place = f"the data folder {settings.data}"
        self.modules = self._services.modalities
        self.max_picture_bytes = settings.max_picture_mib * MIB

    def collection(self, name: str) -> Collection:
        """See the protocol."""
        return self._services.collections.get(name)

    def create(self, schema: Json) -> Collection:
        """See the protocol."""
        return self._services.collections.create(read_class(read_value(schema, ClassBody)))

    def list_objects(self, query: Search) -> Sequence[Record]:
        """See the protocol."""
        return [hit.record for hit in self._services.searches.run(query).hits]

    def put(self, collection: str, drafts: Sequence[Draft]) -> list[str | None]:
        """See the protocol."""
        outcomes = self._services.objects.put_many(collection, drafts)
        return [outcome.message if isinstance(outcome, NearimageError) else None for outcome in outcomes]

    def near(self, query: Search) -> Sequence[Hit]:
        """See the protocol."""
        return self._services.searches.run(query).hits

    def thumbnail(self, collection: str, object_id: UUID, property_name: str, *, short_side: int) -> bytes:
        """See the protocol."""
        return self._services.pictures.get(collection, object_id, property_name, short_side).data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()
