"""Waiting for what another thread or process does: for a state, never for a time."""

import time
from collections.abc import Callable


def eventually(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it is not so within that time, which is far longer than a loaded machine needs.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.001)
