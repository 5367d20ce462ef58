"""The embedded engine: a database in one folder, in this process.

    EmbeddedEngine --> FolderLock     one process a folder
                   --> Catalog        which collections and tenants exist
                   --> EmbeddedShard  the objects of one, opened when first asked for, closed when others are used more (`open_shards`)

SQLite is the truth about objects, a slot file a named vector holds the vectors, and what a search needs beyond them (norms, columns, postings) is built in
memory on opening. The numbers and the reasons are in docs/design/engine.md.

Shards open on demand, each for itself, so that a large database starts at once and a damaged collection does not take the others with it. Changes of what
exists take turns (`_changing`); a shard that opens or works never asks for that lock, so a change may wait for the calls that run in a shard.

May import `domain`, `ports` and this package.
"""

import logging
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from nearimage.domain.errors import Busy, CollectionExists, CollectionNotFound, DiskFull, FolderUnusable, TenantNotActive, TenantNotAllowed, TenantRequired
from nearimage.domain.schema import Collection, Metric, TenantState
from nearimage.engines.embedded.ann import THRESHOLDS, Thresholds
from nearimage.engines.embedded.ann.kernel import KERNEL
from nearimage.engines.embedded.background import Background
from nearimage.engines.embedded.catalog import Catalog, no_tenant
from nearimage.engines.embedded.folder import FolderLock
from nearimage.engines.embedded.gate import Gate
from nearimage.engines.embedded.open_shards import OPEN_SHARDS, OpenShards
from nearimage.engines.embedded.recent_rows import RecentRows
from nearimage.engines.embedded.rows import JsonRows, RowCodec
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.engines.embedded.snapshots import SnapshotWriter, arriving, size_of
from nearimage.ports.engine import Capabilities, Progress

_log = logging.getLogger(__name__)


