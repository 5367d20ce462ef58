"""Copying a shard while others read and write it, and files with their checksums.

    one reader's transaction --SQLite's backup--> shard.db        one commit, whatever is committed meanwhile
                             --marks of that commit--> slot files up to them

The copy belongs to the commit that the transaction sees: slots of later commits lie beyond the marks or in slots that were free, and no slot that an
object of this commit has is given again while its reader is there. What can be made anew (columns, indexes) is not copied.

May import apsw, `domain` and this package.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from nearimage.domain.errors import Corrupt
from nearimage.engines.embedded.disk import GENTLY_BYTES, force, force_folder, storage_faults, write_gently
from nearimage.engines.embedded.layout import SHARD_FILE, slot_file
from nearimage.engines.embedded.slots import HEADER_BYTES

Told = Callable[[int], None]
"""Told how many bytes more are done."""

_PAGES = GENTLY_BYTES // 4096
"""SQLite pages copied at a time, and then forced."""


def copy_shard(connection: apsw.Connection, folder: Path, target: Path, told: Told) -> None:
    """Copy the shard in a folder into a new folder, durably.

    Args:
        connection: of its database, in a transaction; the shard's commit of that transaction is copied.
    """
    marks = connection.execute("SELECT number, dims, slots FROM vectors ORDER BY number").fetchall()
    with storage_faults(target):
        target.mkdir(parents=True)
        _copy_database(connection, target / SHARD_FILE, told)
        for number, dims, slots in marks:
            name = slot_file(int(str(number)))
            size = HEADER_BYTES + int(str(slots)) * int(str(dims)) * 4
            if _has_pending(connection, int(str(number))):  # opening the copy writes what is pending, also where a power cut has shortened the file
                size = min(size, (folder / name).stat().st_size)
            copy_file(folder / name, target / name, told, size=size)
        force_folder(target)


@contextmanager
def resting_database(folder: Path) -> Iterator[apsw.Connection]:
    """The database of a shard that nobody has open, in a reader's transaction."""
    path = folder / SHARD_FILE
    with storage_faults(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)  # what a kill left in the log counts
        try:
            connection.execute("PRAGMA query_only = 1; BEGIN; SELECT * FROM mark").get  # noqa: B018 the first read begins the snapshot
            yield connection
        finally:
            connection.close()


def copy_file(source: Path, target: Path, told: Told, *, size: int | None = None) -> str:
    """Copy a file, or its first bytes, durably; returns the SHA-256.

    Raises:
        Corrupt: the file is missing or has fewer bytes.
    """
    digest, left = hashlib.sha256(), size
    try:
        reading = source.open("rb")
    except FileNotFoundError as missing:
        raise Corrupt(f"{source} is missing; restore it from a backup", path=str(source)) from missing
    with reading, target.open("wb") as writing:
        while chunk := reading.read(GENTLY_BYTES if left is None else min(left, GENTLY_BYTES)):
            digest.update(chunk)
            write_gently(writing.fileno(), memoryview(chunk), writing.seek(0, os.SEEK_END))
            left = None if left is None else left - len(chunk)
            told(len(chunk))
        force(writing.fileno())
    if left:
        raise Corrupt(f"{source} has {left} bytes less than were stored; restore it from a backup", path=str(source))
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _has_pending(connection: apsw.Connection, number: int) -> bool:
    if int(connection.execute("PRAGMA user_version").get) == 1:  # format 1 had none
        return False
    return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM pending WHERE number = ?)", (number,)).get)


def _copy_database(connection: apsw.Connection, target: Path, told: Told) -> None:
    page = int(connection.execute("PRAGMA page_size").get)
    copy = apsw.Connection(str(target))
    try:
        copy.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")  # forced below
        with copy.backup("main", connection, "main") as backup, target.open("rb+") as file:
            done = False
            while not done:
                before = backup.remaining
                done = backup.step(_PAGES)
                force(file.fileno())
                told(max(0, before - backup.remaining) * page)
    finally:
        copy.close()
    with target.open("rb+") as file:
        force(file.fileno())
