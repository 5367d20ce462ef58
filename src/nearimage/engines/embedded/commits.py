"""One commit of a shard: vectors into slots, one SQLite transaction, the same in memory, published together. writing.py says in which order, and why.

    Batch --plan (changes.py)--> Change --slot files, SQLite, memory--> the next State

For the writer, in turn. May import apsw, numpy, `domain` and this package.
"""

from collections.abc import Mapping
from pathlib import Path

import apsw
import numpy as np

from nearimage.engines.embedded.changes import Change, Plan, write_marks, write_pending, write_removed, write_rows
from nearimage.engines.embedded.checkpoints import Checkpoints
from nearimage.engines.embedded.free_slots import FreeSlots
from nearimage.engines.embedded.health import Health
from nearimage.engines.embedded.layout import slot_file
from nearimage.engines.embedded.reading import Publication
from nearimage.engines.embedded.requests import Batch
from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import State, VectorColumn

_SMALL_BYTES = 64 << 10
"""Up to here vectors ride in the transaction: 32 vectors of 512 dims. Beyond, writing twice costs more than a second wait; docs/design/engine/storage.md."""


class Commits:
    """Makes the commits of one shard.

    Args:
        covered: the revision of the file of columns.

    Attributes:
        covered: of objects up to this revision it is noted when they go.
    """

    def __init__(
        self, folder: Path, connection: apsw.Connection, publication: Publication, *, free: FreeSlots, checkpoints: Checkpoints, health: Health, covered: int
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._publication = publication
        self._free = free
        self._checkpoints = checkpoints
        self._health = health
        self._last_revision = publication.state.revision
        self.covered = covered

    def release(self) -> None:
        """Let slots be given again that nobody can read any more."""
        self._free.release(min(self._checkpoints.revision, self._publication.oldest()))

    def make(self, batch: Batch, state: State) -> None:
        """Write, commit and publish what a batch leaves."""
        made: dict[str, VectorColumn] = {}
        try:
            for name in batch.dimensions.keys() - state.vectors.keys():
                number = len(state.vectors) + len(made)
                made[name] = VectorColumn(number, SlotFile.create(self._folder / slot_file(number), batch.dimensions[name]))
            vectors = {**state.vectors, **made} if made else state.vectors
            self.release()
            change = Plan(self._connection, vectors, self._free, state.table.index, self._last_revision + 1).make(batch)
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
        write_removed(connection, change, self.covered)
        write_marks(connection, change, vectors, state.vectors)
        if self._checkpoints.pending or is_small:
            write_pending(connection, change, vectors, with_vectors=is_small)
        following = self._next_state(change, state, vectors)
        connection.execute("UPDATE mark SET revision = ?, slots = ?, objects = ?", (change.revision, following.slots, following.count))
        with self._publication.lock:
            try:
                connection.execute("COMMIT")
                self._publication.publish(following)
            except apsw.Error:
                for column in vectors.values():
                    column.forget(len(following.live) - change.added)
                raise
            except BaseException:  # Ctrl-C: perhaps stored, but not known here
                self._health.interrupted()
                raise
        self._free.take(len(change.taken))
        self._free.bury(change.revision, np.array(change.freed, np.int64))
        self._checkpoints.pending = self._checkpoints.pending or (is_small and bool(change.written))

    def _next_state(self, change: Change, state: State, vectors: Mapping[str, VectorColumn]) -> State:
        """Append the rows to memory; nobody counts them before the state is published."""
        table, first = state.table, len(state.table.revisions)
        try:
            self._append(change, state, vectors)
        except BaseException:  # Ctrl-C, or no memory: half of a row may be there
            self._health.interrupted()
            raise
        self._last_revision = change.revision
        live = np.empty(first + change.added, np.bool_)
        live[: len(state.live)] = state.live
        live[len(state.live) : first] = False  # appended by a write that then failed
        live[first:] = True
        live[table.rows_of(np.array(change.deleted, np.int64))] = False
        count = state.count + change.added - len(change.deleted)
        end = max(self._free.end, change.taken[-1] + 1 if change.taken else 0)
        written = {name: len(column.written) for name, column in vectors.items()}
        return State(table=table, revision=change.revision, live=live, count=count, slots=end, vectors=vectors, written=written)

    @staticmethod
    def _append(change: Change, state: State, vectors: Mapping[str, VectorColumn]) -> None:
        table, rows, first = state.table, change.rows, len(state.table.revisions)
        if change.added:
            table.extend(rows.revisions, rows.ids, change.converted)
        for name, (positions, slots) in change.owners.items():
            if len(slots) == 1:
                vectors[name].append(first + positions[0], slots[0])
            else:
                vectors[name].extend(np.array(positions, np.int64) + first, np.array(slots, np.int64))
        for name, written in change.written.items():
            with np.errstate(over="ignore"):  # an infinite norm
                norms = np.sqrt(np.add.reduce(written.vectors * written.vectors, axis=1))  # np.linalg.norm of rows, to the bit, in a third of its time
            vectors[name].set_norms(written.slots, norms)
