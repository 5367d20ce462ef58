"""Writing a shard: one writer at a time, and nothing half-written.

    1  refuse what must be refused, encode the rest              prepared.py; nothing touched yet
    2  give slots, write the vectors past the mark               pwrite, then fdatasync
    3  one SQLite transaction: rows, pictures, marks             unpublished until COMMIT
    4  COMMIT, append to memory, publish the next state          with the publication's lock; reading.py says why
    5  now and then copy SQLite's log into its file              nobody waits for it

The COMMIT decides. A crash before it leaves vectors past the mark, which opening cuts off, and a transaction that SQLite forgets. A crash after it
leaves everything, for the vectors were on the disk before. Vectors are never overwritten: a changed object gets a new slot, an object whose
vectors are the same to the bit keeps its old one, and readers of older states go on reading what they saw.

When a write fails for want of room, the transaction is rolled back and the shard goes on. When it fails otherwise, what the disk holds is unknown (see
`disk`), and the shard refuses writes until it is opened anew; reading goes on.

May import apsw, numpy, `domain` and this package.
"""

import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import apsw
import numpy as np

from nearimage.domain.errors import Busy, DiskFull, InvalidInput, NearimageError, ObjectChanged, ObjectExists
from nearimage.domain.filters import Filter
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.disk import storage_faults
from nearimage.engines.embedded.layout import SHARD_FILE, slot_file
from nearimage.engines.embedded.prepared import Preparation, Prepared
from nearimage.engines.embedded.reading import Publication
from nearimage.engines.embedded.rows import RowCodec, StoredRow, checksum, pack_seals
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import NewRow, State, VectorColumn

_CHECKPOINT_PAGES = 1000
"""SQLite's own default, 4 MB of log (https://sqlite.org/wal.html, "Automatic Checkpoint")."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the tables hold of an object that is about to be replaced or deleted."""

    revision: int
    slot: int | None
    seals: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A prepared object with its place."""

    prepared: Prepared
    row: StoredRow
    replaces: int | None
    is_new_slot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One transaction."""

    placed: Sequence[Placed]
    deleted: Sequence[int]
    revision: int
    slots: int
    vectors: Mapping[str, VectorColumn]


class Writer:
    """The writing side of one shard."""

    def __init__(self, folder: Path, collection: Collection, codec: RowCodec, *, connection: apsw.Connection, publication: Publication) -> None:
        self._folder = folder
        self._path = folder / SHARD_FILE
        self._collection = collection
        self._codec = codec
        self._connection = connection
        self._publication = publication
        self._lock = threading.Lock()
        self._broken: Busy | None = None
        self._log_pages = 0
        connection.set_wal_hook(self._count_log_pages)

    def put(self, records: Sequence[Record]) -> tuple[NearimageError | None, ...]:
        """Store records; see the port."""
        with self._writing():
            preparation = self._preparation()
            outcomes = tuple(_try_add(preparation, record) for record in records)
            if preparation.chosen:
                self._store(preparation)
            return outcomes

    def put_if(self, record: Record, revision: int) -> None:
        """Store one record if the stored one still has this revision; see the port."""
        with self._writing():
            stored = self._stored(record.id.bytes)
            if revision == 0 and stored:
                raise ObjectExists(f"an object with id {record.id} already exists; replace or merge it, or choose another id", id=str(record.id))
            if revision != (stored.revision if stored else 0):
                raise ObjectChanged(f"object {record.id} was changed or deleted since it was read; read it again", id=str(record.id))
            preparation = self._preparation()
            preparation.add(record)
            self._store(preparation)

    def delete(self, ids: Sequence[UUID]) -> int:
        """Delete objects; see the port."""
        with self._writing():
            found = [stored.revision for one in dict.fromkeys(ids) if (stored := self._stored(one.bytes))]
            state = self._publication.state
            if found:
                self._commit(Change(placed=(), deleted=found, revision=state.revision + 1, slots=state.slots, vectors=state.vectors))
            return len(found)

    def alter(self, collection: Collection) -> None:
        """Go by another definition from the next write on."""
        with self._lock:
            self._collection = collection
            self._publication.state.table.index.alter(collection)

    def delete_where(self, where: Filter, limit: int | None) -> tuple[UUID, ...]:
        """Delete the objects that pass a filter; see the port."""
        with self._writing():
            state = self._publication.state
            rows = np.flatnonzero(state.live & state.table.index.mask(where, len(state.live)))
            rows = rows[state.table.index.ids.order(rows)[:limit]]
            found: list[int] = state.table.revisions.view()[rows].tolist()
            if found:
                self._commit(Change(placed=(), deleted=found, revision=state.revision + 1, slots=state.slots, vectors=state.vectors))
            return state.table.index.ids.of(rows)

    def close(self) -> None:
        """Let go of the database; no call may be running."""
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            if self._broken:
                raise Busy(self._broken.message, **self._broken.detail)
            try:
                with storage_faults(self._path):
                    yield
            except Busy as failed:
                if not isinstance(failed, DiskFull):
                    self._broken = failed
                raise
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self._checkpoint_if_long()

    def _preparation(self) -> Preparation:
        state = self._publication.state
        dimensions = {name: column.file.dims for name, column in state.vectors.items()}
        return Preparation(self._collection, self._codec, state.table.index, dimensions)

    def _store(self, preparation: Preparation) -> None:
        state = self._publication.state
        made: dict[str, VectorColumn] = {}
        try:
            for name in preparation.dimensions.keys() - state.vectors.keys():
                number = len(state.vectors) + len(made)
                made[name] = VectorColumn(number, SlotFile.create(self._folder / slot_file(number), preparation.dimensions[name]))
            vectors = {**state.vectors, **made}
            change = self._place(list(preparation.chosen.values()), state, vectors)
            _write_vectors(change.placed, vectors)
            self._commit(change)
        except BaseException:
            for column in made.values():
                column.file.close()
            raise

    def _place(self, chosen: Sequence[Prepared], state: State, vectors: Mapping[str, VectorColumn]) -> Change:
        placed, free = [], state.slots
        for revision, prepared in enumerate(chosen, state.revision + 1):
            stored = self._stored(prepared.id)
            seals = pack_seals({vectors[name].number: seal for name, seal in prepared.seals.items()})
            slot = stored.slot if stored and _same_vectors(stored, seals, prepared, vectors) else None
            is_new = slot is None and bool(prepared.vectors)
            if is_new:
                slot, free = free, free + 1
            row = StoredRow(revision, prepared.id, prepared.created_ms, prepared.updated_ms, slot, seals, prepared.properties, 0)
            row = replace(row, crc=checksum(row))
            placed.append(Placed(prepared=prepared, row=row, replaces=stored.revision if stored else None, is_new_slot=is_new))
        deleted = [one.replaces for one in placed if one.replaces is not None]
        return Change(placed=placed, deleted=deleted, revision=state.revision + len(chosen), slots=free, vectors=vectors)

    def _commit(self, change: Change) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        _write_rows(connection, change)
        state = self._publication.state
        _write_marks(connection, change, state.vectors)
        live = np.concatenate((state.live, np.ones(len(change.placed), np.bool_)))
        live[state.table.rows_of(np.array(change.deleted, np.int64))] = False
        count = state.count + len(change.placed) - len(change.deleted)
        connection.execute("UPDATE mark SET revision = ?, slots = ?, objects = ?", (change.revision, change.slots, count))
        following = State(table=state.table, revision=change.revision, live=live, count=count, slots=change.slots, vectors=change.vectors)
        rows = [_new_row(one) for one in change.placed]
        with self._publication.lock:
            connection.execute("COMMIT")
            try:
                for row in rows:
                    state.table.append(row, change.vectors)
                self._publication.state = following
            except BaseException:  # Ctrl-C, or no memory: stored, but not known here
                self._broken = Busy(f"a write to {self._path} was interrupted; restart the database", path=str(self._path))
                raise

    def _stored(self, packed_id: bytes) -> Stored | None:
        found = self._connection.execute("SELECT revision, slot, seals FROM objects WHERE id = ?", (packed_id,)).fetchone()
        return Stored(*found) if found else None

    def _count_log_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint_if_long(self) -> None:
        """The call has succeeded and is durable in the log: a failure here must not fail it, only the writes that come."""
        if self._log_pages < _CHECKPOINT_PAGES:
            return
        self._log_pages = 0
        try:
            with storage_faults(self._path):
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except DiskFull:
            return  # the log stays as it is, and the next write finds out
        except Busy as failed:
            self._broken = failed


