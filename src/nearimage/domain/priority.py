"""Threads whose work nobody waits for step back behind those that answer somebody.

May import the standard library only.
"""

import os
import threading

BEHIND_SEARCHES = 10
"""A nice value that leaves a tenth of a contested core to imports. At 19, the lowest priority, it is a hundredth: beside three busy programs on two
cores an import of 20 pictures then took more than a minute."""


def step_back() -> None:
    """Lower the calling thread's priority; only Linux knows priorities of threads, elsewhere it would be the whole process's."""
    if hasattr(os, "sched_getaffinity"):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND_SEARCHES)
        except OSError:
            return  # a sandbox may forbid it; the work is the same
