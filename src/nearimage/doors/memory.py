"""Room for large messages, shared by all connections of a port.

A handler takes a whole message, so the bytes of a message wait in memory until the last one is there. Small messages need no room: over HTTP/2 they fit into
the window that every stream has from the beginning (`http2.limits.Limits.window_bytes`), over HTTP/1.1 into the buffers of the system. A larger one says its
length, in its first five bytes or in its head: that much is reserved here, and only then may the client send it, or is it read. Who gets no room waits without
sending, in the order of asking; nobody is refused. What is reserved can always be completed, so those who wait always get their turn; a client that does not
send what it has reserved room for is given up (`grpc.native.watch`, `http1.patience`).

One connection gets half of the room at most: uploads of one client do not shut out another's.
"""

from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(slots=True, eq=False)
class Reservation:
    """Room for one message, granted or waited for.

    Attributes:
        owner: the connection.
        granted: called when there is room; at once, if there is.
        is_granted: whether it was.
    """

    owner: object
    size_bytes: int
    granted: Callable[[], None]
    is_granted: bool = False


class Memory:
    """The room that there is.

    Attributes:
        reserved_bytes: what is granted now.
    """

    def __init__(self, total_bytes: int) -> None:
        self.reserved_bytes = 0
        self._total_bytes = total_bytes
        self._by_owner: dict[object, int] = {}
        self._waiting: list[Reservation] = []

    def reserve(self, owner: object, size_bytes: int, granted: Callable[[], None]) -> Reservation:
        """Ask for room."""
        reservation = Reservation(owner, size_bytes, granted)
        self._waiting.append(reservation)
        self._grant()
        return reservation

    def release(self, reservation: Reservation) -> None:
        """Give the room back, or stop waiting for it."""
        if not reservation.is_granted:
            self._waiting.remove(reservation)
            return
        self.reserved_bytes -= reservation.size_bytes
        left = self._by_owner[reservation.owner] - reservation.size_bytes
        if left:
            self._by_owner[reservation.owner] = left
        else:
            del self._by_owner[reservation.owner]
        self._grant()

    def _grant(self) -> None:
        while (found := self._next()) is not None:
            self._waiting.remove(found)
            found.is_granted = True
            self.reserved_bytes += found.size_bytes
            self._by_owner[found.owner] = self._by_owner.get(found.owner, 0) + found.size_bytes
            found.granted()

    def _next(self) -> Reservation | None:
        """The first one that may be granted. Small ones do not overtake a large one for which there is no room, or it would never have its turn."""
        for waiting in self._waiting:
            has = self._by_owner.get(waiting.owner, 0)
            if has and has + waiting.size_bytes > self._total_bytes // 2:
                continue
            fits = self.reserved_bytes + waiting.size_bytes <= self._total_bytes
            return waiting if fits or not self.reserved_bytes else None  # what is larger than everything passes alone
        return None
