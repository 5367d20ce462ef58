"""Read the text that stands for a picture in a request: strict base64, bare or in a data URI.

Requests carry pictures of up to 64 MiB inside JSON and protobuf strings, so the size is known from the text's length before a byte is decoded,
and the first wrong character of a 10 MB text is found in 9 ms. May import `domain` only.
"""

import binascii
import re

import pybase64

from nearimage.domain.errors import InvalidBase64, PictureTooLarge
from nearimage.domain.long_text import LongText

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # RFC 4648, section 4

_DATA_URI = re.compile(r"data:[^,]{0,512}?;base64,", re.IGNORECASE)  # RFC 2397; 512 characters are ample for a media type and its parameters

_BREAKS = b" \t\r\n"

_PADDING = ord("=")

_MENDING = {
    "-": "this is URL-safe base64, use the standard alphabet with + and /",
    "_": "this is URL-safe base64, use the standard alphabet with + and /",
    " ": "send the base64 without spaces and line breaks",
    "\n": "send the base64 without spaces and line breaks",
    "\r": "send the base64 without spaces and line breaks",
    "=": "padding is one or two = at the very end",
}


_LONGEST_PREFIX = 600
"""Characters in which the prefix of a data URI is looked for."""


def read_reference(reference: str | LongText, *, max_bytes: int, broken: bool = False) -> bytes:
    """The bytes that a request's text stands for.

    Args:
        reference: base64 (RFC 4648, padded, no line breaks), with or without a `data:...;base64,` prefix.
        max_bytes: the most bytes it may stand for.
        broken: whether spaces and line breaks in the base64 are overlooked, as programs write them that make it for mail (`base64`, Python's `encodebytes`).

    Raises:
        InvalidBase64: neither of them; detail has "position" in the reference, or None.
        PictureTooLarge: more bytes than allowed; nothing was decoded.
    """
    if isinstance(reference, LongText):
        data = _read_in_turns(reference, max_bytes)
        if data is not None:
            return data
        reference = str(reference)  # to say what is wrong, and where
    start = _payload_start(reference)
    length = len(reference) - start
    if length == 0:
        raise _empty()
    _check_size(length, reference[-2:], max_bytes)
    payload = reference[start:] if start else reference
    overlooked = _BREAKS if broken else b""
    try:
        data = _decoded(payload, overlooked)
    except (binascii.Error, ValueError) as error:
        raise _explain(payload, start, overlooked) from error
    if not data:
        raise _empty()
    return data


def _check_size(length: int, ending: str, max_bytes: int) -> None:
    size = length // 4 * 3 - ending.count("=")
    if size > max_bytes:
        raise PictureTooLarge(f"the picture has {size:,} bytes; the limit is {max_bytes:,}; send a smaller one, or raise the limit", limit=max_bytes, got=size)


def _read_in_turns(reference: LongText, max_bytes: int) -> bytes | None:
    """What a long text stands for, or None where it is not base64 as it should be.

    Pieces are decoded one by one, and put together by the one call that lets others have the interpreter meanwhile: `bytes.join`, where all of them are bytes.
    """
    start = _payload_start(reference.beginning(_LONGEST_PREFIX))
    _check_size(len(reference) - start, reference.ending(2), max_bytes)
    decoded, ended = list[bytes](), False
    for group in reference.in_groups(start, 4):
        if ended:  # padding in the midst
            return None
        try:
            decoded.append(pybase64.b64decode(group, validate=True))
        except (binascii.Error, ValueError):
            return None
        ended = group[-1] == _PADDING
    return b"".join(decoded) or None


def _empty() -> InvalidBase64:
    return InvalidBase64("the picture is an empty text; send the base64 of the picture's bytes", position=None)


def _decoded(payload: str, overlooked: bytes) -> bytes:
    try:
        return pybase64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        if not overlooked:
            raise
        return pybase64.b64decode(payload.encode().translate(None, overlooked), validate=True)


def _payload_start(reference: str) -> int:
    """Where the base64 begins: 0, or behind the prefix of a data URI."""
    if reference[:5].lower() != "data:":
        return 0
    match = _DATA_URI.match(reference)
    if match is None:
        raise InvalidBase64("this data URI is not in base64; write it as data:image/jpeg;base64, followed by the base64 of the picture", position=None)
    return match.end()


def _explain(payload: str, start: int, overlooked: bytes) -> InvalidBase64:
    """Say what is wrong with text that the decoder refused."""
    position = _first_wrong(payload, overlooked)
    if position is None:
        return InvalidBase64(
            f"base64 comes in groups of four characters, padded with = at the end; this text has {len(payload):,} characters and may have been cut",
            position=None,
        )
    wrong = payload[position]
    mending = _MENDING.get(wrong, "send the base64 of the picture's bytes, not a path, a URL or other text")
    return InvalidBase64(f"character {start + position:,} of the picture's text is {wrong!r}, which is not base64; {mending}", position=start + position)


def _first_wrong(payload: str, overlooked: bytes) -> int | None:
    """The index of the first character that cannot stand there, or None where each one could."""
    raw = payload.encode("ascii", "replace")  # one byte a character, so that indices stay; a ? is as wrong as what it stands for
    whole = raw.rstrip(overlooked)
    padding = len(whole) - len(whole.rstrip(b"="))
    body = whole[: len(whole) - min(padding, 2)]
    left_over = body.translate(None, _ALPHABET + overlooked)  # 9 ms for 10 MB; a regular expression takes 30
    return body.index(left_over[:1]) if left_over else None
