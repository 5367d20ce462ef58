"""Backups: collections copied into a folder, and taken out of it again.

    snapshot    shard by shard, each as of one commit (`copying`) -> files, forced -> manifest.json, last
    restore     manifest checked -> files copied into a folder that nothing names, each compared with its SHA-256 -> renamed and named in one transaction

A kill at any moment leaves a snapshot without a manifest, which is refused, or a folder in the database that nothing names, which the next opening
sweeps away. An error leaves nothing at all.

May import msgspec, `domain`, `ports` and this package.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import msgspec

from nearimage.domain.errors import CollectionNotFound, FolderUnusable, SnapshotUnusable, TenantNotFound
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.catalog import Arrival, Tenant
from nearimage.engines.embedded.copying import copy_file, hash_file
from nearimage.engines.embedded.disk import force, force_folder, size_on_disk, storage_faults
from nearimage.engines.embedded.manifest import MANIFEST_FILE, MANIFEST_FORMAT, CopiedCollection, CopiedFile, CopiedTenant, Manifest, read_manifest
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.ports.engine import Progress


class _Counter:
    """Adds up what is done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, count: int) -> None:
        self._done += count
        if self._progress:
            self._progress(self._done, max(self._total, self._done))


def size_of(folders: Iterable[Path]) -> int:
    """What there is to copy, as far as one can say: folders may go, and files grow, at any moment."""
    size = 0
    for folder in folders:
        with suppress(OSError):
            size += size_on_disk(folder)
    return size


class SnapshotWriter:
    """Writes one snapshot into a new or empty folder.

    Args:
        size: how many bytes there are to copy, as far as one can say.

    Raises:
        FolderUnusable: the folder is not empty, or cannot be made.
    """

    def __init__(self, into: Path, size: int, progress: Progress | None) -> None:
        self._into = into
        self._counter = _Counter(progress, size)
        self._collections: list[CopiedCollection] = []
        try:
            self._is_new = not into.exists()
            into.mkdir(parents=True, exist_ok=True)
            if any(into.iterdir()):
                raise FolderUnusable(f"{into} is not empty; a snapshot needs a folder of its own", path=str(into))
        except OSError as failed:
            raise FolderUnusable(f"{into} cannot be used for a snapshot ({failed.strerror})", path=str(into)) from failed

    def add_shard(self, shard: EmbeddedShard) -> None:
        """Copy a collection that has one shard; `name` must follow."""
        shard.copy(self._folder, self._counter.add)

    def add_tenants(self, tenants: Mapping[str, Tenant], shard: Callable[[str], EmbeddedShard]) -> list[CopiedTenant]:
        """Copy the shards of a collection's tenants; one that is dropped meanwhile is left out."""
        self._folder.mkdir()
        copied = []
        for number, (name, tenant) in enumerate(tenants.items(), 1):
            folder = f"t{number:06}" if tenant.folder else ""
            try:
                if folder:
                    shard(name).copy(self._folder / folder, self._counter.add)
            except TenantNotFound:
                shutil.rmtree(self._folder / folder, ignore_errors=True)
                continue
            copied.append(CopiedTenant(name, tenant.state, folder))
        return copied

    def name(self, definition: Collection, *, tenants: Sequence[CopiedTenant] = (), aliases: Iterable[str] = ()) -> None:
        """Say what the last collection is. Its definition is read after its shards: a shard may know less than it, never more."""
        self._collections.append(CopiedCollection(msgspec.json.encode(definition).decode(), self._folder.name, tuple(tenants), tuple(aliases)))

    def leave_out(self) -> None:
        """Forget the last collection, which was dropped."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def finish(self) -> None:
        """Write the manifest; the snapshot is whole when this returns."""
        with storage_faults(self._into):
            files = [path for path in sorted(self._into.rglob("*")) if path.is_file()]
            copied = tuple(CopiedFile(path.relative_to(self._into).as_posix(), path.stat().st_size, hash_file(path)) for path in files)
            manifest = Manifest(
                format=MANIFEST_FORMAT,
                version=version("nearimage"),
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                collections=tuple(self._collections),
                files=copied,
            )
            for folder in {path.parent.parent for path in files}:
                force_folder(folder)
            unfinished = self._into / (MANIFEST_FILE + ".part")
            with unfinished.open("wb") as file:
                file.write(manifest.sealed())
                file.flush()
                force(file.fileno())
            unfinished.rename(self._into / MANIFEST_FILE)
            force_folder(self._into)
            force_folder(self._into.parent)

    def undo(self) -> None:
        """Leave the folder as it was found."""
        for path in self._into.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self._is_new:
            with suppress(OSError):
                self._into.rmdir()

    @property
    def _folder(self) -> Path:
        return self._into / f"c{len(self._collections) + 1:06}"


@contextmanager
def arriving(source: Path, parent: Path, *, collections: Sequence[str] | None, progress: Progress | None) -> Iterator[tuple[Arrival, ...]]:
    """Copy collections out of a snapshot into a folder below `parent` that nothing names; it is gone at the end of the block.

    Raises:
        SnapshotUnusable: the snapshot is incomplete or damaged.
        FormatTooNew: a newer version wrote it.
        CollectionNotFound: it has none of one of the names.
        DiskFull: they do not fit.
    """
    manifest = read_manifest(source)
    chosen = _chosen(manifest, source, collections)
    folders = {copied.folder for copied in chosen}
    files = [file for file in manifest.files if file.path.split("/")[0] in folders]
    counter = _Counter(progress, sum(file.size for file in files))
    staging = parent / f"restoring-{uuid4().hex}"
    try:
        with storage_faults(staging):
            for copied in chosen:
                (staging / copied.folder).mkdir(parents=True)
            for file in files:
                _take(source, staging, file, counter)
            for folder in {_staged(staging, file).parent for file in files} | {staging / name for name in folders} | {staging}:
                force_folder(folder)
        yield tuple(
            Arrival(
                collection=copied.collection(),
                folder=staging / copied.folder,
                tenants={tenant.name: (tenant.state, tenant.folder and f"r{tenant.folder[1:]}") for tenant in copied.tenants},
                aliases=copied.aliases,
            )
            for copied in chosen
        )
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _chosen(manifest: Manifest, source: Path, names: Sequence[str] | None) -> list[CopiedCollection]:
    have = {copied.collection().name: copied for copied in manifest.collections}
    for name in names or ():
        if name not in have:
            raise CollectionNotFound(f"the snapshot {source} has no collection {name!r}; it has {sorted(have)}", collection=name)
    return [have[name] for name in (have if names is None else dict.fromkeys(names))]


def _staged(staging: Path, file: CopiedFile) -> Path:
    """Where a file is put; a tenant's folder gets a name that no new tenant of this database will have."""
    return staging / file.path.replace("/t", "/r", 1)


def _take(source: Path, staging: Path, file: CopiedFile, counter: _Counter) -> None:
    target = _staged(staging, file)
    target.parent.mkdir(exist_ok=True)
    path = source / file.path
    if not path.is_file() or path.stat().st_size != file.size or copy_file(path, target, counter.add) != file.sha256:
        raise SnapshotUnusable(f"{path} is missing or damaged: it is not what was copied; use another snapshot", path=str(path))
