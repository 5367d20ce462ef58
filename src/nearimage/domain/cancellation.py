"""Whether somebody still waits for an answer.

A door sets a token for each request and cancels it when the client hangs up or its time is over; what waits in a queue on behalf of that request then
leaves it. The token travels as a context variable, so nothing between the door and the queue has to pass it on.

    with cancellable() as token:      the door, on the request's thread
        ... vectorizer ... queue      `current_cancellation().on_cancel(leave)`
        ... between two pieces        `check_somebody_waits()`
    token.cancel()                    the door, on any thread

May import the standard library and `domain` only.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from nearimage.domain.errors import Busy


class Cancelled(Busy):
    """Nobody waits for the answer any more; it was not computed."""

    code = "cancelled"


class Cancellation:
    """One request's token; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._leave: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Say that nobody waits; calls what was registered, once."""
        with self._lock:
            self._cancelled = True
            waiting, self._leave = self._leave, []
        for leave in waiting:
            leave()

    @contextmanager
    def on_cancel(self, leave: Callable[[], None]) -> Iterator[None]:
        """Call `leave` if the request is cancelled inside of the block, or was before."""
        with self._lock:
            late = self._cancelled
            if not late:
                self._leave.append(leave)
        if late:
            leave()
        try:
            yield
        finally:
            with self._lock:
                if leave in self._leave:
                    self._leave.remove(leave)

    def check(self) -> None:
        """Go on only while somebody waits.

        Raises:
            Cancelled: nobody does.
        """
        if self._cancelled:
            raise Cancelled("the request was cancelled, and what was left to do on its behalf was dropped")


_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


def current_cancellation() -> Cancellation | None:
    """The token of the request that this thread works on; None where nobody can hang up."""
    return _current.get()


def check_somebody_waits() -> None:
    """Go on only while somebody waits for what this thread works on.

    Raises:
        Cancelled: nobody does.
    """
    if token := _current.get():
        token.check()


@contextmanager
def cancellable(token: Cancellation) -> Iterator[Cancellation]:
    """Work on a request that may be cancelled."""
    before = _current.set(token)
    try:
        yield token
    finally:
        _current.reset(before)
