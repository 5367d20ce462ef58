"""The methods of the gRPC door: bytes in, bytes out, no transport.

    bytes --parse--> query --service--> hits --render--> bytes

A handler begins on the event loop. What is quick it answers there and then; of anything else it returns the work, for a thread that may wait (`service.pace`
says which is which). Writes always wait for a disk.

May import `domain`, `service` and `doors.wire` only; whatever carries the bytes is in `server.py`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from nearimage.domain.profile import profiled
from nearimage.domain.query import Found
from nearimage.doors.grpc.aggregate import aggregate
from nearimage.doors.grpc.batch import batch_objects
from nearimage.doors.grpc.batch_delete import batch_delete
from nearimage.doors.grpc.batch_references import batch_references
from nearimage.doors.grpc.batch_stream import BatchStreamSession
from nearimage.doors.grpc.forms import Forms
from nearimage.doors.grpc.profile import render_profile
from nearimage.doors.grpc.search_reply import Replies
from nearimage.doors.grpc.tenants import tenants_get
from nearimage.doors.wire.encoding import SIZED, key, sized, sized_each
from nearimage.doors.wire.messages import HealthCheckResponse
from nearimage.service.services import Services

Work = Callable[[], bytes]
"""The rest of a request, which may take its time and may wait; raises what the handler would."""

Answer = bytes | Work


@dataclass(frozen=True, slots=True)
class Handler:
    """One method.

    Attributes:
        begin: the reply, or the work that makes it. Takes 5 ms at most and waits for nothing; for the event loop.
    """

    begin: Callable[[bytes], Answer]

    def __call__(self, request: bytes) -> bytes:
        """The reply; blocks."""
        answer = self.begin(request)
        return answer if isinstance(answer, bytes) else answer()


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
HEALTH_LIST = "/grpc.health.v1.Health/List"
HEALTH = frozenset((HEALTH_CHECK, HEALTH_LIST))
"""What anybody may ask, also where all else needs a key."""

READS = frozenset(f"{SERVICE}{name}" for name in ("Search", "Aggregate", "TenantsGet"))
"""The methods that change nothing."""

SHORT_BYTES = 64 << 10
"""A longer request is not even parsed on the loop: it carries a picture, or very much else."""

_SERVING = bytes(HealthCheckResponse(status=HealthCheckResponse.SERVING).SerializeToString())
_NAME, _STATUS = key(1, SIZED), key(2, SIZED)
_ALL_SERVING = b"".join(sized_each(_NAME, (sized(_NAME, name) + sized(_STATUS, _SERVING) for name in (b"", b"weaviate", b"weaviate.v1.Weaviate"))))
"""A `HealthListResponse`, a map of names to statuses; it is younger than the descriptions that clients and this server share."""


def handlers(services: Services, *, node: str = "nearimage") -> Mapping[str, Handler]:
    """The handler of each method, by its path.

    Whoever asks for the health of a service is told SERVING, whatever its name: each client asks by another one.

    Args:
        node: how this server calls itself in what it tells of a search.
    """
    waiting = {
        "BatchObjects": batch_objects,
        "Aggregate": aggregate,
        "BatchReferences": batch_references,
        "BatchDelete": batch_delete,
        "TenantsGet": tenants_get,
    }
    return {
        f"{SERVICE}Search": Handler(partial(begin_search, services, Forms(services.collections.get), node)),
        HEALTH_CHECK: Handler(lambda _: _SERVING),
        HEALTH_LIST: Handler(lambda _: _ALL_SERVING),
        **{f"{SERVICE}{name}": Handler(partial(partial, answer, services)) for name, answer in waiting.items()},
    }


def streams(services: Services) -> Mapping[str, OpenSession]:
    """What opens a session of each method that streams, by its path."""
    return {f"{SERVICE}BatchStream": partial(BatchStreamSession, services)}


def begin_search(services: Services, forms: Forms, node: str, request: bytes) -> Answer:
    """Answer a SearchRequest, or say what is left to do.

    Raises:
        NearimageError: as the use case does.
    """
    if len(request) > SHORT_BYTES:
        return lambda: _Asking(services, forms, node, request).answer_in_turn()
    asking = _Asking(services, forms, node, request)
    return asking.answer() if asking.is_quick else asking.answer_in_turn


class _Asking:
    """A SearchRequest, read."""

    def __init__(self, services: Services, forms: Forms, node: str, request: bytes) -> None:
        self._started = time.perf_counter()
        self._services = services
        self._node = node
        reading = forms.read(request)
        self._asked, self._query, self._kind = reading.asked, reading.query, reading.kind

    @property
    def is_quick(self) -> bool:
        """Whether the answer takes no longer than a hop to another thread is worth."""
        return self._services.pace.is_quick(self._kind) and self._services.searches.is_at_hand(self._query)

    def answer(self) -> bytes:
        """The reply."""
        return self._services.pace.measured(self._kind, self._search)

    def answer_in_turn(self) -> bytes:
        """The same, for a thread."""
        return self._services.pace.in_turn(self._kind, self._search)

    def _search(self) -> bytes:
        if self._asked.metadata.query_profile:
            with profiled() as profile:
                found = self._services.searches.run(self._query)
            return self._reply(found, render_profile(profile, self._query.tenant or self._asked.collection.name, self._node))
        return self._reply(self._services.searches.run(self._query))

    def _reply(self, found: Found, profile: bytes | None = None) -> bytes:
        took_s = time.perf_counter() - self._started
        return Replies(self._services.objects, self._query.tenant).render(self._asked, found, took_s, profile=profile)
