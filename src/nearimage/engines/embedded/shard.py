"""One collection, or one tenant of it, on disk: the port's methods over a reader, a writer and the exact scan.

    put, patch, delete   --> writing.py     one at a time
    match_text           --> keywords.py (rows by BM25) -> reading.py
    get, scan            --> reading.py     out of one snapshot; with a filter or an order: index.py (mask) -> sorting.py (rows) -> reading.py
    aggregate            --> index.py (mask) -> aggregating.py
    nearest              --> index.py (mask) -> nearest.py (by an index or a scan) -> reading.py (records), all of one snapshot
    distances            --> reading.py (rows) -> scan.py
    count, stats         --> the published state alone

A multi-vector is searched by multi_vectors.py.

Any thread may call anything; readers wait neither for each other nor for the writer's disk (reading.py). May import numpy, `domain`, `ports` and this package.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np

from nearimage.domain.aggregates import Aggregation, Group
from nearimage.domain.errors import NearimageError, VectorNameUnknown
from nearimage.domain.filters import Filter
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import AnyVector, Projection, Record
from nearimage.domain.profile import Watch, watching
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, Property, VectorConfig
from nearimage.domain.vectors import check_dimensions, dims_of
from nearimage.engines.embedded.aggregating import Aggregating
from nearimage.engines.embedded.ann import THRESHOLDS, Thresholds
from nearimage.engines.embedded.background import Background, failed, shard_prefix, under_way
from nearimage.engines.embedded.copying import Told, copy_shard, resting_database
from nearimage.engines.embedded.disk import size_on_disk, storage_faults
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.gate import Gate
from nearimage.engines.embedded.ids import named_ids
from nearimage.engines.embedded.keywords import KeywordSearch
from nearimage.engines.embedded.layout import SHARD_FILE
from nearimage.engines.embedded.nearest import measured, nearest, within
from nearimage.engines.embedded.open_shards import OpenShards
from nearimage.engines.embedded.reading import ROWS_AT_ONCE, Publication, Reader, Snapshot
from nearimage.engines.embedded.recent_rows import RecentRows
from nearimage.engines.embedded.recovery import connect_shard, load
from nearimage.engines.embedded.rows import RowCodec
from nearimage.engines.embedded.selecting import first_rows
from nearimage.engines.embedded.sorting import Keys
from nearimage.engines.embedded.state import State
from nearimage.engines.embedded.upkeep import Upkeep
from nearimage.engines.embedded.value_codes import Coded, Rows
from nearimage.engines.embedded.vector_indexes import VectorIndexes
from nearimage.engines.embedded.writing import Writer
from nearimage.ports.engine_answers import Nearest, Ranked
from nearimage.ports.engine_stats import ShardStats, VectorIndexStats


class EmbeddedShard:
    """The objects of one collection, or of one tenant of it; see `nearimage.ports.engine.Shard`.

    It opens its files at the first call and may be put to rest when it is idle (`open_shards`); the next call opens them again.

    Args:
        place: where its folder is; asked at each opening, it makes the folder if need be.
        open_shards: who decides which shards stay open.
        background: where its upkeep is done.
        checkpoints: where its log is copied.
        recent: where rows that were read are remembered.
        thresholds: from which sizes on vectors are indexed.
    """

    _publication: Publication
    _reader: Reader
    _writer: Writer
    _upkeep: Upkeep
    _indexes: VectorIndexes

    def __init__(
        self,
        place: Callable[[], Path],
        collection: Collection,
        codec: RowCodec,
        open_shards: OpenShards,
        *,
        background: Background,
        checkpoints: Background,
        recent: RecentRows,
        thresholds: Thresholds = THRESHOLDS,
    ) -> None:
        self._place = place
        self._background = background
        self._checkpoints = checkpoints
        self._recent = recent
        self._thresholds = thresholds
        self._collection = collection
        self._codec = codec
        self._open_shards = open_shards
        self._gate = Gate(self._open_files, self._close_files)

    @property
    def is_open(self) -> bool:
        """Whether a call would begin at once."""
        return self._gate.is_awake

    def open(self) -> None:
        """Open the files now.

        Raises:
            Corrupt: stored data is damaged.
            FormatTooNew: a newer version wrote it.
        """
        with self._gate:
            pass

    def alter(self, collection: Collection) -> None:
        """Go by another definition from now on, without opening anything that is closed."""
        with self._gate.holding() as is_open:
            self._collection = collection
            if is_open:
                self._writer.alter(collection)
                self._reader.alter(collection)
                self._upkeep.alter(collection)
                self._indexes.alter(collection)

    def put(self, records: Sequence[Record]) -> tuple[NearimageError | None, ...]:
        """Store records, replacing those with the same id whole."""
        with self._gate:
            outcomes = self._writer.put(records)
            self._look()
            return outcomes

    def put_if(self, record: Record, revision: int) -> None:
        """Store one record only if the stored one still has this revision."""
        with self._gate:
            self._writer.put_if(record, revision)
            self._look()

    def patch(self, changes: Mapping[UUID, Callable[[Record], Record]]) -> dict[UUID, NearimageError | None]:
        """Give stored objects other properties; their vectors and blobs stay as they are."""
        with self._gate:
            outcomes = self._writer.patch(changes)
            self._look()
            return outcomes

    def delete(self, ids: Sequence[UUID]) -> int:
        """Delete objects; ids that are not there count nothing."""
        with self._gate:
            deleted = self._writer.delete(ids)
            self._look()
            return deleted

    def get(self, ids: Sequence[UUID], projection: Projection) -> dict[UUID, Record]:
        """The objects with these ids."""
        with self._gate:
            return self._reader.one_commit(projection, lambda snapshot: self._reader.by_id(snapshot, ids, projection), loosely=len(ids) <= ROWS_AT_ONCE)

    def delete_where(self, where: Filter, *, limit: int | None = None) -> tuple[UUID, ...]:
        """Delete the objects that pass a filter."""
        with self._gate:
            deleted = self._writer.delete_where(where, limit)
            self._look()
            return deleted

    def scan(
        self, *, where: Filter | None, after: UUID | None, limit: int, offset: int, projection: Projection, sort: Sequence[SortBy] = ()
    ) -> Sequence[Record]:
        """Objects in ascending order of ids, or in the order asked for."""
        watch = watching("object")

        def found(snapshot: Snapshot) -> Sequence[Record]:
            if where is None and not sort:
                records = self._reader.after(snapshot, after, limit, offset, projection)
            else:
                rows = self._page(snapshot, where, after, sort, page=slice(offset, offset + limit), watch=watch)
                records = self._reader.at_rows(snapshot, rows, projection)
            watch.lap("objects")
            return records

        with self._gate:
            by_property = any(map(self._collection.property, (key.field for key in sort)))  # may need values of rows that are not returned
            return self._reader.one_commit(projection, found, loosely=not by_property)

    def _page(self, snapshot: Snapshot, where: Filter | None, after: UUID | None, sort: Sequence[SortBy], *, page: slice, watch: Watch) -> Positions:
        """The rows of a page of what passes, in order."""
        state = snapshot.state
        named = None if where is None else named_ids(where)
        rows: Positions | None = None
        if named is not None and len(named) <= ROWS_AT_ONCE:  # a mask of a million rows takes as long as a hundred such questions
            rows = self._reader.rows_named(snapshot, [one for one in named if not after or one > after])
        else:
            passing = self._passing(state, where)
            if after:
                passing = passing & state.table.index.ids.greater(after, len(passing))
            if passing is not state.live or state.count != len(state.live):
                rows = np.flatnonzero(passing)
        if watch.is_on and where is not None:
            watch.lap("filter")
            watch.note("passing", state.count if rows is None else len(rows))
        keys = Keys(self._collection, state.table.index, state.table.revisions.view(len(state.live)), partial(self._codes, snapshot))
        chosen = first_rows(rows, keys.of(sort, by_id=where is None or not sort), page.stop - page.start, page.start)
        if sort:
            watch.lap("sort")
        return chosen

    def nearest(
        self, vector_name: str, query: AnyVector, *, limit: int, offset: int, where: Filter | None, max_distance: float | None, projection: Projection
    ) -> Nearest:
        """Objects by distance of their named vector to the query."""
        watch = watching("vector")

        def found(snapshot: Snapshot) -> Nearest:
            state, vector = snapshot.state, np.ascontiguousarray(query, np.float32)
            stored = self._reader.multi_vectors(snapshot, config.name) if config.is_multi else None
            if stored:
                ranking = stored.nearest(config.metric, vector, offset + limit, state, self._passing(state, where))
            else:
                asked = self._indexes.query(config, vector, offset + limit, state, where)
                if asked and where is not None:
                    watch.lap("filter")
                    watch.note("passing", asked.passing.count)
                ranking = nearest(asked, state, coverage)
            watch.note("exact", ranking.is_exact)
            rows, distances = within(max_distance, ranking.rows, ranking.distances)
            watch.lap("search")
            page = slice(offset, offset + limit)
            records = self._reader.at_rows(snapshot, rows[page], projection)
            watch.lap("objects")
            return Nearest(records=records, distances=distances[page].copy())

        with self._gate:
            config = self._config(vector_name)
            coverage = self._indexes.current(vector_name)  # before the snapshot; `vector_indexes` says why
            return self._reader.one_commit(projection, found, loosely=not config.is_multi)

    def distances(self, vector_name: str, query: AnyVector, ids: Sequence[UUID]) -> dict[UUID, float]:
        """How far the named vectors of these objects are from a query."""
        with self._gate, self._reader.snapshot() as snapshot:
            config, column = self._config(vector_name), snapshot.state.vectors.get(vector_name)
            if column is None:
                return {}
            check_dimensions(dims_of(query), column.file.dims, name=vector_name)
            revisions = self._reader.revision_of_each(snapshot, ids)
            stored = self._reader.multi_vectors(snapshot, vector_name) if config.is_multi else None
            if stored:
                far = stored.distances(config.metric, query, list(revisions.values()))
                return {one: float(far[revision]) for one, revision in revisions.items() if revision in far}
            rows = snapshot.state.table.rows_of(np.fromiter(revisions.values(), np.int64, len(revisions)))
            have, found = measured(column, config.metric, np.ascontiguousarray(query, np.float32), rows)
            return dict(zip((one for one, has in zip(revisions, have.tolist(), strict=True) if has), found.tolist(), strict=True))

    def passing_ids(self, where: Filter | None) -> bytes:
        """The ids of the objects that pass, packed."""
        with self._gate:
            state = self._publication.state
            rows = np.flatnonzero(self._passing(state, where))
            ids = state.table.index.ids
            return ids.packed(rows[ids.order(rows)])

    def match_text(self, query: Keywords, *, limit: int, offset: int, where: Filter | None, projection: Projection) -> Ranked:
        """Objects by how well their text answers a keyword query."""
        watch = watching("keyword")

        def found(snapshot: Snapshot) -> Ranked:
            passing = None if where is None else self._passing(snapshot.state, where)
            if watch.is_on and passing is not None:
                watch.lap("filter")
                watch.note("passing", int(np.count_nonzero(passing)))
            rows, scores = self._keywords.best(snapshot.state, self._collection, query, passing, offset + limit, watch=watch)
            watch.lap("search")
            page = slice(offset, offset + limit)
            watch.note("hits", len(rows[page]))
            records = self._reader.at_rows(snapshot, rows[page], projection)
            watch.lap("objects")
            return Ranked(records=records, scores=scores[page])

        with self._gate:
            return self._reader.one_commit(projection, found)

    def aggregate(self, aggregation: Aggregation, *, where: Filter | None = None, ids: Sequence[UUID] | None = None) -> tuple[Group, ...]:
        """Summaries of the objects that pass the filter."""
        with self._gate, self._reader.snapshot() as snapshot:
            table = snapshot.state.table
            passing = self._passing(snapshot.state, where)
            if ids is not None:
                chosen = np.zeros(len(passing), np.bool_)
                chosen[table.rows_of(np.array(self._reader.revisions(snapshot, ids), np.int64))] = True
                passing = passing & chosen
            return Aggregating(aggregation, self._collection, table, self._rows(snapshot)).run(np.flatnonzero(passing))

    def count(self, where: Filter | None = None) -> int:
        """How many objects there are, or pass the filter."""
        with self._gate:
            state = self._publication.state
            return state.count if where is None else int(np.count_nonzero(self._passing(state, where)))

    def stats(self) -> ShardStats:
        """Figures of this shard."""
        with self._gate, self._reader.snapshot() as snapshot:
            state = snapshot.state
            dimensions = {name: column.file.dims for name, column in state.vectors.items()}
            return ShardStats(
                objects=state.count,
                dimensions=dimensions,
                disk_bytes=size_on_disk(self._folder),
                indexes=self._indexes.stats(state) | self._multi_stats(snapshot),
                background=under_way(self._folder, self._background, self._checkpoints),
                failures=failed(self._folder, self._background, self._checkpoints),
            )

    def copy(self, target: Path, told: Told) -> None:
        """Copy the files into a new folder as of one commit, whatever goes on meanwhile, and whether calls are let in or not."""
        with self._gate.holding() as is_open:
            if is_open:
                with self._background.showing(f"{shard_prefix(self._folder)}backup"), self._reader.snapshot() as snapshot:
                    copy_shard(snapshot.connection, self._folder, target, told)
            else:
                folder = self._place()
                with resting_database(folder) as connection:
                    copy_shard(connection, folder, target, told)

    def bar(self, refusal: NearimageError | None) -> None:
        """Answer every call with this error once those that run have ended, and let go of the files; None: let calls in again."""
        if refusal is None:
            self._gate.unbar()
        else:
            self._gate.bar(refusal)
            self._gate.rest()

    def close(self, refusal: NearimageError) -> None:
        """Wait for the calls that run, let go of the files, and answer every later call with this error."""
        self._gate.close(refusal)

    def _open_files(self) -> None:
        self._folder = self._place()
        path = self._folder / SHARD_FILE
        with storage_faults(path):
            connection = connect_shard(self._folder)
            try:
                opened = load(self._folder, connection, self._collection, self._codec)
            except BaseException:
                connection.close()
                raise
        self._publication = Publication(opened.state)
        self._reader = Reader(path, self._collection, self._codec, self._publication, self._recent.of_shard())
        self._keywords = KeywordSearch()
        self._writer = Writer(self._folder, self._collection, self._codec, connection=connection, publication=self._publication, opened=opened)
        self._indexes = VectorIndexes(self._folder, self._collection, self._publication, background=self._background, thresholds=self._thresholds)
        self._upkeep = Upkeep(
            self._folder,
            self._collection,
            self._codec,
            writer=self._writer,
            reader=self._reader,
            publication=self._publication,
            checkpoints=self._checkpoints,
        )
        self._upkeep.start(self._background, lambda damage: self._gate.bar(damage, wait=False))
        self._open_shards.add(self._gate)

    def _close_files(self) -> None:
        self._open_shards.discard(self._gate)
        self._indexes.close()
        self._upkeep.close(self._background)
        self._reader.close()
        self._writer.close()
        for column in self._publication.state.vectors.values():
            column.file.close()
        del self._publication, self._reader, self._writer, self._indexes, self._upkeep, self._keywords

    def _look(self) -> None:
        self._upkeep.look(self._background)
        self._indexes.check()

    def _config(self, vector_name: str) -> VectorConfig:
        config = self._collection.vector(vector_name)
        if config is None:
            have = [v.name for v in self._collection.vectors]
            raise VectorNameUnknown(f"collection {self._collection.name!r} has no vector {vector_name!r}; it has {have}", have=have)
        return config

    def _multi_stats(self, snapshot: Snapshot) -> dict[str, VectorIndexStats]:
        names = [config.name for config in self._collection.vectors if config.is_multi]
        stored = {name: found for name in names if (found := self._reader.multi_vectors(snapshot, name))}
        return {name: VectorIndexStats(kind="exact", vectors=one.count()) for name, one in stored.items()}

    def _codes(self, snapshot: Snapshot, prop: Property) -> Coded:
        return snapshot.state.table.coded.of(self._rows(snapshot), [prop])[prop.name]

    def _rows(self, snapshot: Snapshot) -> Rows:
        """What codes of values are learnt from."""
        state = snapshot.state
        return Rows(state.live, state.revision, lambda rows: self._reader.values(snapshot, state.table.revisions.view()[rows]))

    def _passing(self, state: State, where: Filter | None) -> Mask:
        if where is None:
            return state.live
        return state.live & state.table.index.mask(where, len(state.live))
