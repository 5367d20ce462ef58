r"""The vector search of one snapshot: exact, or by candidates of an index and then exact.

    passing slots (bitmap) --planner--> all of them --------------------------------------+
                                  \--> index: the nearest codes among the covered ones --+--> measured in float32, the close ones in float64 --> ranked
                                   \-> delta: passing, but written since the build ------+

Whatever proposes the candidates, `scan` measures them, so that an approximate answer has the same distances, order and ties as an exact one; it can only lack
a hit. When fewer hits come than are asked for although more pass, the search is done again over all lists and in the end exactly; when a hit may stand beyond
the candidates, with more of them.

The index must have been taken before the snapshot: what an index does not cover is then in the list of written slots, or not alive (see `vector_indexes`).

May import numpy, `domain` and this package.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Vector
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import THRESHOLD_TOLERANCE
from nearimage.engines.embedded.ann import Bitmap, Coverage, Exact, Situation, Thresholds, deepened, is_deep_enough, plan, widened
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.scan import Wanted, candidates, kth, near, rough_distances, settle
from nearimage.engines.embedded.state import State, VectorColumn

Rows = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float32]

_LONGEST_SQUARED = 1e30  # beyond, sums of products with it overflow float32

_LEAST_ENERGY = 1e-6  # of vectors that are all the same: no division by zero

NOTHING: tuple[Rows, Distances] = np.empty(0, np.int64), np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorQuery:
    """One search.

    Attributes:
        vector: (dims,) float32, contiguous.
        wanted: how many hits, more than 0.
        recall: asked of an approximate index.
        live: how many live objects have the vector.
        passing: the slots that pass, as a bitmap.
        count: how many they are.
        column: where the vectors are, as the state has it.
    """

    thresholds: Thresholds

    column: VectorColumn
    metric: Metric
    vector: Vector
    wanted: int
    recall: float
    live: int
    passing: Bitmap
    count: int


def nearest(query: VectorQuery | None, state: State, coverage: Coverage | None) -> tuple[Rows, Distances]:
    """The rows of the nearest, nearest first, and their distances; nothing for no query."""
    if query is None or query.count == 0:
        return NOTHING
    if coverage and query.count * query.column.file.dims > query.thresholds.exact_floats and _has_direction(query):
        return _approximate(query, state, coverage)
    return _ranked(query, state, slots_of(query.passing))


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


def slots_of(bitmap: Bitmap) -> npt.NDArray[np.int64]:
    """The slots of a bitmap, ascending; quick where few bytes are not 0."""
    filled = np.flatnonzero(bitmap)
    if len(filled) * 4 > len(bitmap):
        return np.flatnonzero(np.unpackbits(bitmap, bitorder="little").view(np.bool_))
    places, bits = np.nonzero(np.unpackbits(bitmap[filled], bitorder="little").view(np.bool_).reshape(-1, 8))
    slots: npt.NDArray[np.int64] = filled[places] * 8 + bits
    return slots


def _approximate(query: VectorQuery, state: State, coverage: Coverage) -> tuple[Rows, Distances]:
    index = coverage.index
    prepared, energy = index.prepare(query.vector)
    way = plan(
        Situation(
            vectors=query.live,
            passing=query.count,
            wanted=query.wanted,
            dims=query.column.file.dims,
            recall=query.recall,
            lists=index.codes.lists,
            setting=coverage.setting(query.recall),
            energy=energy / max(index.tuning.energy, _LEAST_ENERGY),
        ),
        query.thresholds,
    )
    if isinstance(way, Exact):
        return _ranked(query, state, slots_of(query.passing))
    valid = coverage.valid(query.column.written.view(), len(query.passing))
    allowed = query.passing & valid
    missed = query.passing & ~valid
    delta = slots_of(missed) if missed.any() else None
    selected = None if int(np.bitwise_count(allowed).sum()) == len(index.codes) else allowed  # asking a bitmap costs a quarter of a search
    while not isinstance(way, Exact):
        found, told = index.find(prepared, candidates=way.candidates, probes=way.probes, allowed=selected)
        slots = found if delta is None else np.concatenate((found, delta))
        if len(slots) < min(query.wanted, query.count):
            way = widened(way, index.codes.lists)
            continue
        wanted = _wanted(query, slots)
        rough = rough_distances(wanted, query.vector)
        farthest = kth(rough, query.wanted)
        scale = 2 if query.metric is Metric.COSINE else 1  # |a - b|^2 = 2 (1 - cos) for unit vectors
        if len(found) < way.candidates or is_deep_enough(scale * rough[: len(found)], told, scale * farthest):
            return _settled(query, state, wanted, near(wanted, query.vector, rough, farthest))
        way = deepened(way, query.count)
    return _ranked(query, state, slots_of(query.passing))


def _ranked(query: VectorQuery, state: State, slots: npt.NDArray[np.int64]) -> tuple[Rows, Distances]:
    """The nearest of these slots."""
    wanted = _wanted(query, slots)
    return _settled(query, state, wanted, candidates(wanted, query.vector, query.wanted))


def _settled(query: VectorQuery, state: State, wanted: Wanted, chosen: npt.NDArray[np.int64]) -> tuple[Rows, Distances]:
    """The ranking of the slots at these positions, by exact distances."""
    distances, rows = settle(wanted, query.vector, chosen), query.column.rows_of(wanted.slots[chosen], len(state.live))
    order = state.table.index.ids.order(rows, distances)[: query.wanted]
    return rows[order], distances[order]


def _wanted(query: VectorQuery, slots: npt.NDArray[np.int64]) -> Wanted:
    matrix, norms = query.column.published()
    return Wanted(metric=query.metric, matrix=matrix, norms=norms, slots=slots)


def _has_direction(query: VectorQuery) -> bool:
    """Whether the index can place the query: cosine asks for a direction, and what overflows when squared lies nowhere."""
    with np.errstate(over="ignore"):
        squared = float(np.dot(query.vector, query.vector))
    return squared < _LONGEST_SQUARED and (squared > 1 / _LONGEST_SQUARED or query.metric is not Metric.COSINE)
