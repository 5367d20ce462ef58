"""The calls of one connection, without I/O: from header fields and bytes to handlers, and back.

    HTTP/2 --opened, arrived, cancelled--> Unary | Conversation --replies, statuses--> HTTP/2

A call ends once: answered, refused, past its deadline, or cancelled by the client; whatever comes first wins. May import `doors` only.
"""

from collections.abc import Callable
from functools import partial

from nearimage.doors.grpc.handlers import Handler, Work
from nearimage.doors.grpc.http2.connection import Connection
from nearimage.doors.grpc.http2.incoming import Later, Reply
from nearimage.doors.grpc.http2.requests import Head
from nearimage.doors.grpc.http2.streams import Stream
from nearimage.doors.grpc.native import status
from nearimage.doors.grpc.native.asked import Asked, Refusal, read_asked
from nearimage.doors.grpc.native.call import Call
from nearimage.doors.grpc.native.conversation import Conversation
from nearimage.doors.grpc.native.foreign import Foreign
from nearimage.doors.grpc.native.messages import PREFIX_BYTES
from nearimage.doors.grpc.native.service import Service
from nearimage.doors.grpc.native.unary import Unary, begin_answer
from nearimage.doors.grpc.native.work import Lane


class Calls:
    """Receives what HTTP/2 hears, and says what it answers.

    Attributes:
        connection: the other side.
        lane: where the work of this connection waits.
        flush: called when something was said outside of `receive`.
    """

    def __init__(self, service: Service, flush: Callable[[], None]) -> None:
        self.service = service
        self.flush = flush
        self.lane = Lane(service.work)
        self.connection = Connection(self, service.limits, service.clock)
        self._unwatched: list[Call] = []

    def receive(self, data: bytes) -> None:
        """Take what has arrived."""
        self.connection.receive(data)
        if self._unwatched:
            self._watch_deadlines()

    def opened(self, stream: Stream, ended: bool) -> None:
        """A call begins."""
        head = stream.head
        asked: Asked | Refusal | None = head.reading
        if asked is None:
            asked = head.reading = read_asked(head, self.service)
        if isinstance(asked, Refusal):
            self._refuse(stream, asked, ended)
            return
        method = asked.method
        call = stream.call = Unary(self, stream, asked, method) if isinstance(method, Handler) else Conversation(self, stream, asked, method)
        if asked.timeout_s is not None:
            self._unwatched.append(call)
        if ended:
            call.arrived(b"", True)

    def arrived(self, stream: Stream, data: bytes, ended: bool) -> None:
        """A call goes on. One that has its answer, though the client could not read all of it yet, needs nothing more."""
        call = stream.call
        if call is not None and not call.is_over:
            call.arrived(data, ended)

    def at_once(self, head: Head, data: bytes, begin: int, end: int) -> Reply | Later | None:
        """A call in one piece, answered on the spot if that is quick."""
        asked = head.reading
        if asked.__class__ is not Asked or asked.method.__class__ is not Handler or self.lane.is_held:
            return None
        begin_message = begin + PREFIX_BYTES
        if end < begin_message or data[begin] or int.from_bytes(data[begin + 1 : begin_message], "big") != end - begin_message:
            return None
        answer = begin_answer(asked.method, data[begin_message:end])
        return answer if isinstance(answer, tuple) else partial(self._work, asked, asked.method, answer)

    def _work(self, asked: Asked, handler: Handler, work: Work, stream: Stream) -> None:
        """Let a thread do what the loop does not wait for."""
        call = stream.call = Unary(self, stream, asked, handler)
        if asked.timeout_s is not None:
            self._unwatched.append(call)
        call.work(work)

    def cancelled(self, stream: Stream) -> None:
        """A call is over without an answer."""
        if stream.call is not None:
            stream.call.end()

    def relieve(self) -> None:
        """Hold up the work of a client that does not read its replies, or go on with it."""
        unread, most = self.connection.sender.unsent_bytes, self.service.max_unread_bytes
        if unread > most:
            self.lane.hold(True)
        elif self.lane.is_held and unread <= most // 2:
            self.lane.hold(False)

    def watch_messages(self, elapsed_s: float) -> None:
        """Time went by: give up calls whose message does not go on."""
        for stream in list(self.connection.open_streams):
            if stream.call is not None:
                stream.call.watch_message(elapsed_s)

    def _watch_deadlines(self) -> None:
        """Set the clock for calls that were not answered at once: most are."""
        for call in self._unwatched:
            if not call.is_over:
                call.watch_deadline()
        self._unwatched.clear()

    def _refuse(self, stream: Stream, refusal: Refusal, ended: bool) -> None:
        sender = self.connection.sender
        if refusal.http_status is None:
            sender.headers(stream, status.trailers_only(refusal.status, refusal.message), end=True)
            return
        stream.call = Foreign(sender, stream, refusal)
        if ended:
            stream.call.arrived(b"", True)
