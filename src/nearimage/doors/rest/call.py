"""One REST request on its way to a use case.

May import starlette, `domain` and `service` only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from nearimage.domain.errors import InvalidInput
from nearimage.domain.schema import NO_MODULE
from nearimage.doors.uuids import read_uuid
from nearimage.service.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What /v1/meta and /v1/nodes tell.

    Attributes:
        version: the version of Weaviate whose protocol clients may count on; they switch features on by it.
        default_module: the vectorizer of collections that name none.
    """

    version: str
    hostname: str
    max_message_bytes: int
    default_module: str = NO_MODULE


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, taken apart."""

    services: Services
    about: About
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def collection(self) -> str:
        """The collection in the path."""
        return self.path["collection"]

    @property
    def object_id(self) -> UUID:
        """The object's id in the path.

        Raises:
            InvalidInput: it is no UUID.
        """
        return read_uuid(self.path["id"], what="id in path")

    def number(self, name: str) -> int | None:
        """A whole number in the query string; None where it is absent.

        Raises:
            InvalidInput: it is something else.
        """
        text = self.query.get(name)
        if text is None or text == "":
            return None
        try:
            return int(text)
        except ValueError as wrong:
            raise InvalidInput(f"{name} in the query string must be a whole number, got {text!r}") from wrong


Endpoint = Callable[[Call], Response]
