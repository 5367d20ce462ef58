"""Callers who write at the same time share one commit.

    first caller      leads: takes what waits, commits it, hands out the answers, names the next leader
    others meanwhile  wait; most wake to find their work done

A commit costs one wait for the disk, 0.3 ms, whatever it holds; while it is under way the requests of the other callers collect, and the next commit takes them
together. Nobody waits for company: a single caller commits at once. There is no thread of its own, hence no hand-over for a caller who is alone.

Source:
    The leader and follower scheme of LevelDB's writer queue; DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984,
    section 5.2 (group commit).

May import `domain` and this package's `requests`.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nearimage.domain.errors import Busy
from nearimage.engines.embedded.requests import Request

MOST_OBJECTS = 256
"""Objects in one commit, unless a single call has more: beyond that a commit is limited by the processor, and those in it wait longer for nothing."""


@dataclass(slots=True)
class Turn:
    """A request that waits.

    Attributes:
        error: why it failed.
    """

    request: Request
    is_done: bool = False
    error: Exception | None = None
    wake: threading.Lock = field(default_factory=threading.Lock)


class Turns:
    """Lets one caller at a time write, with the requests of those who wait.

    Args:
        run: does some requests in one transaction and notes their errors; it raises only where it was interrupted (Ctrl-C).
    """

    def __init__(self, run: Callable[[Sequence[Turn]], None]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._waiting: deque[Turn] = deque()
        self._is_led = False

    def submit(self, request: Request) -> None:
        """Return when the request is done, by this thread or another.

        Raises:
            Exception: whatever made it fail.
        """
        turn = Turn(request)
        turn.wake.acquire()
        with self._lock:
            self._waiting.append(turn)
            leads, self._is_led = not self._is_led, True
        if not leads:
            turn.wake.acquire()  # released when the work is done, or when it is this caller's turn to lead
        if not turn.is_done:
            self._lead()
        if turn.error:
            raise turn.error

    def _lead(self) -> None:
        with self._lock:
            taken = self._take()
        try:
            self._run(taken)
        except BaseException:
            for turn in taken:
                turn.error = turn.error or Busy("a write was interrupted; restart the database")
            raise
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
            if following:
                following.wake.release()
            for turn in taken:
                turn.is_done = True
            for turn in taken[1:]:
                turn.wake.release()

    def _take(self) -> list[Turn]:
        """The requests for one commit: the first, which is the leader's own, and those behind it while there is room."""
        taken = [self._waiting.popleft()]
        room = MOST_OBJECTS - taken[0].request.size
        while self._waiting and (room := room - self._waiting[0].request.size) >= 0:
            taken.append(self._waiting.popleft())
        return taken
