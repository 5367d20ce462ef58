"""Backups by request: made and restored in the background, one at a time, in a folder of the server's own.

    ROOT/<id>/backup.json   what it is and how it went; written when a backup ends well, and last
    ROOT/<id>/data/         the engine's snapshot, which `nearimage restore` and `nearimage check` read too

A client begins a backup and asks for its state until it is SUCCESS or FAILED. What runs, failed or was cancelled is known to this process only; what ended well
is on the disk. A folder without backup.json is what a killed server left, and counts as FAILED.

May import msgspec, `domain` and `ports` only.
"""

import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import msgspec

from nearimage.domain.dates import instant_text
from nearimage.domain.errors import BackupExists, BackupNotFound, InvalidInput, NearimageError
from nearimage.ports.clock import Clock
from nearimage.ports.engine import Engine
from nearimage.service.names import collection_name

_log = logging.getLogger(__name__)

_ID = re.compile(r"[a-z0-9_-]{1,128}")
_ABOUT, _DATA = "backup.json", "data"


class BackupState(StrEnum):
    """How far a backup, or its restoring, has come, under the names that clients know."""

    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup, or the restoring of one.

    Attributes:
        path: its folder.
        collections: names.
        started, completed: RFC 3339; `completed` is empty while it runs.
        bytes: copied.
        error: why it failed.
    """

    id: str
    path: str
    collections: tuple[str, ...]
    state: BackupState = BackupState.STARTED
    started: str = ""
    completed: str = ""
    bytes: int = 0
    error: str = ""


class _Cancelled(Exception):
    """Stops a copy from within."""


@dataclass(slots=True)
class _Job:
    told: Backup
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_sealed: bool = False

    def check(self, done: int, _: int) -> None:
        """The engine's progress."""
        self.told = replace(self.told, bytes=done)
        if self.stop.is_set():
            raise _Cancelled

    def seal(self) -> None:
        """The last look: whoever stops it before is obeyed, whoever comes later is told that it is done."""
        with self.lock:
            if self.stop.is_set():
                raise _Cancelled
            self.is_sealed = True

    def try_to_stop(self) -> bool:
        """Whether it was not too late for that."""
        with self.lock:
            if not self.is_sealed:
                self.stop.set()
            return not self.is_sealed

    @property
    def runs(self) -> bool:
        return self.told.state is BackupState.STARTED


