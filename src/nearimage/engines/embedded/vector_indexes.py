"""The indexes of a shard's named vectors: who has one, when it is built, and how it keeps up.

    opening, every commit --> due? --> background: load the file, or build, or extend --> swap --> save

A search goes on with the index it took; the next takes the new one. Only the reference is swapped, so nobody waits.

Read the index first and the state afterwards. An index made from commit R covers what was alive in R; a search of commit S >= R finds everything else that is
alive in S in the list of written slots, from `seen` on. The other way round, an index made from a later commit could lack what was deleted in between and is
still alive in S. The builder takes the list as the state counts it: the commit that is being made has added to it already, and is not looked at.

When:

    no index, 10,000 vectors or more                              load its file; build if there is none that fits
    uncovered: 0.4 % of the vectors, at least 1,000               extend; measured again after a quarter's growth, when writes
                                                                  leave time for it
    two and a half times the vectors it was trained on            renew: they are too many for its lists; build where its directions do not fit any more
    more than half of the codes are of dead vectors               build: they are scanned in every search
    fewer than half of 10,000 vectors are left                    none any more
    measured anew and out of reach of the recall asked for        build

A file is written after a build, and after extensions once an eighth (10,000 at least) is not in it. Without it nothing is lost but the time to build. Metrics
without an index (manhattan, hamming), `flat` collections and `skip` are searched exactly.

May import numpy, `domain`, `ports` and this package.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from nearimage.domain.filters import Filter
from nearimage.domain.objects import Vector
from nearimage.domain.schema import Collection, Metric, VectorConfig
from nearimage.domain.vectors import check_dimensions
from nearimage.engines.embedded.ann import (
    THRESHOLDS,
    Bitmap,
    Coverage,
    Source,
    Stopped,
    Thresholds,
    VectorIndex,
    build,
    extend,
    is_in_reach,
    is_measured,
    load,
    renew,
    save,
    target_recall,
    without,
)
from nearimage.engines.embedded.background import Background, Stop, shard_prefix
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.layout import index_file
from nearimage.engines.embedded.nearest import VectorQuery
from nearimage.engines.embedded.passing import Passing, Passings
from nearimage.engines.embedded.reading import Publication
from nearimage.engines.embedded.state import State, VectorColumn
from nearimage.ports.engine_stats import VectorIndexStats

INDEXED_METRICS = frozenset({Metric.COSINE, Metric.DOT, Metric.L2_SQUARED})

_DELTA_SHARE = 1 / 250
"""Beyond `Thresholds.delta`: 4,000 of a million are measured in 0.6 ms at most; adding so few at a time copies codes for 15 us an object (`Codes.without`)."""

_GROWTH = 2.5
_DEAD_SHARE = 0.5

_SAVE_LEAST, _SAVE_SHARE = 10_000, 1 / 8
"""What an opening adds to an older file: 10,000 vectors in 0.15 s. Writing after each extension would write every code 50 times."""


class VectorIndexes:
    """The indexes of one shard. Any thread may call anything.

    Args:
        folder: the shard's; its name tells this shard's background work from others'.
    """

    def __init__(self, folder: Path, collection: Collection, publication: Publication, *, background: Background, thresholds: Thresholds = THRESHOLDS) -> None:
        self._folder = folder
        self._publication = publication
        self._background = background
        self._thresholds = thresholds
        self._take_up(collection)
        self._coverages: dict[str, Coverage] = {}
        self._saved: dict[str, int] = {}
        self._looked: dict[str, int] = {}  # how much of the list of written slots was there when the background last looked
        self._passings = Passings()
        self.check()

    def current(self, name: str) -> Coverage | None:
        """The index of a named vector, if there is one; to be called before the snapshot is taken."""
        return self._coverages.get(name) if name in self._configs else None

    def alter(self, collection: Collection) -> None:
        """Go by other settings from now on."""
        self._take_up(collection)
        self.check()

    def query(self, config: VectorConfig, vector: Vector, wanted: int, state: State, where: Filter | None) -> VectorQuery | None:
        """A search as `nearest` takes it; None as long as no such vector was stored, or nothing is wanted.

        Raises:
            DimensionMismatch: the vector has another length than those stored.
            InvalidFilter: the filter asks for what is not there.
        """

        def evaluate() -> Mask | None:
            return None if where is None else state.live & state.table.index.mask(where, len(state.live))

        column = state.vectors.get(config.name)
        if column is None:
            return None
        check_dimensions(len(vector), column.file.dims, name=config.name)
        if wanted == 0:
            return None
        live = self.live(config.name, state)
        return VectorQuery(
            column=column,
            metric=config.metric,
            vector=vector,
            wanted=wanted,
            recall=self._recalls.get(config.name) or asked_recall(config),  # a name that is new may not be here yet
            live=live.count,
            passing=live if where is None else self._passings.of(config.name, state, where, evaluate),
            thresholds=self._thresholds,
        )

    def live(self, name: str, state: State) -> Passing:
        """What live objects have of the vectors of a name; kept until the next commit."""
        return self._passings.of(name, state, None, lambda: None)

    def check(self) -> None:
        """Ask for background work where it is due; called after every commit, and quick."""
        state = self._publication.state
        for name in self._configs:
            column = state.vectors.get(name)
            if column and self._is_due(name, state, column):
                self._submit(name)

    def stats(self, state: State) -> dict[str, VectorIndexStats]:
        """How each named vector is searched."""
        found = {}
        for name in state.vectors:
            coverage, live = self.current(name), self.live(name, state)
            if coverage is None:
                found[name] = VectorIndexStats(kind="exact", vectors=live.count, state=self._doing(name))
                continue
            missed = live.beside(coverage).missed
            indexed = live.count - (0 if missed is None else len(missed))
            recall = coverage.setting(asked_recall(self._configs[name])).open.recall
            found[name] = VectorIndexStats(kind=coverage.index.kind, vectors=live.count, indexed=indexed, recall=recall, state=self._doing(name))
        return found

    def close(self) -> None:
        """Stop working; the files are about to go."""
        self._background.cancel(self._key(""))

    def _take_up(self, collection: Collection) -> None:
        self._configs = {config.name: config for config in collection.vectors if is_indexed(config)}
        self._recalls = {config.name: asked_recall(config) for config in collection.vectors}

    def _key(self, name: str) -> str:
        return shard_prefix(self._folder) + (f"index of vector {name!r}" if name else "")

    def _doing(self, name: str) -> str:
        key = self._key(name)
        if key in self._background.tasks():
            return "extending" if name in self._coverages else "building"
        why = self._background.failures(key).get(key)
        return f"failed: {why}" if why else "ready"

    def _is_due(self, name: str, state: State, column: VectorColumn) -> bool:
        """A guess from what is at hand; the background counts. Having looked in vain, it looks again after as much more was written."""
        coverage, written = self._coverages.get(name), state.written.get(name, 0)
        if coverage is None:
            last = self._looked.get(name)
            return min(state.count, column.slots) >= self._thresholds.index_from and (last is None or written - last >= self._thresholds.delta)
        index = coverage.index
        return written - max(index.seen, self._looked.get(name, 0)) >= self._delta(index) or state.count < index.vectors * _DEAD_SHARE

    def _keep_up(self, name: str, stop: Stop) -> None:
        """The background's work on one index."""
        is_first = name not in self._looked
        try:
            index = self._following(name, stop)
        except Stopped:
            return
        if index is None:
            return
        self._coverages[name] = Coverage(index)
        if is_first and name in self._saved:  # it was loaded, and much may have been written since
            self._submit(name)
            return
        if name not in self._saved or abs(index.vectors - self._saved[name]) >= max(_SAVE_LEAST, int(index.vectors * _SAVE_SHARE)):
            save(index, self._folder / index_file(self._publication.state.vectors[name].number))
            self._saved[name] = index.vectors
        self.check()

    def _following(self, name: str, stop: Stop) -> VectorIndex | None:
        """The index that should take the present one's place; None if that one will do."""
        recall = asked_recall(self._configs[name])
        source, live, count, written = self._source(name)
        is_first = name not in self._looked
        self._looked[name] = len(written)
        coverage = self._coverages.get(name)
        if coverage is None:
            if is_first and (loaded := self._load(name)):
                self._saved[name] = loaded.vectors
                return loaded
            return build(source, recall, stop) if count >= self._thresholds.index_from else None
        if count < self._thresholds.index_from // 2:
            del self._coverages[name]
            return None
        index = coverage.index
        stale = ~coverage.valid(written, len(live))

        def goes_on() -> bool:
            return self._publication.state.written.get(name, 0) - len(written) >= self._delta(index)

        has_grown = count >= index.trained_on * _GROWTH
        if not has_grown and len(index.codes) * _DEAD_SHARE <= max(count, 1):
            if is_measured(index) and int(np.bitwise_count(live & stale).sum()) < self._delta(index):
                return None
            longer = extend(index, source, stale, stop, goes_on=goes_on)
            if longer.tuning is index.tuning or is_in_reach(longer, recall):
                return longer
        self._saved.pop(name, None)
        return (renew(index, source, recall, stop, goes_on=goes_on) if has_grown else None) or build(source, recall, stop)

    def _delta(self, index: VectorIndex) -> int:
        return max(self._thresholds.delta, int(index.vectors * _DELTA_SHARE))

    def _submit(self, name: str) -> None:
        self._background.submit(self._key(name), partial(self._keep_up, name))

    def _source(self, name: str) -> tuple[Source, Bitmap, int, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
        """What is alive, in the order of reading that the module's essay asks for."""
        state = self._publication.state
        column = state.vectors[name]
        written = column.written.view(state.written.get(name, 0))
        _, slots = column.owners(state.live)
        live, count = column.passing(state.live)
        matrix, norms = column.published()
        metric = self._configs[name].metric
        source = Source(metric=metric, matrix=matrix, norms=norms, slots=np.sort(slots), seen=len(written), revision=state.revision)
        return source, live, count, written

    def _load(self, name: str) -> VectorIndex | None:
        """The index of the file, if it fits what is stored."""
        state = self._publication.state
        column = state.vectors[name]
        index = load(self._folder / index_file(column.number))
        fits = index and index.dims == column.file.dims and index.metric is self._configs[name].metric and index.revision <= state.revision
        if not index or not fits:
            return None
        later = column.written_after(index.revision, state.table.revisions.view(len(state.live)))
        return without(index, later)


def is_indexed(config: VectorConfig) -> bool:
    """Whether this vector gets an index once there are many."""
    return config.metric in INDEXED_METRICS and config.index_type != "flat" and not _hnsw(config).get("skip")


def asked_recall(config: VectorConfig) -> float:
    """The recall that the settings ask for."""
    ef = _hnsw(config).get("ef", -1)
    return target_recall(ef if isinstance(ef, int) else -1)


def _hnsw(config: VectorConfig) -> Mapping[str, object]:
    """The settings of the graph that Weaviate would build; a dynamic index has them one level down."""
    inner = config.index_settings.get("hnsw")
    return inner if isinstance(inner, Mapping) else config.index_settings
