"""What callers ask of the writer, and how the requests of one transaction see each other.

    Put, PutIf, Patch, Delete --admit--> Batch          one after another, as if each were alone: a later one sees what an earlier one left
    Batch.after                                  what is left in the end of every object that was touched

Each request fails alone. Nothing here writes: the writer looks up the ids beforehand, and reads the rows of those that are patched.

May import `domain` and this package.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from nearimage.domain.errors import InvalidInput, NearimageError, ObjectChanged, ObjectExists
from nearimage.domain.objects import Record
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.prepared import Prepared, Preparer
from nearimage.engines.embedded.rows import StoredRow


class Stored(NamedTuple):
    """What the table of objects says of an object that is about to be replaced or deleted.

    Attributes:
        pictures: the key of its pictures; None where it has none.
    """

    id: bytes
    revision: int
    slot: int | None
    seals: bytes
    pictures: int | None


@dataclass(slots=True)
class Batch:
    """The changes of one transaction.

    Attributes:
        dimensions: of each named vector, with what this transaction adds.
        index: what converts values.
        stored: the objects of the ids asked for, as they were before.
        row_of: reads all of such an object.
        after: by id, in the order of the last change: the object that is to be stored, or None where it is to go.
        moves: whether objects are to get other slots and stay as they are.
    """

    preparer: Preparer
    index: Index
    dimensions: dict[str, int]
    stored: Mapping[bytes, Stored]
    row_of: Callable[[Stored], StoredRow]
    after: dict[bytes, Prepared | None] = field(default_factory=dict)
    moves: bool = False

    def has(self, packed_id: bytes) -> bool:
        """Whether an object of this id is there at this point."""
        return self.after[packed_id] is not None if packed_id in self.after else packed_id in self.stored

    def properties_of(self, packed_id: bytes) -> Record | None:
        """The object as it is at this point, without vectors and pictures; None where there is none."""
        if not self.has(packed_id):
            return None
        known = self.after.get(packed_id) or self.row_of(self.stored[packed_id])
        return self.preparer.record(known)

    def patch(self, prepared: Prepared) -> None:
        """Give an object that is there other properties.

        Raises:
            InvalidInput: they must be refused; nothing was changed.
        """
        earlier = self.after.get(prepared.id)
        if earlier is None:
            self.put(prepared._replace(is_patch=True))
            return
        blobs = {name: earlier.converted[name] for name in earlier.pictures if name in earlier.converted}
        self.put(
            earlier._replace(
                created_ms=prepared.created_ms,
                updated_ms=prepared.updated_ms,
                properties=prepared.properties,
                converted=prepared.converted | blobs,
                refusal=prepared.refusal,
            )
        )

    def put(self, prepared: Prepared) -> None:
        """Store one object.

        Raises:
            InvalidInput: it must be refused; nothing was changed.
        """
        self.preparer.check(prepared, self.dimensions)
        self.dimensions.update(prepared.dims)
        self.after.pop(prepared.id, None)
        self.after[prepared.id] = prepared


class Request(Protocol):
    """One call that writes."""

    @property
    def size(self) -> int:
        """How many objects it touches; more than a commit takes together if it must be alone in one."""
        ...

    @property
    def ids(self) -> Sequence[bytes]:
        """Whose stored versions it must know; asked for when its turn has come."""
        ...

    def admit(self, batch: Batch) -> None:
        """Add its changes.

        Raises:
            NearimageError: it is refused, whole.
        """
        ...


@dataclass(slots=True)
class Put:
    """`Shard.put`; `outcomes` is its answer."""

    prepared: Sequence[Prepared]
    outcomes: tuple[NearimageError | None, ...] = ()

    @property
    def size(self) -> int:
        """All records."""
        return len(self.prepared)

    @property
    def ids(self) -> Sequence[bytes]:
        """Of all records."""
        return [one.id for one in self.prepared]

    def admit(self, batch: Batch) -> None:
        """Each record succeeds or fails alone."""
        self.outcomes = tuple(_try_put(batch, one) for one in self.prepared)


@dataclass(slots=True)
class PutIf:
    """`Shard.put_if`."""

    prepared: Prepared
    revision: int

    @property
    def size(self) -> int:
        """One."""
        return 1

    @property
    def ids(self) -> Sequence[bytes]:
        """Of the one record."""
        return (self.prepared.id,)

    def admit(self, batch: Batch) -> None:
        """Refused if the object is not as the caller saw it; a version that the same transaction stores, nobody has seen yet."""
        packed_id = self.prepared.id
        id_, there = UUID(bytes=packed_id), batch.has(packed_id)
        if self.revision == 0 and there:
            raise ObjectExists(f"an object with id {id_} already exists; replace or merge it, or choose another id", id=str(id_))
        seen = there and packed_id not in batch.after and batch.stored[packed_id].revision == self.revision
        if self.revision != 0 and not seen:
            raise ObjectChanged(f"object {id_} was changed or deleted since it was read; read it again", id=str(id_))
        batch.put(self.prepared)


@dataclass(slots=True)
class Patch:
    """`Shard.patch`; `outcomes` is its answer: for each object that is there why it was not changed, or None."""

    changes: Mapping[bytes, Callable[[Record], Record]]
    outcomes: dict[bytes, NearimageError | None] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """One an object."""
        return len(self.changes)

    @property
    def ids(self) -> Sequence[bytes]:
        """All of them."""
        return tuple(self.changes)

    def admit(self, batch: Batch) -> None:
        """Where there is no such object, nothing is done; each fails alone."""
        self.outcomes = {}
        for packed_id, change in self.changes.items():
            before = batch.properties_of(packed_id)
            if before is None:
                continue
            try:
                batch.patch(batch.preparer.prepare(change(before), batch.index))
                self.outcomes[packed_id] = None
            except NearimageError as refused:
                self.outcomes[packed_id] = refused


@dataclass(slots=True)
class Delete:
    """`Shard.delete`; `deleted` is its answer."""

    ids: Sequence[bytes]
    deleted: int = 0

    @property
    def size(self) -> int:
        """All ids."""
        return len(self.ids)

    def admit(self, batch: Batch) -> None:
        """Ids that are not there count nothing."""
        self.deleted = 0
        for one in self.ids:
            if batch.has(one):
                batch.after.pop(one, None)
                batch.after[one] = None
                self.deleted += 1


@dataclass(slots=True)
class DeleteChosen:
    """`Shard.delete_where`; alone in its commit, for what it deletes depends on what is stored.

    Attributes:
        choose: the ids to delete, asked for when its turn has come.
        chosen: these ids; its answer.
    """

    choose: Callable[[], Sequence[bytes]]
    chosen: Sequence[bytes] = ()
    size: int = sys.maxsize

    @property
    def ids(self) -> Sequence[bytes]:
        """Those chosen."""
        self.chosen = self.choose()
        return self.chosen

    def admit(self, batch: Batch) -> None:
        """They go."""
        batch.after.update(dict.fromkeys(self.chosen))


@dataclass(slots=True)
class Move:
    """Objects that get other slots; alone in its commit.

    Attributes:
        choose: the objects as they are stored, asked for when its turn has come.
        objects: these.
    """

    choose: Callable[[], Sequence[Prepared]]
    objects: Sequence[Prepared] = ()
    size: int = sys.maxsize

    @property
    def ids(self) -> Sequence[bytes]:
        """Those chosen."""
        self.objects = self.choose()
        return [one.id for one in self.objects]

    def admit(self, batch: Batch) -> None:
        """They stay as they are."""
        batch.moves = True
        batch.after.update((one.id, one) for one in self.objects)


@dataclass(slots=True)
class Exclusive:
    """Work that needs the writer's turn but touches no object, such as taking up another definition.

    Attributes:
        size: more than any commit takes together, so that it is alone.
    """

    work: Callable[[], None]
    size: int = sys.maxsize
    ids: Sequence[bytes] = ()

    def admit(self, batch: Batch) -> None:  # noqa: ARG002 the protocol's argument
        """Do it."""
        self.work()


def _try_put(batch: Batch, prepared: Prepared) -> NearimageError | None:
    try:
        batch.put(prepared)
    except InvalidInput as wrong:
        return wrong
    return None
