"""The memory engine: every promise of the port in the plainest code that keeps it.

It is the oracle: the other engines are right where they agree with it. So nothing here is clever: objects are a dict, a filter asks each object, a
search measures each object and sorts. It shares no code with the embedded engine, only the domain's definitions. Also of use where a database is
to vanish with its process; "durable" then means until `close`.

One lock a database: calls run one after another.

May import numpy, `domain` and `ports`.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from nearimage.domain.errors import (
    Busy,
    CollectionExists,
    CollectionNotFound,
    NotSupported,
    TenantNotActive,
    TenantNotAllowed,
    TenantNotFound,
    TenantRequired,
)
from nearimage.domain.schema import Collection, Metric, TenantState
from nearimage.engines.memory.shard import MemoryShard
from nearimage.ports.engine import Capabilities, Progress


class MemoryEngine:
    """All collections of one database, in memory; see `nearimage.ports.engine.Engine`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._collections: dict[str, Collection] = {}
        self._shards: dict[str, dict[str, MemoryShard]] = {}
        self._aliases: dict[str, str] = {}
        self._closed = False

    @property
    def capabilities(self) -> Capabilities:
        """Every metric: each is one numpy expression."""
        with self._open():
            return Capabilities(metrics=frozenset(Metric))

    def collections(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        with self._open():
            return tuple(self._collections[name] for name in sorted(self._collections))

    def find_collection(self, name: str) -> Collection | None:
        """The collection of that name."""
        with self._open():
            return self._collections.get(name)

    def create_collection(self, collection: Collection) -> None:
        """Make an empty collection."""
        with self._open():
            if collection.name in self._collections:
                raise CollectionExists(f"collection {collection.name!r} already exists", collection=collection.name)
            self._collections[collection.name] = collection
            self._shards[collection.name] = {} if collection.tenancy.enabled else {"": MemoryShard(collection, self._lock)}

    def alter_collection(self, collection: Collection) -> None:
        """Put a new definition in the place of the one of that name."""
        with self._open():
            self._known(collection.name)
            self._collections[collection.name] = collection
            for shard in self._shards[collection.name].values():
                shard.alter(collection)

    def drop_collection(self, name: str) -> None:
        """Delete a collection and all its objects."""
        with self._open():
            self._known(name)
            for shard in self._shards[name].values():
                shard.close(CollectionNotFound(f"collection {name!r} was dropped", collection=name))
            del self._collections[name], self._shards[name]

    def aliases(self) -> Mapping[str, str]:
        """The collection that each alias stands for, in the order of aliases."""
        with self._open():
            return dict(sorted(self._aliases.items()))

    def set_alias(self, alias: str, collection: str) -> None:
        """Let a name stand for a collection too."""
        with self._open():
            self._known(collection)
            self._aliases[alias] = collection

    def drop_alias(self, alias: str) -> bool:
        """Forget an alias; whether there was one."""
        with self._open():
            return self._aliases.pop(alias, None) is not None

    def tenants(self, collection: str) -> Mapping[str, TenantState]:
        """The tenants of a collection with their states, in the order of names."""
        with self._open():
            return {name: shard.tenant_state for name, shard in sorted(self._tenants(collection).items())}

    def create_tenants(self, collection: str, tenants: Mapping[str, TenantState]) -> None:
        """Make tenants without objects; those that are there already stay as they are."""
        with self._open():
            have = self._tenants(collection)
            for name, state in tenants.items():
                if name not in have:
                    have[name] = MemoryShard(self._collections[collection], self._lock, name)
                    have[name].tenant_state = state

    def set_tenants(self, collection: str, tenants: Mapping[str, TenantState]) -> None:
        """Change the states of tenants."""
        with self._open():
            have = self._tenants(collection)
            for name in tenants:
                if name not in have:
                    raise _no_tenant(collection, name)
            for name, state in tenants.items():
                have[name].tenant_state = state

    def drop_tenants(self, collection: str, names: Iterable[str]) -> None:
        """Delete tenants with all their objects."""
        with self._open():
            have = self._tenants(collection)
            for name in names:
                if name in have:
                    have.pop(name).close(_no_tenant(collection, name))

    def shard(self, collection: str, tenant: str = "") -> MemoryShard:
        """The shard that holds a collection's objects, or those of one tenant."""
        with self._open():
            enabled = self._known(collection).tenancy.enabled
            if enabled and not tenant:
                message = f"class {collection} has multi-tenancy enabled, but request was without tenant"
                raise TenantRequired(message, collection=collection)
            if tenant and not enabled:
                message = f"class {collection} has multi-tenancy disabled, but request was with tenant"
                raise TenantNotAllowed(message, collection=collection)
            if tenant not in self._shards[collection]:
                raise _no_tenant(collection, tenant)
            shard = self._shards[collection][tenant]
            if shard.tenant_state is not TenantState.ACTIVE:
                raise TenantNotActive(f"tenant not active: {tenant!r}", collection=collection, tenant=tenant)
            return shard

    def is_at_hand(self, collection: str, tenant: str = "") -> bool:
        """Everything is in memory; what is missing or at rest is refused."""
        shard = self._shards.get(collection, {}).get(tenant)
        return shard is not None and shard.tenant_state is TenantState.ACTIVE

    def snapshot(self, into: Path, *, collections: Sequence[str] | None = None, progress: Progress | None = None) -> None:  # noqa: ARG002 the protocol's arguments
        """There is nothing on a disk to copy."""
        raise NotSupported("a database in memory cannot be backed up", feature="snapshots")

    def restore(
        self,
        source: Path,  # noqa: ARG002 the protocol's arguments
        *,
        collections: Sequence[str] | None = None,  # noqa: ARG002
        overwrite_aliases: bool = False,  # noqa: ARG002
        progress: Progress | None = None,  # noqa: ARG002
    ) -> None:
        """Snapshots are of databases on a disk."""
        raise NotSupported("a database in memory cannot be restored", feature="snapshots")

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            for shards in self._shards.values():
                for shard in shards.values():
                    shard.close(_closed())
            self._shards.clear()
            self._collections.clear()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise _closed()
            yield

    def _known(self, name: str) -> Collection:
        if name not in self._collections:
            raise CollectionNotFound(f"there is no collection {name!r}", collection=name)
        return self._collections[name]

    def _tenants(self, collection: str) -> dict[str, MemoryShard]:
        if not self._known(collection).tenancy.enabled:
            raise TenantNotAllowed(f"multi-tenancy is not enabled for class {collection!r}", collection=collection)
        return self._shards[collection]


def _closed() -> Busy:
    return Busy("the database is closed; open it again")


def _no_tenant(collection: str, tenant: str) -> TenantNotFound:
    return TenantNotFound(f'tenant not found: "{tenant}"', collection=collection, tenant=tenant)
