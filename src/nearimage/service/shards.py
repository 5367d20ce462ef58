"""Which shard a request means, and what a collection does by itself when its tenant is missing or at rest.

    tenancy.auto_create      a write to a tenant that is not there makes it
    tenancy.auto_activate    a read or a write of an inactive tenant activates it

May import `domain` and `ports` only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from nearimage.domain.errors import ShardReadOnly, TenantNotActive, TenantNotFound
from nearimage.domain.schema import Collection, TenantState
from nearimage.ports.engine import Engine, Shard
from nearimage.service.names import check_tenant_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The shards of one database, by collection and tenant.

    Attributes:
        locked: those that refuse writes, until they are unlocked or the server is started anew.
    """

    engine: Engine
    locked: set[tuple[str, str]] = field(default_factory=set)

    def are_at_hand(self, collection: Collection, tenant: str) -> bool:
        """Whether reading would begin at once."""
        return self.engine.is_at_hand(collection.name, tenant)

    def reading(self, collection: Collection, tenant: str) -> Shard:
        """The shard to read.

        Raises:
            TenantRequired, TenantNotAllowed, TenantNotFound, TenantNotActive: as they say.
        """
        try:
            return self.engine.shard(collection.name, tenant)
        except TenantNotActive:
            if not collection.tenancy.auto_activate:
                raise
        self.engine.set_tenants(collection.name, {tenant: TenantState.ACTIVE})
        return self.engine.shard(collection.name, tenant)

    def changing(self, collection: Collection, tenant: str) -> Shard:
        """The shard to change or delete objects in; a tenant that is not there is not made.

        Raises:
            TenantRequired, TenantNotAllowed, TenantNotFound, TenantNotActive, ShardReadOnly: as they say.
        """
        if self.is_locked(collection.name, tenant):
            shown = f"tenant {tenant!r} of collection {collection.name!r}" if tenant else f"collection {collection.name!r}"
            raise ShardReadOnly(f"{shown} was made read-only; set its shard to READY first", collection=collection.name, tenant=tenant)
        return self.reading(collection, tenant)

    def is_locked(self, collection: str, tenant: str) -> bool:
        """Whether the shard refuses writes."""
        return (collection, tenant) in self.locked

    def lock(self, collection: str, tenant: str, *, locked: bool) -> None:
        """Refuse writes from now on, or take them again."""
        if locked:
            self.locked.add((collection, tenant))
        else:
            self.locked.discard((collection, tenant))

    def forget(self, collection: str, tenants: Iterable[str] | None = None) -> None:
        """Unlock what was dropped, so that what is made anew under its name can be written to.

        Args:
            tenants: names; None means the whole collection.
        """
        gone = {key for key in self.locked if key[0] == collection} if tenants is None else {(collection, name) for name in tenants}
        self.locked.difference_update(gone)

    def writing(self, collection: Collection, tenant: str) -> Shard:
        """The shard to store objects in.

        Raises:
            InvalidTenant: the tenant would be made, but cannot have this name.
            TenantRequired, TenantNotAllowed, TenantNotFound, TenantNotActive, ShardReadOnly: as they say.
        """
        try:
            return self.changing(collection, tenant)
        except TenantNotFound:
            if not collection.tenancy.auto_create:
                raise
        check_tenant_name(tenant)
        self.engine.create_tenants(collection.name, {tenant: TenantState.ACTIVE})
        return self.reading(collection, tenant)
