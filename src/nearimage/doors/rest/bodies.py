"""What holds for the body of every request with JSON. May import `domain` and `doors` only."""

from nearimage.domain.errors import InvalidInput, UnsupportedMediaType
from nearimage.doors.http1.exchange import Head

JSON = "application/json"


def check_body(head: Head, size: int, limit: int) -> None:
    """See that a body may be read.

    Args:
        size: of it, in bytes; where it is longer than `limit`, of its beginning.

    Raises:
        InvalidInput: it is longer.
        UnsupportedMediaType: it says that it is no JSON.
    """
    if size > limit:
        raise InvalidInput(f"the request body is longer than {limit} bytes; send fewer or smaller objects, or ask for less, at once", limit=limit)
    if size and (declared := (head.header(b"content-type") or JSON).partition(";")[0].strip().lower()) != JSON:
        raise UnsupportedMediaType(f"the request body is declared as {declared!r}; send JSON with Content-Type: {JSON}", got=declared)
