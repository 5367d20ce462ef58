"""Reading a shard: one snapshot, and objects out of it.

A read needs two things of the same commit: the state in memory that it searches, and the SQLite snapshot out of which it takes the objects found. Otherwise
a delete in between leaves a hole in the page, or a replaced object answers with properties that never passed the filter.

    reader                                     writer
    take the published state                   with the publication's lock:
    BEGIN; SELECT revision FROM mark               COMMIT
    same number?  go on                            append to the growing arrays, publish the next state
    else          once more, with the lock

Nearly always the numbers are the same, and the reader waited for nobody: during the writer's fsync SQLite still shows the old commit, which is the published
state's. Only in the instant between COMMIT and publication do they differ; then the lock makes the reader wait for the rest of that instant.

Most readings do without BEGIN, mark and COMMIT, which take as long as finding ten rows by words (`Reader.one_commit`). A row is never changed: what the state
knows and SQLite still has was there all the time. Only where a row that the state knows has gone meanwhile, or one has come that it does not know, the whole
is read once more, as above. Rows that were read a short while ago are not asked of SQLite again (`recent_rows`).

May import apsw, numpy, `domain` and this package.
"""

import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID

import apsw
import numpy as np
import numpy.typing as npt

from nearimage.domain.columns import NOTHING, Encoded, RecordColumns
from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import Matrix, Projection, PropertyValue, Record, Vector
from nearimage.domain.schema import Collection, DataType
from nearimage.engines.embedded.database import Readers
from nearimage.engines.embedded.disk import storage_faults
from nearimage.engines.embedded.entries import Positions
from nearimage.engines.embedded.multi_vectors import MultiVectors
from nearimage.engines.embedded.recent_rows import ShardRows
from nearimage.engines.embedded.rows import Row, RowCodec, RowColumns, StoredRow, damaged_row, row_columns, stored_row, unpack_seals
from nearimage.engines.embedded.state import State, VectorColumn

T = TypeVar("T")

SELECT_ROW = "SELECT revision, id, created_ms, updated_ms, slot, seals, properties, crc, pictures FROM objects"

ROWS_AT_ONCE = 100
"""Rows that one statement asks for; each number of them is a statement of its own in SQLite's cache, which has room for as many."""

_PLACES = [",".join("?" * count) for count in range(ROWS_AT_ONCE + 1)]


