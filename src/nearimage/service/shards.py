"""Which shard a request means, and what a collection does by itself when its tenant is missing or at rest.

    tenancy.auto_create      a write to a tenant that is not there makes it
    tenancy.auto_activate    a read or a write of an inactive tenant activates it

May import `domain` and `ports` only.
"""

from dataclasses import dataclass

from nearimage.domain.errors import TenantNotActive, TenantNotFound
from nearimage.domain.schema import Collection, TenantState
from nearimage.ports.engine import Engine, Shard
from nearimage.service.names import check_tenant_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The shards of one database, by collection and tenant."""

    engine: Engine

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

    def writing(self, collection: Collection, tenant: str) -> Shard:
        """The shard to write to.

        Raises:
            InvalidTenant: the tenant would be made, but cannot have this name.
            TenantRequired, TenantNotAllowed, TenantNotFound, TenantNotActive: as they say.
        """
        try:
            return self.reading(collection, tenant)
        except TenantNotFound:
            if not collection.tenancy.auto_create:
                raise
        check_tenant_name(tenant)
        self.engine.create_tenants(collection.name, {tenant: TenantState.ACTIVE})
        return self.reading(collection, tenant)
