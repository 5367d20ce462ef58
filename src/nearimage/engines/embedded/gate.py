"""A gate lets calls in until it is closed, and closing waits for those inside.

    with gate: ...          a call
    gate.close(refusal)     from now on calls raise refusal; returns when the last one inside has left

May import `domain` only.
"""

from threading import Condition

from nearimage.domain.errors import NearimageError


class Gate:
    """Counts the calls that run, so that nothing is taken away under them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self._refusal: NearimageError | None = None

    def __enter__(self) -> None:
        with self._changed:
            if self._refusal:
                raise type(self._refusal)(self._refusal.message, **self._refusal.detail)  # a fresh one: tracebacks of callers must not mix
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def close(self, refusal: NearimageError) -> bool:
        """Refuse calls from now on and wait for those inside; False if it was closed before."""
        with self._changed:
            first = self._refusal is None
            self._refusal = self._refusal or refusal
            self._changed.wait_for(lambda: self._inside == 0)
            return first
