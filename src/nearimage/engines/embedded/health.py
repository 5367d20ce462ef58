"""Whether a shard may still be written to: once the disk failed in a way that leaves open what it holds, no more until the shard is opened anew.

    with health.writing():       a write: refused if the shard is broken; a failure breaks it and goes to the caller
    with health.tidying():       work that nobody asked for, on what is durable already: a failure breaks the shard and is kept for the next writer

A full disk breaks nothing: what was there before still is. May import `domain` and this package's `disk`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nearimage.domain.errors import Busy, DiskFull
from nearimage.engines.embedded.disk import storage_faults


class Health:
    """Remembers what broke the writing side of a shard.

    Args:
        path: of the shard's database, for messages.

    Attributes:
        broken: why writes are refused; None while they are not.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.broken: Busy | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A write that a caller waits for.

        Raises:
            Busy, DiskFull: it cannot be made; nothing of it is stored.
        """
        if self.broken:
            raise Busy(self.broken.message, **self.broken.detail)
        try:
            with storage_faults(self._path):
                yield
        except Busy as failed:
            if not isinstance(failed, DiskFull):
                self.broken = failed
            raise

    @contextmanager
    def tidying(self) -> Iterator[None]:
        """Work whose failure must not fail what was acknowledged, only the writes that come; after a full disk the next one finds out."""
        try:
            with storage_faults(self._path):
                yield
        except DiskFull:
            return
        except Busy as failed:
            self.broken = failed

    def interrupted(self) -> None:
        """A write ended by Ctrl-C, or for want of memory, between what is on the disk and what is known of it."""
        self.broken = Busy(f"a write to {self._path} was interrupted; restart the database", path=str(self._path))
