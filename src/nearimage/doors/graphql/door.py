"""GraphQL over HTTP: /v1/graphql, by POST and by GET, and /v1/graphql/batch.

    POST /v1/graphql         {"query": "...", "operationName": "...", "variables": {...}}
    GET  /v1/graphql?query=...&variables=...
    POST /v1/graphql/batch   [{"query": "..."}, ...]  answers a list, in order

The status is 200 whatever became of the question, as the protocol has it; 422 says that there was no question at all, or nothing to ask it of: a database
without collections has no schema. A GET without `query` is refused as a method, 405, as Weaviate refuses every GET: probes see what they expect, and questions
are answered.

A short question is read on the event loop, and answered there if its like was quick (`service.pace`); anything else goes to a thread that may wait. May import
`domain` and `doors` only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from nearimage.domain.errors import InvalidInput
from nearimage.doors.faults import fault_of
from nearimage.doors.graphql.answering import Asked, GraphQl
from nearimage.doors.graphql.long_literals import Body
from nearimage.doors.graphql.requests import InBatch, Request
from nearimage.doors.http1.exchange import Endpoint, Exchange, Head, Response, Work
from nearimage.doors.rest.bodies import check_body
from nearimage.doors.rest.door import query_of
from nearimage.doors.rest.json_body import fault_response, json_response, not_allowed_response, read_body

T = TypeVar("T")

MOST_IN_BATCH = 100
"""Requests in one batch: they are answered one after another, by one thread."""

SHORT_BYTES = 64 << 10
"""A longer body is not even read on the loop: it carries a picture, or very much else (as in `doors.grpc.handlers`)."""

EMPTY = "query is empty; ask for something, such as { Get { ... } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQlDoor:
    """The GraphQL door.

    Attributes:
        graphql: None where it is switched off.
        max_bytes: the longest body.
    """

    graphql: GraphQl | None
    max_bytes: int

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Its paths."""
        return (
            Endpoint("POST", "/v1/graphql", partial(self._open, self._in_body), asks=True),
            Endpoint("GET", "/v1/graphql", partial(self._open, self._in_query)),
            Endpoint("POST", "/v1/graphql/batch", partial(self._open, self._batch), asks=True),
        )

    def _open(self, answer: "Answer", head: Head, _names: Mapping[str, str], _user: str) -> Exchange:
        return _Exchange(self, answer, head)

    def _in_body(self, _: Head, body: Body) -> Response | Work:
        """One question in the body."""
        if body.size > SHORT_BYTES:
            return lambda: json_response(self._read(body).answer())
        return _answered(self._read(body))

    def _in_query(self, head: Head, _: Body) -> Response | Work:
        """One question in the query string."""
        parameters = query_of(head)
        if "query" not in parameters:
            return not_allowed_response("GET", ["POST"])
        graphql = self._ready()
        variables: Any = read_body(parameters["variables"].encode(), dict[str, Any]) if parameters.get("variables") else None
        request = Request(query=parameters.get("query", ""), operation_name=parameters.get("operationName"), variables=variables)
        return _answered(graphql.begin(_worth_asking(request)))

    def _batch(self, _: Head, body: Body) -> Work:
        """Several questions in the body."""
        return lambda: self._several(body)

    def _read(self, body: Body) -> Asked:
        graphql = self._ready()
        request, lifted = body.request(graphql.limits.characters)
        return graphql.begin(_worth_asking(request), lifted)

    def _several(self, body: Body) -> Response:
        graphql, requests = self._ready(), read_body(body.whole(), list[InBatch])
        if not requests or len(requests) > MOST_IN_BATCH:
            raise InvalidInput(f"a batch has 1 to {MOST_IN_BATCH} requests, got {len(requests)}")
        return json_response([_one_of_several(graphql, request) for request in requests])

    def _ready(self) -> GraphQl:
        if self.graphql is None:
            raise InvalidInput("GraphQL is switched off (DISABLE_GRAPHQL); use REST or gRPC")
        if not self.graphql.services.collections.all():
            raise InvalidInput("there are no collections, so there is nothing to ask; create one first")
        return self.graphql


Answer = Callable[[Head, Body], Response | Work]
"""Answers where it arrived what is quick; may raise, also in the thread."""


class _Exchange:
    """One request."""

    __slots__ = ("_answer", "_body", "_door", "_head")

    def __init__(self, door: GraphQlDoor, answer: Answer, head: Head) -> None:
        self._door = door
        self._answer = answer
        self._head = head
        self._body = Body()

    def take(self, piece: bytes) -> None:
        """See `http1.exchange.Exchange`."""
        self._body.add(piece)

    def begin(self) -> Response | Work:
        """See `http1.exchange.Exchange`."""
        answer = self._guarded(self._begin)
        return answer if isinstance(answer, Response) else partial(self._guarded, answer)

    def _begin(self) -> Response | Work:
        check_body(self._head, self._body.size, self._door.max_bytes)
        return self._answer(self._head, self._body)

    def _guarded(self, work: Callable[[], T]) -> T | Response:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return fault_response(error, fault_of(error), self._head.path)


def _answered(asked: Asked) -> Response | Work:
    return json_response(asked.answer()) if asked.is_quick else lambda: json_response(asked.answer())


def _one_of_several(graphql: GraphQl, request: InBatch) -> Mapping[str, Any]:
    """What one of a batch cannot be asked does not keep the others from their answers."""
    if request.query and isinstance(request.variables, dict | None):
        return graphql.answer(Request(query=request.query, operation_name=request.operation_name, variables=request.variables))
    wrong = "variables have to be an object" if request.query else EMPTY
    return {"errors": [{"message": wrong, "path": None, "locations": None}]}


def _worth_asking(request: Request) -> Request:
    if not request.query:
        raise InvalidInput(EMPTY)
    return request
