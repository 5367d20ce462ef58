"""The engine port: storage and search for shards, in the field's own words.

    service --Record, Filter, Vector--> Engine -> Shard --Record, distance--> service

Nothing here is shaped after a protocol or a database: ids are UUIDs, distances are floats, a shard is one collection, or one tenant of it. What
one search needs comes back from one call, read from one snapshot, so that a concurrent delete cannot leave holes in a page.

Promises that hold for every engine, and that `nearimage.testing.EngineContract` checks:
  - A write that returned is durable (it survives kill -9 and power loss) and visible to every call that starts later.
  - A write that raised changed nothing; in a batch, each record succeeds or fails alone.
  - Every method may be called from any thread; none returns live references into the engine's state.

May import `domain`, `engine_answers` and `engine_stats` only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from nearimage.domain.aggregates import Aggregation, Group
from nearimage.domain.errors import NearimageError
from nearimage.domain.filters import Filter
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import AnyVector, Projection, Record
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, Metric, TenantState
from nearimage.ports.engine_answers import Nearest, Ranked
from nearimage.ports.engine_stats import ShardStats

Progress = Callable[[int, int], None]
"""Told now and then how many bytes are done, and how many there are in all (while copying, an estimate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can do; the service asks, never guesses."""

    metrics: frozenset[Metric]
    snapshots: bool = False


class Shard(Protocol):
    """The objects of one collection, or of one tenant of it.

    A shard held for long stays good: it answers by the collection as it was altered last. While its tenant is not active every call raises
    TenantNotActive, once the tenant or the collection was dropped TenantNotFound or CollectionNotFound.
    """

    def put(self, records: Sequence[Record]) -> tuple[NearimageError | None, ...]:
        """Store records, replacing those with the same id whole.

        Args:
            records: any number; where an id comes twice, the last one wins.

        Returns:
            One entry a record, in order: None where it is stored, else why not. DimensionMismatch: not the length stored under that name,
            or, for a first vector, not that of an earlier record in the call. VectorNameUnknown: the collection has no such vector.
            InvalidValue: a value that the engine cannot store (the service has checked values against the schema already).

        Raises:
            DiskFull: nothing of the call was stored.

        Cost:
            One durable commit for the whole call, which calls of other threads may share. Blocks.
        """
        ...

    def put_if(self, record: Record, revision: int) -> None:
        """Store one record only if the stored one still has this revision (compare and set).

        Args:
            revision: what `get` returned; 0 means that no object with the id may be there. An engine that tidies up may give an object another revision
                without a write; then the caller reads again, as after a write of somebody else.

        Raises:
            ObjectExists: revision is 0 and there is one. Looked at first: a record that is also wrong gets this error.
            ObjectChanged: revision is another, or the object is gone.
            DimensionMismatch, DiskFull: as for `put`.
        """
        ...

    def patch(self, changes: Mapping[UUID, Callable[[Record], Record]]) -> dict[UUID, NearimageError | None]:
        """Give stored objects other properties and times, each by itself; their vectors and blobs stay as they are.

        Args:
            changes: each is given the object, without vectors and blobs, and says what it is to be. Nobody else writes meanwhile, so it must be quick. An
                engine that works on a copy may call it again.

        Returns:
            Those of the objects that are there, each with what its change raised, and nothing of it done, or None. Durable when it returns.

        Raises:
            DiskFull: nothing was changed.

        Cost:
            One durable commit. Vectors and blobs are neither read nor written.
        """
        ...

    def delete(self, ids: Sequence[UUID]) -> int:
        """Delete objects; ids that are not there count nothing.

        Returns:
            How many were deleted. Durable when it returns.
        """
        ...

    def get(self, ids: Sequence[UUID], projection: Projection) -> dict[UUID, Record]:
        """The objects with these ids; ids that are not there are absent."""
        ...

    def delete_where(self, where: Filter, *, limit: int | None = None) -> tuple[UUID, ...]:
        """Delete the objects that pass a filter: all of them, or those that were made first.

        Nothing is written between choosing and deleting; the call deletes all of its objects or, when it raises, none.

        Args:
            limit: at most so many.

        Returns:
            The ids deleted, the oldest first, those of one moment as they were written. Durable when it returns.

        Raises:
            DiskFull: nothing was deleted.

        Cost:
            One durable commit. Blocks.
        """
        ...

    def scan(
        self, *, where: Filter | None, after: UUID | None, limit: int, offset: int, projection: Projection, sort: Sequence[SortBy] = ()
    ) -> Sequence[Record]:
        """Objects in ascending order of ids (as 16 bytes, big-endian), or in the order asked for.

        Args:
            after: only greater ids, and in their order.
            offset: skip so many of them first.
            sort: keys, the first one first, checked by the service; objects equal in all of them come by ascending id, with a filter as last written.

        Cost:
            Without a filter or an order O(limit + offset); with one a pass over a column of each key, not a sort of all objects.
        """
        ...

    def nearest(
        self, vector_name: str, query: AnyVector, *, limit: int, offset: int, where: Filter | None, max_distance: float | None, projection: Projection
    ) -> Nearest:
        """Objects by distance of their named vector to the query; objects without that vector do not count.

        Args:
            query: (dims,) float32, for a multi-vector (n, dims), checked by `domain.vectors.check_vector`.
            offset: skip so many of the nearest.
            max_distance: inclusive, with `domain.vectors.THRESHOLD_TOLERANCE`.

        Raises:
            DimensionMismatch: the query has another length than the vectors stored.
            VectorNameUnknown: the collection has no such vector.

        The distances are exact, and so is their order. An engine with an approximate index may miss some of the nearest among many objects; `stats` says
        how few (`VectorIndexStats.recall`). It never returns fewer than there are, and few objects, or few that pass the filter, are all measured.

        Cost:
            O(objects x dims) in an exact engine. Blocks.
        """
        ...

    def distances(self, vector_name: str, query: AnyVector, ids: Sequence[UUID]) -> dict[UUID, float]:
        """How far the named vectors of these objects are from a query, exactly, as `nearest` would say.

        Args:
            ids: objects that are not there, or lack the vector, are absent from the answer.

        Raises:
            DimensionMismatch, VectorNameUnknown: as for `nearest`.

        Cost:
            O(ids x dims). Blocks.
        """
        ...

    def passing_ids(self, where: Filter | None) -> bytes:
        """The ids of all objects that pass the filter: 16 bytes each, big-endian, ascending, one after another.

        Cost:
            That of the filter and of sorting what passes; no object is read.
        """
        ...

    def match_text(self, query: Keywords, *, limit: int, offset: int, where: Filter | None, projection: Projection) -> Ranked:
        """Objects by how well their text answers a keyword query, as `domain.keywords` computes it; objects without a word of it do not count.

        Counts and mean lengths are those of the objects stored at the moment: a replaced or deleted object leaves no trace in them.

        Args:
            query: its properties are searchable text of the collection.
            offset: skip so many of the best.

        Raises:
            PropertyNotSearchable: a property to look in is no searchable text of the collection; detail has "property".

        Cost:
            Grows with the objects that have the query's rarest words, not with those that have its frequent ones, where these cannot matter. Blocks.
        """
        ...

    def aggregate(self, aggregation: Aggregation, *, where: Filter | None = None, ids: Sequence[UUID] | None = None) -> tuple[Group, ...]:
        """Summaries of the objects that pass the filter, as a whole or group by group.

        Args:
            aggregation: checked by the service: each property is there, and of a type in `domain.aggregates.SUMMARISED`.
            ids: only these objects; ids that are not there count nothing.

        Returns:
            Without `group_by` exactly one group, also of no objects. With it, a group for each value that some object has.

        Cost:
            O(objects) in a pass over the columns. The first question about the values of a text, or of a property that is not filterable, reads
            every object. Blocks.
        """
        ...

    def count(self, where: Filter | None = None) -> int:
        """How many objects there are, or pass the filter."""
        ...

    def stats(self) -> ShardStats:
        """Figures of this shard, for people and metrics."""
        ...


class Engine(Protocol):
    """All collections of one database."""

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do."""
        ...

    def collections(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        ...

    def find_collection(self, name: str) -> Collection | None:
        """The collection of exactly that name; None where there is none. Waits for nobody."""
        ...

    def create_collection(self, collection: Collection) -> None:
        """Make an empty collection, durably.

        Raises:
            CollectionExists: the name is taken.
            DiskFull: nothing was made.
        """
        ...

    def drop_collection(self, name: str) -> None:
        """Delete a collection and all its objects, durably.

        Raises:
            CollectionNotFound: there is none of that name.
        """
        ...

    def alter_collection(self, collection: Collection) -> None:
        """Put a new definition in the place of the one of that name, durably; whatever starts later goes by it.

        Args:
            collection: with every property and named vector that it had, of the same types and metrics, and the same `tenancy.enabled`:
                the service sees to that. Of a property `filterable`, `searchable` and `range_filters` may be given up; nobody asks by it then.
                Properties and named vectors may be new, and anything else may differ. No object stored has a value for a property that is new.

        Raises:
            CollectionNotFound: there is none of that name.
            DiskFull: nothing was changed.

        Cost:
            One durable commit, whatever is stored.
        """
        ...

    def aliases(self) -> Mapping[str, str]:
        """The name of the collection that each alias stands for, in the order of aliases.

        An alias outlives its collection; it leads nowhere until it is set anew, or a collection of that name is there again.
        """
        ...

    def set_alias(self, alias: str, collection: str) -> None:
        """Let a name stand for a collection too, durably; where it stood for another, it no longer does.

        Args:
            alias: no name of a collection (the service sees to that). The engine's other methods do not know it: the service looks it up.

        Raises:
            CollectionNotFound: there is none of that name.
            DiskFull: nothing was changed.
        """
        ...

    def drop_alias(self, alias: str) -> bool:
        """Forget an alias, durably; returns whether there was one."""
        ...

    def tenants(self, collection: str) -> Mapping[str, TenantState]:
        """The tenants of a collection with their states, in the order of names.

        Raises:
            CollectionNotFound: there is none of that name.
            TenantNotAllowed: it keeps no tenants.
        """
        ...

    def create_tenants(self, collection: str, tenants: Mapping[str, TenantState]) -> None:
        """Make tenants without objects, durably, all or none of them; those that are there already stay as they are.

        Args:
            tenants: names of 1 to 64 characters out of `[A-Za-z0-9_-]` (the service sees to that); case counts.

        Raises:
            CollectionNotFound, TenantNotAllowed: as for `tenants`.
            DiskFull: nothing was made.

        Cost:
            One durable commit; a tenant without objects takes no room but its name.
        """
        ...

    def set_tenants(self, collection: str, tenants: Mapping[str, TenantState]) -> None:
        """Change the states of tenants, durably, of all or none of them; calls that run in a tenant that goes to rest are finished first.

        Raises:
            TenantNotFound: one of them is not there; nothing was changed.
            CollectionNotFound, TenantNotAllowed, DiskFull: as for `create_tenants`.
        """
        ...

    def drop_tenants(self, collection: str, names: Iterable[str]) -> None:
        """Delete tenants with all their objects, durably; names that are not there count nothing.

        Raises:
            CollectionNotFound, TenantNotAllowed: as for `tenants`.
        """
        ...

    def shard(self, collection: str, tenant: str = "") -> Shard:
        """The shard that holds a collection's objects, or those of one tenant.

        Raises:
            CollectionNotFound: there is none of that name.
            TenantRequired: the collection keeps its objects by tenant, and none is named.
            TenantNotAllowed: a tenant is named, and the collection keeps none.
            TenantNotFound, TenantNotActive: as they say.
        """
        ...

    def is_at_hand(self, collection: str, tenant: str = "") -> bool:
        """Whether reading this shard would begin at once, with nothing to open or refuse. Waits for nobody."""
        ...

    def snapshot(self, into: Path, *, collections: Sequence[str] | None = None, progress: Progress | None = None) -> None:
        """Copy collections into a folder while reading and writing go on; each shard is copied as of one commit.

        Args:
            into: a new or empty folder.
            collections: names; None means all of them. Tenants come along in whatever state they are, and so do aliases.

        Raises:
            NotSupported: the engine has no such capability.
            CollectionNotFound: there is none of one of the names.
            FolderUnusable: the folder is not empty, or cannot be written.
            DiskFull, Corrupt: nothing is left in the folder.
        """
        ...

    def restore(self, source: Path, *, collections: Sequence[str] | None = None, overwrite_aliases: bool = False, progress: Progress | None = None) -> None:
        """Add the collections of a snapshot with their aliases, all or none of them; everything in it is checked first.

        An alias that is the name of something here already is left out: names keep their meaning.

        Args:
            collections: names; None means all that the snapshot has.
            overwrite_aliases: an alias that is one here already stands for the snapshot's collection from now on.

        Raises:
            NotSupported: the engine has no such capability.
            SnapshotUnusable: it is incomplete, damaged, or no snapshot.
            FormatTooNew: a newer version wrote it.
            CollectionNotFound: the snapshot has none of one of the names.
            CollectionExists: this database has one of that name already.
            DiskFull: nothing was added.
        """
        ...

    def close(self) -> None:
        """Let go of files and memory; calls that run are finished first. Closing twice is fine; every other call afterwards raises Busy."""
        ...
