"""The REST door: requests to calls of use cases, and what they give, or raise, to responses.

    request --path, method--> route --content type, body, query string--> use case --> JSON

Handlers are plain functions that block; they run in the pool that the doors share, reads and lists of objects on the event loop while they are quick
(`service.pace`).
May import `domain`, `service` and `doors` only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import parse_qsl

from nearimage.domain.errors import MalformedRequest
from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Endpoint, Exchange, Gathering, Head, Response, Work
from nearimage.doors.rest.bodies import check_body
from nearimage.doors.rest.call import About, Call, Route
from nearimage.doors.rest.json_body import fault_response
from nearimage.doors.rest.routes import ROUTES
from nearimage.service.services import Services


@dataclass(frozen=True, slots=True)
class RestDoor:
    """The REST door over a database."""

    services: Services
    about: About

    def endpoints(self) -> list[Endpoint]:
        """Every route."""
        return [Endpoint(route.method, route.path, partial(self._open, route), route.asks) for route in ROUTES]

    def _open(self, route: Route, head: Head, names: Mapping[str, str], user: str) -> Exchange:
        return _Exchange(self, route, head, names, user)


@dataclass(slots=True)
class _Exchange(Gathering):
    """One request to one route."""

    door: RestDoor
    route: Route
    head: Head
    names: Mapping[str, str]
    user: str

    def begin(self) -> Response | Work:
        """Answer here what is known to be quick, anything else in a thread that may wait."""
        try:
            check_body(self.head, self.size, self.door.about.max_message_bytes)
            work = self._work()
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return self._refused(error)
        return work if isinstance(work, Response) else partial(self._guarded, work)

    def _work(self) -> Response | Work:
        door, route = self.door, self.route
        pieces = tuple(self.pieces)
        call = Call(services=door.services, about=door.about, path=self.names, query=query_of(self.head), pieces=pieces, user=self.user)
        if "consistency_level" in route.query:
            call.check_consistency()
        if route.kind is None:
            return partial(route.endpoint, call)
        pace, kind = door.services.pace, route.kind(call)
        work = partial(route.endpoint, call)
        return pace.measured(kind, work) if pace.is_quick(kind) else partial(pace.in_turn, kind, work)

    def _guarded(self, work: Callable[[], Response]) -> Response:
        """In a thread."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return self._refused(error)

    def _refused(self, error: Exception) -> Response:
        fault = fault_of(error)
        if fault.http_status in self.route.bare:
            return Response(fault.http_status)
        return fault_response(error, fault, self.head.path)


def query_of(head: Head) -> Mapping[str, str]:
    """What stands behind the question mark; of a name that stands there twice, the last value.

    Raises:
        MalformedRequest: it has more names than anybody needs.
    """
    text = head.query
    return _known_query(text) if len(text) <= _SHORT_QUERY else _read_query(text)


_SHORT_QUERY = 100
"""Bytes of a query string that may well come again; `include=vector` is all that most reads say."""


_NAMES = 256
"""No route reads ten; to take tens of thousands apart would hold up the event loop."""


@lru_cache(1024)
def _known_query(text: bytes) -> Mapping[str, str]:
    return _read_query(text)


def _read_query(text: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=_NAMES))
    except ValueError as many:
        raise MalformedRequest(f"the query string has more than {_NAMES} names; each is needed once") from many
