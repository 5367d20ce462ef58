r"""The vector search of one snapshot: exact, or by candidates of an index and then exact.

    passing slots ----------planner--> all of them --------------------------------------+
                                  \--> index: the nearest codes among the covered ones --+--> measured in float32, the close ones in float64 --> ranked
                                   \-> delta: passing, but written since the build ------+

Whatever proposes the candidates, `scan` measures them, so that an approximate answer has the same distances, order and ties as an exact one; it can only lack
a hit. When fewer hits come than are asked for although more pass, the search is done again over all lists and in the end exactly; when a hit may stand beyond
the candidates, with more of them.

The index must have been taken before the snapshot: what an index does not cover is then in the list of written slots, or not alive (see `vector_indexes`).

May import numpy, `domain` and this package.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Vector
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import THRESHOLD_TOLERANCE
from nearimage.engines.embedded.ann import Coverage, Plan, Probe, Situation, Thresholds, deepened, is_cheap, is_deep_enough, plan, widened
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.passing import Passing
from nearimage.engines.embedded.scan import Wanted, candidates, kth, near, rough_distances, settle
from nearimage.engines.embedded.state import State, VectorColumn

Rows = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float32]

_LONGEST_SQUARED = 1e30  # beyond, sums of products with it overflow float32

_RESERVE = 2
"""So many times the candidates are asked of the index: where the first ones are doubted, the rest is at hand without another search."""

_FIRST, _FIRST_PER_HIT = 64, 3
"""So many candidates are measured first, the nearest codes; for nine searches of ten they are enough, though the build found that the tenth needs 256."""

_LEAST_ENERGY = 1e-6  # of vectors that are all the same: no division by zero


class Ranking(NamedTuple):
    """What was found.

    Attributes:
        rows: nearest first.
        is_exact: whether everything that passes was measured.
    """

    rows: Rows
    distances: Distances
    is_exact: bool = True


NOTHING = Ranking(np.empty(0, np.int64), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorQuery:
    """One search.

    Attributes:
        vector: (dims,) float32, contiguous.
        wanted: how many hits, more than 0.
        recall: asked of an approximate index.
        live: how many live objects have the vector.
        passing: those that pass.
        column: where the vectors are, as the state has it.
    """

    thresholds: Thresholds

    column: VectorColumn
    metric: Metric
    vector: Vector
    wanted: int
    recall: float
    live: int
    passing: Passing


def nearest(query: VectorQuery | None, state: State, coverage: Coverage | None) -> Ranking:
    """The nearest; nothing for no query."""
    if query is None or query.passing.count == 0:
        return NOTHING
    if coverage and not is_cheap(query.passing.count, query.column.file.dims, query.thresholds):
        wide = query.vector.astype(np.float64)  # in which no square overflows
        squared = float(wide.dot(wide))
        if _has_direction(query.metric, squared):
            return _Probing(query, coverage, squared).ranked(state)
    return _ranked(query, state, query.passing.slots)


def within(max_distance: float | None, rows: Rows, distances: Distances) -> tuple[Rows, Distances]:
    """Those of a ranking that are no farther."""
    if max_distance is None:
        return rows, distances
    keep = int(np.count_nonzero(distances <= max_distance + THRESHOLD_TOLERANCE))
    return rows[:keep], distances[:keep]


def measured(column: VectorColumn, metric: Metric, query: Vector, rows: Rows) -> tuple[Mask, Distances]:
    """Which of these rows have the vector, and the exact distances of those, in order."""
    have, slots = column.slots_of(rows)
    matrix, norms = column.published()
    return have, settle(Wanted(metric=metric, matrix=matrix, norms=norms, slots=slots), query, np.arange(len(slots)))


class _Probing:
    """A search by an index."""

    def __init__(self, query: VectorQuery, coverage: Coverage, squared: float) -> None:
        self._query = query
        self._coverage = coverage
        self._index = coverage.index
        self._prepared, self._energy = coverage.index.prepare(query.vector, squared)
        self._split = query.passing.beside(coverage)
        self._missed = 0 if self._split.missed is None else len(self._split.missed)
        self._walk = self._index.walk(self._prepared, self._split.counts) if len(self._split.counts) else None

    def ranked(self, state: State) -> Ranking:
        """The nearest that were found."""
        query, way = self._query, self._plan()
        while isinstance(way, Probe):
            found, told = self._index.find(self._prepared, candidates=way.candidates * _RESERVE, lists=self._lists(way), allowed=self._split.allowed)
            if len(found) + self._missed < min(query.wanted, query.passing.count):
                way = widened(way)
            elif measured := self._until_deep_enough(found, told, way):
                return _settled(query, state, *measured)._replace(is_exact=False)
            else:
                way = deepened(way, query.passing.count)
        return _ranked(query, state, query.passing.slots)

    def _until_deep_enough(self, found: Rows, told: Distances, way: Probe) -> tuple[Wanted, Rows] | None:
        """What was measured, and the positions of what may be a hit; None where one may still stand beyond the last candidate.

        The nearest codes are measured first, then as many again, until it is unlikely that a hit stands among the rest.
        """
        query, first, most = self._query, self._missed, way.candidates * _RESERVE
        slots = found if self._split.missed is None else np.concatenate((self._split.missed, found))
        rough, taken = NOTHING.distances, max(_FIRST, _FIRST_PER_HIT * query.wanted)
        while True:
            rough = np.concatenate((rough, rough_distances(_wanted(query, slots[len(rough) : first + taken]), query.vector)))
            farthest = kth(rough, query.wanted)
            if (taken >= len(found) < most) or self._is_deep_enough(rough[first:], told[:taken], farthest):
                wanted = _wanted(query, slots[: len(rough)])
                return wanted, near(wanted, query.vector, rough, farthest)
            if taken >= most:
                return None
            taken = min(2 * taken, most)

    def _plan(self) -> Plan:
        query, index = self._query, self._index
        situation = Situation(
            live=query.live,
            passing=query.passing.count,
            wanted=query.wanted,
            recall=query.recall,
            size=index.size,
            setting=self._coverage.setting(query.recall),
            energy=self._energy / max(index.tuning.energy, _LEAST_ENERGY),
            walk=self._walk,
        )
        return plan(situation, query.thresholds)

    def _lists(self, way: Probe) -> npt.NDArray[np.int64]:
        if way.filtered and self._walk:
            return self._walk.first(way.share)
        return self._index.nearest_lists(self._prepared, way.share)

    def _is_deep_enough(self, rough: Distances, told: Distances, farthest: float) -> bool:
        scale = 2 if self._query.metric is Metric.COSINE else 1  # |a - b|^2 = 2 (1 - cos) for unit vectors
        return is_deep_enough(scale * rough, told, scale * farthest)


def _ranked(query: VectorQuery, state: State, slots: npt.NDArray[np.int64]) -> Ranking:
    """The nearest of these slots."""
    wanted = _wanted(query, slots)
    return _settled(query, state, wanted, candidates(wanted, query.vector, query.wanted))


def _settled(query: VectorQuery, state: State, wanted: Wanted, chosen: npt.NDArray[np.int64]) -> Ranking:
    """The ranking of the slots at these positions, by exact distances."""
    distances, rows = settle(wanted, query.vector, chosen), query.column.rows_of(wanted.slots[chosen], len(state.live))
    order = state.table.index.ids.order(rows, distances)[: query.wanted]
    return Ranking(rows[order], distances[order])


def _wanted(query: VectorQuery, slots: npt.NDArray[np.int64]) -> Wanted:
    matrix, norms = query.column.published()
    return Wanted(metric=query.metric, matrix=matrix, norms=norms, slots=slots)


def _has_direction(metric: Metric, squared: float) -> bool:
    """Whether the index can place a query of this squared length: cosine asks for a direction, and what overflows when squared lies nowhere."""
    return squared < _LONGEST_SQUARED and (squared > 1 / _LONGEST_SQUARED or metric is not Metric.COSINE)
