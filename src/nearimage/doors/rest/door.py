"""The routes of the REST door.

    request --body, path, query string--> use case --> JSON

Handlers are plain functions that block; they run in the pool that the doors share. May import starlette, `domain`, `service` and `doors` only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nearimage.domain.errors import InvalidInput
from nearimage.doors.faults import fault_of
from nearimage.doors.rest.call import About, Call, Endpoint
from nearimage.doors.rest.json_body import fault_response, json_response
from nearimage.doors.rest.routes import ROUTES
from nearimage.service.services import Services


def rest_app(services: Services, about: About, executor: Executor, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The REST door as an ASGI application."""

    def asgi(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            try:
                body = await _read(request, about.max_message_bytes)
                call = Call(services=services, about=about, path=request.path_params, query=request.query_params, body=body)
                return await asyncio.get_running_loop().run_in_executor(executor, endpoint, call)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except Exception as error:  # noqa: BLE001 - the door's boundary
                return fault_response(fault_of(error))

        return handle

    routes = [Route(path, asgi(endpoint), methods=[method]) for method, path, endpoint in ROUTES]
    return Starlette(routes=[*routes, *extra_routes], exception_handlers={HTTPException: _no_such_route})


async def _read(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is too long."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise InvalidInput(f"the request body is longer than {limit} bytes; send fewer or smaller objects at once", limit=limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def _no_such_route(request: Request, error: Any) -> Response:
    if error.status_code == 405:
        message, headers = f"method {request.method} is not allowed on {request.url.path}", error.headers
    else:
        message, headers = f"there is nothing at {request.url.path}", None
    response = json_response({"code": error.status_code, "message": message}, error.status_code)
    response.headers.update(headers or {})
    return response
