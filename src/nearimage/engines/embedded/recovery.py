"""Making and opening a shard.

Opening, step by step:

    1  SQLite replays its log: what was committed is there, what was not is not
    2  each slot file: header, then length, then cut at its mark; mapped
    3  every row of `objects`: its checksum, then its entries into the columns, then the checksum of each of its vectors
    4  the unique index on ids names the same rows in the order of ids; as many as the mark says

So damage to a row, a vector or the index is found here, once, and never answered from. Checking every vector is affordable because opening reads all
of them anyway, for the norms. Pictures are checked when they are read: they are most of the bytes and no search looks at them.

Cost: 70 us an object of 1280 dims and three properties (bench/engine_first_tier.py), nearly all of it Python around the columns, which are not stored.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from pathlib import Path

import apsw
import numpy as np

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.database import connect
from nearimage.engines.embedded.disk import force_folder
from nearimage.engines.embedded.layout import SHARD_FILE, SHARD_FORMAT, SHARD_SCHEMA, slot_file
from nearimage.engines.embedded.reading import SELECT_ROW
from nearimage.engines.embedded.rows import RowCodec, StoredRow, stored_row, unpack_seals
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import NewRow, State, Table, VectorColumn

_NORM_ROWS = 1024
"""Norms are computed for so many vectors at a time: 5 MB of 1280 dims."""


def make_shard(folder: Path) -> None:
    """Make an empty shard's folder, durably."""
    folder.mkdir()
    connect(folder / SHARD_FILE, version=SHARD_FORMAT, schema=SHARD_SCHEMA).close()
    force_folder(folder)
    force_folder(folder.parent)


def load(folder: Path, connection: apsw.Connection, collection: Collection, codec: RowCodec) -> State:
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
        self._numbers = {column.number: name for name, column in vectors.items()}
        self._table = Table(collection)
        self._ids: list[tuple[bytes, int]] = []
        self._pictures: dict[int, dict[str, PropertyValue]] = {}

    def run(self, connection: apsw.Connection) -> State:
        revision, slots, objects = connection.execute("SELECT revision, slots, objects FROM mark").fetchall()[0]
        for owner, name in connection.execute("SELECT revision, name FROM pictures"):  # from the index alone, no picture is read
            self._pictures.setdefault(int(str(owner)), {})[str(name)] = b""
        for columns in connection.execute(f"{SELECT_ROW} ORDER BY revision"):
            self._add(stored_row(columns))
        rows = len(self._table.revisions)
        by_id = connection.execute("SELECT id, revision FROM objects ORDER BY id").fetchall()  # from the index alone
        if rows != objects or by_id != sorted(self._ids):
            raise self._damaged(f"{objects} objects were stored, the table has {rows}, the index {len(by_id)}, or their ids differ")
        live = np.ones(rows, np.bool_)
        return State(table=self._table, revision=int(str(revision)), live=live, count=rows, slots=int(str(slots)), vectors=self._vectors)

    def _add(self, row: StoredRow) -> None:
        if not row.is_intact:
            raise self._damaged(f"the object of revision {row.revision} does not match its checksum")
        names = tuple(self._check_vector(row, number, seal) for number, seal in unpack_seals(row.seals).items())
        properties = self._codec.decode(row.properties) | self._pictures.pop(row.revision, {})
        converted = self._table.index.convert(properties, row.created_ms, row.updated_ms)
        new = NewRow(revision=row.revision, id=row.id, slot=row.slot, converted=converted, vectors=names, norms={})
        self._table.append(new, self._vectors)
        self._ids.append((row.id, row.revision))

    def _check_vector(self, row: StoredRow, number: int, seal: int) -> str:
        name = self._numbers.get(number)
        column = self._vectors.get(name) if name else None
        if name is None or column is None or row.slot is None or row.slot >= column.slots:
            raise self._damaged(f"the object of revision {row.revision} names a vector that was never stored")
        if zlib.crc32(column.file.matrix()[row.slot].data) != seal:
            path = str(column.file.path)
            raise Corrupt(f"slot {row.slot} of {path} does not match its checksum; restore the file from a backup", path=path)
        return name

    def _damaged(self, how: str) -> Corrupt:
        return Corrupt(f"{self._path} is damaged: {how}; restore it from a backup", path=str(self._path))


def _open_vectors(folder: Path, connection: apsw.Connection) -> dict[str, VectorColumn]:
    vectors: dict[str, VectorColumn] = {}
    try:
        for number, name, dims, slots in connection.execute("SELECT number, name, dims, slots FROM vectors ORDER BY number").fetchall():
            file = SlotFile.open(folder / slot_file(int(str(number))), int(str(dims)), int(str(slots)))
            column = vectors[str(name)] = VectorColumn(int(str(number)), file)
            matrix = file.matrix()
            with np.errstate(over="ignore"):
                for start in range(0, len(matrix), _NORM_ROWS):
                    column.load_norms(np.linalg.norm(matrix[start : start + _NORM_ROWS], axis=1))
    except BaseException:
        for column in vectors.values():
            column.file.close()
        raise
    return vectors
