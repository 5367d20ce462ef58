"""The REST door as an ASGI application.

    request --path, method--> route --content type, body, query string--> use case --> JSON

Handlers are plain functions that block; they run in the pool that the doors share, reads of objects on the event loop while they are quick (`service.pace`).
May import starlette, `domain`, `service` and `doors` only.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache, partial

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as PathRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from nearimage.domain.errors import Unauthenticated
from nearimage.doors.access import OPEN, Access
from nearimage.doors.faults import fault_of
from nearimage.doors.rest.bodies import header, read_pieces
from nearimage.doors.rest.call import About, Call, Route
from nearimage.doors.rest.json_body import fault_response, json_response, not_allowed_response
from nearimage.doors.rest.routes import ROUTES
from nearimage.doors.rest.short_way import ShortWay
from nearimage.doors.waiting import while_connected
from nearimage.service.services import Services

USER = "nearimage.user"
"""Where a request's scope says whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """What every path needs to answer."""

    services: Services
    about: About
    executor: Executor


@dataclass(frozen=True, slots=True)
class _Path:
    """One path with the methods it has."""

    door: _Door
    routes: Mapping[str, Route]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        route = self.routes.get(scope["method"])
        if route is None:
            return not_allowed_response(scope["method"], list(self.routes))
        try:
            body = list[bytes]()
            await read_pieces(scope, receive, self.door.about.max_message_bytes, body.append)
            asked = {"path": scope["path_params"], "query": _query(scope), "pieces": tuple(body), "user": scope[USER]}
            return await self._work(route, Call(services=self.door.services, about=self.door.about, **asked), receive)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return fault_response(error, fault_of(error), scope["path"])

    async def _work(self, route: Route, call: Call, receive: Receive) -> Response:
        """Answer here what is known to be quick, anything else in a thread that may wait."""
        if route.kind is None:
            return await while_connected(receive, self.door.executor, partial(route.endpoint, call))
        pace, kind = self.door.services.pace, route.kind(call)
        work = partial(pace.measured, kind, partial(route.endpoint, call))
        return work() if pace.is_quick(kind) else await while_connected(receive, self.door.executor, work)


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets requests through to the doors behind it, with the name of their user; what anybody must be able to ask needs none."""

    app: ASGIApp
    access: Access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            try:
                scope[USER] = "" if _is_public(scope["path"]) else self.access.user(_authorization(scope))
            except Unauthenticated as refused:
                response = fault_response(refused, fault_of(refused), scope["path"])
                response.headers["WWW-Authenticate"] = "Bearer"
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_public(path: str) -> bool:
    """Whether it is alive, and the page itself, which shows nothing that it has not asked for."""
    return path == "/" or path.startswith(("/v1/.well-known/", "/page/"))


def _authorization(scope: Scope) -> str | None:
    return header(scope, b"authorization")


def rest_app(services: Services, about: About, executor: Executor, extra_routes: Sequence[BaseRoute] = (), access: Access = OPEN) -> ASGIApp:
    """The REST door as an ASGI application.

    Starlette stands behind the short way: what it adds to each request, a fifth of the CPU of reading an object, only serves those that the short way lacks.

    Args:
        extra_routes: of the other doors that speak HTTP; those that answer every method themselves are found as quickly as ours.
        access: who may call any of them.
    """
    door = _Door(services=services, about=about, executor=executor)
    methods: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        methods.setdefault(route.path, {})[route.method] = route
    literal_first = sorted(methods, key=lambda path: path.count("{"))  # /v1/objects/validate is no object's id
    paths = {path: _Path(door, methods[path]) for path in literal_first}
    others = {route.path: route.app for route in extra_routes if isinstance(route, PathRoute) and route.methods is None}
    routes = [PathRoute(path, answer) for path, answer in paths.items()]
    rest = Starlette(routes=[*routes, *extra_routes], exception_handlers={HTTPException: _no_such_route})
    return Guard(ShortWay(rest, {**paths, **others}), access)


def _query(scope: Scope) -> Mapping[str, str]:
    text = scope["query_string"]
    return _known_query(text) if len(text) <= _SHORT_QUERY else QueryParams(text)


_SHORT_QUERY = 100
"""Bytes of a query string that may well come again; `include=vector` is all that most reads say."""


@lru_cache(1024)
def _known_query(text: bytes) -> Mapping[str, str]:
    return QueryParams(text)


async def _no_such_route(request: Request, error: Exception) -> Response:
    """For paths that nobody has; routes of others may also refuse a method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    message = f"there is nothing at {request.url.path}" if status == 404 else f"method {request.method} is not allowed on {request.url.path}"
    response = json_response({"code": status, "message": message}, status)
    response.headers.update((error.headers if isinstance(error, HTTPException) else None) or {})
    return response
