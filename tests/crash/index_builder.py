"""A program that opens a shard whose index is due, and kills itself at a step of the building that can be chosen.

    python -m tests.crash.index_builder FOLDER KILL_AT

A step is a question of the background's work whether to go on (some twenty in training, adding and measuring), or a call of the system that changes files, made
by the background, before and after it. With KILL_AT 0 it goes to the end and prints how many steps there were.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nearimage.engines.embedded import EmbeddedEngine, background
from nearimage.engines.embedded.ann import Thresholds
from nearimage.engines.embedded.background import Background

LOW = Thresholds(index_from=600, index_ns=1000, delta=100)
_COUNTED = ("pwrite", "fdatasync", "fsync", "replace")


class Steps:
    """Counts, and kills."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.count = 0

    def step(self) -> None:
        """One more."""
        if threading.current_thread().name == "nearimage-background":
            self.count += 1
            if self.count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with a step before and after it."""

        def counting(*arguments: Any, **named: Any) -> Any:
            self.step()
            result = call(*arguments, **named)
            self.step()
            return result

        return counting


def main() -> None:
    """Build, or die."""
    background.LONGEST_REST_S = 0  # beside other programs it would take minutes
    steps = Steps(int(sys.argv[2]))
    for name in _COUNTED:
        setattr(os, name, steps.counted(getattr(os, name)))
    Path.replace = steps.counted(Path.replace)  # type: ignore[method-assign] # files.py calls it
    must_stop = Background._must_stop

    def asked(own: Background) -> bool:
        steps.step()
        return must_stop(own)

    Background._must_stop = asked  # type: ignore[method-assign, assignment]
    engine = EmbeddedEngine(Path(sys.argv[1]), thresholds=LOW)
    engine.shard("Photo").count()
    assert engine.background.wait(60)
    assert engine.background.failures() == {}
    sys.stdout.write(f"{steps.count}\n")
    engine.close()


if __name__ == "__main__":
    main()
