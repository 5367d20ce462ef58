"""A call with one message and one reply.

What is quick is answered on the event loop, while its bytes are read: no thread, no timer, one piece of bytes out. The rest waits for a thread. May import
`doors` only.
"""

from functools import partial
from typing import Any

from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.handlers import Handler, Work
from nearimage.doors.grpc.http2.incoming import Reply
from nearimage.doors.grpc.http2.streams import Stream
from nearimage.doors.grpc.native import status
from nearimage.doors.grpc.native.asked import Asked
from nearimage.doors.grpc.native.call import JOINED_BYTES, Call, Owner
from nearimage.doors.grpc.native.messages import PREFIX, PREFIX_BYTES, Message
from nearimage.doors.grpc.native.status import Status


class Unary(Call):
    """One message in, one out."""

    __slots__ = ("_handler", "_message")

    def __init__(self, owner: Owner, stream: Stream, asked: Asked, handler: Handler) -> None:
        super().__init__(owner, stream, asked)
        self._handler = handler
        self._message: Message | None = None

    def arrived(self, data: bytes, ended: bool) -> None:
        """See `Call`."""
        if ended and self._reader is None and len(data) >= PREFIX_BYTES:  # all at once, as small requests come
            flag, length = PREFIX.unpack_from(data)
            if length == len(data) - PREFIX_BYTES and flag < 2 and length <= self._owner.service.max_message_bytes:
                self._answer(Message(data[PREFIX_BYTES:], flag == 1))
                return
        self._collect(data, ended)

    def _collect(self, data: bytes, ended: bool) -> None:
        for message in self._feed(data):
            if self._message is not None:
                self.fail(Status.INVALID_ARGUMENT, "one message was expected, got more")
                return
            self._message = message
        if self.is_over or not ended:
            return
        if self._message is None or (self._reader is not None and not self._reader.is_between_messages):
            self.fail(Status.INVALID_ARGUMENT, "one message was expected, got " + ("less than that" if self._stream.received_bytes else "none"))
            return
        message, self._message = self._message, None
        self._answer(message)

    def work(self, work: Work) -> None:
        """Let a thread make the reply."""
        self._begin(partial(self._made, work), self._done)

    def _answer(self, message: Message) -> None:
        if message.is_compressed or self._owner.lane.is_held:
            self._begin(partial(self._read_and_made, message), self._done)
            return
        answer = begin_answer(self._handler, message.data)
        if isinstance(answer, tuple):
            self._reply(answer)
        else:
            self.work(answer)

    def _read_and_made(self, message: Message) -> tuple[bytes, bytes]:
        """In a thread."""
        return self._folded(self._handler(self._unfolded(message)))

    def _made(self, work: Work) -> tuple[bytes, bytes]:
        """In a thread."""
        return self._folded(work())

    def _done(self, reply: Any, error: BaseException | None) -> None:
        self._job = None
        if error is not None:
            self.fail_with(error)
        elif len(reply[1]) <= JOINED_BYTES:
            self._reply((status.HEADERS_BY_ENCODING[self._asked.reply_encoding], b"".join(reply), status.TRAILERS_OK))
        else:
            self._send(reply)
            self._owner.connection.sender.trailers(self._stream, status.TRAILERS_OK)
            self.end()
            self._owner.relieve()
        self._owner.flush()

    def _reply(self, reply: Reply) -> None:
        self._owner.connection.sender.reply(self._stream, *reply)
        self.end()
        self._owner.relieve()


def begin_answer(handler: Handler, message: bytes) -> Reply | Work:
    """The reply to a message if it is quick, or the work that makes it. For the event loop."""
    try:
        answer = handler.begin(message)
    except Exception as error:  # noqa: BLE001 - the door's boundary
        fault = fault_of(error)
        return status.trailers_only(Status[fault.grpc_code], fault.message), b"", b""
    if isinstance(answer, bytes):
        return status.HEADERS, PREFIX.pack(0, len(answer)) + answer, status.TRAILERS_OK
    return answer
