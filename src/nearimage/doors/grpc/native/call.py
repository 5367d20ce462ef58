"""What all calls have in common: a stream, messages that are put together, a deadline, room for what is large, and one end.

A message larger than the window of its stream waits for room (`memory`) before the client may send it. May import `doors` only.
"""

from collections.abc import Callable
from typing import Any, Protocol

from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.http2.connection import Connection
from nearimage.doors.grpc.http2.streams import Stream
from nearimage.doors.grpc.native import status
from nearimage.doors.grpc.native.asked import Asked
from nearimage.doors.grpc.native.messages import PREFIX, Message, MessageReader, MessageRefused, fold, unfold
from nearimage.doors.grpc.native.service import Service, Timer
from nearimage.doors.grpc.native.status import Status
from nearimage.doors.grpc.native.work import Job, Lane
from nearimage.doors.memory import Reservation

LEAST_BYTES_PER_S = 1_024
"""A message that comes more slowly has stopped; a telephone line of the nineties was faster."""

JOINED_BYTES = 16_000
"""Shorter replies go into one frame with their prefix."""


class Owner(Protocol):
    """The connection that a call belongs to."""

    service: Service
    connection: Connection
    lane: Lane
    flush: Callable[[], None]

    def relieve(self) -> None:
        """Hold up the work of a client that does not read its replies."""
        ...


class Call:
    """One call; a subclass says what is done with its messages.

    Attributes:
        is_over: it has its answer, or needs none.
    """

    __slots__ = ("_asked", "_has_headers", "_job", "_owner", "_reader", "_received_before", "_reservation", "_stalled_s", "_stream", "_timer", "is_over")

    def __init__(self, owner: Owner, stream: Stream, asked: Asked) -> None:
        self.is_over = False
        self._owner = owner
        self._stream = stream
        self._asked = asked
        self._reader: MessageReader | None = None
        self._reservation: Reservation | None = None
        self._job: Job | None = None
        self._timer: Timer | None = None
        self._has_headers = False
        self._received_before = 0
        self._stalled_s = 0.0

    def arrived(self, data: bytes, ended: bool) -> None:
        """Bytes of the request came; with `ended`, nothing follows."""
        raise NotImplementedError

    def watch_deadline(self) -> None:
        """Answer in time, one way or the other."""
        if self._asked.timeout_s is not None:
            self._timer = self._owner.service.call_later(self._asked.timeout_s, self._late)

    def watch_message(self, elapsed_s: float) -> None:
        """Time went by: give the call up if its client keeps room for a message that does not go on."""
        service, came = self._owner.service, self._stream.received_bytes - self._received_before
        self._received_before = self._stream.received_bytes
        waits_for_client = self._reader is not None and not self._reader.is_between_messages and self._stream.receive_window > 0
        self._stalled_s = self._stalled_s + elapsed_s if waits_for_client and came < elapsed_s * LEAST_BYTES_PER_S else 0.0
        if self._stalled_s > service.stall_s:
            self.fail(Status.ABORTED, f"the message did not go on for {service.stall_s} s")

    def end(self) -> None:
        """Nothing more will be said: let go of everything."""
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            self._owner.lane.drop(self._job)
        self._reader = None
        self._release()

    def fail(self, code: Status, message: str) -> None:
        """End with a status."""
        sender = self._owner.connection.sender
        if self._has_headers:
            sender.trailers(self._stream, status.trailers(code, message))
        else:
            sender.headers(self._stream, status.trailers_only(code, message), end=True)
        self.end()

    def fail_with(self, error: BaseException) -> None:
        """End with the status that tells of an error."""
        if isinstance(error, MessageRefused):
            self.fail(Status.RESOURCE_EXHAUSTED if error.is_too_large else Status.INVALID_ARGUMENT, error.reason)
        else:
            fault = fault_of(error)
            self.fail(Status[fault.grpc_code], fault.message)

    def _feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now; none if the call has failed by them."""
        if self._reader is None:
            self._reader = MessageReader(self._owner.service.max_message_bytes)
        try:
            messages = self._reader.feed(data)
        except MessageRefused as refused:
            self.fail_with(refused)
            return []
        self._make_room()
        return messages

    def _make_room(self) -> None:
        """Let the client send a message that is larger than the window, as soon as there is memory for it."""
        missing = self._reader.missing_bytes if self._reader is not None else 0
        if missing > self._stream.receive_window and self._reservation is None:
            self._reservation = self._owner.service.memory.reserve(self._owner, missing, self._granted)

    def _granted(self) -> None:
        if self._reader is not None:
            self._owner.connection.allow(self._stream, self._reader.missing_bytes - self._stream.receive_window)
            self._owner.flush()

    def _release(self) -> None:
        if self._reservation is not None:
            self._owner.service.memory.release(self._reservation)
            self._reservation = None

    def _late(self) -> None:
        self.fail(Status.DEADLINE_EXCEEDED, "Deadline Exceeded")  # what clients say themselves when they notice first
        self._owner.flush()

    def _begin(self, run: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        """Let a thread work."""
        self._job = Job(run, done)
        self._owner.lane.add(self._job)

    def _unfolded(self, message: Message) -> bytes:
        """A message as the handlers take it. May block.

        Raises:
            MessageRefused: it cannot be decompressed.
        """
        if not message.is_compressed:
            return message.data
        if self._asked.encoding == "identity":
            raise MessageRefused("a compressed message in a call that names no grpc-encoding")
        return unfold(message.data, self._asked.encoding, self._owner.service.max_message_bytes)

    def _folded(self, reply: bytes) -> tuple[bytes, bytes]:
        """A reply as it travels, prefix and message. May block.

        Raises:
            MessageRefused: it is larger than clients take.
        """
        limit = self._owner.service.max_message_bytes
        if len(reply) > limit:
            raise MessageRefused(f"SERVER: Sent message larger than max ({len(reply)} vs. {limit})", is_too_large=True)
        if self._asked.reply_encoding == "identity":
            return PREFIX.pack(0, len(reply)), reply
        reply = fold(reply, self._asked.reply_encoding)
        return PREFIX.pack(1, len(reply)), reply

    def _send(self, message: tuple[bytes, bytes]) -> None:
        """Send a message after the headers; one that is large is not copied to stand behind its prefix."""
        sender = self._owner.connection.sender
        if not self._has_headers:
            self._has_headers = True
            sender.headers(self._stream, status.HEADERS_BY_ENCODING[self._asked.reply_encoding])
        for piece in message if len(message[1]) > JOINED_BYTES else (b"".join(message),):
            sender.data(self._stream, piece)
