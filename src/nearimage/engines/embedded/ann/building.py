"""Building an index and keeping up with what is written, in slices.

    build     sample -> projection -> centres, points -> add all -> measure; more dimensions and once more while the recall asked for is out of reach
    renew     sample -> centres -> add all -> measure, with the projection and the points of an index that the data has outgrown, if they still fit it
    extend    a copy of the codes, plus what was written since

Building takes 2 to 3 s of one core for 100,000 x 512, renewing two thirds of that. Between slices of 50 ms at most it asks `stop`.

Vectors that a code cannot stand for are left out, and so are always measured exactly: zeros under cosine (no direction), and lengths that overflow when
squared in float32.

May import numpy, `domain` and this package.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Metric
from nearimage.engines.embedded.ann.codes import POINTS, Bitmap, Codes, Homes, Slots
from nearimage.engines.embedded.ann.measuring import Trial, gather, measure
from nearimage.engines.embedded.ann.projection import Projection, principal
from nearimage.engines.embedded.ann.training import check, train_centres, train_points, train_spread
from nearimage.engines.embedded.ann.tuning import Tuning
from nearimage.engines.embedded.ann.vector_index import VectorIndex
from nearimage.engines.embedded.background import Stop

_ENERGY = 0.88
"""The share of the variance to keep at first: 256 of 512 dimensions on picture embeddings, where 192 (0.86) need twice the candidates."""

_MORE, _MISSED_WITH_MORE = 1.5, 1 / 4
"""By how much the dimensions grow while the recall is out of reach, and what share of the misses is left then at the least: clusters with 2,048 dimensions
leave a third. Where more than one such step is missing all are taken at once, for each try codes and measures every vector."""

_FEW_CANDIDATES = 400
"""Needing more than this is out of reach: more dimensions are cheaper than more candidates."""

_SAMPLE = 16_384
_SAMPLE_A_LIST = 32
_LISTS, _IN_STEPS = 1.5, 16
"""Times the square root of the vectors: 144 lists at 10,000, 480 at 100,000, 1,504 at a million. More of them leave fewer codes to look at and have more
centres to compare with; of a search of 28,000 or 100,000 pictures both are then about as many bytes (docs/design/engine/vector-search.md)."""

_MOST_LISTS = 1 << 15
"""Lists are numbered in 16 bits."""

_MEASURED_AGAIN = 1.25
"""After so much growth the index is measured again: what was true of 100,000 vectors need not be of the 25,000 that came since."""

_STILL_KEPT = 0.02
"""By how much the share of the variance that a projection keeps may sink before other data needs another one."""

_ROWS = 1024
"""Vectors added at a time: 15 ms."""

_QUERIES = 256
"""Queries sampled for measuring. Of all settings the cheapest is taken that missed few enough of their neighbours, so chance favours those that were lucky:
100,000 pictures told 0.998 or more with 128 queries found 0.994 to 0.9995 of 600 others' neighbours, with 256 0.997 to 0.999, with 512 0.998 to 0.999."""

_QUERIES_OF_PASSING = 32
"""Of an index that will soon be another: enough to know how many candidates it needs about."""

_UNMEASURED = 0
"""As `measured_on`: the figures are of a few queries only."""

_LONGEST = 1e15
"""Squares of longer vectors, and sums of such, overflow float32 or drown everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The vectors to be indexed, as of one commit.

    Attributes:
        matrix: (capacity, dims), the published part of a mapping.
        norms: (capacity,) float32.
        slots: (n,) int64 ascending, the slots of live objects.
        seen: the length of the list of written slots at the commit that is looked at.
        revision: of the commit.
    """

    metric: Metric
    matrix: Matrix
    norms: npt.NDArray[np.float32]
    slots: Slots
    seen: int
    revision: int

    def usable(self) -> Slots:
        """The slots whose vectors a code can stand for."""
        norms = self.norms[self.slots]
        good = norms < _LONGEST  # false for NaN
        if self.metric is Metric.COSINE:
            good &= norms > 1 / _LONGEST
        return self.slots[good]


def build(source: Source, recall: float, stop: Stop, *, seed: int = 1) -> VectorIndex | None:
    """A fresh index, or None where there are too few vectors to train one.

    Args:
        recall: at which to stop adding dimensions.

    Raises:
        Stopped: it was told to.
    """
    slots = source.usable()
    if len(slots) < POINTS:
        return None
    lists, inner_product, at_least = lists_for(len(slots)), source.metric is Metric.DOT, 0
    sample = _sample(source, slots, max(_SAMPLE, lists * _SAMPLE_A_LIST), stop, seed)
    directions = principal(sample[:_SAMPLE])
    while True:
        projection = directions.projection(energy=_ENERGY, centres_queries=not inner_product, at_least=at_least, seed=seed)
        projected = _projected(projection, sample, stop)
        centres = train_centres(projected, lists, inner_product=inner_product, stop=stop, seed=seed)
        points = train_points(projected, stop, seed=seed)
        codes = Codes.empty(centres, points, train_spread(projected, centres, stop), inner_product=inner_product)
        index = _filled(source, slots, projection, codes, stop)
        if projection.kept >= index.dims or is_in_reach(index, recall):
            return index
        at_least = int(projection.kept * _growth(index, recall))


