"""Examining one shard without changing it: every page, row, vector and picture against its checksum.

Whatever is wrong is noted and the rest is examined all the same: people want to know how much is left. Opened read-only; what a kill left in SQLite's
log, and the vectors that are pending in it, count as they would on opening.

May import apsw, `domain` and this package.
"""

import mmap
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import apsw

from nearimage.domain.checks import Finding, Severity
from nearimage.domain.errors import NearimageError
from nearimage.engines.embedded.arrays import open_arrays
from nearimage.engines.embedded.database import APPLICATION_ID
from nearimage.engines.embedded.layout import MULTI_VECTOR, SHARD_FILE, SHARD_FORMAT, slot_file
from nearimage.engines.embedded.rows import StoredRow, stored_row, unpack_seals
from nearimage.engines.embedded.slots import HEADER_BYTES, check_header

_SHOWN = 10
"""Findings told of one file; a file that is bad all over is bad in ten places first."""

_FROM_A_BACKUP = "restore this collection from a backup"
_ONE_OBJECT = "restore from a backup, or store the object again"

_ROWS = {1: "revision, id, created_ms, updated_ms, slot, seals, properties, crc"}
_ROWS_NOW = "revision, id, created_ms, updated_ms, slot, seals, properties, crc, pictures"


@dataclass(slots=True)
class Notes:
    """What is found, up to a limit for each file.

    Attributes:
        objects, vectors, pictures: how many were read.
    """

    place: str
    objects: int = 0
    vectors: int = 0
    pictures: int = 0
    findings: list[Finding] = field(default_factory=list)
    _counts: dict[Path, int] = field(default_factory=dict)

    def add(self, path: Path, what: str, advice: str = _FROM_A_BACKUP, *, severity: Severity = Severity.DAMAGED) -> None:
        """Note something."""
        self._counts[path] = self._counts.get(path, 0) + 1
        if self._counts[path] <= _SHOWN:
            self.findings.append(Finding(severity=severity, place=self.place, path=str(path), what=what, advice=advice))

    def finish(self) -> tuple[Finding, ...]:
        """All of them, with how many there are beyond those told."""
        for path, count in self._counts.items():
            if count > _SHOWN:
                more = f"{count - _SHOWN} more of the same kind"
                self.findings.append(Finding(severity=Severity.DAMAGED, place=self.place, path=str(path), what=more, advice=_FROM_A_BACKUP))
        return tuple(self.findings)


@contextmanager
def reading_only(path: Path) -> Iterator[apsw.Connection]:
    """A database that is not changed by being read, not even by a log that a kill left beside it."""
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    has_log, had_index = log.exists() and log.stat().st_size > 0, index.exists()
    uri = f"{path.absolute().as_uri()}?{'mode=ro' if has_log else 'immutable=1'}"
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        yield connection
    finally:
        connection.close()
        if not had_index:
            index.unlink(missing_ok=True)  # SQLite needs one to read a log, and leaves it


def check_database(path: Path, connection: apsw.Connection, known: int, notes: Notes) -> int | None:
    """Examine a database's own structure; its format, or None where reading on makes no sense."""
    version = int(connection.execute("PRAGMA user_version").get)
    if int(connection.execute("PRAGMA application_id").get) != APPLICATION_ID:
        notes.add(path, "it was not made by nearimage", "look who put it there")
        return None
    if version > known:
        notes.add(path, f"it has format {version}, this version reads up to {known}", "use the version that wrote it, or a newer one")
        return None
    for (told,) in connection.execute("PRAGMA integrity_check"):
        if told != "ok":
            notes.add(path, f"SQLite: {told}")
    return version


def check_shard(folder: Path, notes: Notes) -> None:
    """Examine the shard in a folder."""
    path = folder / SHARD_FILE
    if not path.exists():
        notes.add(path, "it is missing")
        return
    for derived in sorted(folder.glob("*.arrays")):
        if open_arrays(derived) is None:
            notes.add(derived, "it does not match its checksums", "nothing; it is made anew by itself", severity=Severity.REBUILT)
    try:
        with reading_only(path) as connection:
            version = check_database(path, connection, SHARD_FORMAT, notes)
            if version is not None:
                _Examination(folder, connection, version, notes).run()
    except (apsw.Error, OSError) as damaged:
        notes.add(path, f"it cannot be read on: {damaged}")


