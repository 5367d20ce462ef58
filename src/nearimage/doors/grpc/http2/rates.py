"""How often something may happen: a bucket that fills with time (RFC 9113 section 10.5, CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2025-8671).

A bucket begins full with `burst` tokens. What happens takes one; each second puts `per_s` back, and useful work puts some back too, so that a busy client
is never taken for a hostile one.
The clock is read only when the bucket runs dry: what is usual costs a subtraction.
"""

from collections.abc import Callable

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode
from nearimage.doors.grpc.http2.limits import Limits

FRAMES_PER_REQUEST = 4
"""Control frames that an answered request allows for: a PING and its answer, a WINDOW_UPDATE for the stream and one for the connection."""

Clock = Callable[[], float]
"""Seconds from any beginning, never going back."""


class Bucket:
    """One kind of event on one connection."""

    __slots__ = ("_burst", "_clock", "_filled_at", "_per_s", "tokens")

    def __init__(self, burst: int, per_s: int, clock: Clock) -> None:
        self.tokens: float = burst
        self._burst = burst
        self._per_s = per_s
        self._clock = clock
        self._filled_at = clock()

    def fill(self, tokens: int) -> None:
        """Put back what time has earned, and these."""
        now = self._clock()
        self.tokens = min(self._burst, self.tokens + (now - self._filled_at) * self._per_s + tokens)
        self._filled_at = now


class Effort:
    """What a client makes the server do for nothing. Who goes on loses the connection: ENHANCE_YOUR_CALM.

    Attributes:
        useful: how many requests were answered; counted up by whoever answers.
    """

    __slots__ = ("_control", "_resets", "_rewarded_control", "_rewarded_resets", "useful")

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.useful = 0
        self._control = Bucket(limits.control_burst, limits.control_per_s, clock)
        self._resets = Bucket(limits.reset_burst, limits.resets_per_s, clock)
        self._rewarded_control = self._rewarded_resets = 0

    def frame(self) -> None:
        """A frame that carries nothing.

        Raises:
            ConnectionFault: one too many.
        """
        bucket = self._control
        if bucket.tokens < 1:
            bucket.fill((self.useful - self._rewarded_control) * FRAMES_PER_REQUEST)
            self._rewarded_control = self.useful
            if bucket.tokens < 1:
                raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that carry nothing")
        bucket.tokens -= 1

    def reset(self) -> None:
        """A stream was reset by the client or through its fault.

        Raises:
            ConnectionFault: one too many.
        """
        bucket = self._resets
        if bucket.tokens < 1:
            bucket.fill(self.useful - self._rewarded_resets)
            self._rewarded_resets = self.useful
            if bucket.tokens < 1:
                raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many streams were reset")
        bucket.tokens -= 1
