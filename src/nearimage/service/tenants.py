"""Make, list, change and drop the tenants of a collection.

May import `domain` and `ports` only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nearimage.domain.errors import InvalidTenant
from nearimage.domain.schema import Tenant, TenantState
from nearimage.ports.engine import Engine
from nearimage.service.collections import Collections
from nearimage.service.names import check_tenant_name
from nearimage.service.shards import Shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """The tenants of one database."""

    collections: Collections
    engine: Engine
    shards: Shards

    def create(self, collection: str, tenants: Sequence[Tenant]) -> None:
        """Make tenants, all or none; those that are there already stay as they are.

        Raises:
            InvalidTenant: a name that cannot be or comes twice, or a state that this server does not have.
            TenantNotAllowed: the collection keeps no tenants.
            CollectionNotFound: there is no such collection; aliases do not count.
        """
        name = self.collections.by_own_name(collection).name
        for position, tenant in enumerate(tenants):
            check_tenant_name(tenant.name, position)
        self.engine.create_tenants(name, _states(tenants))

    def update(self, collection: str, tenants: Sequence[Tenant]) -> None:
        """Change states, all or none.

        Raises:
            TenantNotFound: one of them is not there.
            InvalidTenant, TenantNotAllowed, CollectionNotFound: as for `create`.
        """
        self.engine.set_tenants(self.collections.by_own_name(collection).name, _states(tenants))

    def delete(self, collection: str, names: Sequence[str]) -> None:
        """Delete tenants with all their objects; names that are not there count nothing.

        Raises:
            TenantNotAllowed, CollectionNotFound: as for `create`.
        """
        name = self.collections.by_own_name(collection).name
        self.engine.drop_tenants(name, names)
        self.shards.forget(name, names)

    def all(self, collection: str) -> Mapping[str, TenantState]:
        """Every tenant with its state, in the order of names.

        Raises:
            TenantNotAllowed, CollectionNotFound: as for `create`.
        """
        return self.engine.tenants(self.collections.get(collection).name)

    def find(self, collection: str, name: str) -> TenantState | None:
        """The state of one tenant; None where it is not there.

        Raises:
            TenantNotAllowed, CollectionNotFound: as for `create`.
        """
        return self.all(collection).get(name)

    def exists(self, collection: str, name: str) -> bool:
        """Whether there is such a tenant.

        Raises:
            TenantNotAllowed, CollectionNotFound: as for `create`.
        """
        return self.find(collection, name) is not None


def _states(tenants: Sequence[Tenant]) -> dict[str, TenantState]:
    twice = [name for name, count in Counter(tenant.name for tenant in tenants).items() if count > 1]
    if twice:
        raise InvalidTenant(f"tenant {twice[0]!r} comes more than once in the request; name it once", tenant=twice[0])
    for tenant in tenants:
        if tenant.state is TenantState.OFFLOADED:
            message = f"tenant {tenant.name!r} cannot be offloaded: this server keeps everything in its own folder; deactivate it instead"
            raise InvalidTenant(message, tenant=tenant.name)
    return {tenant.name: tenant.state for tenant in tenants}