class Publication:
    """The state readers take; see the module's essay for who may do what.

    Attributes:
        lock: held from COMMIT to publication.
        state: the last one published.
    """

    def __init__(self, state: State) -> None:
        self.lock = threading.Lock()
        self.state = state
        self._count_lock = threading.Lock()  # apart from `lock`, which is held during a wait for the disk
        self._readers: Counter[int] = Counter()

    def publish(self, state: State) -> None:
        """Let readers have the next state."""
        with self._count_lock:
            self.state = state

    def enter(self) -> State:
        """The state, held until `leave`: none of its slots is given to another vector meanwhile."""
        with self._count_lock:
            self._readers[self.state.revision] += 1
            return self.state

    def leave(self, state: State) -> None:
        """Let go of a state."""
        with self._count_lock:
            self._readers[state.revision] -= 1
            if not self._readers[state.revision]:
                del self._readers[state.revision]

    def oldest(self) -> int:
        """The revision of the oldest state that anybody holds, or that anybody will."""
        with self._count_lock:
            return min(self._readers, default=self.state.revision)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One commit: in memory, and in SQLite.

    Attributes:
        is_loose: whether no transaction holds SQLite to it, so that what is read must be held against the state.
    """

    state: State
    connection: apsw.Connection
    is_loose: bool = False


class _Moved(Exception):
    """SQLite is no longer at the commit of a loose snapshot, as far as the reading goes."""


class Reader:
    """Takes snapshots of a shard and makes records of its rows."""

    def __init__(self, path: Path, collection: Collection, codec: RowCodec, publication: Publication, recent: ShardRows) -> None:
        self._path = path
        self._codec = codec
        self._publication = publication
        self._recent = recent
        self._readers = Readers(path)
        self.alter(collection)

    def alter(self, collection: Collection) -> None:
        """Go by another definition from now on."""
        self._scalars = frozenset(p.name for p in collection.properties if p.data_type is not DataType.BLOB)
        self._multi_vectors = tuple(v.name for v in collection.vectors if v.is_multi)

    def close(self) -> None:
        """Close the connections; no snapshot may be in use."""
        self._readers.close()

    def one_commit(self, projection: Projection, read: Callable[[Snapshot], T], *, loosely: bool = True) -> T:
        """What is read of one commit.

        Args:
            projection: what is wanted of objects.
            read: is called a second time where a commit came in between.
            loosely: false where it looks into more than rows.
        """
        if loosely and not self._is_manifold(projection):
            try:
                return self._read_loosely(read)
            except _Moved:
                pass
        with self.snapshot() as snapshot:
            return read(snapshot)

    def _read_loosely(self, read: Callable[[Snapshot], T]) -> T:
        with storage_faults(self._path), self._readers.lend() as connection:
            state = self._publication.enter()
            try:
                return read(Snapshot(state, connection, is_loose=True))
            finally:
                self._publication.leave(state)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One commit, the same until the end of the block."""
        with storage_faults(self._path), self._readers.lend() as connection:
            state = self._begin(connection)
            try:
                yield Snapshot(state, connection)
            finally:
                self._publication.leave(state)
                connection.execute("COMMIT")

    def at_rows(self, snapshot: Snapshot, rows: npt.NDArray[np.int64], projection: Projection) -> Sequence[Record]:
        """The objects in these rows of the snapshot's table, in order; which they are is in memory."""
        table = snapshot.state.table
        revisions, packed = table.revisions.view()[rows].tolist(), table.index.ids.packed(rows)
        ids = [packed[start : start + 16] for start in range(0, len(packed), 16)]
        if projection.is_bare:
            return RecordColumns(ids, revisions)
        known = {row[0]: row for row in self._recent.find(ids) if row}
        missing = [revision for revision in revisions if revision not in known]
        if missing:
            known |= {row[0]: row for row in self._read(snapshot, "revision", missing)}
        try:
            return self._records(snapshot, row_columns([known[revision] for revision in revisions]), projection)
        except KeyError as lacking:
            raise self._lacking(snapshot) from lacking

    def by_id(self, snapshot: Snapshot, ids: Sequence[UUID], projection: Projection) -> dict[UUID, Record]:
        """The objects with these ids; those that are not there are absent."""
        packed = list(dict.fromkeys(one.bytes for one in ids))
        rows = self._remembered(snapshot.state, packed)
        if len(rows) < len(packed):
            rows |= {row[1]: row for row in self._read(snapshot, "id", [one for one in packed if one not in rows])}
        found = self._records(snapshot, row_columns([rows[one] for one in packed if one in rows]), projection)
        return {record.id: record for record in found}

    def _remembered(self, state: State, ids: Sequence[bytes]) -> dict[bytes, Row]:
        """The rows of these objects that were read before, as far as the state has them."""
        rows = [row for row in self._recent.find(ids) if row]
        live = state.live
        known = state.table.revisions.view(len(live))
        places = known.searchsorted([row[0] for row in rows]).tolist() if rows else []
        return {row[1]: row for row, place in zip(rows, places, strict=True) if place < len(known) and known[place] == row[0] and live[place]}

    def _read(self, snapshot: Snapshot, column: str, values: Sequence[int] | Sequence[bytes]) -> list[Row]:
        """The rows of SQLite whose column has one of these values, in no order; one statement for many is three times as quick as one for each."""
        rows: list[Row] = []
        for start in range(0, len(values), ROWS_AT_ONCE):
            some = values[start : start + ROWS_AT_ONCE]
            rows += _rows(snapshot.connection.execute(f"{SELECT_ROW} WHERE {column} IN ({_PLACES[len(some)]})", some))
        self._intact(rows)
        if len(rows) <= ROWS_AT_ONCE:  # a long reading is not what will be wanted again
            self._recent.keep(rows)
        return rows

    def revisions(self, snapshot: Snapshot, ids: Sequence[UUID]) -> list[int]:
        """The revisions of the objects with these ids; those that are not there are left out."""
        found = snapshot.connection.executemany("SELECT revision FROM objects WHERE id = ?", ((one.bytes,) for one in ids))
        return [int(str(revision)) for (revision,) in found]

    def rows_named(self, snapshot: Snapshot, ids: Sequence[UUID]) -> Positions:
        """The rows of the objects with these ids, all different, in ascending order; those that are not there are left out."""
        known = self._remembered(snapshot.state, [one.bytes for one in ids])
        revisions = [row[0] for row in known.values()] + self.revisions(snapshot, [one for one in ids if one.bytes not in known])
        if snapshot.is_loose and max(revisions, default=0) > snapshot.state.revision:
            raise _Moved
        return snapshot.state.table.rows_of(np.array(sorted(revisions), np.int64))

    def revision_of_each(self, snapshot: Snapshot, ids: Sequence[UUID]) -> dict[UUID, int]:
        """The revisions of the objects with these ids, by id; those that are not there are absent."""
        found = snapshot.connection.executemany("SELECT id, revision FROM objects WHERE id = ?", ((one.bytes,) for one in ids))
        return {UUID(bytes=packed): int(str(revision)) for packed, revision in found if isinstance(packed, bytes)}

    def values(self, snapshot: Snapshot, revisions: npt.NDArray[np.int64]) -> Iterator[dict[str, PropertyValue]]:
        """The properties, pictures apart, of these revisions, ascending, in order; all of them are in the snapshot."""
        first, last = int(revisions[0]), int(revisions[-1])
        between = snapshot.connection.execute("SELECT count(*) FROM objects WHERE revision BETWEEN ? AND ?", (first, last)).get
        if between == len(revisions):
            rows = snapshot.connection.execute(f"{SELECT_ROW} WHERE revision BETWEEN ? AND ? ORDER BY revision", (first, last))
        else:
            rows = snapshot.connection.executemany(f"{SELECT_ROW} WHERE revision = ?", ((revision,) for revision in revisions.tolist()))
        count = 0
        for columns in rows:
            count += 1
            yield self._codec.decode(self._intact_row(stored_row(columns)).properties)
        if count != len(revisions):
            raise self._lacking(snapshot)

    def after(self, snapshot: Snapshot, after: UUID | None, limit: int, offset: int, projection: Projection) -> Sequence[Record]:
        """Objects in ascending order of ids."""
        bindings = (after.bytes if after else b"", limit, offset)  # every id is greater than no bytes
        rows = _rows(snapshot.connection.execute(f"{SELECT_ROW} WHERE id > ? ORDER BY id LIMIT ? OFFSET ?", bindings))
        return self._records(snapshot, self._intact(rows), projection)

    def _is_manifold(self, projection: Projection) -> bool:
        """Whether an object may lie in more than its row and its slot: with pictures, or multi-vectors."""
        names = projection.properties
        return not (names is None or self._scalars.issuperset(names)) or (projection.vectors != () and bool(self._multi_vectors))

    def _begin(self, connection: apsw.Connection) -> State:
        state = self._publication.enter()
        try:
            if _revision(connection) == state.revision:
                return state
            connection.execute("COMMIT")
            with self._publication.lock:
                self._publication.leave(state)
                state = self._publication.enter()
                if _revision(connection) != state.revision:
                    raise Corrupt(f"{self._path} was changed by another program; restart the database", path=str(self._path))
                return state
        except BaseException:
            self._publication.leave(state)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _intact(self, rows: Sequence[Row]) -> RowColumns:
        """What rows say that were just read, if it is what was written."""
        columns = row_columns(rows)
        damaged = damaged_row(rows, columns)
        if damaged:
            raise self._damaged(damaged)
        return columns

    def _records(self, snapshot: Snapshot, columns: RowColumns, projection: Projection) -> Sequence[Record]:
        if snapshot.is_loose and columns.revisions and max(columns.revisions) > snapshot.state.revision:
            raise _Moved
        names = projection.properties
        records = RecordColumns(
            columns.ids,
            columns.revisions,
            times=(columns.created_ms, columns.updated_ms),
            encoded=None if names == () else Encoded(rows=columns.properties, names=names, view=self._codec.view),
            vectors=self._vectors(snapshot.state, columns, projection.vectors),
        )
        scalars_only = names is None or self._scalars.issuperset(names)
        if scalars_only and (projection.vectors == () or not self._multi_vectors):
            return records
        return tuple(self._with_pictures(snapshot, record, key, projection) for record, key in zip(records, columns.pictures, strict=True))

    def _intact_row(self, row: StoredRow) -> StoredRow:
        if not row.is_intact:
            raise self._damaged(row.id)
        return row

    def _lacking(self, snapshot: Snapshot) -> Exception:
        """Why rows that the state knows are not there."""
        if snapshot.is_loose:
            return _Moved()
        return Corrupt(f"{self._path} lacks objects that it had when it was opened; restore it from a backup", path=str(self._path))

    def _damaged(self, packed_id: bytes) -> Corrupt:
        return Corrupt(f"object {UUID(bytes=packed_id)} in {self._path} is damaged; restore it from a backup", path=str(self._path))

    def _with_pictures(self, snapshot: Snapshot, record: Record, key: int | None, projection: Projection) -> Record:
        """The same with those of its blobs and multi-vectors that are wanted."""
        if key is None:
            return record
        properties = dict(record.properties)
        for name in projection.properties or ():
            if name not in self._scalars and name not in properties:
                properties |= self._picture(snapshot.connection, key, name)
        return replace(record, properties=properties, vectors={**record.vectors, **self._matrices(snapshot, key, projection.vectors)})

    def _picture(self, connection: apsw.Connection, key: int, name: str) -> dict[str, bytes]:
        found = connection.execute("SELECT bytes, crc FROM pictures WHERE key = ? AND name = ?", (key, name)).fetchone()
        if found is None:
            return {}
        if zlib.crc32(found[0]) != found[1]:
            raise Corrupt(f"a picture in {self._path} is damaged; restore it from a backup", path=str(self._path))
        return {name: found[0]}

    def multi_vectors(self, snapshot: Snapshot, name: str) -> MultiVectors | None:
        """The multi-vectors of a name; None where none was ever stored."""
        column = snapshot.state.vectors.get(name)
        return MultiVectors(snapshot.connection, self._path, name, column.file.dims) if column else None

    def _matrices(self, snapshot: Snapshot, key: int, names: tuple[str, ...] | None) -> dict[str, Matrix]:
        found = {}
        for name in self._multi_vectors:
            stored = self.multi_vectors(snapshot, name) if names is None or name in names else None
            matrix = stored.of_key(key) if stored else None
            if matrix is not None:
                found[name] = matrix
        return found

    def _vectors(self, state: State, rows: RowColumns, names: tuple[str, ...] | None) -> Mapping[str, Sequence[Vector | None]]:
        if names == ():
            return NOTHING
        slots = np.array([-1 if slot is None else slot for slot in rows.slots], np.int64)
        seals = [{} if slot is None else unpack_seals(packed) for slot, packed in zip(rows.slots, rows.seals, strict=True)]
        wanted = {name: column for name, column in state.vectors.items() if names is None or name in names}
        return {name: _vectors_of(column, slots, [one.get(column.number) for one in seals]) for name, column in wanted.items()}


def _vectors_of(column: VectorColumn, slots: npt.NDArray[np.int64], seals: Sequence[int | None]) -> list[Vector | None]:
    """The vectors in these slots, as copies; None where no seal says that there is one."""
    sums = [seal for seal in seals if seal is not None]
    sealed = slots if len(sums) == len(seals) else slots[[seal is not None for seal in seals]]  # as nearly always: all of them
    vectors = iter(column.file.intact(sealed, sums))
    return [None if seal is None else next(vectors) for seal in seals]


def _rows(cursor: apsw.Cursor) -> list[Row]:
    """What a `SELECT_ROW` brings; the table's declaration says the types."""
    return cast("list[Row]", cursor.fetchall())


def _revision(connection: apsw.Connection) -> int:
    return int(connection.execute("BEGIN; SELECT revision FROM mark").get)
