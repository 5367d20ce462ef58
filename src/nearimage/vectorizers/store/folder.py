"""The models of a machine: one folder each, whole or not at all.

    <models>/clip-vit-b-32/manifest.json       written last
    <models>/clip-vit-b-32/image.onnx ...
    <models>/.incoming-clip-vit-b-32/          being pulled or added; what was pulled stays there and is gone on with

A model appears by one rename of its folder, after every file in it has been synced and compared with its checksum. Whoever puts one together holds a lock on
its incoming folder, which the system lets go of when the process ends, however it ends; two who pull the same model would write into each other's files.
Other files that lie in the folder, such as
those that the built-in models were converted to, are left alone. May import the standard library, `domain`, `runtime.weights` and `store.manifest`.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from nearimage.domain.errors import Busy, Corrupt, DiskFull, FolderUnusable, ModelMissing
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.runtime.weights import sha256
from nearimage.vectorizers.store.manifest import FILE_NAME, Manifest, Quantized, check_name, parse, render

INCOMING = ".incoming-"


class ModelArriving(Busy):
    """Another process, or another thread, is pulling or adding the same model; detail has "model"."""

    code = "model-arriving"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that is there."""

    folder: Path
    manifest: Manifest

    def path(self, file: str) -> Path:
        """Where one of its files lies."""
        return self.folder / file

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises:
            Corrupt: one is missing, cut or changed; detail has "path" and "model".

        Cost:
            Reads all files: about 1 ms a megabyte.
        """
        for name, pinned in self.manifest.files.items():
            path = self.path(name)
            try:
                size = path.stat().st_size
            except OSError:
                raise self._damaged(path, "is missing") from None
            if size != pinned.bytes:
                raise self._damaged(path, f"has {size:,} bytes, not {pinned.bytes:,}")
            if sha256(path) != pinned.sha256:
                raise self._damaged(path, "has another SHA-256 than when it was stored")

    def _damaged(self, path: Path, how: str) -> Corrupt:
        name = self.manifest.name
        message = f"the model {name!r} is damaged: {path} {how}; remove it (`nearimage models remove {name} --force`) and pull or add it again"
        return Corrupt(message, path=str(path), model=name)


class ModelStore:
    """The folder of models.

    Args:
        folder: made when the first model comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """The models that are there, damaged or not, sorted."""
        return tuple(sorted(path.parent.name for path in self.folder.glob(f"[!.]*/{FILE_NAME}")))

    def has(self, name: str) -> bool:
        """Whether a model of that name is there, damaged or not."""
        return Path(name).name == name and not name.startswith(".") and (self.folder / name / FILE_NAME).is_file()

    def find(self, name: str) -> StoredModel:
        """A model by its name; its files are not read.

        Raises:
            ModelMissing: there is none; detail has "model" and "how".
            Corrupt: its manifest cannot be read; detail has "path" and "model".
        """
        path = self.folder / name / FILE_NAME
        try:
            check_name(name)
            content = path.read_bytes()
        except (OSError, ValueError):
            how = f"nearimage models pull {name}"
            raise ModelMissing(
                f"there is no model {name!r} in {self.folder}; get it with `{how}`, or from files of your own with `nearimage models add`", model=name, how=how
            ) from None
        try:
            manifest = parse(content)
            if manifest.name != name:
                raise ValueError(f"it is that of {manifest.name!r}")
        except ValueError as wrong:
            message = f"the manifest {path} cannot be read: {wrong}; remove the model (`nearimage models remove {name} --force`) and get it again"
            raise Corrupt(message, path=str(path), model=name) from wrong
        return StoredModel(path.parent, manifest)

    @contextmanager
    def incoming(self, name: str) -> Iterator[Path]:
        """The folder in which a model is put together; made now, and inside of the block nobody else's.

        Raises:
            ModelArriving: somebody else is at it.
            FolderUnusable, DiskFull: it cannot be made.
        """
        folder = self._incoming(name)
        with writing(folder):
            lock = _locked(folder)
        if lock is None:
            message = f"the model {name!r} is being pulled or added by somebody else, in {folder}; wait until that is done"
            raise ModelArriving(message, model=name)
        try:
            yield folder
        finally:
            os.close(lock)

    def _incoming(self, name: str) -> Path:
        return self.folder / f"{INCOMING}{name}"

    def install(self, manifest: Manifest) -> StoredModel:
        """Let a model that lies whole in its incoming folder appear under its name, in place of one that is there.

        Raises:
            FolderUnusable, DiskFull: it was not installed.
        """
        incoming, final = self._incoming(manifest.name), self.folder / manifest.name
        old = self.folder / f"{INCOMING}{manifest.name}.old"
        with writing(incoming):
            write_synced(incoming / FILE_NAME, render(manifest))
            _sync_folder(incoming)
            if final.exists():
                shutil.rmtree(old, ignore_errors=True)
                final.rename(old)
            incoming.rename(final)
            _sync_folder(self.folder)
        shutil.rmtree(old, ignore_errors=True)
        return StoredModel(final, manifest)

    def note_int8(self, model: StoredModel, modality: Modality, made: Quantized) -> StoredModel:
        """Write into the manifest that a tower was quantised.

        Raises:
            FolderUnusable, DiskFull: the manifest stays as it was.
        """
        current = self.find(model.manifest.name).manifest  # another process may have noted another tower meanwhile
        manifest = replace(current, int8={**current.int8, modality: made})
        with writing(model.folder):
            temporary = model.path(f"{FILE_NAME}.tmp")
            write_synced(temporary, render(manifest))
            temporary.replace(model.path(FILE_NAME))
        return StoredModel(model.folder, manifest)

    def remove(self, name: str) -> None:
        """Delete a model, or what was left of one.

        Raises:
            ModelMissing: there is nothing of that name.
            ModelArriving: it is being put together.
            FolderUnusable: it cannot be deleted.
        """
        folders = [folder for folder in (self.folder / name, self._incoming(name)) if name and folder.is_dir()]
        if not folders or Path(name).name != name:
            raise ModelMissing(f"there is no model {name!r} in {self.folder}; `nearimage models list` shows those there are", model=name, how="")
        with self.incoming(name) if self._incoming(name) in folders else nullcontext():
            for folder in folders:
                with writing(folder):
                    (folder / FILE_NAME).unlink(missing_ok=True)  # first, so that a model cut short by a crash is none
                    shutil.rmtree(folder)


def _locked(folder: Path) -> int | None:
    """A handle of the folder, made if need be, that holds its lock; None where somebody else holds it."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), folder.stat()):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        os.close(handle)  # it has become a model, or was deleted, between the two steps: begin again with a new one


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say what a failed write means.

    Raises:
        DiskFull: no room; detail has "path".
        FolderUnusable: anything else that the system refuses; detail has "path".
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no room left for {path}; free some space and do it again", path=str(path)) from error
        raise FolderUnusable(f"{path} cannot be written ({error.strerror or error}); make the folder writable", path=str(path)) from error


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait for the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
