"""A gate lets calls in until it is closed, and closing waits for those inside. What lies behind it may sleep while nobody is inside.

    with gate: ...          a call; the first one after a rest wakes what lies behind, the others wait for that
    gate.check()            whether a call would be refused
    gate.rest()             put it to sleep, unless somebody is inside
    gate.bar(refusal)       from now on calls raise refusal; returns when the last one inside has left; `unbar` lets them in again
    gate.close(refusal)     the same, for good, and what is awake is put to sleep
    with gate.holding():    keep it as it is, awake or asleep, also while it is barred

Waking and sleeping happen outside the lock: a thread that is refused, or that only asks, never waits for a disk. A wake that fails is told to the caller
whose call it was; the next call tries again.

May import `domain` only.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from nearimage.domain.errors import NearimageError


def _nothing() -> None:
    """Nothing sleeps behind a gate that is made without `wake`."""


class Gate:
    """Counts the calls that run, so that nothing is taken away under them.

    Args:
        wake: makes ready what lies behind the gate; may raise.
        sleep: the inverse; called while nobody is inside.

    Attributes:
        last_used: when the last call came in, by `time.monotonic`.
    """

    def __init__(self, wake: Callable[[], None] | None = None, sleep: Callable[[], None] = _nothing) -> None:
        self._lock = Lock()  # taken as it is by calls: through the condition it is two more calls each way, six times a search
        self._changed = Condition(self._lock)
        self._wake = wake or _nothing
        self._sleep = sleep
        self._awake = wake is None
        self._turning = False
        self._inside = 0
        self._held = 0
        self.last_used = 0.0
        self._barred: NearimageError | None = None
        self._closed: NearimageError | None = None

    @property
    def is_awake(self) -> bool:
        """Whether a call would come in at once; by the time it comes that may have changed."""
        return self._awake and not self._turning and self._barred is None and self._closed is None

    def __enter__(self) -> None:
        with self._lock:
            self.last_used = time.monotonic()
            while not self.is_awake:
                self._refuse()
                if not self._turning and not self._held:
                    self._turning = True
                    break
                self._changed.wait()
            else:
                self._inside += 1
                return
        self._turn(awake=True)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._barred or self._closed:  # only then does anybody wait for those inside
                self._changed.notify_all()

    def check(self) -> None:
        """Raise what a call would be refused with; for who needs nothing of what lies behind but memory, and so need not be counted."""
        if self._closed or self._barred:
            self._refuse()

    @contextmanager
    def holding(self) -> Iterator[bool]:
        """Keep what lies behind as it is until the end of the block: neither wakes it nor lets it be put to sleep, and passes bars.

        Yields:
            Whether it is awake.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._turning)
            if self._closed:
                raise _fresh(self._closed)
            self._held += 1
            awake = self._awake
        try:
            yield awake
        finally:
            with self._changed:
                self._held -= 1
                self._changed.notify_all()

    def rest(self) -> bool:
        """Put to sleep what lies behind; False if it sleeps already or somebody is inside."""
        with self._changed:
            if not self._awake or self._turning or self._inside or self._held:
                return False
            self._turning = True
        self._turn(awake=False)
        return True

    def bar(self, refusal: NearimageError, *, wait: bool = True) -> None:
        """Refuse calls from now on, and wait for those inside, unless told otherwise."""
        with self._changed:
            self._barred = refusal
            self._changed.notify_all()
            if wait:
                self._changed.wait_for(lambda: self._inside == 0 and not self._turning)

    def unbar(self) -> None:
        """Let calls in again."""
        with self._changed:
            self._barred = None

    def close(self, refusal: NearimageError) -> bool:
        """Refuse calls from now on, wait for those inside, put to sleep what is awake; False if it was closed before."""
        with self._changed:
            first = self._closed is None
            self._closed = self._closed or refusal
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._inside == 0 and self._held == 0 and not self._turning)
        if first:
            self.rest()
        return first

    def _refuse(self) -> None:
        refusal = self._closed or self._barred
        if refusal:
            raise _fresh(refusal)

    def _turn(self, *, awake: bool) -> None:
        """Wake or put to sleep; a waker is inside afterwards."""
        done = False
        try:
            (self._wake if awake else self._sleep)()
            done = True
        finally:
            with self._changed:
                self._turning = False
                self._awake = awake and done
                self._inside += awake and done
                self._changed.notify_all()


def _fresh(refusal: NearimageError) -> NearimageError:
    return type(refusal)(refusal.message, **refusal.detail)  # tracebacks of callers must not mix
