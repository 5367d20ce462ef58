"""What the header fields of a request must be (RFC 9113 sections 8.1 to 8.3).

    :method, :scheme, :path   once each, before all others; :authority at most once
    names                     lower-case tokens
    values                    no NUL, CR or LF, no blanks around them
    connection, te, ...       belong to HTTP/1.1; te may only say "trailers"
    content-length            what all DATA frames must add up to

A request that breaks this is malformed: its stream is reset, the connection goes on. Proxies and servers that disagreed about such requests are how
requests are smuggled.
"""

import re
from functools import cached_property
from typing import Any

from nearimage.doors.grpc.http2.faults import ErrorCode, StreamFault

Fields = tuple[tuple[bytes, bytes], ...]

_PSEUDO = frozenset({b":method", b":scheme", b":path", b":authority"})
_HOP_BY_HOP = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_VALUE = re.compile(rb"(?:[^\x00\r\n\t ](?:[^\x00\r\n]*[^\x00\r\n\t ])?)?")
_ENTRY_OVERHEAD_BYTES = 32
"""What MAX_HEADER_LIST_SIZE adds for each field (section 6.5.2)."""


class Head:
    """The fields of one header block. Kept with the block and shared by all requests that send it: what is read from them is read once.

    Attributes:
        fields: names and values in order.
        reading: what the layer above has made of them.
    """

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.reading: Any = None

    @cached_property
    def size_bytes(self) -> int:
        """As MAX_HEADER_LIST_SIZE counts."""
        return sum(len(name) + len(value) + _ENTRY_OVERHEAD_BYTES for name, value in self.fields)

    @cached_property
    def values(self) -> dict[bytes, bytes]:
        """The last value of each name."""
        return dict(self.fields)

    @cached_property
    def content_length(self) -> int | None:
        """What the DATA frames must add up to, if the request says so."""
        said = self.values.get(b"content-length")
        return int(said) if said is not None and said.isdigit() and len(said) < 19 else None

    @cached_property
    def mistake(self) -> str | None:
        """What makes these fields no request; None where they are one."""
        return _mistake_in_names(self.fields) or _mistake_in_pseudo_fields(self.fields, self.values) or _mistake_in_values(self.fields, self.values)


def check_request(head: Head) -> None:
    """Raises: StreamFault: the fields are no request."""
    if head.mistake is not None:
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, head.mistake)


def check_trailers(head: Head) -> None:
    """Raises: StreamFault: the fields are no trailers: these have no pseudo-fields (section 8.1)."""
    pseudo = [name for name, _ in head.fields if name.startswith(b":")]
    mistake = f"trailers have no pseudo-fields, got {pseudo[0]!r}" if pseudo else _mistake_in_names(head.fields)
    if mistake is not None:
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, mistake)


def _mistake_in_names(fields: Fields) -> str | None:
    for name, _ in fields:
        if name in _HOP_BY_HOP:
            return f"{name!r} belongs to HTTP/1.1"
        if name not in _PSEUDO and not _NAME.fullmatch(name):
            return f"{name!r} is no name of a field"
    return None


def _mistake_in_pseudo_fields(fields: Fields, values: dict[bytes, bytes]) -> str | None:
    names = [name for name, _ in fields]
    pseudo = [name for name in names if name in _PSEUDO]
    if names[: len(pseudo)] != pseudo:
        return "pseudo-fields come first"
    if len(set(pseudo)) != len(pseudo):
        return "a pseudo-field came twice"
    missing = [name for name in (b":method", b":scheme", b":path") if not values.get(name)]
    return f"a request has a {missing[0]!r}" if missing else None


def _mistake_in_values(fields: Fields, values: dict[bytes, bytes]) -> str | None:
    for name, value in fields:
        if not _VALUE.fullmatch(value):
            return f"{name!r} has a value with a control character or with blanks around it"
    if values.get(b"te", b"trailers") != b"trailers":
        return "te may only say trailers"
    lengths = {value for name, value in fields if name == b"content-length"}
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        return "content-length is one number"
    return None
