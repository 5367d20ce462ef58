"""The methods of the gRPC door: bytes in, bytes out, no transport.

    bytes --parse--> query --service--> hits --render--> bytes

May import `domain`, `service` and `doors.wire` only; whatever carries the bytes is in `server.py`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from nearimage.doors.grpc.aggregate import aggregate
from nearimage.doors.grpc.asked import read_asked
from nearimage.doors.grpc.batch import batch_objects
from nearimage.doors.grpc.batch_delete import batch_delete
from nearimage.doors.grpc.batch_references import batch_references
from nearimage.doors.grpc.batch_stream import BatchStreamSession
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.grpc.search_reply import Replies
from nearimage.doors.grpc.search_request import read_query
from nearimage.doors.grpc.tenants import tenants_get
from nearimage.doors.wire.messages import HealthCheckResponse, SearchRequest
from nearimage.service.services import Services

Handler = Callable[[bytes], bytes]


class Session(Protocol):
    """One call over which messages go both ways."""

    @property
    def is_over(self) -> bool:
        """Whether the client has said that it stops."""
        ...

    def answer(self, request: bytes) -> Sequence[bytes]:
        """The replies to one message; blocks."""
        ...


OpenSession = Callable[[], Session]
SERVICE = "/weaviate.v1.Weaviate/"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = bytes(HealthCheckResponse(status=HealthCheckResponse.SERVING).SerializeToString())


def handlers(services: Services) -> Mapping[str, Handler]:
    """The handler of each method, by its path."""
    methods: dict[str, Handler] = {
        f"{SERVICE}Search": partial(search, services),
        f"{SERVICE}BatchObjects": partial(batch_objects, services),
        f"{SERVICE}Aggregate": partial(aggregate, services),
        f"{SERVICE}BatchReferences": partial(batch_references, services),
        f"{SERVICE}BatchDelete": partial(batch_delete, services),
        f"{SERVICE}TenantsGet": partial(tenants_get, services),
        HEALTH_CHECK: _health,
    }
    return methods


def streams(services: Services) -> Mapping[str, OpenSession]:
    """What opens a session of each method that streams, by its path."""
    return {f"{SERVICE}BatchStream": partial(BatchStreamSession, services)}


def search(services: Services, request: bytes) -> bytes:
    """Answer a SearchRequest.

    Raises:
        NearimageError: as the use case does.
    """
    started = time.perf_counter()
    message = parse(SearchRequest, request)
    collection = services.collections.get(message.collection)
    asked = read_asked(message, collection, services.collections.get)
    query = read_query(message, asked)
    found = services.searches.run(query)
    return Replies(services.objects, message.tenant).render(asked, found, time.perf_counter() - started)


def _health(_: bytes) -> bytes:
    """SERVING, whatever the name of the service asked about: each client asks by another one."""
    return _SERVING
