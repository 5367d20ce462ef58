"""Patience with one connection: what may take how long, and what happens then. Without I/O: told now and then how much time went by.

    a head has begun and does not end     408, closed     one byte a minute would keep its file for ever (Slowloris)
    a body comes too slowly               408, closed     and the memory of what has come
    an answer is not read                 closed          it waits in memory
    nothing is asked                      closed          machines vanish without a word; clients connect again by themselves

A client that waits for the server is never at fault. May import this package only.
"""

from dataclasses import dataclass

from nearimage.doors.http1.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds.

    Attributes:
        head_s: from a request's first byte to its body. Clients send it at once; as long as the gRPC port waits for a first word.
        stall_s: for a body beyond the time that `body_bytes_per_s` gives it, and for answers that are not read; as on the gRPC port.
        idle_s: without a request; longer than clients keep connections that they do not use (Go 90 s, Java and nginx 60, Python's httpx 5), so that none
            asks on one that is being closed.
        body_bytes_per_s: the slowest body, as slow as Kestrel's slowest; a modem was 30 times faster.
    """

    head_s: int = 10
    stall_s: int = 60
    idle_s: int = 120
    body_bytes_per_s: int = 240


class Watch:
    """Watches one connection."""

    __slots__ = ("_patience", "_unread_bytes", "_unread_s", "_waited_s", "_was")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._was: object = None
        self._waited_s = self._unread_s = 0.0
        self._unread_bytes = 0

    def tick(self, elapsed_s: float, reader: Reader, unread_bytes: int, *, is_busy: bool) -> str | None:
        """Time went by.

        Args:
            unread_bytes: of answers that the client has not read, once they are too many to go on.
            is_busy: whether the client waits for the server.

        Returns:
            None while all is well; what took too long; empty where there is nobody to be told.
        """
        if unread_bytes:
            return self._unread(elapsed_s, unread_bytes)
        self._unread_bytes = 0
        now = (reader.begun, reader.is_between, reader.is_in_head, is_busy)
        self._waited_s = self._waited_s + elapsed_s if now == self._was else 0.0
        self._was = now
        return None if is_busy else self._waited(reader)

    def _unread(self, elapsed_s: float, unread_bytes: int) -> str | None:
        self._unread_s = self._unread_s + elapsed_s if 0 < self._unread_bytes <= unread_bytes else 0.0
        self._unread_bytes = unread_bytes
        return "" if self._unread_s > self._patience.stall_s else None

    def _waited(self, reader: Reader) -> str | None:
        patience, waited_s = self._patience, self._waited_s
        if reader.is_between:
            return "" if waited_s > patience.idle_s else None
        if reader.is_in_head:
            return f"the request's head was not complete after {patience.head_s} s; send it at once" if waited_s > patience.head_s else None
        if waited_s > patience.stall_s + reader.body_bytes / patience.body_bytes_per_s:
            slow = f"the request's body comes with less than {patience.body_bytes_per_s} bytes a second; send it faster, or in smaller requests"
            return "" if reader.is_answered else slow
        return None
