"""Copying SQLite's log into its file beside those who write.

A checkpoint reads the log and writes each page to its place, then forces the file: some milliseconds on a good disk, a hundred on a bad one. SQLite lets one
connection do so while another writes (https://sqlite.org/wal.html, "Checkpointing"). What was written meanwhile is left over, and the log starts from its
beginning only once nothing is; so the writer copies that little in its turn.

May import apsw and this package's `database`.
"""

import threading
from pathlib import Path

import apsw

from nearimage.engines.embedded.database import connect_copier


class LogCopier:
    """A connection that only copies the log. For any thread, one at a time.

    Attributes:
        alone: held while a log is copied, by this connection or the writer's own: SQLite refuses a second one meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.alone = threading.Lock()
        self._path = path
        self._connection: apsw.Connection | None = None

    def copy(self) -> None:
        """Copy what is in the log; what comes meanwhile stays there.

        Raises:
            apsw.Error: as SQLite says; callers wrap this in `storage_faults`.
        """
        with self.alone:
            if self._connection is None:
                self._connection = connect_copier(self._path)
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def close(self) -> None:
        """Let go of the database."""
        with self.alone:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
