"""The bytes of a response (RFC 9112 section 4, RFC 9110 section 8.6). May import the standard library and this package only."""

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from nearimage.doors.http1.exchange import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

JOINED_BYTES = 64 * 1024
"""Up to here copying a body behind its head costs less than a second write."""

_WITHOUT_LENGTH = frozenset({204, 304})


def parts_of(response: Response, *, keeps_alive: bool, is_head: bool) -> tuple[bytes, ...]:
    """What is to be written, one after the other.

    Args:
        keeps_alive: whether the connection goes on afterwards.
        is_head: the answer to HEAD: the same, without the body.
    """
    status, body = response.status, response.body
    length = b"" if status in _WITHOUT_LENGTH else b"content-length: %d\r\n" % len(body)
    more = _more(response) if response.headers else b""
    head = b"%b%b%b%bdate: %b\r\n\r\n" % (_beginning(status, response.media_type), length, more, b"" if keeps_alive else b"connection: close\r\n", _date())
    if is_head or not length or not body:
        return (head,)
    return (head + body,) if len(body) <= JOINED_BYTES else (head, body)


@lru_cache(256)
def _beginning(status: int, media_type: str) -> bytes:
    declared = f"content-type: {media_type}\r\n" if media_type else ""
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{declared}".encode("latin-1")


def _more(response: Response) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    if lines.count("\n") != len(response.headers) or lines.count("\r") != len(response.headers):
        raise ValueError(f"a header of a response has a line break in it: {response.headers!r}")
    return lines.encode("latin-1")


def _date() -> bytes:
    return _date_of(int(time.time()))


@lru_cache(2)
def _date_of(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
