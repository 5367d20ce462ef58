"""Files made from weights once and kept: the models that ONNX Runtime loads.

Making one takes seconds, so the result stays in the data folder:

    <folder>/<name>            the file; its name carries the converter's version, so a newer converter never meets an older file
    <folder>/<name>.sha256     its checksum in hex, written first

A file whose checksum is missing or differs was cut by a crash or damaged since, and is made again. Both files appear by rename, whole or not at
all. May import the standard library, `domain` and `runtime.weights`.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from nearimage.domain.errors import DiskFull, FolderUnusable
from nearimage.vectorizers.runtime.weights import sha256


def converted(folder: Path, name: str, build: Callable[[], bytes]) -> Path:
    """The kept file of that name, made now if it is not there or damaged.

    Args:
        folder: made if need be.
        name: carries a version.
        build: makes the content.

    Raises:
        FolderUnusable: the folder cannot be written; detail has "path".
        DiskFull: no room for the file; detail has "path".
        NearimageError: whatever `build` raises.
    """
    path = folder / name
    if not _whole(path):
        content = build()
        try:
            _keep(path, content)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DiskFull(f"no room for the model file {path} ({len(content)} bytes); free some space", path=str(path)) from error
            raise FolderUnusable(f"the model file {path} cannot be written ({error}); make the folder writable", path=str(folder)) from error
    return path


def _whole(path: Path) -> bool:
    try:
        return path.with_name(path.name + ".sha256").read_text(encoding="ascii").strip() == sha256(path)
    except (OSError, UnicodeDecodeError):
        return False


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    checksum = path.with_name(path.name + ".sha256")
    try:
        _write(temporary, content)
        digest = sha256(temporary)  # of what the disk gives back, not of what we meant to write
        _write(checksum.with_suffix(".tmp"), digest.encode("ascii"))
        checksum.with_suffix(".tmp").replace(checksum)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
