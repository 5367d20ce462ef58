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
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Vector
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import THRESHOLD_TOLERANCE
from nearimage.engines.embedded.ann import (
    Coverage,
    Plan,
    Probe,
    Situation,
    Thresholds,
    caution,
    deepened,
    is_cheap,
    is_deep_enough,
    plan,
    widened,
)
from nearimage.engines.embedded.ann.kernel import KERNEL, Failed, Found, Kernel, Question
from nearimage.engines.embedded.ann.walking import sure
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.passing import Passing
from nearimage.engines.embedded.scan import Slots, Stored, candidates, kth, near, rough_distances, settle
from nearimage.engines.embedded.state import State, VectorColumn

Rows = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float32]

_LONGEST_SQUARED = 1e30  # beyond, sums of products with it overflow float32

_FIRST, _FIRST_PER_HIT = 64, 3
"""So many candidates are measured first, the nearest codes; for nine searches of ten they are enough, though the build found that the tenth needs 256."""

_MANY = 4
"""Of so many times the hits, looking for the farthest of these is quicker than putting all in order."""

_STRICTER = 0.1
"""Under an inner product so much of the misses is tolerated: the nearest vectors are the long ones, whose codes are wrong by five deviations more often than by
chance. 20,000 normal vectors of 64 dimensions: recall 0.992 without it, 0.999 with it."""

_PATIENT = 10
"""Who was doubted and looked farther down is doubted again only if so many times the misses are expected. Queries unlike any vector of 28,000 in clusters found
0.92 when they looked farther down once, 0.99 when twice; of pictures half of those few that look once need no second look by this, and lose nothing."""

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
        squared = float(np.vdot(query.vector, query.vector))  # infinite where it overflows, without a warning
        if _has_direction(query.metric, squared):
            return _Probing(query, coverage, squared).ranked(state)
    return _scanned(query, state)


def within(max_distance: float | None, rows: Rows, distances: Distances) -> tuple[Rows, Distances]:
    """Those of a ranking that are no farther."""
    if max_distance is None:
        return rows, distances
    keep = int(np.count_nonzero(distances <= max_distance + THRESHOLD_TOLERANCE))
    return rows[:keep], distances[:keep]


def measured(column: VectorColumn, metric: Metric, query: Vector, rows: Rows) -> tuple[Mask, Distances]:
    """Which of these rows have the vector, and the exact distances of those, in order."""
    have, slots = column.slots_of(rows)
    return have, settle(Stored(metric, *column.published()), slots, query)


