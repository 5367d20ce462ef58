"""Let Ctrl-C ask for a stop instead of breaking into the work. May import the standard library only."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_interrupt(tell: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """While it lasts, the first Ctrl-C is noted and told, a second one breaks off as usual.

    Yields:
        Whether Ctrl-C was pressed.
    """
    asked = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        tell()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
