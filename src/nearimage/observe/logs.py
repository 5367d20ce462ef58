"""Logs: one line an event, on standard error, with the time in UTC.

May import the standard library only.
"""

import logging
import sys
import time


def set_up_logs(level: str) -> None:
    """Log to standard error from this level up."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
