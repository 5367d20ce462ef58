"""Add, replace and take away the references of stored objects.

    POST   add one        PUT   put these in the place of all        DELETE   take one away

Each is a change of the object: read, work on the property, write back if nobody else changed it meanwhile. Nobody checks that the object referred to is there:
it may come later. Only a reference that would lead from one tenant to another is refused (`whereabouts`). May import `domain` and `ports` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from nearimage.domain.errors import InvalidInput, NearimageError
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.values import Reference
from nearimage.service.beacons import id_alone, read_any_beacon, read_beacon
from nearimage.service.collections import Collections
from nearimage.service.objects import Objects
from nearimage.service.whereabouts import Whereabouts

_AT_ONCE = 256
"""Objects in one write: others wait meanwhile."""

Change = Callable[[tuple[Reference, ...]], tuple[Reference, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a reference starts."""

    collection: str
    id: UUID
    property: str
    tenant: str = ""


class _Addition(NamedTuple):
    """One reference of a batch."""

    position: int
    property: str
    reference: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Changes references in one database."""

    collections: Collections
    objects: Objects
    whereabouts: Whereabouts

    def add(self, source: Source, beacon: str) -> None:
        """Let the property lead to one object more.

        Raises:
            ObjectNotFound: the object that the reference starts at is not there.
            InvalidInput: the property is no reference, or the beacon is none or leads elsewhere, also to another tenant.
        """
        reference = self.read(source, beacon)
        self._change(source, lambda known: (*known, reference))

    def add_many(self, additions: Sequence[tuple[Source, str]]) -> dict[int, NearimageError]:
        """Add references, of many objects in one write; what could not be added, by position."""
        errors: dict[int, NearimageError] = {}
        by_shard: dict[tuple[str, str], dict[UUID, list[_Addition]]] = {}
        for position, (source, beacon) in enumerate(additions):
            try:
                addition = _Addition(position, source.property, self.read(source, beacon))
            except NearimageError as wrong:
                errors[position] = wrong
            else:
                by_shard.setdefault((source.collection, source.tenant), {}).setdefault(source.id, []).append(addition)
        for (collection, tenant), by_object in by_shard.items():
            objects = iter(by_object)
            while some := list(islice(objects, _AT_ONCE)):
                failed = self._extend(collection, tenant, {one: by_object[one] for one in some})
                errors.update((addition.position, error) for one, error in failed.items() for addition in by_object[one])
        return errors

    def _extend(self, collection: str, tenant: str, additions: Mapping[UUID, Sequence[_Addition]]) -> Mapping[UUID, NearimageError]:
        """Add references to objects of one shard, in one write; what went wrong, by object."""
        try:
            return self.objects.change_many(collection, {one: partial(_extended, additions=these) for one, these in additions.items()}, tenant)
        except NearimageError as failed:
            return dict.fromkeys(additions, failed)

    def replace(self, source: Source, beacons: Sequence[str]) -> None:
        """Let the property lead to these objects only; raises as `add` does."""
        references = tuple(self.read(source, beacon) for beacon in beacons)
        self._change(source, lambda _: references)

    def delete(self, source: Source, beacon: str) -> None:
        """Take one away; where it is not there nothing changes. A beacon without a collection means whichever reference has its id.

        Raises:
            ObjectNotFound: the object that the reference starts at is not there.
            InvalidInput: the property is no reference, or the beacon is none.
        """
        self._property(source, self.collections.get(source.collection))
        object_id, gone = id_alone(beacon), read_any_beacon(beacon)
        if object_id is None and gone is None:
            raise InvalidInput(f"property {source.property!r}: expected a beacon; got {beacon!r}", property=source.property)
        self._change(source, lambda known: tuple(one for one in known if one != gone and one.id != object_id))

    def read(self, source: Source, beacon: str) -> Reference:
        """The reference that a beacon writes, if the property may have it.

        Raises:
            InvalidInput: the property is no reference, or the beacon is none or leads elsewhere, also to another tenant.
        """
        collection = self.collections.get(source.collection)
        prop = self._property(source, collection)
        reference = self._read(prop, self.whereabouts.in_full(beacon, prop.targets, source.tenant))
        self.whereabouts.check(collection, reference, source.tenant)
        return reference

    def _read(self, prop: Property, beacon: object) -> Reference:
        try:
            return read_beacon(beacon, prop.targets)
        except ValueError as wrong:
            raise InvalidInput(f"property {prop.name!r}: expected {wrong}; got {beacon!r}", property=prop.name) from wrong

    def _property(self, source: Source, collection: Collection) -> Property:
        prop = collection.property(source.property)
        if prop is None or prop.data_type is not DataType.REFERENCE:
            have = [p.name for p in collection.properties if p.data_type is DataType.REFERENCE]
            raise InvalidInput(f"collection {collection.name!r} has no reference property {source.property!r}; it has {have}", property=source.property)
        return prop

    def _change(self, source: Source, change: Change) -> None:
        def changed(old: Record) -> Record:
            return _with(old, source.property, change(_references(old, source.property)))

        self.objects.change(source.collection, source.id, changed, source.tenant)


def _extended(old: Record, additions: Sequence[_Addition]) -> Record:
    for name in dict.fromkeys(addition.property for addition in additions):
        old = _with(old, name, (*_references(old, name), *(addition.reference for addition in additions if addition.property == name)))
    return old


def _references(record: Record, name: str) -> tuple[Reference, ...]:
    known = record.properties.get(name)
    return tuple(one for one in known if isinstance(one, Reference)) if isinstance(known, tuple) else ()


def _with(old: Record, name: str, references: tuple[Reference, ...]) -> Record:
    return replace(old, properties={**old.properties, name: references})
