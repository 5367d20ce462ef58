"""Writing a shard: one transaction at a time, shared by those who write at once, and nothing half-written.

    1  encode, and refuse what can be refused without knowing the shard    prepared.py; in each caller's thread
    2  one caller leads and takes the requests that wait                   turns.py
    3  apply them one after another, refuse what must be refused           requests.py; nothing touched yet
    4  give slots, write the vectors into them                             pwrite; then fdatasync, unless they are few: see below
    5  one SQLite transaction: rows, pictures, marks, few vectors          unpublished until COMMIT
    6  append to memory                                                    past what any reader counts
    7  COMMIT, publish the next state                                      with the publication's lock; reading.py says why
    8  now and then copy SQLite's log into its file                        in the background; the last of it in turn

The COMMIT decides. A crash before it leaves vectors in slots that no object has, and a transaction that SQLite forgets. A crash after it leaves everything,
for the vectors were on the disk before. Vectors of living objects are never overwritten: a changed object gets another slot, an object whose vectors are
the same to the bit keeps its own (changes.py), and a slot is given again only when nobody can read its old vector any more (free_slots.py).

A small write would wait for the disk twice, once for 2 KB of vector and once for SQLite's log. So up to `_SMALL_BYTES` of vectors are also put into the
transaction, in the table `pending`, and the slot file is not forced. Opening writes what is pending into the slot files again; step 8 forces the
files and empties the table.

When a write fails for want of room, the transaction is rolled back and the shard goes on; the rows that were appended to memory stay there, dead. When it
fails otherwise, what the disk holds is unknown (see `disk`), and the shard refuses writes until it is opened anew; reading goes on.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import apsw
import numpy as np

from nearimage.domain.errors import Busy, Corrupt, DiskFull, NearimageError
from nearimage.domain.filters import Filter
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.changes import Change, Plan, stored_of, write_marks, write_pending, write_removed, write_rows
from nearimage.engines.embedded.disk import storage_faults
from nearimage.engines.embedded.layout import SHARD_FILE, slot_file
from nearimage.engines.embedded.log_copier import LogCopier
from nearimage.engines.embedded.prepared import Prepared, Preparer
from nearimage.engines.embedded.reading import SELECT_ROW, Publication
from nearimage.engines.embedded.recovery import Opened
from nearimage.engines.embedded.requests import Batch, Delete, DeleteChosen, Exclusive, Move, Put, PutIf
from nearimage.engines.embedded.rows import RowCodec, StoredRow, stored_row, unpack_seals
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import State, Table, VectorColumn
from nearimage.engines.embedded.turns import Turn, Turns

_CHECKPOINT_PAGES = 1000
"""SQLite's own default, 4 MB of log (https://sqlite.org/wal.html, "Automatic Checkpoint")."""

_LONGEST_LOG_PAGES = 16 * _CHECKPOINT_PAGES
"""Who writes faster than the background copies does it himself from here on; a log without end would fill the disk and slow down every read."""

_VACUUMED_PAGES = 1000
"""Free pages of the database given back at a time: 4 MB, some milliseconds."""

_TAIL_SLOTS = 1024
"""How far before the end objects are looked for that could move."""

_SMALL_BYTES = 64 << 10
"""Up to here vectors ride in the transaction: 32 vectors of 512 dims. Beyond, writing twice costs more than a second wait; docs/design/engine/storage.md."""


