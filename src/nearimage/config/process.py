"""What a server asks of its process: open files, and a garbage collector that keeps quiet. May import the standard library only."""

import gc
import resource
from contextlib import suppress

FILES = 16_384
"""Open files: 1,024 shards with a dozen each take 12,288 (`engines/embedded/open_shards.py`), the rest is for connections."""

_YOUNG_OBJECTS = 20_000
"""So many containers may be made, and not yet freed, before Python looks for cycles among them (its own number is 700): two pages of 1,000 objects."""


def collect_rarely() -> None:
    """Keep Python's garbage collector from stopping a server that answers.

    What is there when it begins to answer stays: modules, models, tables. A full collection would look through all of it, 80 ms in which nobody is answered,
    and find nothing. And answers make no cycles: looking for young ones after each 700 objects takes a sixth of the time of a page of 1,000.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


def allow_many_files() -> None:
    """Use the system's limit on open files, not the session's, which is often 1024: every open tenant takes some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or soft < hard):
        with suppress(OSError, ValueError):  # macOS refuses what its kernel cannot do
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES) if hard == resource.RLIM_INFINITY else min(max(soft, FILES), hard), hard))