class _Probing:
    """A search by an index."""

    def __init__(self, query: VectorQuery, coverage: Coverage, squared: float) -> None:
        self._query = query
        self._coverage = coverage
        self._index = coverage.index
        self._stored = Stored(query.metric, *query.column.published())
        self._split = query.passing.beside(coverage)
        self._missed = 0 if self._split.missed is None else len(self._split.missed)
        self._placed = coverage.place(query.vector, squared, self._split.counts)

    def ranked(self, state: State) -> Ranking:
        """The nearest that were found."""
        query, way = self._query, self._plan()
        while isinstance(way, Probe):
            found = self._by_calls(way) if KERNEL is None else self._by_kernel(way, KERNEL)
            if found is Failed.TOO_FEW:
                way = widened(way)
            elif found is Failed.TOO_SHALLOW:
                way = deepened(way, query.passing.count)
            else:
                return _ranked(query, state, *found, is_exact=False)
        return _scanned(query, state)

    def _by_kernel(self, plan: Probe, kernel: Kernel) -> Found | Failed:
        query, split, placed = self._query, self._split, self._placed
        question = Question(
            placed=placed,
            vector=query.vector,
            allowed=split.allowed,
            missed=split.missed,
            wanted=query.wanted,
            needed=min(query.wanted, query.passing.count),
            asked=plan.asked,
            first=_first(query.wanted),
            sure=sure(len(placed.lists)),
            is_last=plan.is_last,
            rank=plan.rank,
            reach=plan.reach,
            tolerated=self._tolerated(plan),
            noise=self._index.tuning.noise,
        )
        return kernel.search(self._index.codes.lying(), query.metric, self._stored.matrix, question)

    def _by_calls(self, plan: Probe) -> Found | Failed:
        """The same without the kernel."""
        query, asked = self._query, plan.asked
        found, told = self._index.find(self._placed, candidates=asked, rank=plan.rank, reach=plan.reach, allowed=self._split.allowed)
        if len(found) + self._missed < min(query.wanted, query.passing.count):
            return Failed.TOO_FEW
        slots = self._until_deep_enough(found, told, plan)
        return Failed.TOO_SHALLOW if slots is None else (slots, settle(self._stored, slots, query.vector))

    def _until_deep_enough(self, found: Slots, told: Distances, plan: Probe) -> Slots | None:
        """The slots of what may be a hit; None where one may still stand beyond the last candidate.

        The nearest codes are measured first, then half as many again, until it is unlikely that a hit stands among the rest.
        """
        query, stored, missed, taken, asked = self._query, self._stored, self._missed, _first(self._query.wanted), plan.asked
        slots = found if self._split.missed is None else np.concatenate((self._split.missed, found))
        rough = NOTHING.distances
        while True:
            with np.errstate(over="ignore", invalid="ignore"):
                more = rough_distances(stored, slots[len(rough) : missed + taken], query.vector)
                rough = np.concatenate((rough, more)) if len(rough) else more
                farthest = kth(rough, query.wanted)
                is_all = taken >= len(found) < asked or (taken >= asked and plan.is_last)
                if is_all or self._is_deep_enough(rough[missed:], told[:taken], farthest, plan):
                    return slots[near(stored, slots[: len(rough)], query.vector, rough, farthest)]
            if taken >= asked:
                return None
            taken = min(taken + taken // 2, asked)

    def _plan(self) -> Plan:
        """What to do; it depends on nothing of the query but how unlike the data it is, and whether what passes lies elsewhere."""
        query, energy = self._query, self._placed.energy / max(self._index.tuning.energy, _LEAST_ENERGY)
        leads_away = self._coverage.leads_away(self._placed, self._split.counts)
        alike = (query.live, query.passing.count, query.wanted, query.recall, caution(energy), leads_away)
        return self._coverage.plan(alike, partial(self._planned, energy, leads_away=leads_away))

    def _planned(self, energy: float, *, leads_away: bool) -> Plan:
        query = self._query
        situation = Situation(
            live=query.live,
            passing=query.passing.count,
            wanted=query.wanted,
            recall=query.recall,
            size=self._index.size,
            setting=self._coverage.setting(query.recall),
            energy=energy,
            leads_away=leads_away,
        )
        return plan(situation, query.thresholds)

    def _tolerated(self, plan: Probe) -> float:
        """How many hits may be missed because they stand beyond the candidates, on average."""
        query = self._query
        return (1 - query.recall) * query.wanted * (_STRICTER if query.metric is Metric.DOT else 1) * (_PATIENT if plan.deepened else 1)

    def _is_deep_enough(self, rough: Distances, told: Distances, farthest: float, plan: Probe) -> bool:
        scale = 2 if self._query.metric is Metric.COSINE else 1  # |a - b|^2 = 2 (1 - cos) for unit vectors
        squared = self._placed.squared if self._index.codes.inner_product else float(told[-1])
        usual = self._index.tuning.noise * max(0.0, squared)
        return is_deep_enough(scale * rough, told, scale * farthest, tolerated=self._tolerated(plan), usual=usual)


def _scanned(query: VectorQuery, state: State) -> Ranking:
    """The nearest of all that pass."""
    stored = Stored(query.metric, *query.column.published())
    slots = candidates(stored, query.passing.slots, query.vector, query.wanted)
    distances = settle(stored, slots, query.vector)
    if len(slots) > _MANY * query.wanted:
        nearest_ones = (distances <= kth(distances, query.wanted)).nonzero()[0]
        slots, distances = slots[nearest_ones], distances[nearest_ones]
    return _ranked(query, state, slots, distances, is_exact=True)


def _ranked(query: VectorQuery, state: State, slots: Slots, distances: Distances, *, is_exact: bool) -> Ranking:
    """The ranking of these slots by their exact distances."""
    rows = query.column.rows_of(slots, len(state.live))
    order = state.table.index.ids.order(rows, distances)[: query.wanted]
    return Ranking(rows[order], distances[order], is_exact)


def _first(wanted: int) -> int:
    return max(_FIRST, _FIRST_PER_HIT * wanted)


def _has_direction(metric: Metric, squared: float) -> bool:
    """Whether the index can place a query of this squared length: cosine asks for a direction, and what overflows when squared lies nowhere."""
    return squared < _LONGEST_SQUARED and (squared > 1 / _LONGEST_SQUARED or metric is not Metric.COSINE)
