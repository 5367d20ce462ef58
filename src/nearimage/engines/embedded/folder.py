"""The data folder belongs to one process at a time.

A lock file is held with flock, which the system lets go of when the process ends, however it ends; so a leftover file means nothing. Its content is
for people and for the message a second process gets: JSON with "pid", and "http_port" and "grpc_port" once the server has announced them.

May import `domain` only.
"""

import errno
import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from nearimage.domain.errors import FolderInUse, FolderUnusable
from nearimage.engines.embedded.layout import LOCK_FILE


class FolderLock:
    """Holds a data folder, which it makes if need be.

    Raises:
        FolderInUse: another process, or another engine of this one, has it; detail has "path", "pid" and, where known, "http_port".
        FolderUnusable: it cannot be made or written; detail has "path".
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as failed:
            message = f"the data folder {folder} cannot be used ({failed.strerror}); choose a folder that this user may write to"
            raise FolderUnusable(message, path=str(folder)) from failed
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as failed:
            holder = _read(self._fd)
            os.close(self._fd)
            if failed.errno in (errno.EAGAIN, errno.EACCES):
                raise _in_use(folder, holder) from failed
            message = f"the data folder {folder} is on a file system without locks ({failed.strerror}); choose another"
            raise FolderUnusable(message, path=str(folder)) from failed
        self.announce()

    def announce(self, *, http_port: int | None = None, grpc_port: int | None = None) -> None:
        """Write down where the holder can be reached."""
        said = {"pid": os.getpid(), "http_port": http_port, "grpc_port": grpc_port}
        data = json.dumps({key: value for key, value in said.items() if value is not None}).encode()
        with suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, data, 0)

    def release(self) -> None:
        """Let others have the folder."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def _read(fd: int) -> dict[str, object]:
    try:
        found = json.loads(os.pread(fd, 4096, 0))
    except ValueError:  # the holder is just writing it
        return {}
    return found if isinstance(found, dict) else {}


def _in_use(folder: Path, holder: dict[str, object]) -> FolderInUse:
    port = holder.get("http_port")
    who = f"process {holder.get('pid', 'unknown')}" + (f", which answers on port {port}" if port else "")
    detail = {key: holder[key] for key in ("pid", "http_port", "grpc_port") if key in holder}
    return FolderInUse(f"the data folder {folder} is in use by {who}; ask that server, stop it, or choose another folder", path=str(folder), **detail)
