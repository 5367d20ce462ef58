"""The search page: a few static files, served by the same server as REST.

    GET /                 page/index.html
    GET /page/page.js     page/page.js, and so on

The page asks REST for everything it shows. Its address works below any path, because it names all others relative to its own. The files are read
and packed once: together they are smaller than a thumbnail. May import `doors.http1.exchange` and the standard library only.
"""

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files

from nearimage.doors.http1.exchange import Endpoint, Head, Open, Response

INDEX = "index.html"

MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

HEADERS = {
    # The page shows what users stored: nothing but its own scripts may run, and nothing may be sent to another host. Pictures are the server's, or chosen
    # by the reader (blob:), or the icon (data:).
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",  # ask each time, by ETag: after an upgrade no page runs the scripts of the version before
}


def web_endpoints() -> list[Endpoint]:
    """The files of the page, for the site."""
    folder = files("nearimage.doors.web") / "page"
    found = [(file.name, file.read_bytes()) for file in folder.iterdir() if file.name.endswith(tuple(MEDIA_TYPES))]
    paths = [("/" if name == INDEX else f"/page/{name}", _answer_with(name, data)) for name, data in found]
    return [Endpoint(method, path, answer) for path, answer in paths for method in ("GET", "HEAD")]


def _answer_with(name: str, data: bytes) -> Open:
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    media_type = MEDIA_TYPES["." + name.rpartition(".")[2]]
    headers = {**HEADERS, "ETag": etag, "Vary": "Accept-Encoding"}
    packed = gzip.compress(data, mtime=0)

    def answer(head: Head, _names: Mapping[str, str], _user: str) -> Response:
        if etag in (head.header(b"if-none-match") or ""):
            return Response(304, headers=headers)
        if "gzip" in (head.header(b"accept-encoding") or ""):
            return Response(200, packed, media_type, {**headers, "Content-Encoding": "gzip"})
        return Response(200, data, media_type, headers)

    return answer
