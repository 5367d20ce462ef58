"""A call over which messages go both ways (`handlers.Session`).

One message at a time: each is answered before the next one is begun, and only then does the window of the stream grow again. So a client can never be far
ahead of the disk. The call ends when the session says so, or when the client has said all and is answered. May import `doors` only.
"""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

from nearimage.doors.grpc.handlers import Session
from nearimage.doors.grpc.http2.streams import Stream
from nearimage.doors.grpc.native import status
from nearimage.doors.grpc.native.asked import Asked
from nearimage.doors.grpc.native.call import Call, Owner
from nearimage.doors.grpc.native.messages import Message
from nearimage.doors.grpc.native.methods import Conversational
from nearimage.doors.grpc.native.status import Status


class Conversation(Call):
    """Messages in, replies out, in order."""

    __slots__ = ("_has_all", "_inbox", "_method", "_session")

    def __init__(self, owner: Owner, stream: Stream, asked: Asked, method: Conversational) -> None:
        super().__init__(owner, stream, asked)
        self._method = method
        self._inbox: deque[Message] = deque()
        self._has_all = False
        self._session: Session | None = None

    def arrived(self, data: bytes, ended: bool) -> None:
        """See `Call`."""
        self._inbox.extend(self._feed(data))
        self._has_all = ended
        self._go_on()

    def _go_on(self) -> None:
        if self.is_over or self._job is not None:
            return
        if self._inbox:
            self._begin(partial(self._run, self._inbox.popleft()), self._done)
        elif self._has_all:
            self._finish()

    def _finish(self) -> None:
        if self._has_all and self._reader is not None and not self._reader.is_between_messages:
            self.fail(Status.INVALID_ARGUMENT, "the last message is cut short")
            return
        sender = self._owner.connection.sender
        if not self._has_headers:
            sender.headers(self._stream, status.HEADERS)
        sender.trailers(self._stream, status.TRAILERS_OK)
        self.end()

    def _run(self, message: Message) -> tuple[Sequence[tuple[bytes, bytes]], bool]:
        """In a thread: the replies, and whether the client has said that it stops."""
        if self._session is None:
            self._session = self._method.open_session()
        replies = [self._folded(reply) for reply in self._session.answer(self._unfolded(message))]
        return replies, self._session.is_over

    def _done(self, result: Any, error: BaseException | None) -> None:
        self._job = None
        self._release()
        if error is not None:
            self.fail_with(error)
        else:
            replies, is_over = result
            for reply in replies:
                self._send(reply)
            if is_over:
                self._has_all = False
                self._finish()
            else:
                self._open_window()
                self._go_on()
        self._owner.relieve()
        self._owner.flush()

    def _open_window(self) -> None:
        """A message is done with: let the client send the next ones."""
        window = self._owner.service.limits.window_bytes
        if not self._inbox and self._stream.receive_window < window // 2:
            self._owner.connection.allow(self._stream, window - self._stream.receive_window)
        self._make_room()
