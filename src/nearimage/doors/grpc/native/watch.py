"""Patience with one connection: what may take how long, and what happens then. Without I/O: told now and then how much time went by.

    nothing was said yet                    closed                      who connects and says nothing takes a file and memory
    a frame, a header block, a message      GOAWAY, or the status       one byte a minute would keep them for ever (Slowloris)
      has begun and does not go on            ABORTED for a message
    replies are not read                    GOAWAY                      they wait in memory
    silence                                 PING, then closed           machines vanish without a word; nothing else would ever notice
    no calls                                good-bye (GOAWAY)           clients connect again by themselves

A client that waits for the server, for room or for an answer, is never at fault.
"""

from dataclasses import dataclass

from nearimage.doors.grpc.http2.connection import Connection
from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds.

    Attributes:
        handshake_s: from connecting to the first complete frame.
        stall_s: for a frame, a header block or a message that does not go on, and for replies that are not read.
        keepalive_s: of silence before the client is asked whether it is there.
        answer_s: for the answer to that.
        idle_s: without a call before the connection is given up.
    """

    handshake_s: int = 10
    stall_s: int = 60
    keepalive_s: int = 300
    answer_s: int = 20
    idle_s: int = 3_600


class Watch:
    """Watches one connection."""

    __slots__ = ("_connection", "_idle_s", "_patience", "_silent_s", "_unfinished_s", "_unread_bytes", "_unread_s")

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self._connection = connection
        self._patience = patience
        self._silent_s = self._unfinished_s = self._unread_s = self._idle_s = 0.0
        self._unread_bytes = 0

    def tick(self, elapsed_s: float, heard: bool) -> bool:
        """Time went by.

        Args:
            heard: something came meanwhile.

        Returns:
            Whether the connection is to be kept; if not, it is dead, and nothing needs to be said.
        """
        self._silent_s = 0.0 if heard else self._silent_s + elapsed_s
        self._check_unfinished(elapsed_s)
        self._check_unread(elapsed_s)
        self._check_idle(elapsed_s)
        return self._is_there()

    def _check_unfinished(self, elapsed_s: float) -> None:
        connection = self._connection
        self._unfinished_s = self._unfinished_s + elapsed_s if connection.awaits_rest else 0.0
        if self._unfinished_s > (self._patience.stall_s if connection.is_greeted else self._patience.handshake_s):
            connection.fail(ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "what has begun does not go on"))

    def _check_unread(self, elapsed_s: float) -> None:
        unread = self._connection.sender.unsent_bytes
        self._unread_s = self._unread_s + elapsed_s if unread and unread >= self._unread_bytes else 0.0
        self._unread_bytes = unread
        if self._unread_s > self._patience.stall_s:
            self._connection.fail(ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "replies are not read"))

    def _check_idle(self, elapsed_s: float) -> None:
        self._idle_s = self._idle_s + elapsed_s if self._connection.is_idle else 0.0
        if self._idle_s > self._patience.idle_s:
            self._connection.shut_down()
            self._connection.stop_accepting()

    def _is_there(self) -> bool:
        connection, patience = self._connection, self._patience
        if self._silent_s > patience.keepalive_s and not connection.awaits_answer:
            connection.ping()
        return not (connection.awaits_answer and self._silent_s > patience.keepalive_s + patience.answer_s)