def _try_add(preparation: Preparation, record: Record) -> NearimageError | None:
    try:
        preparation.add(record)
    except InvalidInput as wrong:
        return wrong
    return None


def _same_vectors(stored: Stored, seals: bytes, prepared: Prepared, vectors: Mapping[str, VectorColumn]) -> bool:
    if stored.slot is None or stored.seals != seals:
        return False
    return all(vectors[name].file.matrix()[stored.slot].tobytes() == vector.tobytes() for name, vector in prepared.vectors.items())


def _write_vectors(placed: Sequence[Placed], vectors: Mapping[str, VectorColumn]) -> None:
    for name, column in vectors.items():
        new = [(one.row.slot, one.prepared.vectors[name]) for one in placed if one.is_new_slot and name in one.prepared.vectors]
        if new:
            column.file.write(np.array([slot for slot, _ in new], np.int64), np.stack([vector for _, vector in new]))
            column.file.force()


def _write_rows(connection: apsw.Connection, change: Change) -> None:
    old = [(revision,) for revision in change.deleted]
    connection.executemany("DELETE FROM pictures WHERE revision = ?", old)
    connection.executemany("DELETE FROM objects WHERE revision = ?", old)
    rows = [(r.revision, r.id, r.created_ms, r.updated_ms, r.slot, r.seals, r.properties, r.crc) for r in (one.row for one in change.placed)]
    connection.executemany("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    pictures = [(one.row.revision, name, data, zlib.crc32(data)) for one in change.placed for name, data in one.prepared.pictures.items()]
    connection.executemany("INSERT INTO pictures VALUES (?, ?, ?, ?)", pictures)


def _write_marks(connection: apsw.Connection, change: Change, known: Mapping[str, VectorColumn]) -> None:
    for name, column in change.vectors.items():
        slots = [one.row.slot for one in change.placed if one.is_new_slot and name in one.prepared.vectors]
        if slots or name not in known:
            sql = "INSERT INTO vectors VALUES (?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET slots = excluded.slots"
            connection.execute(sql, (column.number, name, column.file.dims, (slots[-1] or 0) + 1 if slots else 0))


def _new_row(placed: Placed) -> NewRow:
    row, vectors = placed.row, placed.prepared.vectors
    with np.errstate(over="ignore"):
        norms = {name: float(np.linalg.norm(vector)) for name, vector in vectors.items()} if placed.is_new_slot else {}
    return NewRow(revision=row.revision, id=row.id, slot=row.slot, converted=placed.prepared.converted, vectors=tuple(vectors), norms=norms)
