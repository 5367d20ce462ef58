"""Copying SQLite's log into its file, and forcing the vectors that ride in it.

    commit        vectors of small writes are in the table `pending` too; their slot files are not forced      pending
    1,000 pages   in the background: force the slot files, copy the log                                       copy
                  then, in the writer's turn: what came meanwhile, and `pending` is emptied                   settle

May import apsw, `domain` and this package.
"""

from collections.abc import Mapping
from pathlib import Path

import apsw

from nearimage.engines.embedded.health import Health
from nearimage.engines.embedded.log_copier import LogCopier
from nearimage.engines.embedded.reading import Publication
from nearimage.engines.embedded.state import VectorColumn

_CHECKPOINT_PAGES = 1000
"""SQLite's own default, 4 MB of log (https://sqlite.org/wal.html, "Automatic Checkpoint")."""

_LONGEST_LOG_PAGES = 16 * _CHECKPOINT_PAGES
"""Who writes faster than the background copies does it himself from here on; a log without end would fill the disk and slow down every read."""


class Checkpoints:
    """The log of one shard. All but `copy` is for the writer, in turn.

    Args:
        connection: the writer's.

    Attributes:
        pending: whether the table `pending` may have rows.
        revision: commits up to this one are in the database file.
    """

    def __init__(self, path: Path, connection: apsw.Connection, publication: Publication, health: Health) -> None:
        self._connection = connection
        self._publication = publication
        self._health = health
        self._copier = LogCopier(path)
        self._pages = self._settled_pages = 0
        self.pending = False
        self.revision = publication.state.revision
        connection.set_wal_hook(self._count_pages)

    @property
    def is_due(self) -> bool:
        """Whether so much was logged since the log was last copied that it should be once more."""
        return self._pages >= _CHECKPOINT_PAGES and not self._health.broken

    @property
    def is_overdue(self) -> bool:
        """Whether the next writer should wait for it."""
        return self._pages >= _LONGEST_LOG_PAGES and not self._health.broken

    def copy(self) -> bool:
        """Do as much of it as can be done beside writers, from any thread; returns whether that went well."""
        with self._health.tidying():
            for column in self._vectors.values():
                column.file.force()
            self._copier.copy()
            return True
        return False

    def settle(self) -> None:
        """Force pending vectors and copy the log."""
        self._pages = 0
        with self._health.tidying():
            if self.pending:
                for column in self._vectors.values():
                    column.file.force()
                self._connection.execute("DELETE FROM pending")
                self.pending = False
            revision = self._publication.state.revision
            with self._copier.alone:
                in_log, copied = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._pages, self._settled_pages = 0, in_log  # a reader may keep the log from beginning anew: then it counts from here on
            if in_log == copied:  # else a reader holds an older snapshot
                self.revision = revision

    def close(self) -> None:
        """Let go of the log."""
        self._copier.close()

    @property
    def _vectors(self) -> Mapping[str, VectorColumn]:
        return self._publication.state.vectors

    def _count_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._settled_pages:
            self._settled_pages = 0  # the log began anew
        self._pages = pages - self._settled_pages
        return apsw.SQLITE_OK