class Backups:
    """The backups of one database.

    Attributes:
        root: where they are kept; None where nobody said where.
    """

    def __init__(self, engine: Engine, clock: Clock, root: Path | None) -> None:
        self.root = root
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[str, _Job] = {}
        self._restored: dict[str, _Job] = {}

    def create(self, backup_id: str, include: Sequence[str] = (), exclude: Sequence[str] = (), *, base: str = "") -> Backup:
        """Begin a backup of all collections, of those named, or of all but some.

        Args:
            base: the id of one to build upon; it has to be there, and this one is whole all the same, so that it outlives the other.

        Raises:
            InvalidInput: an id that cannot name a folder, a base or a collection that is not there, none left, or another backup that still runs.
            BackupExists: there is one of that id.
        """
        folder = self._folder(backup_id)
        if base and self._stored(self._folder(base)) is None:
            raise InvalidInput(f"could not fetch base backup {base!r}: no backup of that id has ended well; name one that has, or none", id=base)
        chosen = _chosen([known.name for known in self._engine.collections()], include, exclude)
        with self._lock:
            self._refuse_beside(self._made)
            if folder.exists():
                raise BackupExists(f"backup {backup_id!r} already exists in {folder}; choose another id", id=backup_id)

            def work(job: _Job) -> None:
                try:
                    self._engine.snapshot(folder / _DATA, collections=chosen, progress=job.check)
                    job.seal()
                    (folder / (_ABOUT + ".part")).write_bytes(msgspec.json.encode(self._ended(job, BackupState.SUCCESS)))
                    (folder / (_ABOUT + ".part")).rename(folder / _ABOUT)
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise

            return self._begin(self._made, Backup(id=backup_id, path=str(folder), collections=chosen), work)

    def restore(self, backup_id: str, include: Sequence[str] = (), exclude: Sequence[str] = (), *, overwrite_aliases: bool = False) -> Backup:
        """Begin to bring collections of a backup back.

        Args:
            overwrite_aliases: aliases that stand for something else meanwhile stand for these collections again.

        Raises:
            BackupNotFound: there is none of that id that ended well.
            InvalidInput: a collection that it does not have, none left, or another one that is still being restored.
        """
        stored = self._stored(self._folder(backup_id))
        if stored is None:
            raise _missing(backup_id)
        chosen = _chosen(stored.collections, include, exclude)
        with self._lock:
            self._refuse_beside(self._restored)

            def work(job: _Job) -> None:
                self._engine.restore(Path(stored.path) / _DATA, collections=chosen, overwrite_aliases=overwrite_aliases, progress=job.check)

            return self._begin(self._restored, replace(stored, collections=chosen, bytes=0), work)

    def status(self, backup_id: str) -> Backup:
        """How far a backup has come.

        Raises:
            BackupNotFound: there is none of that id.
        """
        folder = self._folder(backup_id)
        job = self._made.get(backup_id)
        if job:
            return job.told
        stored = self._stored(folder)
        if stored:
            return stored
        if not folder.is_dir():
            raise _missing(backup_id)
        broken_off = "the server was stopped while it was made; delete the folder"
        return Backup(id=backup_id, path=str(folder), collections=(), state=BackupState.FAILED, error=broken_off)

    def restore_status(self, backup_id: str) -> Backup:
        """How far the restoring of a backup has come.

        Raises:
            BackupNotFound: this process restores none of that id.
        """
        self._folder(backup_id)
        if backup_id not in self._restored:
            raise _missing(backup_id)
        return self._restored[backup_id].told

    def cancel(self, backup_id: str, *, restoring: bool = False) -> None:
        """Stop making a backup, or restoring it, if that still runs; nothing of it is left. Of a backup that is not there nothing has to be stopped.

        Raises:
            BackupNotFound: no restoring of that id was begun.
            InvalidInput: it has ended well already, so that what the caller wants stopped is there; or no backup has such an id.
        """
        try:
            told = (self.restore_status if restoring else self.status)(backup_id)
        except BackupNotFound:
            if restoring:
                raise
            return
        job = (self._restored if restoring else self._made).get(backup_id)
        if told.state is BackupState.SUCCESS or (job and not job.try_to_stop()):
            what = "the restoring of backup" if restoring else "backup"
            raise InvalidInput(f"{what} {backup_id!r} has already succeeded; only what runs can be cancelled", id=backup_id)

    def all(self) -> tuple[Backup, ...]:
        """Every backup, in the order of their beginning."""
        root = self._folder("any").parent
        there = {folder.name for folder in root.iterdir() if folder.is_dir() and _ID.fullmatch(folder.name)} if root.is_dir() else set()
        return tuple(sorted((self.status(one) for one in there | self._made.keys()), key=lambda backup: (backup.started, backup.id)))

    def close(self) -> None:
        """Stop what runs, and wait until it has."""
        for job in (*self._made.values(), *self._restored.values()):
            job.stop.set()
            if job.thread:
                job.thread.join()

    def _begin(self, jobs: dict[str, _Job], told: Backup, work: Callable[[_Job], None]) -> Backup:
        job = jobs[told.id] = _Job(replace(told, state=BackupState.STARTED, started=self._now(), completed=""))
        begun = job.told
        job.thread = threading.Thread(target=self._run, args=(job, work), name=f"backup {told.id}")
        job.thread.start()
        return begun

    def _run(self, job: _Job, work: Callable[[_Job], None]) -> None:
        try:
            work(job)
            job.told = self._ended(job, BackupState.SUCCESS)
        except _Cancelled:
            job.told = self._ended(job, BackupState.CANCELED)
        except (NearimageError, OSError) as failed:
            job.told = self._ended(job, BackupState.FAILED, str(failed))
        except Exception as failed:  # noqa: BLE001 - a worker's boundary
            _log.exception("backup %r failed", job.told.id)
            job.told = self._ended(job, BackupState.FAILED, type(failed).__name__)

    def _ended(self, job: _Job, state: BackupState, error: str = "") -> Backup:
        return replace(job.told, state=state, error=error, completed=self._now())

    def _stored(self, folder: Path) -> Backup | None:
        try:
            return replace(msgspec.json.decode((folder / _ABOUT).read_bytes(), type=Backup), path=str(folder))
        except (OSError, msgspec.MsgspecError):
            return None

    def _folder(self, backup_id: str) -> Path:
        if self.root is None:
            raise InvalidInput("there is no place for backups: start the server with BACKUP_FILESYSTEM_PATH, or run `nearimage backup` where it runs")
        if not _ID.fullmatch(backup_id):
            raise InvalidInput(f"{backup_id!r} cannot name a backup: lower-case letters, digits, _ and -, 1 to 128 of them", id=backup_id)
        return self.root / backup_id

    def _refuse_beside(self, jobs: dict[str, _Job]) -> None:
        running = [job.told.id for job in jobs.values() if job.runs]
        if running:
            raise InvalidInput(f"backup {running[0]!r} is already in progress; wait until it has ended", id=running[0])

    def _now(self) -> str:
        return instant_text(self._clock.now_ms() * 1_000_000)


def _chosen(there: Iterable[str], include: Sequence[str], exclude: Sequence[str]) -> tuple[str, ...]:
    """The collections to copy, in the order of names."""
    if include and exclude:
        raise InvalidInput("include and exclude cannot both be given; name what to copy, or what not to")
    have, wanted, unwanted = set(there), [collection_name(name) for name in include], {collection_name(name) for name in exclude}
    if unknown := sorted(name for name in {*include, *exclude} if collection_name(name) not in have):
        raise InvalidInput(f"there is no collection {unknown[0]!r}; there are {sorted(have)}", collection=unknown[0])
    chosen = tuple(sorted(set(wanted) if wanted else have - unwanted))
    if not chosen:
        raise InvalidInput("there is no collection left to copy; create one, or exclude fewer")
    return chosen


def _missing(backup_id: str) -> BackupNotFound:
    return BackupNotFound(f"there is no backup {backup_id!r}", id=backup_id)
