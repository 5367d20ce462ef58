"""Writing a shard: one transaction at a time, shared by those who write at once, and nothing half-written.

    1  encode, and refuse what can be refused without knowing the shard    prepared.py; in each caller's thread
    2  one caller leads and takes the requests that wait                   turns.py
    3  apply them one after another, refuse what must be refused           requests.py; nothing touched yet
    4  give slots, write the vectors into them                             commits.py; pwrite, then fdatasync, unless they are few: see below
    5  one SQLite transaction: rows, pictures, marks, few vectors          unpublished until COMMIT
    6  append to memory                                                    past what any reader counts
    7  COMMIT, publish the next state                                      with the publication's lock; reading.py says why
    8  now and then copy SQLite's log into its file                        checkpoints.py; in the background, the last of it in turn

The COMMIT decides. A crash before it leaves vectors in slots that no object has, and a transaction that SQLite forgets. A crash after it leaves everything,
for the vectors were on the disk before. Vectors of living objects are never overwritten: a changed object gets another slot, an object whose vectors are
the same to the bit keeps its own (changes.py), and a slot is given again only when nobody can read its old vector any more (free_slots.py).

A small write would wait for the disk twice, once for 2 KB of vector and once for SQLite's log. So up to 64 KB of vectors are also put into the
transaction, in the table `pending`, and the slot file is not forced. Opening writes what is pending into the slot files again; step 8 forces the
files and empties the table.

When a write fails for want of room, the transaction is rolled back and the shard goes on; the rows that were appended to memory stay there, dead. When it
fails otherwise, what the disk holds is unknown (see `disk` and `health`), and the shard refuses writes until it is opened anew; reading goes on.

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

from nearimage.domain.errors import Corrupt, DiskFull, NearimageError
from nearimage.domain.filters import Filter
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.changes import names_of_pictures, stored_of
from nearimage.engines.embedded.checkpoints import Checkpoints
from nearimage.engines.embedded.commits import Commits
from nearimage.engines.embedded.health import Health
from nearimage.engines.embedded.layout import SHARD_FILE
from nearimage.engines.embedded.prepared import Prepared, Preparer
from nearimage.engines.embedded.reading import SELECT_ROW, Publication
from nearimage.engines.embedded.recovery import Opened
from nearimage.engines.embedded.requests import Batch, Delete, DeleteChosen, Exclusive, Move, Patch, Put, PutIf, Stored
from nearimage.engines.embedded.rows import RowCodec, StoredRow, stored_row, unpack_seals
from nearimage.engines.embedded.selecting import first_rows
from nearimage.engines.embedded.sorting import by_age
from nearimage.engines.embedded.state import State, Table, VectorColumn
from nearimage.engines.embedded.turns import Turn, Turns

_VACUUMED_PAGES = 1000
"""Free pages of the database given back at a time: 4 MB, some milliseconds."""

_TAIL_SLOTS = 1024
"""How far before the end objects are looked for that could move."""


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
        self._columns = opened.columns
        self._turns = Turns(self._run)
        self._health = Health(self._path)
        self._checkpoints = Checkpoints(self._path, connection, publication, self._health)
        self._commits = Commits(folder, connection, publication, free=opened.free, checkpoints=self._checkpoints, health=self._health, covered=opened.columns)

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
        return self._checkpoints.is_due

    @property
    def is_broken(self) -> bool:
        """Whether writes are refused until the shard is opened anew."""
        return self._health.broken is not None

    def put(self, records: Sequence[Record]) -> tuple[NearimageError | None, ...]:
        """Store records; see the port."""
        request = Put(self._preparer.prepare_all(records, self._publication.state.table.index))
        self._turns.submit(request)
        return request.outcomes

    def put_if(self, record: Record, revision: int) -> None:
        """Store one record if the stored one still has this revision; see the port."""
        self._turns.submit(PutIf(self._preparer.prepare(record, self._publication.state.table.index), revision))

    def patch(self, changes: Mapping[UUID, Callable[[Record], Record]]) -> dict[UUID, NearimageError | None]:
        """Give stored objects other properties; see the port."""
        request = Patch({one.bytes: change for one, change in changes.items()})
        self._turns.submit(request)
        return {one: request.outcomes[one.bytes] for one in changes if one.bytes in request.outcomes}

    def delete(self, ids: Sequence[UUID]) -> int:
        """Delete objects; see the port."""
        request = Delete(tuple(one.bytes for one in ids))
        self._turns.submit(request)
        return request.deleted

    def delete_where(self, where: Filter, limit: int | None) -> tuple[UUID, ...]:
        """Delete the objects that pass a filter; see the port."""

        def choose() -> Sequence[bytes]:
            state = self._publication.state
            rows, index = np.flatnonzero(state.live & state.table.index.mask(where, len(state.live))), state.table.index
            chosen = first_rows(rows, by_age(index, state.table.revisions.view(len(state.live))), len(rows) if limit is None else limit)
            return [one.bytes for one in index.ids.of(chosen)]

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
        self._turns.submit(Exclusive(self._checkpoints.settle))

    def relieve(self) -> None:
        """Do what `settle` does, as far as that can be done beside writers, and then the little that is left in their turn. For the background."""
        if self._checkpoints.copy():
            self.settle()

    def start_columns(self) -> State:
        """The state to write a file of columns of; from now on it is noted which of its objects go."""
        states: list[State] = []

        def work() -> None:
            states.append(self._publication.state)
            self._commits.covered = states[0].revision

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
            self._commits.release()
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
        """Settle what is pending and let go of the database, which copies the rest of its log; no call may be running."""
        if self._checkpoints.pending and not self._health.broken:
            self._checkpoints.settle()
        self._checkpoints.close()
        self._connection.close()

    def _run(self, turns: Sequence[Turn]) -> None:
        try:
            with self._health.writing(), self._whole():
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
        if self._checkpoints.is_overdue:
            self._checkpoints.settle()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All of a transaction or nothing."""
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _store(self, turns: Sequence[Turn]) -> None:
        state = self._publication.state
        ids = dict.fromkeys(one for turn in turns for one in turn.request.ids)
        dimensions = {name: column.file.dims for name, column in state.vectors.items()}
        batch = Batch(self._preparer, state.table.index, dimensions, stored_of(self._connection, ids), self._row_of)
        for turn in turns:
            try:
                turn.request.admit(batch)
            except NearimageError as refused:
                turn.error = refused
        if batch.after:
            self._commits.make(batch, state)

    def _row_of(self, stored: Stored) -> StoredRow:
        row = stored_row(self._connection.execute(f"{SELECT_ROW} WHERE revision = ?", (stored.revision,)).fetchall()[0])
        if not row.is_intact:
            raise self._damaged(row)
        return row

    def _damaged(self, row: StoredRow) -> Corrupt:
        return Corrupt(f"the object of revision {row.revision} in {self._path} is damaged; restore it from a backup", path=str(self._path))

    def _movable(self, most: int) -> list[Prepared]:
        """Objects that have slots beyond free ones, last first, as they are stored."""
        self._commits.release()
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
            raise self._damaged(row)
        blobs = () if row.pictures is None else names_of_pictures(self._connection, row.pictures)
        values = self._codec.decode(row.properties) | dict.fromkeys(blobs, b"")
        converted = state.table.index.convert(values, row.created_ms, row.updated_ms)
        return Prepared(row.id, row.created_ms, row.updated_ms, vectors, row.properties, {}, converted, by_name, {})
