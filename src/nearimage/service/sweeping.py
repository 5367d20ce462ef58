"""Delete by and by what has expired; see `expiry`. May import `domain` and `ports` only."""

from dataclasses import dataclass

from nearimage.domain.schema import Collection, TenantState
from nearimage.ports.clock import Clock
from nearimage.service.collections import Collections
from nearimage.service.expiry import expired
from nearimage.service.shards import Shards

AT_ONCE = 1000
"""Objects deleted in one commit: a few milliseconds, so that callers who write meanwhile do not notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiries:
    """Deletes what has expired in one database."""

    collections: Collections
    shards: Shards
    clock: Clock

    def sweep(self) -> int:
        """Delete every object whose time is over; returns how many.

        Shards that rest or are read-only keep theirs for the next time.

        Cost:
            A filter a shard, and a commit for every `AT_ONCE` objects. Blocks.
        """
        return sum(self._sweep(collection, tenant) for collection in self.collections.all() if collection.expiry for tenant in self._tenants(collection))

    def _tenants(self, collection: Collection) -> list[str]:
        if not collection.tenancy.enabled:
            return [""]
        return [name for name, state in self.shards.engine.tenants(collection.name).items() if state is TenantState.ACTIVE]

    def _sweep(self, collection: Collection, tenant: str) -> int:
        gone, deleted = expired(collection, self.clock.now_ms()), 0
        if gone is None or self.shards.is_locked(collection.name, tenant):
            return 0
        shard = self.shards.changing(collection, tenant)
        while ids := shard.delete_where(gone, limit=AT_ONCE):
            deleted += len(ids)
        return deleted
