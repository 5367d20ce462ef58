"""The REST door as an ASGI application.

    request --path, method--> route --content type, body, query string--> use case --> JSON

Handlers are plain functions that block; they run in the pool that the doors share. May import starlette, `domain`, `service` and `doors` only.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as PathRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from nearimage.domain.errors import InvalidInput, Unauthenticated, UnsupportedMediaType
from nearimage.doors.access import OPEN, Access
from nearimage.doors.faults import fault_of
from nearimage.doors.rest.call import About, Call, Endpoint
from nearimage.doors.rest.json_body import fault_response, json_response
from nearimage.doors.rest.routes import ROUTES
from nearimage.service.services import Services

JSON = "application/json"

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
    endpoints: Mapping[str, Endpoint]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        endpoint = self.endpoints.get(request.method)
        if endpoint is None:
            return _not_allowed(request.method, list(self.endpoints))
        try:
            body = await _read(request, self.door.about.max_message_bytes)
            asked = {"path": request.path_params, "query": request.query_params, "body": body, "user": request.scope[USER]}
            call = Call(services=self.door.services, about=self.door.about, **asked)
            return await asyncio.get_running_loop().run_in_executor(self.door.executor, endpoint, call)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - the door's boundary
            return fault_response(error, fault_of(error), request.url.path)


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
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None)


def rest_app(services: Services, about: About, executor: Executor, extra_routes: Sequence[BaseRoute] = (), access: Access = OPEN) -> Starlette:
    """The REST door as an ASGI application.

    Args:
        extra_routes: of the other doors that speak HTTP.
        access: who may call any of them.
    """
    door = _Door(services=services, about=about, executor=executor)
    paths: dict[str, dict[str, Endpoint]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = route.endpoint
    literal_first = sorted(paths, key=lambda path: path.count("{"))  # /v1/objects/validate is no object's id
    routes = [PathRoute(path, _Path(door, paths[path])) for path in literal_first]
    guard = Middleware(Guard, access=access)
    return Starlette(routes=[*routes, *extra_routes], middleware=[guard], exception_handlers={HTTPException: _no_such_route})


async def _read(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is too long, or if it says that it is no JSON."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise InvalidInput(f"the request body is longer than {limit} bytes; send fewer or smaller objects at once", limit=limit)
        chunks.append(chunk)
    declared = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if size and declared != JSON:
        raise UnsupportedMediaType(f"the request body is declared as {declared!r}; send JSON with Content-Type: {JSON}", got=declared)
    return b"".join(chunks)


def _not_allowed(method: str, allowed: list[str]) -> Response:
    response = json_response({"code": 405, "message": f"method {method} is not allowed here, but {', '.join(allowed)}"}, 405)
    response.headers["Allow"] = ", ".join(allowed)
    return response


async def _no_such_route(request: Request, error: Exception) -> Response:
    """For paths that nobody has; routes of others may also refuse a method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    message = f"there is nothing at {request.url.path}" if status == 404 else f"method {request.method} is not allowed on {request.url.path}"
    response = json_response({"code": status, "message": message}, status)
    response.headers.update((error.headers if isinstance(error, HTTPException) else None) or {})
    return response
