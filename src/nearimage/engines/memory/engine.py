"""The memory engine: every promise of the port in the plainest code that keeps it.

It is the oracle: the other engines are right where they agree with it. So nothing here is clever: objects are a dict, a filter asks each object, a
search measures each object and sorts. It shares no code with the embedded engine, only the domain's definitions. Also of use where a database is
to vanish with its process; "durable" then means until `close`.

One lock a database: calls run one after another.

May import numpy, `domain` and `ports`.
"""

import threading

from nearimage.domain.errors import Busy, CollectionExists, CollectionNotFound
from nearimage.domain.schema import Collection, Metric
from nearimage.engines.memory.shard import MemoryShard
from nearimage.ports.engine import Capabilities


class MemoryEngine:
    """All collections of one database, in memory; see `nearimage.ports.engine.Engine`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._collections: dict[str, Collection] = {}
        self._shards: dict[str, MemoryShard] = {}
        self._closed = False

    @property
    def capabilities(self) -> Capabilities:
        """Every metric: each is one numpy expression."""
        self._refuse_if_closed()
        return Capabilities(metrics=frozenset(Metric))

    def collections(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        with self._lock:
            self._refuse_if_closed()
            return tuple(self._collections[name] for name in sorted(self._collections))

    def create_collection(self, collection: Collection) -> None:
        """Make an empty collection."""
        with self._lock:
            self._refuse_if_closed()
            if collection.name in self._collections:
                raise CollectionExists(f"collection {collection.name!r} already exists", collection=collection.name)
            self._collections[collection.name] = collection
            self._shards[collection.name] = MemoryShard(collection, self._lock)

    def drop_collection(self, name: str) -> None:
        """Delete a collection and all its objects."""
        with self._lock:
            self._shard(name).close(CollectionNotFound(f"collection {name!r} was dropped", collection=name))
            del self._collections[name], self._shards[name]

    def shard(self, collection: str) -> MemoryShard:
        """The shard that holds a collection's objects."""
        with self._lock:
            return self._shard(collection)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            for shard in self._shards.values():
                shard.close(_closed())
            self._shards.clear()
            self._collections.clear()

    def _shard(self, name: str) -> MemoryShard:
        self._refuse_if_closed()
        if name not in self._shards:
            raise CollectionNotFound(f"there is no collection {name!r}", collection=name)
        return self._shards[name]

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise _closed()


def _closed() -> Busy:
    return Busy("the database is closed; open it again")
