"""What keeps a large shard in shape while nobody waits: files of columns, memory without dead rows, files without holes, and a look at every byte.

    columns    writes a file of columns (column_files.py) when much has changed since the last one; then, if many rows in memory are dead, takes up the table
               that the file holds in place of the one in memory; readers keep theirs
    log        copies SQLite's log into its file and forces the slot files (log_copier.py)
    compact    moves the objects at the end of the slot files into free slots, a few in each commit, by the writer's ordinary way; then gives the end back
    scrub      checks every row and vector against its checksum, some hundred at a time; damage closes the shard with `Corrupt`

Each is a function that asks `stop()` between pieces and may be killed anywhere: a file of columns is there whole or not at all, a move is a commit like
another, and giving back the end follows a commit that says so.

May import apsw, numpy, `domain` and this package.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from nearimage.domain.errors import Corrupt, NearimageError
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.background import Background, Stop, shard_prefix
from nearimage.engines.embedded.column_files import read_columns, sweep, write_columns
from nearimage.engines.embedded.layout import SHARD_FILE
from nearimage.engines.embedded.reading import SELECT_ROW, Publication, Reader
from nearimage.engines.embedded.recovery import SMALL_SHARD, Loader
from nearimage.engines.embedded.rows import RowCodec, StoredRow, stored_row, unpack_seals
from nearimage.engines.embedded.state import State, VectorColumn
from nearimage.engines.embedded.writing import Writer

_CHANGED_SHARE, _CHANGES_A_FILE, _MOST_CHANGES = 1 / 8, 5_000, 60_000
"""A file of columns is written again after so many new rows: this share of the shard, but no fewer and no more than these. Opening after a kill reads the new
rows one by one, 25 to 40 us each: a quarter of 100,000 took 1.7 s. Writing the columns of 100,000 takes 0.16 s in the background (bench/engine.py)."""

_CHANGES_AT_CLOSE = 2_000
"""At closing, already after so many: the next opening would else spend 0.1 s on them."""

_DEAD_SHARE = 0.3
"""Above this share of dead slots files are compacted, and above this share of dead rows memory is; the measure of docs/design/engine/storage.md."""

_FEWEST_DEAD = 1000
"""Below, nothing is worth tidying."""

_MOVES_A_COMMIT = 32
"""Objects moved in one commit, during which writers wait: 2 ms, and the disk once, for so few vectors of 512 dimensions ride in the transaction."""

_SCRUBBED_AT_A_TIME = 256
"""Objects checked within one snapshot: a longer one would keep dead slots from being given again."""

_CAUGHT_UP = 256
"""Rows that may be left to add while writers wait, when a compacted table takes over: 15 ms."""


class Upkeep:
    """The background work of one open shard.

    For any thread; what it submits runs in a background thread.

    Args:
        checkpoints: copies logs; apart from all other work, which may take minutes, while the log grows.
    """

    def __init__(
        self, folder: Path, collection: Collection, codec: RowCodec, *, writer: Writer, reader: Reader, publication: Publication, checkpoints: Background
    ) -> None:
        self._folder = folder
        self._collection = collection
        self._codec = codec
        self._writer = writer
        self._reader = reader
        self._publication = publication
        self._checkpoints = checkpoints
        self._name = shard_prefix(folder)
        self._failed_at = 0
        self._may_compact = True

    def alter(self, collection: Collection) -> None:
        """Go by another definition from now on."""
        self._collection = collection

    def start(self, background: Background, bar: Callable[[Corrupt], None]) -> None:
        """The shard was opened; `bar` is called with the damage that the check finds."""
        if self._publication.state.count > SMALL_SHARD:
            background.submit(f"{self._name}check", lambda stop: self.scrub(stop, bar))
        self.look(background)

    def look(self, background: Background) -> None:
        """Ask for what is due; cheap, for after every write."""
        if self._writer.is_log_long:
            self._checkpoints.submit(f"{self._name}log", lambda _stop: self._writer.relieve())
        state = self._publication.state
        if self._columns_are_due():
            background.submit(f"{self._name}columns", self.keep_columns)
        if self._may_compact and self._is_sparse(self._writer.dead_slots, state.slots):
            background.submit(f"{self._name}compact", self.compact)

    def close(self, background: Background) -> None:
        """Stop what runs; and write the columns, if reading what is new would take long on the next opening."""
        background.cancel(self._name)
        self._checkpoints.cancel(self._name)
        state = self._publication.state
        if not self._writer.is_broken and state.count > SMALL_SHARD and state.revision - self._writer.columns > _CHANGES_AT_CLOSE:
            with suppress(NearimageError):  # a disk that failed meanwhile: what was stored does not need this file
                self.write_columns(lambda: True)

    def keep_columns(self, stop: Stop) -> None:
        """Write the columns, unless that was done since somebody asked: every commit during the writing asks once more."""
        if self._columns_are_due():
            self.write_columns(stop)

    def write_columns(self, stop: Stop) -> None:
        """Write the columns as they are now; a disk that is full, or a failure, leaves what was there."""
        state = self._writer.start_columns()
        try:
            write_columns(self._folder, state, self._collection)
            self._writer.finish_columns(state.revision)
            sweep(self._folder, (state.revision,))
        except (OSError, NearimageError):
            self._failed_at = state.revision  # tried again after as many changes
            return
        dead = len(state.live) - state.count
        if self._is_sparse(dead, len(state.live)) and not stop():
            self._take_up(state.revision, stop)

    def compact(self, stop: Stop) -> None:
        """Move objects from the end of the slot files into free slots, and give the end back."""
        self._may_compact = False  # until it went well: not after every write anew
        self._writer.relieve()
        while not stop() and self._is_sparse(self._writer.dead_slots, self._publication.state.slots):
            if not self._writer.move_tail(_MOVES_A_COMMIT):
                break
        self._writer.relieve()
        self._writer.give_back_tail()
        self._may_compact = True

    def scrub(self, stop: Stop, bar: Callable[[Corrupt], None]) -> None:
        """Check every object and every vector; what is damaged is told once, for all."""
        after = 0
        while not stop():
            try:
                with self._reader.snapshot() as snapshot:
                    found = snapshot.connection.execute(f"{SELECT_ROW} WHERE revision > ? ORDER BY revision LIMIT ?", (after, _SCRUBBED_AT_A_TIME)).fetchall()
                    for columns in found:
                        self._check(snapshot.state, stored_row(columns))
            except Corrupt as damage:
                bar(damage)
                return
            if not found:
                return
            after = stored_row(found[-1]).revision

    def _check(self, state: State, row: StoredRow) -> None:
        path = self._folder / SHARD_FILE
        if not row.is_intact:
            raise Corrupt(f"{path} is damaged: the object of revision {row.revision} does not match its checksum; restore it from a backup", path=str(path))
        seals = unpack_seals(row.seals)
        for column in state.vectors.values():
            if column.number in seals and row.slot is not None:
                column.file.intact(np.array([row.slot]), [seals[column.number]])

    def _take_up(self, revision: int, stop: Stop) -> None:
        """Swap the table in memory for the one in the file, with the rows since added."""
        columns = read_columns(self._folder, revision, self._collection)
        if columns is None:
            return
        vectors: dict[str, VectorColumn] = {}

        def catch_up(state: State) -> None:
            for name, column in state.vectors.items():
                if name not in vectors:
                    known = columns.vectors.get(column.number)
                    vectors[name] = column.on_table(*known[:2]) if known else column.on_table(np.zeros(0, np.int64), np.zeros(0, np.int64))
            loader = Loader(self._folder / SHARD_FILE, self._codec, columns.table, vectors)
            with self._reader.snapshot() as snapshot:
                loader.add_after(snapshot.connection, _last(columns.table.revisions.view(), revision))

        while not stop():
            state = self._publication.state
            if state.revision - _last(columns.table.revisions.view(), revision) <= _CAUGHT_UP:
                self._writer.swap(columns.table, vectors, catch_up)
                return
            catch_up(state)

    def _columns_are_due(self) -> bool:
        state = self._publication.state
        changes = state.revision - max(self._writer.columns, self._failed_at)
        return state.count > SMALL_SHARD and changes > max(_CHANGES_A_FILE, min(_MOST_CHANGES, int(state.count * _CHANGED_SHARE)))

    @staticmethod
    def _is_sparse(dead: int, all_: int) -> bool:
        return dead > _FEWEST_DEAD and dead > _DEAD_SHARE * all_


def _last(revisions: "np.ndarray[tuple[int], np.dtype[np.int64]]", least: int) -> int:
    return max(int(revisions[-1]) if len(revisions) else 0, least)
