"""Making and opening a shard.

Opening, step by step:

    1  SQLite replays its log: what was committed is there, what was not is not
    2  each slot file: header; the vectors that are pending are written into it again; then length, then cut at its mark; mapped
    3  a large shard takes its columns from a file, if there is one that fits (column_files.py): dead are those that went since
    4  every row of `objects`, or those later than the file: its checksum, each vector's checksum and norm, entries into the columns
    5  as many objects as the mark says; and where every row was read, the unique index on ids names the same ones in the order of ids

So damage to a row, a vector or the index of a small shard is found here, once, and never answered from. A large one would take a minute: it answers at
once, each row and vector that is handed out is checked, and the rest is looked through in the background (upkeep.py). Pictures are checked when read.

May import apsw, numpy, `domain` and this package.
"""

from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.changes import names_of_pictures
from nearimage.engines.embedded.column_files import Columns, read_columns, revisions_on_disk, sweep
from nearimage.engines.embedded.database import connect
from nearimage.engines.embedded.disk import force, force_folder
from nearimage.engines.embedded.free_slots import FreeSlots
from nearimage.engines.embedded.layout import SHARD_FILE, SHARD_FORMAT, SHARD_SCHEMA, SHARD_UPGRADES, slot_file
from nearimage.engines.embedded.reading import SELECT_ROW
from nearimage.engines.embedded.rows import RowCodec, StoredRow, checksum, checksum_with_pictures, seals_of, stored_row
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import State, Table, VectorColumn

Numbers = npt.NDArray[np.int64]

SMALL_SHARD = 2000
"""Objects up to which everything is read and checked on opening: 0.1 s (bench/engine_storage.py), and no file of columns is worth its trouble."""

_ROWS_AT_A_TIME = 1000
"""Rows appended to the columns in one go; twice as many are no quicker."""


class Mark(NamedTuple):
    """The row of the table `mark`."""

    revision: int
    slots: int
    objects: int
    columns: int


class Opened(NamedTuple):
    """A shard, ready to be read and written.

    Attributes:
        columns: the revision of the file of columns that was taken; 0 for none.
    """

    state: State
    free: FreeSlots
    columns: int


def make_shard(folder: Path) -> None:
    """Make an empty shard's folder, durably."""
    folder.mkdir()
    with (folder / SHARD_FILE).open("wb") as file:
        file.write(_empty_database())
        file.flush()
        force(file.fileno())
    force_folder(folder)
    force_folder(folder.parent)


@cache
def _empty_database() -> bytes:
    """A shard's database without objects: the first is made by SQLite, the others are copies of it, because SQLite waits five times for the disk."""
    with TemporaryDirectory(prefix="nearimage-") as place:
        path = Path(place) / SHARD_FILE
        connect(path, version=SHARD_FORMAT, schema=SHARD_SCHEMA).close()
        return path.read_bytes()


def connect_shard(folder: Path) -> apsw.Connection:
    """The database of a shard, for writing; one of an older format is brought up to date.

    Raises:
        FormatTooNew: a newer version wrote it.
        FolderUnusable: it belongs to another program.
    """
    functions = {"checksum_with_pictures": checksum_with_pictures}
    return connect(folder / SHARD_FILE, version=SHARD_FORMAT, upgrades=SHARD_UPGRADES, functions=functions)


def load(folder: Path, connection: apsw.Connection, collection: Collection, codec: RowCodec) -> Opened:
    """Build what a shard keeps in memory, and check what is read for it.

    Raises:
        Corrupt: stored data is damaged; detail has "path".
        FormatTooNew: a newer version wrote a file.
    """
    mark = Mark._make(int(str(one)) for one in connection.execute("SELECT revision, slots, objects, columns FROM mark").fetchall()[0])
    files = _open_files(folder, connection)
    try:
        columns = _fitting_columns(folder, collection, mark)
        if columns:
            loading = _Loading(folder, codec, files, columns.table)
            state = loading.from_columns(connection, mark, columns)
            if state:
                return Opened(state, _free_slots(state), columns.revision)
        if mark.columns or _has_rows(connection, "removed"):  # an opening that has nothing to mend writes nothing
            connection.execute("DELETE FROM removed; UPDATE mark SET columns = 0")
        state = _Loading(folder, codec, files, Table(collection)).from_rows(connection, mark)
        return Opened(state, _free_slots(state), 0)
    except BaseException:
        for file in files.values():
            file.close()
        raise


