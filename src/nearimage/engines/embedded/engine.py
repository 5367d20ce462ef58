"""The embedded engine: a database in one folder, in this process.

    EmbeddedEngine --> FolderLock     one process a folder
                   --> Catalog        which collections exist
                   --> EmbeddedShard  the objects of one, opened when first asked for

SQLite is the truth about objects, a slot file a named vector holds the vectors, and what a search needs beyond them (norms, columns, postings) is built in
memory on opening. The numbers and the reasons are in docs/design/engine.md.

Collections open one at a time and on demand, so that a large database starts at once and a damaged collection does not take the others with it.

May import `domain`, `ports` and this package.
"""

import shutil
import threading
from pathlib import Path

from nearimage.domain.errors import Busy, CollectionExists, CollectionNotFound, DiskFull, FolderUnusable
from nearimage.domain.schema import Collection, Metric
from nearimage.engines.embedded.catalog import Catalog
from nearimage.engines.embedded.folder import FolderLock
from nearimage.engines.embedded.gate import Gate
from nearimage.engines.embedded.rows import JsonRows, RowCodec
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.ports.engine import Capabilities


class EmbeddedEngine:
    """All collections of one data folder; see `nearimage.ports.engine.Engine`.

    Args:
        folder: made if it is not there.
        codec: how properties are stored; the folder must always be opened with the same.

    Raises:
        FolderInUse: another process has it.
        FolderUnusable: it cannot be made, read or written.
        FormatTooNew: a newer version wrote it.
        Corrupt: the list of collections is damaged.
    """

    def __init__(self, folder: Path, *, codec: RowCodec | None = None) -> None:
        self._codec = codec or JsonRows()
        self._gate = Gate()
        self._lock = threading.Lock()
        self._shards: dict[str, EmbeddedShard] = {}
        self._folder_lock = FolderLock(folder)
        try:
            self._catalog = Catalog(folder)
        except DiskFull:
            self._folder_lock.release()
            raise
        except Busy as failed:  # nothing to try again: the folder does not let itself be written
            self._folder_lock.release()
            raise FolderUnusable(f"the data folder {folder} cannot be used: {failed.message}", path=str(folder)) from failed
        except BaseException:
            self._folder_lock.release()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """Every metric: each is scanned exactly."""
        with self._gate:
            return Capabilities(metrics=frozenset(Metric))

    def announce(self, *, http_port: int | None = None, grpc_port: int | None = None) -> None:
        """Write into the lock file where this database answers, for whoever tries to open its folder."""
        with self._gate:
            self._folder_lock.announce(http_port=http_port, grpc_port=grpc_port)

    def collections(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        with self._gate, self._lock:
            return tuple(self._catalog.collections[name] for name in sorted(self._catalog.collections))

    def create_collection(self, collection: Collection) -> None:
        """Make an empty collection, durably."""
        with self._gate, self._lock:
            if collection.name in self._catalog.collections:
                raise CollectionExists(f"collection {collection.name!r} already exists", collection=collection.name)
            self._catalog.add(collection)

    def drop_collection(self, name: str) -> None:
        """Delete a collection and all its objects, durably."""
        with self._gate, self._lock:
            self._refuse_unknown(name)
            folder = self._catalog.remove(name)
            shard = self._shards.pop(name, None)
            if shard:
                shard.close(CollectionNotFound(f"collection {name!r} was dropped", collection=name))
            shutil.rmtree(folder, ignore_errors=True)  # what stays is swept on the next opening

    def shard(self, collection: str) -> EmbeddedShard:
        """The shard that holds a collection's objects.

        Raises:
            CollectionNotFound: there is none of that name.
            Corrupt: its stored data is damaged.

        Cost:
            The first time, opening it: `recovery` says how long.
        """
        with self._gate:
            found = self._shards.get(collection)
            if found:
                return found
            with self._lock:
                self._refuse_unknown(collection)
                if collection not in self._shards:
                    definition = self._catalog.collections[collection]
                    self._shards[collection] = EmbeddedShard(self._catalog.folder(collection), definition, self._codec)
                return self._shards[collection]

    def close(self) -> None:
        """Let go of files and memory; calls that run are finished first."""
        closed = Busy("the database is closed; open it again")
        if self._gate.close(closed):
            for shard in self._shards.values():
                shard.close(closed)
            self._catalog.close()
            self._folder_lock.release()

    def _refuse_unknown(self, name: str) -> None:
        if name not in self._catalog.collections:
            raise CollectionNotFound(f"there is no collection {name!r}", collection=name)
