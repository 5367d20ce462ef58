"""GraphQL over HTTP: /v1/graphql, by POST and by GET, and /v1/graphql/batch.

    POST /v1/graphql         {"query": "...", "operationName": "...", "variables": {...}}
    GET  /v1/graphql?query=...&variables=...
    POST /v1/graphql/batch   [{"query": "..."}, ...]  answers a list, in order

The status is 200 whatever became of the question, as the protocol has it; 422 says that there was no question at all, or nothing to ask it of: a database
without collections has no schema. A GET without `query` is refused as a method, 405, as Weaviate refuses every GET: probes see what they expect, and questions
are answered.

A short question is read on the event loop, and answered there if its like was quick (`service.pace`); anything else goes to a thread that may wait. May import
starlette, `domain` and `doors` only.
"""

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from nearimage.domain.errors import InvalidInput
from nearimage.doors.faults import fault_of
from nearimage.doors.graphql.answering import Asked, GraphQl
from nearimage.doors.graphql.long_literals import Body
from nearimage.doors.graphql.requests import Request
from nearimage.doors.rest.bodies import read_pieces
from nearimage.doors.rest.json_body import fault_response, json_response, not_allowed_response, read_body
from nearimage.doors.waiting import while_connected

MOST_IN_BATCH = 100
"""Requests in one batch: they are answered one after another, by one thread."""

SHORT_BYTES = 64 << 10
"""A longer body is not even read on the loop: it carries a picture, or very much else (as in `doors.grpc.handlers`)."""

Answer = Callable[[Scope, Receive, Body], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    graphql: GraphQl | None
    executor: Executor

    async def answer(self, scope: Scope, receive: Receive, body: Body) -> Response:
        """One question, in the body or in the query string."""
        read = self._in_query if scope["method"] == "GET" else self._in_body
        if body.size > SHORT_BYTES:
            return await self._elsewhere(receive, lambda: json_response(read(scope, body).answer()))
        asked = read(scope, body)
        return json_response(asked.answer()) if asked.is_quick else await self._elsewhere(receive, lambda: json_response(asked.answer()))

    async def answer_batch(self, _: Scope, receive: Receive, body: Body) -> Response:
        """Several questions in the body."""
        return await self._elsewhere(receive, lambda: self._several(body))

    async def _elsewhere(self, receive: Receive, work: Callable[[], Response]) -> Response:
        """Do it in a thread that may wait, for as long as the client does."""
        return await while_connected(receive, self.executor, work)

    def _in_body(self, _: Scope, body: Body) -> Asked:
        graphql = self._ready()
        request, lifted = body.request(graphql.limits.characters)
        return graphql.begin(_worth_asking(request), lifted)

    def _in_query(self, scope: Scope, _: Body) -> Asked:
        graphql, parameters = self._ready(), _parameters(scope)
        variables: Any = read_body(parameters["variables"].encode(), dict[str, Any]) if parameters.get("variables") else None
        request = Request(query=parameters.get("query", ""), operation_name=parameters.get("operationName"), variables=variables)
        return graphql.begin(_worth_asking(request))

    def _several(self, body: Body) -> Response:
        graphql, requests = self._ready(), read_body(body.whole(), list[Request])
        if not requests or len(requests) > MOST_IN_BATCH:
            raise InvalidInput(f"a batch has 1 to {MOST_IN_BATCH} requests, got {len(requests)}")
        return json_response([graphql.answer(_worth_asking(request)) for request in requests])

    def _ready(self) -> GraphQl:
        if self.graphql is None:
            raise InvalidInput("GraphQL is switched off (DISABLE_GRAPHQL); use REST or gRPC")
        if not self.graphql.services.collections.all():
            raise InvalidInput("there are no collections, so there is nothing to ask; create one first")
        return self.graphql


@dataclass(frozen=True, slots=True)
class _Path:
    """One path, with the methods it has."""

    answer: Answer
    max_bytes: int
    in_query: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        method = scope["method"]
        if method != "POST" and not (method == "GET" and self.in_query and "query" in _parameters(scope)):
            return not_allowed_response(method, ["POST"])
        try:
            body = Body()
            await read_pieces(scope, receive, self.max_bytes, body.add)
            return await self.answer(scope, receive, body)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return fault_response(error, fault_of(error), scope["path"])


def _parameters(scope: Scope) -> Mapping[str, str]:
    return QueryParams(scope["query_string"])


def _worth_asking(request: Request) -> Request:
    if not request.query.strip():
        raise InvalidInput("query is empty; ask for something, such as { Get { ... } }")
    return request


def graphql_routes(graphql: GraphQl | None, executor: Executor, max_bytes: int) -> tuple[BaseRoute, ...]:
    """The routes of this door.

    Args:
        graphql: None where it is switched off.
        executor: for questions that may wait.
        max_bytes: the longest body.
    """
    door = _Door(graphql=graphql, executor=executor)
    return (Route("/v1/graphql", _Path(door.answer, max_bytes, in_query=True)), Route("/v1/graphql/batch", _Path(door.answer_batch, max_bytes)))