class _Values(NamedTuple):
    """What the index takes of a stored object."""

    properties: Mapping[str, PropertyValue]
    created_ms: int
    updated_ms: int


_Checked = tuple[VectorColumn, Numbers, npt.NDArray[np.float32]]
"""A named vector, which of the rows at hand have it, and its norms."""


class Loader:
    """Adds stored objects to a table.

    Args:
        vectors: on that table.
    """

    def __init__(self, path: Path, codec: RowCodec, table: Table, vectors: Mapping[str, VectorColumn]) -> None:
        self._path = path
        self._codec = codec
        self._table = table
        self._columns = {column.number: column for column in vectors.values()}

    def add_after(self, connection: apsw.Connection, revision: int) -> list[tuple[bytes, int]]:
        """Add the objects with a later revision; returns their ids and revisions.

        Raises:
            Corrupt: one of them, or one of its vectors, is damaged.
        """
        added: list[tuple[bytes, int]] = []
        cursor = connection.execute(f"{SELECT_ROW} WHERE revision > ? ORDER BY revision", (revision,))
        while rows := [stored_row(columns) for columns in islice(cursor, _ROWS_AT_A_TIME)]:
            self._add(connection, rows)
            added += [(row.id, row.revision) for row in rows]
        return added

    def _add(self, connection: apsw.Connection, rows: list[StoredRow]) -> None:
        first = len(self._table.revisions)
        for row in rows:
            if row.crc != checksum(row):
                raise _damaged(self._path, f"the object of revision {row.revision} does not match its checksum")
        converted = self._table.index.convert_all([_Values(self._values(connection, row), row.created_ms, row.updated_ms) for row in rows])
        slots = np.array([-1 if row.slot is None else row.slot for row in rows], np.int64)
        vectors = [self._checked(rows, slots, number, *sealed) for number, sealed in seals_of(rows).items()]
        self._table.extend([row.revision for row in rows], [row.id for row in rows], converted)
        for column, positions, norms in vectors:
            column.extend(positions + first, slots[positions])
            column.know_norms(slots[positions], norms)

    def _values(self, connection: apsw.Connection, row: StoredRow) -> dict[str, PropertyValue]:
        values = self._codec.decode(row.properties)
        if row.pictures is not None:  # their names come from the index alone, no picture is read
            values |= dict.fromkeys(names_of_pictures(connection, row.pictures), b"")
        return values

    def _checked(self, rows: list[StoredRow], slots: Numbers, number: int, positions: Numbers, sums: Numbers) -> _Checked:
        """The vectors of one name that some rows have: checked against their checksums, and measured."""
        column, taken = self._columns.get(number), slots[positions]
        stored = 0 if column is None else len(column.file.matrix())
        stray = np.flatnonzero((taken < 0) | (taken >= stored))
        if column is None or len(stray):
            raise _damaged(self._path, f"the object of revision {rows[positions[stray[0]]].revision} names a vector that was never stored")
        with np.errstate(over="ignore"):
            return column, positions, np.linalg.norm(column.file.intact(taken, sums.tolist()), axis=1)


