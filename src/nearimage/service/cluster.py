"""How full the shards are, and which of them may be written to.

A shard that was made read-only refuses writes until it is made ready again, or the server is started anew.

May import `domain` and `ports` only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nearimage.domain.errors import InvalidInput, InvalidParameter
from nearimage.domain.schema import Collection, TenantState
from nearimage.ports.engine_stats import VectorIndexStats
from nearimage.service.collections import Collections
from nearimage.service.shards import Shards

READY, READ_ONLY, INDEXING = "READY", "READONLY", "INDEXING"
"""The states of a shard under the names that clients send; a shard says INDEXING while its index is behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFigures:
    """One shard.

    Attributes:
        name: the tenant's, or the collection's where it keeps no tenants.
        waiting: how many vectors are not in the index yet; they are found all the same.
        compressed: whether some vector is searched by compressed copies first.
        indexes: by named vector, of those that have an approximate index, or for which one is made.
        background: what goes on for the shard at the moment, in words for people.
        failures: by such a word, why it went wrong when it was last tried.
        loaded: whether it is open; of a tenant that nobody has asked for yet nothing else is known.
    """

    collection: str
    name: str
    objects: int
    state: str
    waiting: int
    compressed: bool
    indexes: Mapping[str, VectorIndexStats] = field(default_factory=dict)
    background: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    loaded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The shards of one database."""

    collections: Collections
    shards: Shards

    def figures(self, collection: str | None = None, tenant: str = "") -> list[ShardFigures]:
        """The shards of a collection, or of all of them; inactive tenants have none.

        Args:
            tenant: only this one.

        Raises:
            CollectionNotFound: there is none of that name.

        Cost:
            Opens the shards of collections without tenants; those of tenants, which may be many, are left as they are.
        """
        chosen = self.collections.all() if collection is None else (self.collections.get(collection),)
        return [self._figures(one, name) for one in chosen for name in self._tenants(one) if tenant in ("", name)]

    def set_state(self, collection: str, shard: str, state: str) -> None:
        """Make a shard read-only, or ready for writing.

        Raises:
            CollectionNotFound: there is no such collection.
            InvalidInput: there is no such shard.
            InvalidParameter: there is no such state.
        """
        schema = self.collections.get(collection)
        names = {_shard_name(schema, tenant): tenant for tenant in self._tenants(schema)}
        if shard not in names:
            raise InvalidInput(f"collection {schema.name!r} has no shard {shard!r}", collection=schema.name, shard=shard)
        if state.upper() not in (READY, READ_ONLY):
            raise InvalidParameter(f"status is {READY} or {READ_ONLY}, got {state!r}", rule=606)
        self.shards.lock(schema.name, names[shard], locked=state.upper() == READ_ONLY)

    def _tenants(self, collection: Collection) -> Iterator[str]:
        if not collection.tenancy.enabled:
            yield ""
            return
        states = self.shards.engine.tenants(collection.name)
        yield from (name for name, state in states.items() if state is TenantState.ACTIVE)

    def _figures(self, collection: Collection, tenant: str) -> ShardFigures:
        name, locked = _shard_name(collection, tenant), self.shards.is_locked(collection.name, tenant)
        if tenant and not self.shards.are_at_hand(collection, tenant):
            state = READ_ONLY if locked else READY
            return ShardFigures(collection=collection.name, name=name, objects=0, state=state, waiting=0, compressed=False, loaded=False)
        stats = self.shards.reading(collection, tenant).stats()
        indexes = list(stats.indexes.values())
        waiting = sum(_waiting(index) for index in indexes)
        return ShardFigures(
            collection=collection.name,
            name=name,
            objects=stats.objects,
            state=READ_ONLY if locked else INDEXING if waiting else READY,
            waiting=waiting,
            compressed=any(index.kind != "exact" for index in indexes),
            indexes={name: index for name, index in stats.indexes.items() if index.kind != "exact" or index.state != "ready"},
            background=stats.background,
            failures=stats.failures,
        )


def _waiting(index: VectorIndexStats) -> int:
    return max(index.vectors - index.indexed, 0) if index.kind != "exact" else 0


def _shard_name(collection: Collection, tenant: str) -> str:
    return tenant or collection.name
