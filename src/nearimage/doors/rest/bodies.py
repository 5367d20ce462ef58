"""Read the body of an HTTP request, in the pieces in which it comes.

    scope, receive  -->  b'{"query": "...', b'...', b'..."}'

May import starlette and `domain` only.
"""

from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from nearimage.domain.errors import InvalidInput, UnsupportedMediaType

JSON = "application/json"


async def read_pieces(scope: Scope, receive: Receive, limit: int, take: Callable[[bytes], None]) -> None:
    """The body, each of its pieces given to `take` as it comes.

    Raises:
        InvalidInput: it is longer than `limit` bytes; refused as soon as that shows.
        UnsupportedMediaType: it says that it is no JSON.
        ClientDisconnect: nobody waits for an answer.
    """
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > limit:
            raise InvalidInput(f"the request body is longer than {limit} bytes; send fewer or smaller objects, or ask for less, at once", limit=limit)
        take(piece)
    if size and (declared := (header(scope, b"content-type") or JSON).partition(";")[0].strip().lower()) != JSON:
        raise UnsupportedMediaType(f"the request body is declared as {declared!r}; send JSON with Content-Type: {JSON}", got=declared)


def header(scope: Scope, name: bytes) -> str | None:
    """A header of the request, its name in small letters."""
    return next((value.decode("latin-1") for found, value in scope["headers"] if found == name), None)
