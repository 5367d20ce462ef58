"""What one transaction writes: the rows of the objects left in the end, their slots, their pictures, and what goes.

    Batch, free slots --plan--> Change --write_rows--> SQLite

A vector that is the same to the bit keeps its slot, and blobs that are the same to the bit keep their key: a changed caption writes neither.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import apsw
import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.engines.embedded.columns import ConvertedRow
from nearimage.engines.embedded.free_slots import FreeSlots
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.prepared import Prepared
from nearimage.engines.embedded.requests import Batch, Stored
from nearimage.engines.embedded.rows import RowColumns, pack_seals, sealed_rows, unpack_seals
from nearimage.engines.embedded.state import VectorColumn

_SELECT_STORED = "SELECT id, revision, slot, seals, pictures FROM objects WHERE id = ?"
_NO_ROWS = RowColumns((), (), (), (), (), (), (), ())


class Written(NamedTuple):
    """The vectors of one name that get a slot.

    Attributes:
        slots: (n,) ascending.
        vectors: (n, dims).
    """

    slots: npt.NDArray[np.int64]
    vectors: Matrix


@dataclass(slots=True, kw_only=True)
class Change:
    """One transaction.

    Attributes:
        first_revision: of the rows, which are numbered on from it.
        pictures: rows of the table.
        owners: by named vector, the positions in `rows` of those that have it, ascending, and their slots.
        written: by named vector.
        deleted: revisions that go.
        freed: slots that no object has afterwards.
        dropped: keys of pictures that no object has afterwards.
        taken: slots that were free before, ascending.
        reused: those of them that objects had before.
    """

    first_revision: int
    rows: RowColumns = _NO_ROWS
    converted: list[ConvertedRow] = field(default_factory=list)
    pictures: list[tuple[int, str, bytes, int]] = field(default_factory=list)
    owners: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    deleted: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    reused: list[int] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """The commit's number: that of the last row, or the first free one where there are only deletions."""
        return self.first_revision + max(0, self.added - 1)

    @property
    def added(self) -> int:
        """How many rows there are."""
        return len(self.rows.ids)

    @property
    def vector_bytes(self) -> int:
        """How much is written to slot files."""
        return sum(one.vectors.nbytes for one in self.written.values())


def stored_of(connection: apsw.Connection, ids: Iterable[bytes]) -> dict[bytes, Stored]:
    """What the table says of these ids; those that are not there are absent."""
    found = connection.executemany(_SELECT_STORED, [(one,) for one in ids])
    return {stored.id: stored for stored in map(Stored._make, found)}


def names_of_pictures(connection: apsw.Connection, key: int) -> list[str]:
    """The blobs of an object, and its multi-vectors (`layout.MULTI_VECTOR`)."""
    return [str(name) for (name,) in connection.execute("SELECT name FROM pictures WHERE key = ?", (key,))]


_Placed = tuple[bytes, int, int, int | None, bytes, bytes, int | None]
"""A row without its revision, in the order of `RowColumns`."""


