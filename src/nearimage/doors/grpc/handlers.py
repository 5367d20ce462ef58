"""The methods of the gRPC door: bytes in, bytes out, no transport.

    bytes --parse--> query --service--> hits --render--> bytes

May import `domain`, `service` and `doors.wire` only; whatever carries the bytes is in `server.py`.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial

from nearimage.domain.errors import NotSupported
from nearimage.domain.query import Search
from nearimage.doors.grpc.batch import batch_objects
from nearimage.doors.grpc.search_reply import render_reply
from nearimage.doors.grpc.search_request import parse_search, read_asked, read_query
from nearimage.doors.wire.messages import HealthCheckResponse
from nearimage.service.services import Services

Handler = Callable[[bytes], bytes]
SERVICE = "/weaviate.v1.Weaviate/"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_NOT_YET = ("Aggregate", "BatchDelete", "BatchReferences", "BatchStream", "TenantsGet")
_SERVING = bytes(HealthCheckResponse(status=HealthCheckResponse.SERVING).SerializeToString())


def handlers(services: Services) -> Mapping[str, Handler]:
    """The handler of each method, by its path."""
    methods: dict[str, Handler] = {
        f"{SERVICE}Search": partial(search, services),
        f"{SERVICE}BatchObjects": partial(batch_objects, services),
        HEALTH_CHECK: _health,
    }
    methods.update({f"{SERVICE}{name}": partial(_not_yet, name) for name in _NOT_YET})
    return methods


def search(services: Services, request: bytes) -> bytes:
    """Answer a SearchRequest.

    Raises:
        NearimageError: as the use case does.
    """
    started = time.perf_counter()
    message = parse_search(request)
    collection = services.collections.get(message.collection)
    asked = read_asked(message, collection)
    query = read_query(message, asked)
    hits = services.searches.near(query) if isinstance(query, Search) else services.searches.listing(query)
    return render_reply(message, collection, asked, hits, time.perf_counter() - started)


def _health(_: bytes) -> bytes:
    """SERVING, whatever the name of the service asked about: each client asks by another one."""
    return _SERVING


def _not_yet(name: str, _: bytes) -> bytes:
    raise NotSupported(f"{name} is not supported by this version", feature=name)