class EmbeddedEngine:
    """All collections of one data folder; see `nearimage.ports.engine.Engine`.

    Args:
        folder: made if it is not there.
        codec: how properties are stored; the folder must always be opened with the same.
        open_shards: how many shards stay open at most; fewer where the process may not open as many files.
        thresholds: from which sizes on vectors are indexed.

    Raises:
        FolderInUse: another process has it.
        FolderUnusable: it cannot be made, read or written.
        FormatTooNew: a newer version wrote it.
        Corrupt: the list of collections is damaged.
    """

    def __init__(self, folder: Path, *, codec: RowCodec | None = None, open_shards: int = OPEN_SHARDS, thresholds: Thresholds = THRESHOLDS) -> None:
        self._codec = codec or JsonRows()
        self.background, self._checkpoints = Background(), Background()
        self._thresholds = thresholds
        self._gate = Gate()
        self._changing = threading.Lock()
        self._open_shards = OpenShards(open_shards)
        self._recent = RecentRows()
        self._shards: dict[str, dict[str, EmbeddedShard]] = {}
        if KERNEL is None:
            _log.info("vectors are searched without the compiled kernel, in twice the time: there was no C compiler to install it, or the processor lacks AVX2")
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
        """Every metric: each can be scanned exactly."""
        with self._gate:
            return Capabilities(metrics=frozenset(Metric), snapshots=True)

    def announce(self, *, http_port: int | None = None, grpc_port: int | None = None) -> None:
        """Write into the lock file where this database answers, for whoever tries to open its folder."""
        with self._gate:
            self._folder_lock.announce(http_port=http_port, grpc_port=grpc_port)

    def collections(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        with self._gate:
            return self._catalog.collections()

    def find_collection(self, name: str) -> Collection | None:
        """The collection of that name."""
        self._gate.check()
        return self._catalog.find(name)

    def create_collection(self, collection: Collection) -> None:
        """Make an empty collection, durably."""
        with self._gate, self._changing:
            self._refuse_taken(collection.name)
            self._catalog.add(collection)

    def alter_collection(self, collection: Collection) -> None:
        """Put a new definition in the place of the one of that name, durably."""
        with self._gate, self._changing:
            self._catalog.alter(collection)
            for shard in self._shards.get(collection.name, {}).values():
                shard.alter(collection)

    def drop_collection(self, name: str) -> None:
        """Delete a collection and all its objects, durably."""
        with self._gate, self._changing:
            folder = self._catalog.remove(name)
            for shard in self._shards.pop(name, {}).values():
                shard.close(CollectionNotFound(f"collection {name!r} was dropped", collection=name))
            shutil.rmtree(folder, ignore_errors=True)  # what stays is swept on the next opening

    def aliases(self) -> Mapping[str, str]:
        """The collection that each alias stands for, in the order of aliases."""
        self._gate.check()
        return self._catalog.aliases()

    def set_alias(self, alias: str, collection: str) -> None:
        """Let a name stand for a collection too, durably."""
        with self._gate, self._changing:
            self._catalog.set_alias(alias, collection)

    def drop_alias(self, alias: str) -> bool:
        """Forget an alias, durably; whether there was one."""
        with self._gate, self._changing:
            return self._catalog.remove_alias(alias)

    def tenants(self, collection: str) -> Mapping[str, TenantState]:
        """The tenants of a collection with their states, in the order of names."""
        with self._gate:
            self._refuse_without_tenants(collection)
            return {name: tenant.state for name, tenant in self._catalog.tenants(collection).items()}

    def create_tenants(self, collection: str, tenants: Mapping[str, TenantState]) -> None:
        """Make tenants without objects, durably; those that are there already stay as they are."""
        with self._gate, self._changing:
            self._refuse_without_tenants(collection)
            self._catalog.add_tenants(collection, tenants)

    def set_tenants(self, collection: str, tenants: Mapping[str, TenantState]) -> None:
        """Change the states of tenants, durably; one that goes to rest is closed."""
        with self._gate, self._changing:
            self._refuse_without_tenants(collection)
            for name in tenants:
                if self._catalog.tenant(collection, name) is None:
                    raise no_tenant(collection, name)
            self._catalog.set_tenants(collection, tenants)
            shards = self._shards.get(collection, {})
            for name in tenants.keys() & shards.keys():
                self._apply_state(shards[name], collection, name)

    def drop_tenants(self, collection: str, names: Iterable[str]) -> None:
        """Delete tenants with all their objects, durably."""
        with self._gate, self._changing:
            self._refuse_without_tenants(collection)
            shards = self._shards.get(collection, {})
            for name, folder in self._catalog.remove_tenants(collection, names).items():
                shard = shards.pop(name, None)
                if shard:
                    shard.close(no_tenant(collection, name))
                if folder:
                    shutil.rmtree(folder, ignore_errors=True)

    def shard(self, collection: str, tenant: str = "") -> EmbeddedShard:
        """The shard that holds a collection's objects, or those of one tenant.

        Raises:
            CollectionNotFound, TenantRequired, TenantNotAllowed, TenantNotFound, TenantNotActive: as the port says.
            Corrupt: its stored data is damaged.

        Cost:
            The first time, and again after it was closed for others: `recovery` says how long.
        """
        with self._gate:
            found = self._shards.get(collection, {}).get(tenant) or self._known_shard(collection, tenant)
            if not found.is_open:
                found.open()
            return found

    def is_at_hand(self, collection: str, tenant: str = "") -> bool:
        """Whether the shard is open."""
        shard = self._shards.get(collection, {}).get(tenant)
        return shard is not None and shard.is_open

    def snapshot(self, into: Path, *, collections: Sequence[str] | None = None, progress: Progress | None = None) -> None:
        """Copy collections into a folder while reading and writing go on; each shard is copied as of one commit."""
        with self._gate:
            names = [c.name for c in self._catalog.collections()] if collections is None else list(dict.fromkeys(collections))
            size = size_of(folder for name in names for folder in self._catalog.shard_folders(name))
            writer = SnapshotWriter(into, size, progress)
            try:
                for name in names:
                    self._copy_collection(writer, name)
                writer.finish()
            except BaseException:
                writer.undo()
                raise

    def restore(self, source: Path, *, collections: Sequence[str] | None = None, overwrite_aliases: bool = False, progress: Progress | None = None) -> None:
        """Add the collections of a snapshot, all or none of them; everything in it is checked first."""
        with self._gate, arriving(source, self._catalog.parent, collections=collections, progress=progress) as arrivals, self._changing:
            for arrival in arrivals:
                self._refuse_taken(arrival.collection.name)
            self._catalog.adopt(arrivals, overwrite_aliases=overwrite_aliases)

    def close(self) -> None:
        """Let go of files and memory; calls that run are finished first."""
        closed = Busy("the database is closed; open it again")
        if self._gate.close(closed):
            self.background.close()
            self._checkpoints.close()
            for shards in self._shards.values():
                for shard in shards.values():
                    shard.close(closed)
            self._catalog.close()
            self._folder_lock.release()

    def _known_shard(self, collection: str, tenant: str) -> EmbeddedShard:
        """The one handle of a shard, closed or open."""
        with self._changing:
            self._refuse_unfit(collection, tenant)
            shards = self._shards.setdefault(collection, {})
            if tenant not in shards:
                place = partial(self._catalog.shard_folder, collection, tenant)
                shards[tenant] = EmbeddedShard(
                    place,
                    self._definition(collection),
                    self._codec,
                    self._open_shards,
                    background=self.background,
                    checkpoints=self._checkpoints,
                    recent=self._recent,
                    thresholds=self._thresholds,
                )
                self._apply_state(shards[tenant], collection, tenant)
            return shards[tenant]

    def _copy_collection(self, writer: SnapshotWriter, name: str) -> None:
        """Copy one; if it is dropped meanwhile, leave it out."""
        try:
            if self._definition(name).tenancy.enabled:
                copied = writer.add_tenants(self._catalog.tenants(name), partial(self._known_shard, name))
                writer.name(self._definition(name), tenants=copied, aliases=self._aliases_of(name))
            else:
                writer.add_shard(self._known_shard(name, ""))
                writer.name(self._definition(name), aliases=self._aliases_of(name))
        except CollectionNotFound:
            writer.leave_out()

    def _aliases_of(self, name: str) -> list[str]:
        return [alias for alias, collection in self._catalog.aliases().items() if collection == name]

    def _apply_state(self, shard: EmbeddedShard, collection: str, name: str) -> None:
        tenant = self._catalog.tenant(collection, name)
        is_active = tenant is None or tenant.state is TenantState.ACTIVE
        shard.bar(None if is_active else TenantNotActive(f"tenant not active: {name!r}", collection=collection, tenant=name))

    def _definition(self, name: str) -> Collection:
        found = self._catalog.find(name)
        if found is None:
            raise CollectionNotFound(f"there is no collection {name!r}", collection=name)
        return found

    def _refuse_taken(self, name: str) -> None:
        if self._catalog.find(name):
            raise CollectionExists(f"collection {name!r} already exists", collection=name)

    def _refuse_without_tenants(self, collection: str) -> None:
        if not self._definition(collection).tenancy.enabled:
            raise TenantNotAllowed(f"multi-tenancy is not enabled for class {collection!r}", collection=collection)

    def _refuse_unfit(self, collection: str, tenant: str) -> None:
        enabled = self._definition(collection).tenancy.enabled
        if enabled and not tenant:
            raise TenantRequired(f"class {collection} has multi-tenancy enabled, but request was without tenant", collection=collection)
        if tenant and not enabled:
            raise TenantNotAllowed(f"class {collection} has multi-tenancy disabled, but request was with tenant", collection=collection)
        if tenant and self._catalog.tenant(collection, tenant) is None:
            raise no_tenant(collection, tenant)