class Plan:
    """Gives every object of a batch its place."""

    def __init__(self, connection: apsw.Connection, vectors: Mapping[str, VectorColumn], free: FreeSlots, index: Index, first_revision: int) -> None:
        self._connection = connection
        self._index = index
        self._vectors = vectors
        self._free = free
        self._next: Iterator[int] = iter(())
        self._new: dict[str, tuple[list[int], list[Vector]]] = {}
        self._placed: list[_Placed] = []
        self._change = Change(first_revision=first_revision)
        self._moves = False

    def make(self, batch: Batch) -> Change:
        """The transaction that leaves what the batch leaves."""
        change, self._moves = self._change, batch.moves
        wanting = sum(prepared is not None and bool(prepared.vectors) for prepared in batch.after.values())
        self._next = iter(self._free.peek(wanting).tolist() if wanting else ())
        for packed_id, prepared in batch.after.items():
            stored = batch.stored.get(packed_id)
            if stored:
                change.deleted.append(stored.revision)
            if prepared:
                self._add(prepared, stored)
            elif stored:
                self._drop(stored)
        for name, (slots, vectors) in self._new.items():
            change.written[name] = Written(np.array(slots, np.int64), np.concatenate(vectors).reshape(len(slots), -1))
        if self._placed:
            last = change.first_revision + len(self._placed)
            change.rows = RowColumns(range(change.first_revision, last), *zip(*self._placed, strict=True))
        change.reused = [slot for slot in change.taken if slot < self._free.end]
        return change

    def _add(self, prepared: Prepared, stored: Stored | None) -> None:
        names: Iterable[str] = prepared.vectors
        converted = prepared.converted
        if stored and prepared.is_patch:
            seals, slot, key = stored.seals, stored.slot, stored.pictures
            numbers = unpack_seals(seals)
            names = [name for name, column in self._vectors.items() if column.number in numbers]
            if key is not None:
                blobs = dict.fromkeys(names_of_pictures(self._connection, key), b"")
                converted = converted | self._index.convert(blobs, prepared.created_ms, prepared.updated_ms)
        else:
            seals = pack_seals({self._vectors[name].number: seal for name, seal in prepared.seals.items()}) if prepared.seals else b""
            slot = self._slot(prepared, stored, seals) if stored or prepared.vectors else None
            key = self._picture_key(prepared, stored) if stored or prepared.pictures else None
        if slot is not None:
            for name in names:
                positions, slots = self._change.owners.setdefault(name, ([], []))
                positions.append(len(self._placed))
                slots.append(slot)
        self._placed.append((prepared.id, prepared.created_ms, prepared.updated_ms, slot, seals, prepared.properties, key))
        self._change.converted.append(converted)

    def _slot(self, prepared: Prepared, stored: Stored | None, seals: bytes) -> int | None:
        if stored and stored.slot is not None:
            if not self._moves and self._has_same_vectors(stored.slot, stored.seals, prepared, seals):
                return stored.slot
            self._change.freed.append(stored.slot)
        if not prepared.vectors:
            return None
        slot = next(self._next)
        self._change.taken.append(slot)
        for name, vector in prepared.vectors.items():
            slots, vectors = self._new.setdefault(name, ([], []))
            slots.append(slot)
            vectors.append(vector)
        return slot

    def _has_same_vectors(self, slot: int, old_seals: bytes, prepared: Prepared, seals: bytes) -> bool:
        if old_seals != seals:
            return False
        return all(self._vectors[name].file.matrix()[slot].tobytes() == vector.tobytes() for name, vector in prepared.vectors.items())

    def _picture_key(self, prepared: Prepared, stored: Stored | None) -> int | None:
        old = stored.pictures if stored else None
        if old is not None:
            if self._moves or self._has_same_pictures(old, prepared.pictures):
                return old
            self._change.dropped.append(old)
        if not prepared.pictures:
            return None
        revision = self._change.first_revision + len(self._placed)
        self._change.pictures += [(revision, name, data, zlib.crc32(data)) for name, data in prepared.pictures.items()]
        return revision

    def _has_same_pictures(self, key: int, pictures: Mapping[str, bytes]) -> bool:
        sizes = dict(self._connection.execute("SELECT name, length(bytes) FROM pictures WHERE key = ?", (key,)))  # read no bytes that cannot be the same
        if sizes != {name: len(data) for name, data in pictures.items()}:
            return False
        return dict(self._connection.execute("SELECT name, bytes FROM pictures WHERE key = ?", (key,))) == dict(pictures)

    def _drop(self, stored: Stored) -> None:
        if stored.slot is not None:
            self._change.freed.append(stored.slot)
        if stored.pictures is not None:
            self._change.dropped.append(stored.pictures)


def write_rows(connection: apsw.Connection, change: Change) -> None:
    """The objects and pictures of a change, in a transaction of the caller's."""
    _each(connection, "DELETE FROM pictures WHERE key = ?", [(key,) for key in change.dropped])
    _each(connection, "DELETE FROM objects WHERE revision = ?", [(revision,) for revision in change.deleted])
    _each(connection, "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", sealed_rows(change.rows))
    _each(connection, "INSERT INTO pictures VALUES (?, ?, ?, ?)", change.pictures)


def write_removed(connection: apsw.Connection, change: Change, known: int) -> None:
    """Which objects went of those that a file of columns of revision `known`, or an earlier one, may hold."""
    _each(connection, "INSERT OR IGNORE INTO removed VALUES (?, ?)", [(revision, change.revision) for revision in change.deleted if revision <= known])


def write_marks(connection: apsw.Connection, change: Change, columns: Mapping[str, VectorColumn], known: Mapping[str, VectorColumn]) -> None:
    """The high-water marks of the slot files of a change."""
    for name, column in columns.items():
        written = change.written.get(name)
        if written or name not in known:
            sql = "INSERT INTO vectors VALUES (?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET slots = max(slots, excluded.slots)"
            connection.execute(sql, (column.number, name, column.file.dims, int(written.slots[-1]) + 1 if written else 0))


def write_pending(connection: apsw.Connection, change: Change, columns: Mapping[str, VectorColumn], *, with_vectors: bool) -> None:
    """Vectors whose slot files are not forced to the disk before the commit, unless they are; and none of a slot's former owner."""
    _each(connection, "DELETE FROM pending WHERE slot = ?", [(slot,) for slot in change.reused])
    for name, written in change.written.items() if with_vectors else ():
        number = columns[name].number
        rows = ((slot, number, vector.tobytes()) for slot, vector in zip(written.slots.tolist(), written.vectors, strict=True))
        connection.executemany("INSERT INTO pending VALUES (?, ?, ?)", rows)


def _each(connection: apsw.Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Do a statement for each row; without any it is not even looked up."""
    if rows:
        connection.executemany(sql, cast("Sequence[tuple[apsw.SQLiteValue, ...]]", rows))