def renew(index: VectorIndex, source: Source, recall: float, stop: Stop, *, goes_on: Callable[[], bool] = lambda: False, seed: int = 1) -> VectorIndex | None:
    """An index for vectors that have become many more, with the directions and the points of the present one; None if they do not fit any more.

    Args:
        goes_on: as for `extend`; then few queries measure it, and the next extension that finds a pause measures it well.

    Raises:
        Stopped: it was told to.
    """
    slots = source.usable()
    lists = lists_for(len(slots))
    sample = _sample(source, slots, max(_SAMPLE, lists * _SAMPLE_A_LIST), stop, seed)
    if index.projection.kept_of(sample[:_ROWS]) < _ENERGY - _STILL_KEPT:
        return None
    projected, inner_product = _projected(index.projection, sample, stop), source.metric is Metric.DOT
    centres = train_centres(projected, lists, inner_product=inner_product, stop=stop, seed=seed)
    empty = Codes.empty(centres, index.codes.points(), train_spread(projected, centres, stop), inner_product=inner_product)
    renewed = _filled(source, slots, index.projection, empty, stop, goes_on=goes_on)
    return renewed if not is_measured(renewed) or is_in_reach(renewed, recall) else None


def is_measured(index: VectorIndex) -> bool:
    """Whether its figures are of as many queries as they should be."""
    return index.measured_on != _UNMEASURED


def is_in_reach(index: VectorIndex, recall: float) -> bool:
    """Whether the index reaches this recall without a great many candidates, so that more dimensions would not pay."""
    setting = index.setting(recall)
    return all(line.recall >= recall and line.candidates <= _FEW_CANDIDATES for line in setting.all)


def extend(index: VectorIndex, source: Source, stale: Bitmap, stop: Stop, *, goes_on: Callable[[], bool] = lambda: False) -> VectorIndex:
    """The index with everything that it does not cover yet.

    Args:
        source: all live slots.
        stale: bitmap of the slots whose codes, if there are any, are not to be trusted.
        goes_on: whether so much was written meanwhile that the index will be extended again at once. Then it is not measured, which takes as long as adding
            all of it: an import would spend a third of its time on figures that hold for a second.
    """
    slots = source.usable()
    missing = slots[(stale[slots >> 3] >> (slots & 7).astype(np.uint8)) & 1 == 1]
    codes = index.codes.without(_bitmap(missing, len(source.matrix)))
    _add(codes, index.projection, source, missing, stop)
    covered, homes = _bitmap(slots, len(source.matrix)), codes.homes(len(source.matrix))
    longer = replace(index, codes=codes, homes=homes, covered=covered, vectors=len(slots), seen=source.seen, revision=source.revision)
    if len(slots) < index.measured_on * _MEASURED_AGAIN or goes_on():
        return longer
    return replace(longer, tuning=_measure(source, slots, index.projection, codes, homes, queries=_QUERIES, stop=stop), measured_on=len(slots))


def lists_for(vectors: int) -> int:
    """How many lists so many vectors get."""
    return min(_MOST_LISTS, max(_IN_STEPS, _IN_STEPS * round(_LISTS * math.sqrt(vectors) / _IN_STEPS)))


def _growth(index: VectorIndex, recall: float) -> float:
    """By how much the dimensions of an index that is out of reach of a recall should grow."""
    allowed = 1 - recall
    missed = max(allowed, *(1 - line.recall for line in index.setting(recall).all))
    return float(_MORE ** max(1.0, math.log(allowed / missed, _MISSED_WITH_MORE)))


def _filled(source: Source, slots: Slots, projection: Projection, codes: Codes, stop: Stop, *, goes_on: Callable[[], bool] = lambda: False) -> VectorIndex:
    """The index of all these slots, by codes that hold none yet."""
    _add(codes, projection, source, slots, stop)
    homes = codes.homes(len(source.matrix))
    measured_on, queries = (_UNMEASURED, _QUERIES_OF_PASSING) if goes_on() else (len(slots), _QUERIES)
    return VectorIndex(
        metric=source.metric,
        projection=projection,
        codes=codes,
        tuning=_measure(source, slots, projection, codes, homes, queries=queries, stop=stop),
        homes=homes,
        covered=_bitmap(slots, len(source.matrix)),
        vectors=len(slots),
        trained_on=len(slots),
        measured_on=measured_on,
        seen=source.seen,
        revision=source.revision,
    )


def _sample(source: Source, slots: Slots, count: int, stop: Stop, seed: int) -> Matrix:
    chosen = np.random.default_rng(seed).permutation(slots)[:count]  # in no order: its first part is a sample too
    parts = []
    for start in range(0, len(chosen), _ROWS):
        check(stop)
        parts.append(gather(source.metric, source.matrix, source.norms, chosen[start : start + _ROWS]))
    return np.concatenate(parts)


def _projected(projection: Projection, sample: Matrix, stop: Stop) -> Matrix:
    parts = []
    for start in range(0, len(sample), _ROWS):
        check(stop)
        parts.append(projection.apply(sample[start : start + _ROWS]))
    return np.concatenate(parts)


def _add(codes: Codes, projection: Projection, source: Source, slots: Slots, stop: Stop) -> None:
    for start in range(0, len(slots), _ROWS):
        check(stop)
        part = slots[start : start + _ROWS]
        codes.add(projection.apply(gather(source.metric, source.matrix, source.norms, part)), part)


def _measure(source: Source, slots: Slots, projection: Projection, codes: Codes, homes: Homes, *, queries: int, stop: Stop) -> Tuning:
    trial = Trial(metric=source.metric, matrix=source.matrix, norms=source.norms, slots=slots, homes=homes, projection=projection, codes=codes)
    return measure(trial, queries=queries, stop=stop)


def _bitmap(slots: Slots, capacity: int) -> Bitmap:
    mask = np.zeros(capacity, np.bool_)
    mask[slots] = True
    return np.packbits(mask, bitorder="little")
