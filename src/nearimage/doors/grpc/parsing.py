"""Bytes into messages of the wire. May import `domain` only; messages are `Any`, see `doors.wire.messages`."""

from typing import Any

from google.protobuf.message import DecodeError

from nearimage.domain.errors import InvalidInput


def parse(kind: Any, data: bytes, *, what: str = "request") -> Any:
    """The message in the bytes.

    Args:
        kind: its class.
        what: how to call it in the error.

    Raises:
        InvalidInput: the bytes are no such message.
    """
    try:
        return kind.FromString(data)
    except DecodeError as wrong:
        raise InvalidInput(f"the {what} is no {kind.DESCRIPTOR.full_name}: {wrong}") from wrong
