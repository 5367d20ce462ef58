"""Examining a data folder, or a backup, without changing it.

    meta.db    every page, every definition -> which shards there must be
    shards     one after another (`checking_shard`), tenants at rest too
    folders    that nobody names: left by a crash, swept on the next opening
    a backup   its manifest, the SHA-256 of every file, and then its shards

The folder's lock is taken meanwhile: a database in use changes under one's eyes. May import apsw, `domain`, `ports` and this package.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import apsw

from nearimage.domain.checks import CheckReport, Finding, Severity
from nearimage.domain.errors import Corrupt, FolderUnusable
from nearimage.engines.embedded.catalog import Entry, read_entries
from nearimage.engines.embedded.checking_shard import Notes, check_database, check_shard, reading_only
from nearimage.engines.embedded.copying import hash_file
from nearimage.engines.embedded.folder import FolderLock
from nearimage.engines.embedded.layout import COLLECTIONS_FOLDER, META_FILE, META_FORMAT
from nearimage.engines.embedded.manifest import MANIFEST_FILE, Manifest, read_manifest
from nearimage.engines.embedded.snapshots import size_of
from nearimage.ports.engine import Progress


def check_folder(folder: Path, progress: Progress | None = None) -> CheckReport:
    """Examine a data folder.

    Raises:
        FolderUnusable: there is no database in it, or it cannot be read.
        FolderInUse: another process has it open.
    """
    path = folder / META_FILE
    if not path.is_file():
        raise FolderUnusable(f"there is no database in {folder}: it has no {META_FILE}", path=str(folder))
    lock = FolderLock(folder)
    try:
        return _check(folder, path, progress)
    finally:
        lock.release()


def check_snapshot(source: Path, progress: Progress | None = None) -> CheckReport:
    """Examine a backup: whether every file is what was copied.

    Raises:
        SnapshotUnusable: it is incomplete, or its manifest is damaged.
        FormatTooNew: a newer version wrote it.
    """
    manifest = read_manifest(source)
    findings, done, total = [], 0, sum(file.size for file in manifest.files)
    for file in manifest.files:
        path = source / file.path
        if not path.is_file() or path.stat().st_size != file.size or hash_file(path) != file.sha256:
            what, advice = "it is missing or not what was copied", "use another backup"
            findings.append(Finding(severity=Severity.DAMAGED, place="", path=str(path), what=what, advice=advice))
        done += file.size
        if progress:
            progress(done, total)
    read = [] if findings else list(_examined(_copied_shards(source, manifest)))
    return _report(source, len(manifest.collections), read, findings)


def is_snapshot(folder: Path) -> bool:
    """Whether the folder looks like a backup rather than a database."""
    return (folder / MANIFEST_FILE).exists()


def _check(folder: Path, path: Path, progress: Progress | None) -> CheckReport:
    notes = Notes("")
    entries = _read_catalogue(path, notes)
    findings = list(notes.finish())
    shards = list(_shards(entries))
    sizes = [size_of([place]) for _, place in shards]
    read = []
    for notes in _examined(shards):
        read.append(notes)
        if progress:
            progress(sum(sizes[: len(read)]), sum(sizes))
    leftovers = _leftovers(folder / COLLECTIONS_FOLDER, entries) if entries or not findings else ()
    return _report(folder, len(entries), read, [*findings, *leftovers])


def _examined(shards: Iterable[tuple[str, Path]]) -> Iterator[Notes]:
    for name, place in shards:
        notes = Notes(name)
        check_shard(place, notes)
        yield notes


def _report(folder: Path, collections: int, read: Sequence[Notes], others: Sequence[Finding]) -> CheckReport:
    return CheckReport(
        folder=str(folder),
        collections=collections,
        shards=len(read),
        objects=sum(one.objects for one in read),
        vectors=sum(one.vectors for one in read),
        pictures=sum(one.pictures for one in read),
        findings=(*others, *(finding for one in read for finding in one.finish())),
    )


def _copied_shards(source: Path, manifest: Manifest) -> Iterator[tuple[str, Path]]:
    for copied in manifest.collections:
        name = copied.collection().name
        if not copied.collection().tenancy.enabled:
            yield name, source / copied.folder
        for tenant in copied.tenants:
            if tenant.folder:
                yield f"{name}/{tenant.name}", source / copied.folder / tenant.folder


def _read_catalogue(path: Path, notes: Notes) -> dict[str, Entry]:
    try:
        with reading_only(path) as connection:
            if check_database(path, connection, META_FORMAT, notes) is not None:
                return read_entries(connection, path)
    except Corrupt as damaged:
        notes.add(path, damaged.message, "restore the whole database from a backup")
    except apsw.Error as damaged:
        notes.add(path, f"it cannot be read: {damaged}", "restore the whole database from a backup")
    return {}


def _shards(entries: dict[str, Entry]) -> Iterator[tuple[str, Path]]:
    for name, entry in entries.items():
        if not entry.collection.tenancy.enabled:
            yield name, entry.folder
        for tenant, known in entry.tenants.items():
            if known.folder:
                yield f"{name}/{tenant}", known.folder


def _leftovers(parent: Path, entries: dict[str, Entry]) -> Iterator[Finding]:
    known = {entry.folder for entry in entries.values()} | {tenant.folder for entry in entries.values() for tenant in entry.tenants.values()}
    folders = [parent, *(entry.folder for entry in entries.values() if entry.collection.tenancy.enabled)]
    for place in (found for folder in folders if folder.is_dir() for found in folder.iterdir() if found not in known):
        what, advice = "nothing names it: a crash left it behind", "nothing; it is removed when the database is opened"
        yield Finding(severity=Severity.LEFTOVER, place="", path=str(place), what=what, advice=advice)
