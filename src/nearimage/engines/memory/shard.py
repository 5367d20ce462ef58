"""One collection's objects in a dict.

A batch is its records, put one after another: a record is checked against what the records before it left, and the last one with an id stays.

May import numpy, `domain` and `ports`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from uuid import UUID

import numpy as np

from nearimage.domain.aggregates import Aggregation, Group
from nearimage.domain.errors import InvalidInput, NearimageError, ObjectChanged, ObjectExists, TenantNotActive, VectorNameUnknown
from nearimage.domain.filters import Filter
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import AnyVector, Projection, PropertyValue, Record
from nearimage.domain.profile import watching
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, TenantState, VectorConfig
from nearimage.domain.vectors import THRESHOLD_TOLERANCE, check_dimensions, dims_of, exact_distances, max_sim_distance
from nearimage.engines.memory.aggregates import aggregate
from nearimage.engines.memory.filters import passes
from nearimage.engines.memory.keywords import ranked
from nearimage.engines.memory.sorting import in_order
from nearimage.ports.engine_answers import Nearest, Ranked
from nearimage.ports.engine_stats import ShardStats, VectorIndexStats


class MemoryShard:
    """The objects of one collection, or of one tenant of it; see `nearimage.ports.engine.Shard`.

    Attributes:
        tenant_state: set by the engine.
    """

    def __init__(self, collection: Collection, lock: "threading.RLock", tenant: str = "") -> None:
        self.tenant_state = TenantState.ACTIVE
        self._tenant = tenant
        self._collection = collection
        self._lock = lock
        self._objects: dict[UUID, Record] = {}
        self._dimensions: dict[str, int] = {}
        self._revision = 0
        self._refusal: NearimageError | None = None

    def put(self, records: Sequence[Record]) -> tuple[NearimageError | None, ...]:
        """Store records, replacing those with the same id whole."""
        with self._open():
            return tuple(self._try_put(record) for record in records)

    def put_if(self, record: Record, revision: int) -> None:
        """Store one record only if the stored one still has this revision."""
        with self._open():
            stored = self._objects.get(record.id)
            if revision == 0 and stored:
                raise ObjectExists(f"an object with id {record.id} already exists; replace or merge it, or choose another id", id=str(record.id))
            if revision != (stored.revision if stored else 0):
                raise ObjectChanged(f"object {record.id} was changed or deleted since it was read; read it again", id=str(record.id))
            self._put(record)

    def patch(self, changes: Mapping[UUID, Callable[[Record], Record]]) -> dict[UUID, NearimageError | None]:
        """Give stored objects other properties; their vectors and blobs stay as they are."""
        with self._open():
            return {one: self._patched(self._objects[one], change) for one, change in changes.items() if one in self._objects}

    def _patched(self, stored: Record, change: Callable[[Record], Record]) -> NearimageError | None:
        blobs = {name: value for name, value in stored.properties.items() if isinstance(value, bytes)}
        try:
            changed = change(_project(stored, Projection()))
            self._put(replace(changed, properties={**changed.properties, **blobs}, vectors=stored.vectors))
        except NearimageError as refused:
            return refused
        return None

    def delete(self, ids: Sequence[UUID]) -> int:
        """Delete objects; ids that are not there count nothing."""
        with self._open():
            return sum(self._objects.pop(one, None) is not None for one in ids)

    def get(self, ids: Sequence[UUID], projection: Projection) -> dict[UUID, Record]:
        """The objects with these ids."""
        with self._open():
            return {one: _project(self._objects[one], projection) for one in ids if one in self._objects}

    def delete_where(self, where: Filter, *, limit: int | None = None) -> tuple[UUID, ...]:
        """Delete the objects that pass a filter."""
        with self._open():
            eldest = sorted(self._passing(where), key=lambda record: (record.created_ms, record.revision))
            ids = tuple(record.id for record in eldest)[:limit]
            for one in ids:
                del self._objects[one]
            return ids

    def scan(
        self, *, where: Filter | None, after: UUID | None, limit: int, offset: int, projection: Projection, sort: Sequence[SortBy] = ()
    ) -> Sequence[Record]:
        """Objects in ascending order of ids, or in the order asked for."""
        watch = watching("object")
        with self._open():
            found = [record for record in self._passing(where) if after is None or record.id > after]
            found = in_order(found, sort, self._collection, by_id=where is None or not sort)[offset : offset + limit]
            if sort:
                watch.lap("sort")
            page = tuple(_project(record, projection) for record in found)
            watch.lap("objects")
            return page

    def nearest(
        self, vector_name: str, query: AnyVector, *, limit: int, offset: int, where: Filter | None, max_distance: float | None, projection: Projection
    ) -> Nearest:
        """Objects by distance of their named vector to the query."""
        watch = watching("vector")
        with self._open():
            config = self._vector_for(vector_name, query)
            found = [record for record in self._passing(where) if vector_name in record.vectors]
            ranked = [(_distance(config, record, query), record) for record in found]
            ranked = [(distance, record) for distance, record in ranked if max_distance is None or distance <= max_distance + THRESHOLD_TOLERANCE]
            ranked.sort(key=lambda pair: (pair[0], pair[1].id))
            page = ranked[offset : offset + limit]
            watch.note("exact", True)
            watch.lap("search")
            records = tuple(_project(record, projection) for _, record in page)
            watch.lap("objects")
            return Nearest(records=records, distances=np.array([distance for distance, _ in page], np.float32))

    def distances(self, vector_name: str, query: AnyVector, ids: Sequence[UUID]) -> dict[UUID, float]:
        """How far the named vectors of these objects are from a query."""
        with self._open():
            config = self._vector_for(vector_name, query)
            found = {one: self._objects[one] for one in ids if one in self._objects}
            return {one: float(_distance(config, record, query)) for one, record in found.items() if vector_name in record.vectors}

    def passing_ids(self, where: Filter | None) -> bytes:
        """The ids of the objects that pass, packed."""
        with self._open():
            return b"".join(record.id.bytes for record in self._passing(where))

    def match_text(self, query: Keywords, *, limit: int, offset: int, where: Filter | None, projection: Projection) -> Ranked:
        """Objects by how well their text answers a keyword query."""
        watch = watching("keyword")
        with self._open():
            page = ranked(query, self._collection, self._passing(None), self._passing(where))[offset : offset + limit]
            watch.note("hits", len(page))
            watch.lap("search")
            records = tuple(_project(record, projection) for _, record in page)
            watch.lap("objects")
            return Ranked(records=records, scores=np.array([score for score, _ in page], np.float32))

    def aggregate(self, aggregation: Aggregation, *, where: Filter | None = None, ids: Sequence[UUID] | None = None) -> tuple[Group, ...]:
        """Summaries of the objects that pass the filter."""
        with self._open():
            found = [record for record in self._passing(where) if ids is None or record.id in ids]
            return aggregate(found, aggregation, self._collection)

    def count(self, where: Filter | None = None) -> int:
        """How many objects there are, or pass the filter."""
        with self._open():
            return len(self._passing(where))

    def stats(self) -> ShardStats:
        """Figures of this shard."""
        with self._open():
            having = {name: sum(name in record.vectors for record in self._objects.values()) for name in self._dimensions}
            indexes = {name: VectorIndexStats(kind="exact", vectors=count) for name, count in having.items()}
            return ShardStats(objects=len(self._objects), dimensions=dict(self._dimensions), disk_bytes=0, indexes=indexes)

    def alter(self, collection: Collection) -> None:
        """Go by another definition from now on."""
        self._collection = collection

    def close(self, refusal: NearimageError) -> None:
        """Answer every later call with this error."""
        self._refusal = refusal
        self._objects.clear()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._refusal:
                raise self._refusal
            if self.tenant_state is not TenantState.ACTIVE:
                raise TenantNotActive(f"tenant not active: {self._tenant!r}", collection=self._collection.name, tenant=self._tenant)
            yield

    def _try_put(self, record: Record) -> NearimageError | None:
        try:
            self._put(record)
        except InvalidInput as wrong:
            return wrong
        return None

    def _put(self, record: Record) -> None:
        for name, vector in record.vectors.items():
            self._vector(name)
            check_dimensions(dims_of(vector), self._dimensions.get(name, dims_of(vector)), name=name)
        self._dimensions.update({name: dims_of(vector) for name, vector in record.vectors.items()})
        self._revision += 1
        vectors = {name: np.array(vector, np.float32) for name, vector in record.vectors.items()}
        self._objects[record.id] = replace(record, properties=deepcopy(dict(record.properties)), vectors=vectors, revision=self._revision)

    def _passing(self, where: Filter | None) -> list[Record]:
        found = (record for record in self._objects.values() if where is None or passes(where, record, self._collection))
        return sorted(found, key=lambda record: record.id)

    def _vector_for(self, name: str, query: AnyVector) -> VectorConfig:
        """The named vector that a query is for."""
        config = self._vector(name)
        check_dimensions(dims_of(query), self._dimensions.get(name, dims_of(query)), name=name)
        return config

    def _vector(self, name: str) -> VectorConfig:
        config = self._collection.vector(name)
        if config is None:
            have = [v.name for v in self._collection.vectors]
            raise VectorNameUnknown(f"collection {self._collection.name!r} has no vector {name!r}; it has {have}", have=have)
        return config


def _distance(config: VectorConfig, record: Record, query: AnyVector) -> np.float32:
    vector = record.vectors[config.name]
    if config.is_multi:
        return max_sim_distance(config.metric, vector, query)
    return np.float32(exact_distances(config.metric, vector[None, :], query)[0])


def _project(record: Record, projection: Projection) -> Record:
    properties: dict[str, PropertyValue]
    if projection.properties is None:
        properties = {name: value for name, value in record.properties.items() if not isinstance(value, bytes)}
    else:
        properties = {name: value for name, value in record.properties.items() if name in projection.properties}
    wanted = record.vectors if projection.vectors is None else projection.vectors
    vectors = {name: record.vectors[name].copy() for name in wanted if name in record.vectors}
    return replace(record, properties=deepcopy(properties), vectors=vectors)