class _Examination:
    def __init__(self, folder: Path, connection: apsw.Connection, version: int, notes: Notes) -> None:
        self._folder = folder
        self._path = folder / SHARD_FILE
        self._connection = connection
        self._version = version
        self._notes = notes
        self._pictures: dict[int, bool] = {}

    def run(self) -> None:
        self._check_pictures()
        with _SlotFiles(self._folder, self._connection, self._notes, with_pending=self._version > 1) as files:
            for columns in self._connection.execute(f"SELECT {_ROWS.get(self._version, _ROWS_NOW)} FROM objects"):  # noqa: S608 names of columns
                self._check_row(stored_row(columns), files)
        counted = self._connection.execute("SELECT objects FROM mark").get
        if counted != self._notes.objects:
            self._notes.add(self._path, f"{counted} objects were stored, {self._notes.objects} are there")

    def _check_pictures(self) -> None:
        key = "revision" if self._version == 1 else "key"
        for owner, name, data, crc in self._connection.execute(f"SELECT {key}, name, bytes, crc FROM pictures"):  # noqa: S608 a name of ours
            self._pictures[int(str(owner))] = True
            kind = "multi-vector" if str(name).startswith(MULTI_VECTOR) else "picture"
            self._notes.vectors += kind == "multi-vector"
            self._notes.pictures += kind == "picture"
            if not isinstance(data, bytes) or zlib.crc32(data) != crc:
                self._notes.add(self._path, f"{kind} {name!r} of revision {owner} does not match its checksum", _ONE_OBJECT)

    def _check_row(self, row: StoredRow, files: "_SlotFiles") -> None:
        self._notes.objects += 1
        try:
            intact = row.is_intact
        except (TypeError, ValueError, ArithmeticError):  # damage may change types too
            intact = False
        if not intact:
            self._notes.add(self._path, f"the object of revision {row.revision} does not match its checksum", _ONE_OBJECT)
            return
        if row.pictures is not None and row.pictures not in self._pictures:
            self._notes.add(self._path, f"the pictures of object {UUID(bytes=row.id)} are missing", _ONE_OBJECT)
        for number, seal in unpack_seals(row.seals).items():
            self._notes.vectors += 1
            files.check(row, number, seal)


class _SlotFiles:
    """The slot files of a shard, mapped."""

    def __init__(self, folder: Path, connection: apsw.Connection, notes: Notes, *, with_pending: bool) -> None:
        self._folder = folder
        self._notes = notes
        self._dims: dict[int, int] = {}
        self._views: dict[int, memoryview] = {}
        self._bad: set[int] = set()
        self._pending: Mapping[tuple[int, int], bytes] = {}
        if with_pending:
            rows = connection.execute("SELECT number, slot, bytes FROM pending")
            self._pending = {(int(str(number)), int(str(slot))): data for number, slot, data in rows if isinstance(data, bytes)}
        for number, dims in connection.execute("SELECT number, dims FROM vectors").fetchall():
            self._open(int(str(number)), int(str(dims)))

    def __enter__(self) -> "_SlotFiles":
        return self

    def __exit__(self, *_: object) -> None:
        for view in self._views.values():
            view.release()

    def check(self, row: StoredRow, number: int, seal: int) -> None:
        """Compare one vector with its checksum."""
        path = self._folder / slot_file(number)
        if number in self._bad:
            return
        if number not in self._dims or row.slot is None:
            self._notes.add(path, f"object {UUID(bytes=row.id)} names a vector that was never stored", _ONE_OBJECT)
            return
        size = self._dims[number] * 4
        start = HEADER_BYTES + row.slot * size
        data = self._pending.get((number, row.slot)) or self._views[number][start : start + size]
        if len(data) != size:
            self._notes.add(path, f"it is too short for the vector of object {UUID(bytes=row.id)}", _ONE_OBJECT)
        elif zlib.crc32(data) != seal:
            self._notes.add(path, f"the vector of object {UUID(bytes=row.id)} does not match its checksum", _ONE_OBJECT)

    def _open(self, number: int, dims: int) -> None:
        path = self._folder / slot_file(number)
        self._dims[number] = dims
        try:
            with path.open("rb") as file:
                check_header(path, file.read(HEADER_BYTES), dims)
                self._views[number] = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, NearimageError) as damaged:
            self._bad.add(number)
            self._notes.add(path, damaged.message if isinstance(damaged, NearimageError) else f"it cannot be read ({damaged.strerror})")
