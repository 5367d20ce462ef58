"""Read ids from requests. May import `domain` only."""

from uuid import UUID

from nearimage.domain.columns import uuid_of
from nearimage.domain.errors import InvalidInput

_DIGITS = 32


def read_uuid(text: str, *, what: str) -> UUID:
    """The id in a request.

    Raises:
        InvalidInput: the text is no UUID; the message names `what`.
    """
    digits = text.replace("-", "")
    if len(digits) == _DIGITS and (packed := _unhexed(digits)):  # as clients write them: half the time of asking `UUID`
        return uuid_of(packed)
    try:
        return UUID(text)
    except ValueError as wrong:
        raise InvalidInput(f"{what} must be a UUID such as 36ddd591-2dee-4e7e-a3cc-eb86d30a4303, got {text!r:.100}", got=text) from wrong


def _unhexed(digits: str) -> bytes | None:
    """The 16 bytes; None where something is no digit."""
    try:
        packed = bytes.fromhex(digits)
    except ValueError:
        return None
    return packed if 2 * len(packed) == _DIGITS else None  # white space between digits is passed over
