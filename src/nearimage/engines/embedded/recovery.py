"""Making and opening a shard.

Opening, step by step:

    1  SQLite replays its log: what was committed is there, what was not is not
    2  each slot file: header; the vectors that are pending are written into it again; then length, then cut at its mark; mapped
    3  every row of `objects`: its checksum, then its entries into the columns, then the checksum of each of its vectors
    4  the unique index on ids names the same rows in the order of ids; as many as the mark says

So damage to a row, a vector or the index is found here, once, and never answered from. Checking every vector is affordable because opening reads all
of them anyway, for the norms. Pictures are checked when they are read: they are most of the bytes and no search looks at them.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import apsw
import numpy as np

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.database import connect
from nearimage.engines.embedded.disk import force_folder
from nearimage.engines.embedded.free_slots import FreeSlots
from nearimage.engines.embedded.layout import SHARD_FILE, SHARD_FORMAT, SHARD_SCHEMA, SHARD_UPGRADES, slot_file
from nearimage.engines.embedded.reading import SELECT_ROW
from nearimage.engines.embedded.rows import RowCodec, StoredRow, checksum_with_pictures, stored_row, unpack_seals
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import State, Table, VectorColumn

_ROWS_AT_A_TIME = 1000
"""Rows appended to the columns in one go; twice as many are no quicker."""

_NORM_ROWS = 1024
"""Norms are computed for so many vectors at a time: 5 MB of 1280 dims."""


class Opened(NamedTuple):
    """A shard, ready to be read and written."""

    state: State
    free: FreeSlots


def make_shard(folder: Path) -> None:
    """Make an empty shard's folder, durably."""
    folder.mkdir()
    connect(folder / SHARD_FILE, version=SHARD_FORMAT, schema=SHARD_SCHEMA).close()
    force_folder(folder)
    force_folder(folder.parent)


def connect_shard(folder: Path) -> apsw.Connection:
    """The database of a shard, for writing; one of an older format is brought up to date.

    Raises:
        FormatTooNew: a newer version wrote it.
        FolderUnusable: it belongs to another program.
    """
    functions = {"checksum_with_pictures": checksum_with_pictures}
    return connect(folder / SHARD_FILE, version=SHARD_FORMAT, upgrades=SHARD_UPGRADES, functions=functions)


def load(folder: Path, connection: apsw.Connection, collection: Collection, codec: RowCodec) -> Opened:
    """Check a shard and build what it keeps in memory.

    Raises:
        Corrupt: stored data is damaged; detail has "path".
        FormatTooNew: a newer version wrote a file.
    """
    vectors = _open_vectors(folder, connection)
    try:
        return _Loading(folder / SHARD_FILE, collection, codec, vectors).run(connection)
    except BaseException:
        for column in vectors.values():
            column.file.close()
        raise


class _Loading:
    def __init__(self, path: Path, collection: Collection, codec: RowCodec, vectors: dict[str, VectorColumn]) -> None:
        self._path = path
        self._codec = codec
        self._vectors = vectors
        self._numbers = {column.number: column for column in vectors.values()}
        self._table = Table(collection)
        self._pictures: dict[int, dict[str, PropertyValue]] = {}
        self._slots: list[int] = []

    def run(self, connection: apsw.Connection) -> Opened:
        revision, slots, objects = (int(str(one)) for one in connection.execute("SELECT revision, slots, objects FROM mark").fetchall()[0])
        for key, name in connection.execute("SELECT key, name FROM pictures"):  # from the index alone, no picture is read
            self._pictures.setdefault(int(str(key)), {})[str(name)] = b""
        ids: list[tuple[bytes, int]] = []
        cursor = connection.execute(f"{SELECT_ROW} ORDER BY revision")
        while rows := [stored_row(columns) for columns in islice(cursor, _ROWS_AT_A_TIME)]:
            self._add(rows)
            ids += [(row.id, row.revision) for row in rows]
        by_id = connection.execute("SELECT id, revision FROM objects ORDER BY id").fetchall()  # from the index alone
        if len(ids) != objects or by_id != sorted(ids):
            raise self._damaged(f"{objects} objects were stored, the table has {len(ids)}, the index {len(by_id)}, or their ids differ")
        live = np.ones(len(ids), np.bool_)
        state = State(table=self._table, revision=revision, live=live, count=len(ids), slots=slots, vectors=self._vectors)
        return Opened(state, FreeSlots(_unused(self._slots, slots), slots))

    def _add(self, rows: list[StoredRow]) -> None:
        first = len(self._table.revisions)
        owners: dict[int, list[int]] = {}
        for position, row in enumerate(rows):
            if not row.is_intact:
                raise self._damaged(f"the object of revision {row.revision} does not match its checksum")
            for number, seal in unpack_seals(row.seals).items():
                self._check_vector(row, number, seal)
                owners.setdefault(number, []).append(position)
        converted = [self._table.index.convert(self._values(row), row.created_ms, row.updated_ms) for row in rows]
        self._table.extend([row.revision for row in rows], [row.id for row in rows], converted)
        slots = np.array([-1 if row.slot is None else row.slot for row in rows], np.int64)
        for number, positions in owners.items():
            self._numbers[number].extend(np.array(positions, np.int64) + first, slots[positions])
        self._slots += [row.slot for row in rows if row.slot is not None]

    def _values(self, row: StoredRow) -> dict[str, PropertyValue]:
        properties = self._codec.decode(row.properties)
        return properties | self._pictures.get(row.pictures, {}) if row.pictures is not None else properties

    def _check_vector(self, row: StoredRow, number: int, seal: int) -> None:
        column = self._numbers.get(number)
        if column is None or row.slot is None or row.slot >= column.slots:
            raise self._damaged(f"the object of revision {row.revision} names a vector that was never stored")
        if zlib.crc32(column.file.matrix()[row.slot].data) != seal:
            path = str(column.file.path)
            raise Corrupt(f"slot {row.slot} of {path} does not match its checksum; restore the file from a backup", path=path)

    def _damaged(self, how: str) -> Corrupt:
        return Corrupt(f"{self._path} is damaged: {how}; restore it from a backup", path=str(self._path))


def _unused(used: Iterable[int], end: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    unused = np.ones(end, np.bool_)
    unused[np.fromiter(used, np.int64)] = False
    return np.flatnonzero(unused)


def _open_vectors(folder: Path, connection: apsw.Connection) -> dict[str, VectorColumn]:
    vectors: dict[str, VectorColumn] = {}
    try:
        for number, name, dims, slots in connection.execute("SELECT number, name, dims, slots FROM vectors ORDER BY number").fetchall():
            file = SlotFile.open(folder / slot_file(int(str(number))), int(str(dims)))
            column = vectors[str(name)] = VectorColumn(int(str(number)), file)
            _write_pending(file, column.number, connection)
            file.cut(int(str(slots)))
            matrix = file.matrix()
            with np.errstate(over="ignore"):
                for start in range(0, len(matrix), _NORM_ROWS):
                    column.load_norms(np.linalg.norm(matrix[start : start + _NORM_ROWS], axis=1))
    except BaseException:
        for column in vectors.values():
            column.file.close()
        raise
    connection.execute("DELETE FROM pending")
    return vectors


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
