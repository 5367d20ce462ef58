"""How often something may happen: a bucket that fills with time (RFC 9113 section 10.5, CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2025-8671).

A bucket begins full with `burst` tokens. What happens takes one; each second puts `per_s` back, and useful work puts some back too, so that a busy client
is never taken for a hostile one.
The clock is read only when the bucket runs dry: what is usual costs a subtraction.
"""

from collections.abc import Callable

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode
from nearimage.doors.grpc.http2.limits import Limits

FRAMES_PER_REQUEST = 4
"""Control frames that a request allows for: a PING and its answer, a WINDOW_UPDATE for the stream and one for the connection."""

Clock = Callable[[], float]
"""Seconds from any beginning, never going back."""


class Bucket:
    """One kind of event on one connection."""

    __slots__ = ("_burst", "_clock", "_filled_at", "_per_s", "_tokens")

    def __init__(self, burst: int, per_s: int, clock: Clock) -> None:
        self._burst = burst
        self._per_s = per_s
        self._clock = clock
        self._tokens: float = burst
        self._filled_at = clock()

    def take(self) -> bool:
        """Whether it may happen once more."""
        if self._tokens < 1:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s)
            self._filled_at = now
            if self._tokens < 1:
                return False
        self._tokens -= 1
        return True

    def give(self, tokens: int) -> None:
        """Useful work was done."""
        if self._tokens < self._burst:
            self._tokens += tokens


class Effort:
    """What a client makes the server do for nothing. Who goes on loses the connection: ENHANCE_YOUR_CALM."""

    __slots__ = ("_control", "_resets")

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._control = Bucket(limits.control_burst, limits.control_per_s, clock)
        self._resets = Bucket(limits.reset_burst, limits.resets_per_s, clock)

    def request(self) -> None:
        """A request has begun."""
        self._control.give(FRAMES_PER_REQUEST)

    def answered(self) -> None:
        """A request was answered in full."""
        self._resets.give(1)

    def frame(self) -> None:
        """A frame that carries nothing.

        Raises:
            ConnectionFault: one too many.
        """
        if not self._control.take():
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that carry nothing")

    def reset(self) -> None:
        """A stream was reset by the client or through its fault.

        Raises:
            ConnectionFault: one too many.
        """
        if not self._resets.take():
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many streams were reset")