class _Loading:
    def __init__(self, folder: Path, codec: RowCodec, files: Mapping[str, "_File"], table: Table) -> None:
        self._path = folder / SHARD_FILE
        self._table = table
        self._files = files
        self._vectors = {name: VectorColumn(file.number, file.slots) for name, file in files.items()}
        self._loader = Loader(self._path, codec, table, self._vectors)

    def from_columns(self, connection: apsw.Connection, mark: Mark, columns: Columns) -> State | None:
        """The state, with the help of a file of columns; None if they do not belong together after all."""
        for column in self._vectors.values():
            known = columns.vectors.get(column.number)
            if known:
                column.restore(*known)
        rows = len(self._table.revisions)
        revisions = self._table.revisions.view(rows)
        removed = np.array([revision for (revision,) in connection.execute("SELECT revision FROM removed ORDER BY revision")], np.int64)
        dead = np.searchsorted(revisions, removed[removed <= columns.revision])
        self._loader.add_after(connection, columns.revision)
        live = np.ones(len(self._table.revisions), np.bool_)
        live[dead[dead < rows][np.isin(revisions[dead[dead < rows]], removed)]] = False
        return self._state(mark, live) if np.count_nonzero(live) == mark.objects else None

    def from_rows(self, connection: apsw.Connection, mark: Mark) -> State:
        """The state, from the rows of all objects, which are checked."""
        ids = self._loader.add_after(connection, 0)
        by_id = connection.execute("SELECT id, revision FROM objects ORDER BY id").fetchall()  # from the index alone
        if len(ids) != mark.objects or by_id != sorted(ids):
            how = f"{mark.objects} objects were stored, the table has {len(ids)}, the index {len(by_id)}, or their ids differ"
            raise _damaged(self._path, how)
        return self._state(mark, np.ones(len(ids), np.bool_))

    def _state(self, mark: Mark, live: npt.NDArray[np.bool_]) -> State:
        for name, column in self._vectors.items():
            column.reach(self._files[name].mark)
        return State(table=self._table, revision=mark.revision, live=live, count=mark.objects, slots=mark.slots, vectors=self._vectors)


class _File(NamedTuple):
    number: int
    slots: SlotFile
    mark: int

    def close(self) -> None:
        self.slots.close()


def _fitting_columns(folder: Path, collection: Collection, mark: Mark) -> Columns | None:
    there = revisions_on_disk(folder)
    fitting = [revision for revision in there if mark.columns <= revision <= mark.revision] if mark.columns and mark.objects > SMALL_SHARD else []
    columns = next((found for revision in fitting if (found := read_columns(folder, revision, collection))), None)
    sweep(folder, (columns.revision,) if columns else ())
    return columns


def _free_slots(state: State) -> FreeSlots:
    unused = np.ones(state.slots, np.bool_)
    for column in state.vectors.values():
        unused[column.owners(state.live)[1]] = False
    return FreeSlots(np.flatnonzero(unused), state.slots)


def _open_files(folder: Path, connection: apsw.Connection) -> dict[str, _File]:
    files: dict[str, _File] = {}
    try:
        for number, name, dims, mark in connection.execute("SELECT number, name, dims, slots FROM vectors ORDER BY number").fetchall():
            slots = SlotFile.open(folder / slot_file(int(str(number))), int(str(dims)))
            files[str(name)] = _File(int(str(number)), slots, int(str(mark)))
            _write_pending(slots, int(str(number)), connection)
            slots.cut(int(str(mark)))
    except BaseException:
        for file in files.values():
            file.close()
        raise
    if _has_rows(connection, "pending"):
        connection.execute("DELETE FROM pending")
    return files


def _has_rows(connection: apsw.Connection, table: str) -> bool:
    """Asked before a table is emptied: SQLite writes a page, and waits for the disk, also where there is nothing to delete."""
    return bool(connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").get)  # noqa: S608 the callers' own words


def _write_pending(file: SlotFile, number: int, connection: apsw.Connection) -> None:
    """Vectors that were committed but perhaps did not reach the slot file are in the table still."""
    is_written = False
    for slot, data in connection.execute("SELECT slot, bytes FROM pending WHERE number = ? ORDER BY slot", (number,)):
        vector = np.frombuffer(bytes(data), "<f4") if isinstance(data, bytes) else np.empty(0, np.float32)
        if len(vector) != file.dims:
            raise Corrupt(f"a vector for {file.path} has another length than those stored; restore it from a backup", path=str(file.path))
        file.write(np.array([slot], np.int64), vector[None, :])
        is_written = True
    if is_written:
        file.force()


def _damaged(path: Path, how: str) -> Corrupt:
    return Corrupt(f"{path} is damaged: {how}; restore it from a backup", path=str(path))