class Writer:
    """The writing side of one shard.

    Args:
        opened: what was found on opening.
    """

    def __init__(self, folder: Path, collection: Collection, codec: RowCodec, *, connection: apsw.Connection, publication: Publication, opened: Opened) -> None:
        self._folder = folder
        self._path = folder / SHARD_FILE
        self._preparer = Preparer(collection, codec)
        self._connection = connection
        self._publication = publication
        self._codec = codec
        self._free = opened.free
        self._columns = self._covered = opened.columns
        self._turns = Turns(self._run)
        self._copier = LogCopier(self._path)
        self._broken: Busy | None = None
        self._log_pages = self._settled_pages = 0
        self._has_pending = False
        self._last_revision = publication.state.revision
        self._checkpointed = publication.state.revision
        connection.set_wal_hook(self._count_log_pages)

    @property
    def columns(self) -> int:
        """The revision of the file of columns; 0 if there is none."""
        return self._columns

    @property
    def dead_slots(self) -> int:
        """How many slots no object has."""
        return self._free.dead

    @property
    def is_log_long(self) -> bool:
        """Whether so much was logged since the log was last copied that it should be once more."""
        return self._log_pages >= _CHECKPOINT_PAGES and not self._broken

    @property
    def is_broken(self) -> bool:
        """Whether writes are refused until the shard is opened anew."""
        return self._broken is not None

    def put(self, records: Sequence[Record]) -> tuple[NearimageError | None, ...]:
        """Store records; see the port."""
        request = Put(self._preparer.prepare_all(records, self._publication.state.table.index))
        self._turns.submit(request)
        return request.outcomes

    def put_if(self, record: Record, revision: int) -> None:
        """Store one record if the stored one still has this revision; see the port."""
        self._turns.submit(PutIf(self._preparer.prepare(record, self._publication.state.table.index), revision))

    def delete(self, ids: Sequence[UUID]) -> int:
        """Delete objects; see the port."""
        request = Delete(tuple(one.bytes for one in ids))
        self._turns.submit(request)
        return request.deleted

    def delete_where(self, where: Filter, limit: int | None) -> tuple[UUID, ...]:
        """Delete the objects that pass a filter; see the port."""

        def choose() -> Sequence[bytes]:
            state = self._publication.state
            rows = np.flatnonzero(state.live & state.table.index.mask(where, len(state.live)))
            return [one.bytes for one in state.table.index.ids.of(rows[state.table.index.ids.order(rows)[:limit]])]

        request = DeleteChosen(choose)
        self._turns.submit(request)
        return tuple(UUID(bytes=one) for one in request.chosen)

    def alter(self, collection: Collection) -> None:
        """Go by another definition from the next write on."""

        def work() -> None:
            self._preparer.alter(collection)
            self._publication.state.table.index.alter(collection)

        self._turns.submit(Exclusive(work))

    def settle(self) -> None:
        """Copy the log into the database file now."""
        self._turns.submit(Exclusive(self._settle))

    def relieve(self) -> None:
        """Do what `settle` does, as far as that can be done beside writers, and then the little that is left in their turn. For the background."""
        try:
            with storage_faults(self._path):
                for column in self._publication.state.vectors.values():
                    column.file.force()
                self._copier.copy()
        except DiskFull:
            return
        except Busy as failed:
            self._broken = failed
            return
        self.settle()

    def start_columns(self) -> State:
        """The state to write a file of columns of; from now on it is noted which of its objects go."""
        states: list[State] = []

        def work() -> None:
            states.append(self._publication.state)
            self._covered = states[0].revision

        self._turns.submit(Exclusive(work))
        return states[0]

    def finish_columns(self, revision: int) -> None:
        """The file of columns of this revision is on the disk; what went before it need not be noted any more."""

        def work() -> None:
            sql = f"BEGIN IMMEDIATE; UPDATE mark SET columns = {revision:d}; DELETE FROM removed WHERE at <= {revision:d}; COMMIT"  # noqa: S608 an int
            self._connection.execute(sql)
            self._columns = revision

        self._turns.submit(Exclusive(work))

    def swap(self, table: Table, vectors: Mapping[str, VectorColumn], catch_up: Callable[[State], None]) -> None:
        """Publish the state anew over another table with the same objects, once `catch_up` has added the last of them."""

        def work() -> None:
            state = self._publication.state
            catch_up(state)
            live = np.zeros(len(table.revisions), np.bool_)
            live[table.rows_of(state.table.revisions.view(len(state.live))[state.live])] = True
            self._publication.publish(replace(state, table=table, live=live, vectors=dict(vectors)))

        self._turns.submit(Exclusive(work))

    def move_tail(self, most: int) -> int:
        """Give objects at the end of the slot files free slots further ahead; returns how many."""
        request = Move(lambda: self._movable(most))
        self._turns.submit(request)
        return len(request.objects)

    def give_back_tail(self) -> None:
        """Give up the free slots at the end of the slot files, and free pages of the database."""

        def work() -> None:
            self._release()
            before, state = self._free.end, self._publication.state
            end = self._free.cut()
            if end < before:
                sql = f"BEGIN IMMEDIATE; UPDATE mark SET slots = {end:d}; UPDATE vectors SET slots = min(slots, {end:d}); COMMIT"  # noqa: S608 an int
                self._connection.execute(sql)
                self._publication.publish(replace(state, slots=end))
                for column in state.vectors.values():
                    column.file.give_back(end)
            self._connection.execute(f"PRAGMA incremental_vacuum({_VACUUMED_PAGES})")

        self._turns.submit(Exclusive(work))

    def close(self) -> None:
        """Settle what is pending and let go of the database; no call may be running."""
        if not self._broken:
            self._settle()
        self._copier.close()
        self._connection.close()

    def _run(self, turns: Sequence[Turn]) -> None:
        try:
            with self._writing():
                self._store(turns)
        except DiskFull as full:
            if len(turns) > 1:  # perhaps there is room for some of them
                for turn in turns:
                    self._run([turn])
            else:
                turns[0].error = full
        except NearimageError as failed:
            for turn in turns:
                turn.error = type(failed)(failed.message, **failed.detail)  # a fresh one each: tracebacks of callers must not mix
        if self._log_pages >= _LONGEST_LOG_PAGES and not self._broken:
            self._settle()

    @contextmanager
    def _writing(self) -> Iterator[None]:
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

    def _store(self, turns: Sequence[Turn]) -> None:
        state = self._publication.state
        ids = dict.fromkeys(one for turn in turns for one in turn.request.ids)
        dimensions = {name: column.file.dims for name, column in state.vectors.items()}
        batch = Batch(self._preparer, dimensions, stored_of(self._connection, ids))
        for turn in turns:
            try:
                turn.request.admit(batch)
            except NearimageError as refused:
                turn.error = refused
        if batch.after:
            self._write(batch, state)

    def _release(self) -> None:
        self._free.release(min(self._checkpointed, self._publication.oldest()))

    def _movable(self, most: int) -> list[Prepared]:
        """Objects that have slots beyond free ones, last first, as they are stored."""
        self._release()
        state, free = self._publication.state, self._free.free[:most]
        first = max(0, self._free.end - _TAIL_SLOTS)
        rows = np.unique(np.concatenate([column.tail_rows(first, state.live) for column in state.vectors.values()]))
        revisions = state.table.revisions.view()[rows].tolist()
        found = self._connection.executemany(f"{SELECT_ROW} WHERE revision = ?", ((one,) for one in revisions))
        stored = sorted((stored_row(columns) for columns in found), key=lambda row: -(row.slot or 0))
        chosen = [row for row, slot in zip(stored, free.tolist(), strict=False) if row.slot is not None and row.slot > slot]
        return [self._as_prepared(row, state) for row in chosen]

    def _as_prepared(self, row: StoredRow, state: State) -> Prepared:
        seals = unpack_seals(row.seals)
        vectors = {name: column.file.matrix()[row.slot].copy() for name, column in state.vectors.items() if column.number in seals}
        by_name = {name: zlib.crc32(vector.data) for name, vector in vectors.items()}
        if not row.is_intact or by_name != {name: seals[state.vectors[name].number] for name in vectors}:
            raise Corrupt(f"the object of revision {row.revision} in {self._path} is damaged; restore it from a backup", path=str(self._path))
        names = self._connection.execute("SELECT name FROM pictures WHERE key = ?", (row.pictures,))
        values = self._codec.decode(row.properties) | {str(name): b"" for (name,) in names}
        converted = state.table.index.convert(values, row.created_ms, row.updated_ms)
        return Prepared(row.id, row.created_ms, row.updated_ms, vectors, row.properties, {}, converted, by_name, {})

    def _write(self, batch: Batch, state: State) -> None:
        made: dict[str, VectorColumn] = {}
        try:
            for name in batch.dimensions.keys() - state.vectors.keys():
                number = len(state.vectors) + len(made)
                made[name] = VectorColumn(number, SlotFile.create(self._folder / slot_file(number), batch.dimensions[name]))
            vectors = {**state.vectors, **made}
            self._release()
            change = Plan(self._connection, vectors, self._free.peek(len(batch.after)), self._last_revision + 1).make(batch)
            is_small = change.vector_bytes <= _SMALL_BYTES
            for name, written in change.written.items():
                vectors[name].file.write(written.slots, written.vectors)
                if not is_small:
                    vectors[name].file.force()
            self._commit(change, state, vectors, is_small=is_small)
        except BaseException:
            for column in made.values():
                column.file.close()
            raise

    def _commit(self, change: Change, state: State, vectors: Mapping[str, VectorColumn], *, is_small: bool) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        write_rows(connection, change)
        write_removed(connection, change, self._covered)
        write_marks(connection, change, vectors, state.vectors)
        if self._has_pending or is_small:
            reused = self._free.peek(change.new_slots)
            write_pending(connection, change if is_small else Change(first_revision=0), vectors, reused[reused < self._free.end].tolist())
        following = self._next_state(change, state, vectors)
        connection.execute("UPDATE mark SET revision = ?, slots = ?, objects = ?", (change.revision, following.slots, following.count))
        with self._publication.lock:
            try:
                connection.execute("COMMIT")
                self._publication.publish(following)
            except apsw.Error:
                for column in vectors.values():
                    column.forget(len(following.live) - len(change.rows))
                raise
            except BaseException:  # Ctrl-C: perhaps stored, but not known here
                self._broken = _interrupted(self._path)
                raise
        self._free.take(change.new_slots)
        self._free.bury(change.revision, np.array(change.freed, np.int64))
        self._has_pending = self._has_pending or (is_small and bool(change.written))

    def _next_state(self, change: Change, state: State, vectors: Mapping[str, VectorColumn]) -> State:
        """Append the rows to memory; nobody counts them before the state is published."""
        table, first = state.table, len(state.table.revisions)
        slots = [-1 if row.slot is None else row.slot for row in change.rows]
        try:
            table.extend([row.revision for row in change.rows], [row.id for row in change.rows], change.converted)
            for name, positions in change.owners.items():
                vectors[name].extend(np.array(positions, np.int64) + first, np.array(slots, np.int64)[positions])
            for name, written in change.written.items():
                with np.errstate(over="ignore"):
                    vectors[name].set_norms(written.slots, np.linalg.norm(written.vectors, axis=1))
        except BaseException:  # Ctrl-C, or no memory: half of a row may be there
            self._broken = _interrupted(self._path)
            raise
        self._last_revision = change.revision
        live = np.zeros(first + len(change.rows), np.bool_)
        live[: len(state.live)] = state.live  # rows between were appended by a write that then failed
        live[first:] = True
        live[table.rows_of(np.array(change.deleted, np.int64))] = False
        count = state.count + len(change.rows) - len(change.deleted)
        end = max(self._free.end, int(self._free.peek(change.new_slots)[-1]) + 1 if change.new_slots else 0)
        return State(table=table, revision=change.revision, live=live, count=count, slots=end, vectors=vectors)

    def _count_log_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._settled_pages:
            self._settled_pages = 0  # the log began anew
        self._log_pages = pages - self._settled_pages
        return apsw.SQLITE_OK

    def _settle(self) -> None:
        """Force pending vectors and copy the log. What was acknowledged is durable already: a failure must not fail it, only the writes that come."""
        self._log_pages = 0
        try:
            with storage_faults(self._path):
                if self._has_pending:
                    for column in self._publication.state.vectors.values():
                        column.file.force()
                    self._connection.execute("DELETE FROM pending")
                    self._has_pending = False
                revision = self._publication.state.revision
                with self._copier.alone:
                    in_log, copied = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                self._log_pages, self._settled_pages = 0, in_log  # a reader may keep the log from beginning anew: then it counts from here on
                if in_log == copied:  # else a reader holds an older snapshot
                    self._checkpointed = revision
        except DiskFull:
            return  # the log stays as it is, and the next write finds out
        except Busy as failed:
            self._broken = failed


def _interrupted(path: Path) -> Busy:
    return Busy(f"a write to {path} was interrupted; restart the database", path=str(path))
