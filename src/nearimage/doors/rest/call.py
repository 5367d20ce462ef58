"""One REST request on its way to a use case.

May import `domain`, `service` and `doors.http1.exchange` only.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from nearimage.domain.errors import CollectionNotFound, InvalidInput, InvalidParameter, MalformedRequest, NotFound
from nearimage.domain.schema import NO_MODULE
from nearimage.doors.http1.exchange import Response
from nearimage.service.collection_defaults import DEFAULT_INDEX
from nearimage.service.services import Services

WRONG_TYPE, MISSING, NOT_ONE_OF = 601, 602, 606
"""The numbers under which Weaviate's clients read what is wrong with a part of a request."""

CONSISTENCY_LEVELS = ("ONE", "QUORUM", "ALL")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What /v1/meta and /v1/nodes tell.

    Attributes:
        version: the version of Weaviate whose protocol clients may count on; they switch features on by it.
        default_module: the vectorizer of collections that name none.
        default_index: the index of vectors that name none.
    """

    version: str
    hostname: str
    max_message_bytes: int
    default_module: str = NO_MODULE
    default_index: str = DEFAULT_INDEX


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, taken apart.

    Attributes:
        pieces: of the body, as they came.
        user: who sent it; empty where nobody had to say so.
    """

    services: Services
    about: About
    path: Mapping[str, str]
    query: Mapping[str, str]
    pieces: tuple[bytes, ...]
    user: str = ""

    @property
    def body(self) -> bytes:
        """The body; ten megabytes take milliseconds to be put together, so this is for the thread that reads them, not for the event loop."""
        return b"".join(self.pieces)

    @property
    def collection(self) -> str:
        """The collection in the path."""
        return self.path["collection"]

    @property
    def tenant(self) -> str:
        """The tenant in the query string; empty where none is named."""
        return self.query.get("tenant", "")

    @property
    def object_id(self) -> UUID:
        """The object's id in the path.

        Raises:
            InvalidParameter: it is no UUID.
        """
        return read_id(self.path["id"], where="id in path")

    def check_consistency(self) -> None:
        """There is one copy of everything, so every level is kept; what is none is a mistake all the same, and so is one for a node that is named.

        Raises:
            MalformedRequest: it is none of the levels, or a node is named too.
        """
        level = self.query.get("consistency_level")
        if level and level not in CONSISTENCY_LEVELS:
            raise MalformedRequest(f"consistency_level is one of {list(CONSISTENCY_LEVELS)}, got {level!r}", consistency_level=level)
        if level and self.query.get("node_name"):
            raise MalformedRequest("consistency_level asks several nodes, node_name one; say either", consistency_level=level)

    def number(self, name: str) -> int | None:
        """A whole number in the query string; None where it is absent.

        Raises:
            InvalidParameter: it is something else.
        """
        text = self.query.get(name)
        if text is None or text == "":
            return None
        try:
            return int(text)
        except ValueError as wrong:
            raise InvalidParameter(f"{name} in query must be a whole number, got {text!r}", rule=WRONG_TYPE) from wrong


@contextmanager
def missing_is_invalid(missing: type[NotFound] = CollectionNotFound) -> Iterator[None]:
    """Where what is missing is what is wrong with a request, not with its path: 422 in place of 404.

    Raises:
        InvalidInput: it is not there.
    """
    try:
        yield
    except missing as error:
        raise InvalidInput(error.message, **error.detail) from error


def read_id(text: str, *, where: str) -> UUID:
    """An id in a request.

    Raises:
        InvalidParameter: the text is no UUID; the message says `where` it stands.
    """
    try:
        return UUID(text)
    except ValueError as wrong:
        raise InvalidParameter(f"{where} must be a UUID such as 36ddd591-2dee-4e7e-a3cc-eb86d30a4303, got {text!r}", rule=WRONG_TYPE) from wrong


Endpoint = Callable[[Call], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method of a path, and who answers it.

    Attributes:
        body: the type that the request's JSON is read into; None where a request has none.
        query: the names that are read from the query string.
        status: of the answer when all goes well.
        bare: further statuses, which come without a body, and what they mean. Weaviate's Java client takes an empty 404 for "there is none" and
            any other for a failure.
        asks: whether it changes nothing, though its method does not say so.
        kind: what decides how long a call takes (`service.pace`), or None where it may wait; routes without it always may.
    """

    method: str
    path: str
    endpoint: Endpoint
    body: object = None
    query: tuple[str, ...] = ()
    status: int = 200
    bare: Mapping[int, str] = field(default_factory=dict)
    asks: bool = False
    kind: Callable[[Call], Hashable | None] | None = None
