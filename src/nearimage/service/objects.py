"""Insert, replace, merge, delete and read single objects, and store batches of them.

    Draft --check--> Record --vectorize--> Record with vectors --put--> stored

Checks and vectors come first, the write last and whole: what fails leaves nothing behind. Replacing and merging read the object, work on it and
write it back only if nobody else changed it meanwhile (compare and set), else they start again. Changes to one object that meet in this process
take turns, so that none of them starts again ten times; a batch or another process does not wait for them. A change that no vector depends on, such as of a
caption, is made in the engine's turn, and leaves vectors and blobs where they are.

May import `domain` and `ports` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from uuid import UUID, uuid4

from nearimage.domain.columns import record_of
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput, NearimageError, ObjectChanged, ObjectNotFound, ShardReadOnly, TenantNotActive
from nearimage.domain.objects import IDS_ONLY, AnyVector, Projection, Record
from nearimage.domain.schema import NO_MODULE, Collection, DataType
from nearimage.domain.values import PropertyValue, Reference
from nearimage.ports.clock import Clock
from nearimage.ports.engine import Shard
from nearimage.service.auto_schema import AutoSchema
from nearimage.service.collections import Collections
from nearimage.service.names import known_name
from nearimage.service.shards import Shards
from nearimage.service.targets import VectorNames
from nearimage.service.values import ValueReader
from nearimage.service.vectorize import ObjectVectorizer
from nearimage.service.whereabouts import Whereabouts

TRIES = 10
"""Rounds of compare and set; each lost round means that another writer of the same object got through, so ten in a row are no accident."""

LOCKS = 64
"""Far more than requests at once (`NEARIMAGE_THREADS`), so that changes to different objects seldom share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Reads and writes objects of one database."""

    collections: Collections
    shards: Shards
    values: ValueReader
    vectorizer: ObjectVectorizer
    clock: Clock
    auto: AutoSchema
    whereabouts: Whereabouts
    turns: tuple[Lock, ...] = field(default_factory=lambda: tuple(Lock() for _ in range(LOCKS)))

    def insert(self, collection: str, draft: Draft) -> Record:
        """Store a new object.

        Raises:
            ObjectExists: the id is taken.
            InvalidInput: a value, a vector or a picture is wrong.
        """
        schema = self.auto.fit(collection, [draft])
        record = self._prepare(schema, [draft])[0]
        if isinstance(record, NearimageError):
            raise record
        self.shards.writing(schema, draft.tenant).put_if(record, 0)
        return record

    def put_many(self, collection: str, drafts: Sequence[Draft]) -> list[Record | NearimageError]:
        """Store many objects, replacing those whose ids are taken.

        Returns:
            For each draft, in order: the stored record, or why it was not stored. One bad object costs the others nothing.

        Raises:
            CollectionNotFound: there is no such collection.
        """
        schema = self.auto.fit(collection, drafts)
        outcomes = self._prepare(schema, drafts)
        by_tenant: dict[str, list[int]] = {}
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, Record):
                by_tenant.setdefault(drafts[number].tenant, []).append(number)
        for tenant, numbers in by_tenant.items():
            stored = self._put(schema, tenant, [record for number in numbers if isinstance(record := outcomes[number], Record)])
            for number, failure in zip(numbers, stored, strict=True):
                outcomes[number] = failure or outcomes[number]
        return outcomes

    def check(self, collection: str, draft: Draft) -> None:
        """Find out whether an object could be stored; nothing is stored, and no model runs.

        Raises:
            InvalidInput: a value or a vector is wrong.
        """
        self._checked(self.collections.get(collection), draft)

    def replace(self, collection: str, object_id: UUID, draft: Draft) -> Record:
        """Store an object in the place of the one with its id, keeping the time of creation.

        Raises:
            CollectionNotFound: there is no such collection; a change makes none.
            ObjectNotFound: there is none to replace.
        """
        schema, fresh = self._change(collection, object_id, draft)
        shard = self.shards.changing(schema, draft.tenant)
        return self._rewrite(schema, shard, object_id, lambda old: replace(fresh, created_ms=old.created_ms))

    def merge(self, collection: str, object_id: UUID, draft: Draft) -> None:
        """Change some properties of an object: given ones replace, None takes away, the rest stays; references come to those that are there.

        Vectors are made of what is taken away, too: in Weaviate a picture leaves its vector behind, until another one comes.

        Raises:
            CollectionNotFound: there is no such collection; a change makes none.
            ObjectNotFound: there is none to change.
        """
        schema, changes = self._change(collection, object_id, draft)
        known = {prop.name for prop in schema.properties}
        gone = {known_name(name, known) for name, value in draft.properties.items() if value is None}
        made = {v.name for v in schema.vectors if v.module != NO_MODULE}
        idle = {prop.name for prop in schema.properties if prop.data_type is DataType.REFERENCE and changes.properties.get(prop.name) == ()}

        def merged(old: Record) -> Record:
            fresh = {name: _merged(old.properties.get(name), value) for name, value in changes.properties.items() if name not in idle}
            properties = {**old.properties, **fresh}
            kept = {name: vector for name, vector in old.vectors.items() if name not in made}
            return replace(changes, properties=properties, vectors=kept | dict(changes.vectors), created_ms=old.created_ms)

        def left(record: Record) -> Record:
            return replace(record, properties={name: value for name, value in record.properties.items() if name not in gone})

        shard = self.shards.changing(schema, draft.tenant)
        if not changes.vectors and self.vectorizer.are_plain(schema, {*changes.properties, *gone}):
            _raise_any(_patch(schema, shard, {object_id: lambda old: left(merged(old))}))
        else:
            self._rewrite(schema, shard, object_id, merged, left)

    def change(self, collection: str, object_id: UUID, change: Callable[[Record], Record], tenant: str = "") -> None:
        """Work on those properties of a stored object that are no blobs and make no vectors; nobody else's change is lost.

        Args:
            change: may be called several times, each time with the object as it is then, without blobs and vectors.

        Raises:
            ObjectNotFound: there is none to change.
        """
        _raise_any(self.change_many(collection, {object_id: change}, tenant))

    def change_many(self, collection: str, changes: Mapping[UUID, Callable[[Record], Record]], tenant: str = "") -> dict[UUID, NearimageError]:
        """The same of several objects in one write; what went wrong, by object."""
        schema, now = self.collections.get(collection), self.clock.now_ms()

        def timed(change: Callable[[Record], Record], old: Record) -> Record:
            return replace(change(old), updated_ms=now)

        return _patch(schema, self.shards.changing(schema, tenant), {one: partial(timed, change) for one, change in changes.items()})

    def delete(self, collection: str, object_id: UUID, tenant: str = "") -> bool:
        """Delete an object; returns whether there was one."""
        schema = self.collections.get(collection)
        return self.shards.changing(schema, tenant).delete([object_id]) > 0

    def get(self, collection: str, object_id: UUID, projection: Projection, tenant: str = "") -> Record:
        """Read one object.

        Raises:
            ObjectNotFound: there is none.
        """
        schema = self.collections.get(collection)
        found = self.shards.reading(schema, tenant).get([object_id], projection)
        if object_id not in found:
            raise _missing(schema, object_id)
        return found[object_id]

    def _prepare(self, schema: Collection, drafts: Sequence[Draft]) -> list[Record | NearimageError]:
        """Check and vectorize; an entry is an error where the draft cannot be stored."""
        checked = self._check(schema, drafts)
        good = [record for record in checked if isinstance(record, Record)]
        ready = iter(self.vectorizer.add_vectors(schema, good, [None] * len(good)))
        return [entry if isinstance(entry, NearimageError) else next(ready) for entry in checked]

    def get_many(self, collection: str, ids: Sequence[UUID], projection: Projection, tenant: str = "") -> dict[UUID, Record]:
        """Read objects; ids that are not there are absent."""
        schema = self.collections.get(collection)
        return self.shards.reading(schema, tenant).get(ids, projection)

    def _put(self, schema: Collection, tenant: str, records: Sequence[Record]) -> Sequence[NearimageError | None]:
        """Store the records of one tenant; what is wrong with the tenant is wrong with each of them."""
        try:
            return self.shards.writing(schema, tenant).put(records)
        except (InvalidInput, TenantNotActive, ShardReadOnly) as refused:
            return [refused] * len(records)

    def _change(self, collection: str, object_id: UUID, draft: Draft) -> tuple[Collection, Record]:
        """The collection, grown by what the draft has, and the draft as a record; where there is no object, nothing grows, and only that is told."""
        schema = self.collections.get(collection)
        if self.auto.grows(schema, [draft]):
            self._check_there(schema, object_id, draft.tenant)
            schema = self.auto.fit(collection, [draft])
        try:
            return schema, self._checked(schema, replace(draft, id=object_id))
        except InvalidInput:
            self._check_there(schema, object_id, draft.tenant)
            raise

    def _check_there(self, schema: Collection, object_id: UUID, tenant: str) -> None:
        if not self.shards.reading(schema, tenant).get([object_id], IDS_ONLY):
            raise _missing(schema, object_id)

    def _checked(self, schema: Collection, draft: Draft) -> Record:
        (outcome,) = self._check(schema, [draft])
        if isinstance(outcome, InvalidInput):
            raise outcome
        return outcome

    def _check(self, schema: Collection, drafts: Sequence[Draft]) -> list[Record | InvalidInput]:
        """The drafts as they would be stored, or what is wrong with them."""
        drafts = self.whereabouts.all_in_full(schema, drafts)
        whole_floats = all(draft.whole_floats for draft in drafts)
        values = self.values.read_many(schema, [draft.properties for draft in drafts], whole_floats=whole_floats)
        vectors = VectorNames(schema).of_all([draft.vectors for draft in drafts])
        return list(map(self._record, drafts, values, vectors))

    def _record(
        self, draft: Draft, values: Mapping[str, PropertyValue] | InvalidInput, vectors: Mapping[str, AnyVector] | InvalidInput
    ) -> Record | InvalidInput:
        if isinstance(values, InvalidInput):
            return values
        if isinstance(vectors, InvalidInput):
            return vectors
        now = self.clock.now_ms()
        return record_of(draft.id or uuid4(), values, vectors, (now, now))

    def _rewrite(
        self, schema: Collection, shard: Shard, object_id: UUID, change: Callable[[Record], Record], left: Callable[[Record], Record] = lambda made: made
    ) -> Record:
        """Compare and set: read, change, vectorize, write what is left of it if still the same."""
        with self.turns[object_id.int % LOCKS]:
            for _ in range(TRIES):
                try:
                    return self._rewrite_once(schema, shard, object_id, change, left)
                except ObjectChanged:
                    continue
        raise ObjectChanged(f"object {object_id} was changed by other callers {TRIES} times while this change was made; try again", id=str(object_id))

    def _rewrite_once(self, schema: Collection, shard: Shard, object_id: UUID, change: Callable[[Record], Record], left: Callable[[Record], Record]) -> Record:
        everything = Projection(properties=tuple(p.name for p in schema.properties), vectors=None)
        old = shard.get([object_id], everything).get(object_id)
        if old is None:
            raise _missing(schema, object_id)
        fresh = self.vectorizer.add_vectors(schema, [change(old)], [old])[0]
        if isinstance(fresh, NearimageError):
            raise fresh
        fresh = left(fresh)
        shard.put_if(fresh, old.revision)
        return fresh


def _merged(old: PropertyValue | None, new: PropertyValue) -> PropertyValue:
    """What a property is after a merge; references are added, as Weaviate does it, and each leads to an object once."""
    if isinstance(old, tuple) and isinstance(new, tuple) and any(isinstance(one, Reference) for one in (*old, *new)):
        return tuple(dict.fromkeys((*old, *new)))
    return new


def _patch(schema: Collection, shard: Shard, changes: Mapping[UUID, Callable[[Record], Record]]) -> dict[UUID, NearimageError]:
    """Change properties without touching vectors and blobs, which may be a thousand times as large; what went wrong, by object."""
    outcomes = shard.patch(changes)
    missing = {one: _missing(schema, one) for one in changes if one not in outcomes}
    return missing | {one: refused for one, refused in outcomes.items() if refused is not None}


def _raise_any(errors: Mapping[UUID, NearimageError]) -> None:
    for error in errors.values():
        raise error


def _missing(schema: Collection, object_id: UUID) -> ObjectNotFound:
    return ObjectNotFound(f"collection {schema.name!r} has no object with id {object_id}", collection=schema.name, id=str(object_id))
