"""Read the body of an HTTP request, in the pieces in which it comes.

    scope, receive  -->  deque([b'{"query": "...', b'...', b'..."}'])

May import starlette and `domain` only.
"""

from collections import deque

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from nearimage.domain.errors import InvalidInput, UnsupportedMediaType

JSON = "application/json"

Body = deque[bytes]
"""A body in its pieces. They go as they are read: a picture of 10 MB should not be in memory more often than it must."""


async def read_pieces(scope: Scope, receive: Receive, limit: int) -> Body:
    """The body.

    Raises:
        InvalidInput: it is longer than `limit` bytes; refused as soon as that shows.
        UnsupportedMediaType: it says that it is no JSON.
        ClientDisconnect: nobody waits for an answer.
    """
    pieces, size, more = Body(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > limit:
            raise InvalidInput(f"the request body is longer than {limit} bytes; send fewer or smaller objects, or ask for less, at once", limit=limit)
        pieces.append(piece)
    if size and (declared := (header(scope, b"content-type") or JSON).partition(";")[0].strip().lower()) != JSON:
        raise UnsupportedMediaType(f"the request body is declared as {declared!r}; send JSON with Content-Type: {JSON}", got=declared)
    return pieces


def header(scope: Scope, name: bytes) -> str | None:
    """A header of the request, its name in small letters."""
    return next((value.decode("latin-1") for found, value in scope["headers"] if found == name), None)
