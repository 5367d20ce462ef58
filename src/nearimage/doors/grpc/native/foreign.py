"""A request of somebody who speaks HTTP/2 but no gRPC, such as curl or a browser: answered in HTTP, in words.

It is answered when it is complete, or when so much of a body has come that the client would soon wait for room: whoever is still writing is not
interrupted, and what is wrong with the rest of it is still seen. May import `doors` only.
"""

from nearimage.doors.grpc.http2.header_blocks import encoded
from nearimage.doors.grpc.http2.sending import Sender
from nearimage.doors.grpc.http2.streams import Stream
from nearimage.doors.grpc.native import status
from nearimage.doors.grpc.native.asked import Refusal

_CONTENT_TYPE = ("content-type", "text/plain; charset=utf-8")

ENOUGH_BYTES = 16_384
"""Of a body: a quarter of the smallest window."""


class Foreign:
    """One such request.

    Attributes:
        is_over: it has its answer.
    """

    __slots__ = ("_refusal", "_sender", "_stream", "is_over")

    def __init__(self, sender: Sender, stream: Stream, refusal: Refusal) -> None:
        self.is_over = False
        self._sender = sender
        self._stream = stream
        self._refusal = refusal

    def arrived(self, _: bytes, ended: bool) -> None:
        """Answer, if it is time."""
        if not ended and self._stream.received_bytes < ENOUGH_BYTES:
            return
        self.is_over = True
        refusal = self._refusal
        self._sender.headers(self._stream, encoded(((":status", str(refusal.http_status)), _CONTENT_TYPE)))
        self._sender.data(self._stream, refusal.message.encode())
        self._sender.trailers(self._stream, status.trailers(refusal.status, refusal.message))

    def watch_message(self, _: float) -> None:
        """Nothing is kept for it."""

    def end(self) -> None:
        """Nothing is kept for it."""
        self.is_over = True
