"""Read ids from requests. May import `domain` only."""

from uuid import UUID

from nearimage.domain.errors import InvalidInput


def read_uuid(text: str, *, what: str) -> UUID:
    """The id in a request.

    Raises:
        InvalidInput: the text is no UUID; the message names `what`.
    """
    try:
        return UUID(text)
    except ValueError as wrong:
        raise InvalidInput(f"{what} must be a UUID such as 36ddd591-2dee-4e7e-a3cc-eb86d30a4303, got {text!r:.100}", got=text) from wrong
