"""GraphQL over HTTP: /v1/graphql, by POST and by GET, and /v1/graphql/batch.

    POST /v1/graphql         {"query": "...", "operationName": "...", "variables": {...}}
    GET  /v1/graphql?query=...&variables=...
    POST /v1/graphql/batch   [{"query": "..."}, ...]  answers a list, in order

The status is 200 whatever became of the question, as the protocol has it; 422 says that there was no question at all, or nothing to ask it of: a database
without collections has no schema. A GET without `query` is refused as a method, 405, as Weaviate refuses every GET: probes see what they expect, and questions
are answered. May import starlette, `domain` and `doors` only.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nearimage.domain.errors import InvalidInput, UnsupportedMediaType
from nearimage.doors.faults import fault_of
from nearimage.doors.graphql.answering import GraphQl
from nearimage.doors.graphql.requests import Request
from nearimage.doors.rest.json_body import fault_response, json_response, read_body
from nearimage.doors.waiting import in_thread, while_connected

JSON = "application/json"

MOST_IN_BATCH = 100
"""Requests in one batch: they are answered one after another, by one thread."""

Body = deque[bytes]
"""A body in the pieces in which it came. They go as they are read: a picture of 10 MB should not be in memory more often than it must."""

Handler = Callable[[Body], Response]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    graphql: GraphQl | None
    executor: Executor
    max_bytes: int

    async def post(self, request: HttpRequest) -> Response:
        """One question in the body."""
        return await self._answer(request, self._single)

    async def batch(self, request: HttpRequest) -> Response:
        """Several questions in the body."""
        return await self._answer(request, self._several)

    async def get(self, request: HttpRequest) -> Response:
        """One question in the query string."""
        if "query" not in request.query_params:
            raise HTTPException(405, headers={"Allow": "POST"})
        return await self._answer(request, partial(self._from_query, dict(request.query_params)))

    async def _answer(self, request: HttpRequest, handler: Handler) -> Response:
        try:
            body = await self._read(request)
            return await while_connected(request.receive, in_thread(self.executor, partial(handler, body)))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return fault_response(error, fault_of(error), request.url.path)

    async def _read(self, request: HttpRequest) -> Body:
        body, size = deque[bytes](), 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self.max_bytes:
                raise InvalidInput(f"the request body is longer than {self.max_bytes} bytes; ask for less at once", limit=self.max_bytes)
            body.append(chunk)
        declared = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if size and declared != JSON:
            raise UnsupportedMediaType(f"the question is declared as {declared!r}; send JSON with Content-Type: {JSON}", got=declared)
        return body

    def _single(self, body: Body) -> Response:
        return json_response(self._ready().answer(_asked(_read_json(body, Request))))

    def _several(self, body: Body) -> Response:
        graphql, requests = self._ready(), _read_json(body, list[Request])
        if not requests or len(requests) > MOST_IN_BATCH:
            raise InvalidInput(f"a batch has 1 to {MOST_IN_BATCH} requests, got {len(requests)}")
        return json_response([graphql.answer(_asked(request)) for request in requests])

    def _from_query(self, parameters: dict[str, str], _: Body) -> Response:
        variables: Any = read_body(parameters["variables"].encode(), dict[str, Any]) if parameters.get("variables") else None
        request = Request(query=parameters.get("query", ""), operation_name=parameters.get("operationName"), variables=variables)
        return json_response(self._ready().answer(_asked(request)))

    def _ready(self) -> GraphQl:
        if self.graphql is None:
            raise InvalidInput("GraphQL is switched off (DISABLE_GRAPHQL); use REST or gRPC")
        if not self.graphql.services.collections.all():
            raise InvalidInput("there are no collections, so there is nothing to ask; create one first")
        return self.graphql


def _read_json(body: Body, kind: type[T]) -> T:
    whole = b"".join(body)
    body.clear()
    return read_body(whole, kind)


def _asked(request: Request) -> Request:
    if not request.query.strip():
        raise InvalidInput("query is empty; ask for something, such as { Get { ... } }")
    return request


def graphql_routes(graphql: GraphQl | None, executor: Executor, max_bytes: int) -> tuple[BaseRoute, ...]:
    """The routes of this door.

    Args:
        graphql: None where it is switched off.
        executor: questions block, so they run there.
        max_bytes: the longest body.
    """
    door = _Door(graphql=graphql, executor=executor, max_bytes=max_bytes)
    return (
        Route("/v1/graphql", door.post, methods=["POST"]),
        Route("/v1/graphql", door.get, methods=["GET"]),
        Route("/v1/graphql/batch", door.batch, methods=["POST"]),
    )
