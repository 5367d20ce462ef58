"""SQLite, opened the one way this engine uses it.

    WAL                 readers see one snapshot and never wait for the writer
    synchronous FULL    a commit returns when its log records are on the disk
    no autocheckpoint   copying the log into the database file is the writer's business after a commit is published, so that nobody waits for it

May import apsw, `domain` and this package's `disk`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import apsw

from nearimage.domain.errors import FolderUnusable, FormatTooNew

APPLICATION_ID = 0x6E656172
"""`near` in ASCII, in SQLite's header: `file shard.db` shows it, and another program's database is refused."""

_BUSY_TIMEOUT_MS = 10_000
"""Within one process only recovery and checkpoints hold SQLite's locks, for milliseconds; far beyond them something is broken."""

_MAPPED_BYTES = 1 << 30
"""Readers look into so much of the file where the system has cached it: ten rows from all over 100,000 take 0.19 ms of CPU with it and 0.45 without, when
each page is a call of the system."""

_IDLE_CONNECTIONS = 8
"""Kept open for readers: one opens in 0.15 ms, and more than eight threads rarely read one shard at once."""


def connect(
    path: Path, *, version: int, schema: str = "", upgrades: Mapping[int, str] | None = None, functions: Mapping[str, Callable[..., int]] | None = None
) -> apsw.Connection:
    """Open a database for writing; with a schema, make it first if it is empty; an older format is brought up to date, each step in one transaction.

    Args:
        upgrades: by format, the statements that make the next one of it.
        functions: that these statements call, by name.

    Raises:
        FormatTooNew: a newer version of this program wrote it.
        FolderUnusable: it belongs to another program.
        apsw.Error: as SQLite says; callers wrap this in `storage_faults`.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if schema else 0)
    connection = apsw.Connection(str(path), flags=flags)
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        if schema:  # before the first table; a database that has some keeps what it was made with
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
        if schema and _number(connection, "schema_version") == 0:
            pragmas = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};"
            connection.execute(f"BEGIN IMMEDIATE; {schema}; {pragmas} COMMIT")
        _refuse_foreign(path, connection, version)
        for name, function in (functions or {}).items():
            connection.create_scalar_function(name, function, deterministic=True)
        while upgrades and (found := _number(connection, "user_version")) < version:
            connection.execute(f"BEGIN IMMEDIATE; {upgrades[found]}; PRAGMA user_version = {found + 1}; COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


class Readers:
    """Connections for reading, lent to one call at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[apsw.Connection] = []

    @contextmanager
    def lend(self) -> Iterator[apsw.Connection]:
        """A connection of the caller's own, until the end of the block."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._open()
        try:
            yield connection
        finally:
            with self._lock:
                keep = len(self._idle) < _IDLE_CONNECTIONS
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def close(self) -> None:
        """Close what is idle; nothing may be lent."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)  # readers of a WAL write its shared index
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        connection.execute(f"PRAGMA query_only = 1; PRAGMA mmap_size = {_MAPPED_BYTES}")
        return connection


def connect_copier(path: Path) -> apsw.Connection:
    """A connection for copying the log beside the writer; it forces what it writes as the writer does."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    connection.execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
    return connection


def _refuse_foreign(path: Path, connection: apsw.Connection, version: int) -> None:
    if _number(connection, "application_id") != APPLICATION_ID:
        raise FolderUnusable(f"{path} was not made by nearimage; choose another data folder", path=str(path))
    found = _number(connection, "user_version")
    if found > version:
        message = f"{path} has format {found}, this version reads up to {version}; install the version that wrote it, or a newer one"
        raise FormatTooNew(message, path=str(path), found=found, known=version)


def _number(connection: apsw.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").get)
