"""How a call ends: a status in the trailers (gRPC over HTTP/2, "Responses").

    HEADERS  :status 200, content-type, [grpc-encoding]      DATA ...      HEADERS  grpc-status, grpc-message
    HEADERS  :status 200, content-type, grpc-status, grpc-message          "trailers only": nothing but an end

grpc-message is percent-encoded: bytes of UTF-8 outside of %x20-%x24 and %x26-%x7E become %XX. Header blocks that come again are built once
(`http2.header_blocks.encoded`).
"""

from enum import IntEnum

from nearimage.doors.grpc.http2.header_blocks import encode, encoded

CONTENT_TYPE = ("content-type", "application/grpc")
ACCEPTS = ("grpc-accept-encoding", "identity, deflate, gzip")
LONGEST_MESSAGE_BYTES = 4_000
"""Of a percent-encoded message. Clients refuse trailers of more than 8 KB, and with them the status."""


class Status(IntEnum):
    """The statuses of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


HEADERS = encoded(((":status", "200"), CONTENT_TYPE, ACCEPTS))
HEADERS_BY_ENCODING = {
    "identity": HEADERS,
    "gzip": encoded(((":status", "200"), CONTENT_TYPE, ("grpc-encoding", "gzip"), ACCEPTS)),
    "deflate": encoded(((":status", "200"), CONTENT_TYPE, ("grpc-encoding", "deflate"), ACCEPTS)),
}
TRAILERS_OK = encoded((("grpc-status", "0"),))


def trailers(status: Status, message: str) -> bytes:
    """The header block that ends a call whose headers are sent."""
    return encode((("grpc-status", str(int(status))), ("grpc-message", percent_encoded(message))))


def trailers_only(status: Status, message: str) -> bytes:
    """The header block that is the whole reply."""
    return encode(((":status", "200"), CONTENT_TYPE, ("grpc-status", str(int(status))), ("grpc-message", percent_encoded(message)), ACCEPTS))


def percent_encoded(message: str) -> str:
    """A status message as it travels, cut to what clients take."""
    parts, size = [], 0
    for letter in message:
        part = letter if " " <= letter <= "~" and letter != "%" else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "replace"))
        size += len(part)
        if size > LONGEST_MESSAGE_BYTES:
            break
        parts.append(part)
    return "".join(parts).rstrip(" ")
