"""The search page: a few static files, served by the same server as REST.

    GET /                 page/index.html
    GET /page/page.js     page/page.js, and so on

The page asks REST for everything it shows. Its address works below any path, because it names all others relative to its own. The files are read
and packed once: together they are smaller than a thumbnail. May import starlette and the standard library only.
"""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

INDEX = "index.html"

MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

HEADERS = {
    # The page shows what users stored: nothing but its own scripts may run, and nothing may be sent to another host. Pictures are the server's, or chosen
    # by the reader (blob:), or the icon (data:).
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",  # ask each time, by ETag: after an upgrade no page runs the scripts of the version before
}


def web_routes() -> list[Route]:
    """The routes of the page, for the `extra_routes` of the HTTP server."""
    folder = files("nearimage.doors.web") / "page"
    found = [(file.name, file.read_bytes()) for file in folder.iterdir() if file.name.endswith(tuple(MEDIA_TYPES))]
    return [Route("/" if name == INDEX else f"/page/{name}", _answer_with(name, data), methods=["GET"]) for name, data in found]


def _answer_with(name: str, data: bytes) -> Callable[[Request], Awaitable[Response]]:
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    media_type = MEDIA_TYPES["." + name.rpartition(".")[2]]
    headers = {**HEADERS, "ETag": etag, "Vary": "Accept-Encoding"}
    packed = gzip.compress(data, mtime=0)

    async def answer(request: Request) -> Response:
        if etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return Response(packed, media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(data, media_type=media_type, headers=headers)

    return answer
