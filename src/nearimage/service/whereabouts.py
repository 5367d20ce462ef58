"""Where objects are: for requests that name one by its id alone.

    GET /v1/objects/UUID                                             which collections have it
    weaviate://localhost/UUID, from a property with several targets   which of these has it

Without a tenant the collections without tenants are looked through; with one, those that have the tenant. A reference of a tenant's object leads to objects of
the same tenant, or to those of collections that have no tenants; a reference of an object without a tenant to the latter only.

May import `domain` and `ports` only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionNotFound, InvalidInput, ObjectNotFound, TenantNotActive, TenantNotFound, TenantRequired
from nearimage.domain.objects import IDS_ONLY
from nearimage.domain.schema import Collection
from nearimage.domain.values import Reference
from nearimage.service.beacons import beacon_of, id_alone
from nearimage.service.collections import Collections
from nearimage.service.names import known_name
from nearimage.service.shards import Shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Finds the objects of one database."""

    collections: Collections
    shards: Shards

    def home(self, object_id: UUID, tenant: str = "") -> str:
        """The first of the object's `homes`.

        Raises:
            ObjectNotFound: no collection has it.
        """
        for name in self.homes(object_id, tenant):
            return name
        raise ObjectNotFound(f"no collection has an object with id {object_id}", collection=None, id=str(object_id))

    def homes(self, object_id: UUID, tenant: str = "") -> Iterator[str]:
        """The collections that have an object, in the order of names.

        Cost:
            One look-up a collection; for callers that still name objects without their collections.
        """
        fitting = (schema for schema in self.collections.all() if schema.tenancy.enabled == bool(tenant))
        return (schema.name for schema in fitting if self._has(schema, object_id, tenant))

    def check(self, source: Collection, reference: Reference, tenant: str) -> None:
        """Refuse a reference that nobody could follow, from one tenant to another's objects.

        Args:
            source: the collection of the object that it starts at.
            tenant: of that object.

        Raises:
            InvalidInput: the objects are of different tenants, or the object of a tenant is not there.
        """
        schema = self._known(reference.collection)
        if schema is None or not schema.tenancy.enabled:
            return
        if not source.tenancy.enabled:
            message = f"collection {source.name!r} has no tenants, so its references cannot lead to {schema.name!r}, which has; give both tenants, or neither"
            raise InvalidInput(message, collection=schema.name)
        if tenant and not self._has(schema, reference.id, tenant):
            message = f"tenant {tenant!r} of collection {schema.name!r} has no object {reference.id}; references stay within a tenant"
            raise InvalidInput(message, collection=schema.name, tenant=tenant)

    def in_full(self, beacon: object, targets: Sequence[str], tenant: str) -> object:
        """A beacon with its collection, where it names none and several may be meant; as it is where none of these has the object."""
        object_id = id_alone(beacon) if len(targets) > 1 else None
        schemas = map(self._known, targets) if object_id else ()
        for schema in schemas:
            if object_id and schema and self._has(schema, object_id, tenant if schema.tenancy.enabled else ""):
                return beacon_of(Reference(schema.name, object_id))
        return beacon

    def all_in_full(self, schema: Collection, drafts: Sequence[Draft]) -> Sequence[Draft]:
        """Objects whose beacons are `in_full`."""
        several = {prop.name: prop.targets for prop in schema.properties if len(prop.targets) > 1}
        return [self._draft_in_full(draft, several) for draft in drafts] if several else drafts

    def _draft_in_full(self, draft: Draft, several: Mapping[str, Sequence[str]]) -> Draft:
        changed: dict[str, object] = {}
        for name, value in draft.properties.items():
            targets = several.get(known_name(name, several))
            if targets and isinstance(value, list | tuple):
                changed[name] = [self._entry_in_full(entry, targets, draft.tenant) for entry in value]
        return replace(draft, properties={**draft.properties, **changed}) if changed else draft

    def _entry_in_full(self, entry: object, targets: Sequence[str], tenant: str) -> object:
        return {**entry, "beacon": self.in_full(entry.get("beacon"), targets, tenant)} if isinstance(entry, Mapping) else entry

    def _has(self, schema: Collection, object_id: UUID, tenant: str) -> bool:
        try:
            return bool(self.shards.reading(schema, tenant).get([object_id], IDS_ONLY))
        except (TenantRequired, TenantNotFound, TenantNotActive):
            return False

    def _known(self, name: str) -> Collection | None:
        try:
            return self.collections.get(name)
        except CollectionNotFound:
            return None
