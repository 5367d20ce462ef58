"""What the engine asks of the file system, and what it makes of its refusals.

    pwrite in full, room allocated ahead, data and folders forced to the disk; errors of the system and of SQLite in the database's own words:

    no room left (or a quota, or a limit on file sizes)   DiskFull: nothing was kept, free some space
    SQLite finds its file damaged                         Corrupt
    anything else while writing or forcing                Busy: what reached the disk is unknown, so the shard takes no more writes

The last rule is that of PostgreSQL since 2018: after a failed fsync the kernel may have dropped the pages and report success the next time, so trying
again proves nothing; only reading the files anew, which is a restart, does.

Source:
    "Can Applications Recover from fsync Failures?", Rebello et al., USENIX ATC 2020.

May import apsw and `domain`.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from nearimage.domain.errors import Busy, Corrupt, DiskFull

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM_IN_SQLITE = frozenset({apsw.SQLITE_IOERR_SHMSIZE, apsw.SQLITE_IOERR_SHMMAP})
"""The index of SQLite's log is a mapped file; making it longer fails this way on a full disk."""

GENTLY_BYTES = 4 << 20
"""A commit waits in the file system's journal for what others have written and not forced: beside a copy of 200 MB that is forced once in the end up to 380 ms,
forced every 16 / 4 / 1 MiB up to 140 / 130 / 150, and copying takes a tenth / half / as long again (ext4, a virtual disk; alone up to 45)."""

_KEEP_SIZE, _PUNCH_HOLE = 1, 2
"""linux/falloc.h"""


@contextmanager
def storage_faults(path: Path) -> Iterator[None]:
    """Turn what the system and SQLite raise into the database's errors; the table is in the module's essay."""
    try:
        yield
    except apsw.FullError as full:
        raise _disk_full(path) from full
    except (apsw.CorruptError, apsw.NotADBError) as damaged:
        raise Corrupt(f"{path} is damaged ({damaged}); restore it from a backup", path=str(path)) from damaged
    except apsw.IOError as failed:
        if getattr(failed, "extendedresult", 0) in _NO_ROOM_IN_SQLITE:
            raise _disk_full(path) from failed
        raise _unknown_state(path, failed) from failed
    except (apsw.CantOpenError, apsw.BusyError, apsw.ReadOnlyError) as failed:
        raise _unknown_state(path, failed) from failed
    except OSError as failed:
        if failed.errno in _NO_ROOM:
            raise _disk_full(path) from failed
        raise _unknown_state(path, failed) from failed


def write_fully(fd: int, data: memoryview, position: int) -> None:
    """Write all of it; one call of pwrite may write less (2 GiB on Linux, or what was left of the disk)."""
    while data:
        written = os.pwrite(fd, data, position)
        data, position = data[written:], position + written


def write_gently(fd: int, data: memoryview, position: int) -> None:
    """Write all of it and force it every `GENTLY_BYTES`, for files so long that others would feel it; the last bytes the caller forces."""
    for start in range(0, len(data), GENTLY_BYTES):
        piece = data[start : start + GENTLY_BYTES]
        write_fully(fd, piece, position + start)
        if len(piece) == GENTLY_BYTES:
            force(fd)


def allocate(fd: int, length: int) -> None:
    """Give the file room up to this length now, so that no later write into a mapping can find the disk full."""
    have = os.fstat(fd).st_size
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, have, length - have)
    else:  # macOS has no such call; zeros written out take the room as surely
        write_fully(fd, memoryview(bytes(length - have)), have)


def punch(fd: int, start: int, length: int) -> None:
    """Give the blocks of a stretch back to the file system; the file stays as long, and zeros are read there. Where that cannot be, nothing happens.

    A file that is mapped must not become shorter: who reads beyond its end through a mapping is killed.
    """
    if sys.platform == "linux" and length > 0:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
        fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
        fallocate(fd, _KEEP_SIZE | _PUNCH_HOLE, start, length)


def force(fd: int) -> None:
    """Return when the file's data, and the length needed to read it, are on the disk."""
    getattr(os, "fdatasync", os.fsync)(fd)


def force_folder(path: Path) -> None:
    """Return when the names in a folder are on the disk; a file whose name is not may vanish whole."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def size_on_disk(folder: Path) -> int:
    """The bytes that the files of a folder take."""
    blocks = 0
    for entry in folder.iterdir():
        with suppress(FileNotFoundError):  # renamed or removed meanwhile, as derived files are
            blocks += entry.stat().st_blocks
    return blocks * 512  # whatever the file system's own, stat(2)


def _disk_full(path: Path) -> DiskFull:
    return DiskFull(f"no room left for {path}; nothing of this write was kept: free some space and try again", path=str(path))


def _unknown_state(path: Path, cause: Exception) -> Busy:
    return Busy(f"{path} failed ({cause}), so what is on the disk is unknown; restart the database, which reads its files anew", path=str(path))
