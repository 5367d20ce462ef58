"""Measuring the recall of a fresh index on its own vectors.

Queries are made of stored vectors, each moved by a part of the difference between two others and left out of its own answer. What an exact search finds
for them is compared with what the index finds, for growing numbers of candidates k' and of lists; `Tuning` keeps the table.

Why moved: a collection holds copies and series of nearly the same picture, so that a stored vector has easier neighbours than the next user's query.
Moved by 0.4 of a difference, queries found what real ones held out found, or 0.002 less.

Recall@10 counts by distance: a candidate counts if it is no farther than the tenth of the exact answer. Counted by id, copies of a picture would be misses.

Filters need numbers of their own. What passes a narrow filter is farther from the query than what lies around it, and the codes tell far vectors apart
less well; and a filter that follows the vectors ("only dogs") leaves few lists with anything in them. So the same queries are measured a second time under
a filter that passes a tenth at random, and under one that passes a twentieth on one side of a plane, with all lists looked at.

One search answers for every smaller k' at once, because candidates come nearest first: the hits among the first k' are a running sum.

May import numpy, `domain` and this package.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.domain.schema import Metric
from nearimage.engines.embedded.ann.codes import Bitmap, Slots
from nearimage.engines.embedded.ann.training import check
from nearimage.engines.embedded.ann.tuning import CANDIDATES, NEIGHBOURS, Measured, Tuning
from nearimage.engines.embedded.background import Stop

_SHARES = (1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)
_FEW_CANDIDATES = 400
"""With part of the lists, more candidates than this find nothing that more lists would not find sooner."""

_MOVED = 0.4
"""See the module's essay. Recall of 100 of 100,000, 8 of 64 lists: held out 0.981; moved by 0 / 0.2 / 0.4 / 0.5: 0.989 / 0.989 / 0.977 / 0.963."""

_GOOD_ENOUGH = 0.9995
"""From here on, more candidates need not be tried: no setting asks for so much that the next step would show."""

_ROWS = 2048
"""Vectors measured exactly at a time: a product of 4 MB."""

_ROUNDING = 8e-6
"""Two float32 products of unit vectors differ by less than this; 16 times 2**-21."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is measured, and how.

    Attributes:
        matrix: the slots' vectors, (slots, dims), as stored.
        norms: (slots,), used under cosine.
        slots: what the index covers.
        capacity: how many bits a bitmap has.
        search: (query, candidates, share of the lists, bitmap) to slots, nearest first.
        energy: the share of a query's squared length that the projection keeps.
    """

    metric: Metric
    matrix: Matrix
    norms: npt.NDArray[np.float32]
    slots: Slots
    capacity: int
    search: Callable[[Vector, int, float, Bitmap | None], Slots]
    energy: Callable[[Vector], float]
    lists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Queries under one filter: the slots they were made from, and the score that a hit must have."""

    slots: Slots
    queries: Matrix
    bounds: npt.NDArray[np.float32]
    allowed: Bitmap | None


def measure(trial: Trial, *, queries: int, stop: Stop, seed: int = 1) -> Tuning:
    """Measure a fresh index.

    Cost:
        An exact search for each query: 0.4 s for 128 queries and 100k x 512, and as much again for the index's searches.
    """
    rng = np.random.default_rng(seed)
    asked = rng.choice(trial.slots, min(queries, len(trial.slots)), replace=False)
    vectors = _queries(trial, asked, rng)
    masks = _filters(trial, vectors[0], rng, stop)
    bounds = _bounds(trial, asked, vectors, masks, stop)
    shares = tuple(share for share in _SHARES if share * trial.lists >= 1 and trial.lists > 1) or (1.0,)
    everything = _Sample(slots=asked, queries=vectors, bounds=bounds[0], allowed=None)
    samples = [_Sample(slots=asked, queries=vectors, bounds=bound, allowed=_packed(mask)) for mask, bound in zip(masks, bounds[1:], strict=True)]
    lines = [_lines(trial, sample, 1.0, stop) for sample in samples]
    both = itertools.zip_longest(*lines, fillvalue=Measured(0, 1.0, 1.0))  # where one needed no more candidates, the other counts
    filtered = (min(pair, key=lambda line: line.recall) for pair in both)
    return Tuning(
        open=tuple(line for share in shares for line in _lines(trial, everything, share, stop)),
        filtered=tuple(line for line in filtered if line.candidates),
        energy=float(np.quantile([trial.energy(query) for query in vectors], 0.1)),
    )


def gather(metric: Metric, matrix: Matrix, norms: npt.NDArray[np.float32], slots: Slots) -> Matrix:
    """A copy of some vectors, of unit length under cosine."""
    found: Matrix = matrix[slots]
    if metric is Metric.COSINE:
        found /= norms[slots, None]
    return found


def _queries(trial: Trial, asked: Slots, rng: np.random.Generator) -> Matrix:
    """Queries near these slots' vectors, but not near their copies."""
    own, some, others = (gather(trial.metric, trial.matrix, trial.norms, slots) for slots in (asked, *rng.choice(trial.slots, (2, len(asked)))))
    moved: Matrix = own + np.float32(_MOVED) * (some - others)
    if trial.metric is Metric.COSINE:
        moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return moved


def _filters(trial: Trial, direction: Vector, rng: np.random.Generator, stop: Stop) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Two masks over all slots: a tenth at random, and the twentieth farthest along a direction."""
    random = np.zeros(trial.capacity, np.bool_)
    random[trial.slots] = rng.random(len(trial.slots)) < 0.1
    along = np.concatenate([vectors @ direction for _, vectors in _chunks(trial, stop)])
    oneside = np.zeros(trial.capacity, np.bool_)
    oneside[trial.slots] = along >= np.quantile(along, 0.95)
    return random, oneside


def _bounds(trial: Trial, asked: Slots, queries: Matrix, masks: Sequence[npt.NDArray[np.bool_]], stop: Stop) -> list[npt.NDArray[np.float32]]:
    """For no filter and for each mask: the score that each query's tenth best has (or its last, if fewer pass)."""
    best = [np.full((0, len(queries)), -np.inf, np.float32) for _ in range(1 + len(masks))]
    order = np.argsort(asked)
    for slots, vectors in _chunks(trial, stop):
        scores = _scores(trial.metric, vectors, queries)
        position = np.searchsorted(asked[order], slots)
        own = np.flatnonzero(asked[order][np.minimum(position, len(asked) - 1)] == slots)
        scores[own, order[position[own]]] = -np.inf  # no query finds itself
        for number, part in enumerate((scores, *(scores[mask[slots]] for mask in masks))):
            joined = np.concatenate((best[number], part))
            best[number] = joined if len(joined) <= NEIGHBOURS else np.partition(joined, len(joined) - NEIGHBOURS, axis=0)[-NEIGHBOURS:]
    return [np.min(np.where(np.isneginf(one), np.inf, one), axis=0, initial=np.inf) for one in best]


def _lines(trial: Trial, sample: _Sample, share: float, stop: Stop) -> list[Measured]:
    """The recall at each number of candidates; at large numbers only if smaller ones are not good enough."""
    few = _measured(trial, sample, share, [candidates for candidates in CANDIDATES if candidates <= _FEW_CANDIDATES], stop)
    if share < 1 or few[-1].recall >= _GOOD_ENOUGH:
        return few
    return few + _measured(trial, sample, share, [candidates for candidates in CANDIDATES if candidates > _FEW_CANDIDATES], stop)


def _measured(trial: Trial, sample: _Sample, share: float, steps: Sequence[int], stop: Stop) -> list[Measured]:
    hits = np.zeros(len(steps))
    for slot, query, bound in zip(sample.slots, sample.queries, sample.bounds, strict=True):
        check(stop)
        found = trial.search(query, steps[-1] + 1, share, sample.allowed)
        found = found[found != slot][: steps[-1]]
        scores = _scores(trial.metric, gather(trial.metric, trial.matrix, trial.norms, found), query[None, :])[:, 0]
        slack = _ROUNDING * max(1.0, abs(float(bound))) if np.isfinite(bound) else 0.0
        running = np.concatenate(([0], np.cumsum(scores >= bound - slack)))
        hits += np.minimum(running[np.minimum(steps, len(found))], NEIGHBOURS)
    passing = len(trial.slots) - 1 if sample.allowed is None else int(np.bitwise_count(sample.allowed).sum())
    possible = max(1, len(sample.slots) * min(NEIGHBOURS, passing))
    return [Measured(candidates, share, min(1.0, float(hit / possible))) for candidates, hit in zip(steps, hits, strict=True)]


def _scores(metric: Metric, vectors: Matrix, queries: Matrix) -> npt.NDArray[np.float32]:
    """(n, queries): greater is nearer."""
    scores: npt.NDArray[np.float32] = vectors @ queries.T
    if metric is Metric.L2_SQUARED:
        scores -= (vectors * vectors).sum(axis=1)[:, None] / 2
    return scores


def _chunks(trial: Trial, stop: Stop) -> Iterator[tuple[Slots, Matrix]]:
    for start in range(0, len(trial.slots), _ROWS):
        check(stop)
        slots = trial.slots[start : start + _ROWS]
        yield slots, gather(trial.metric, trial.matrix, trial.norms, slots)


def _packed(mask: npt.NDArray[np.bool_]) -> Bitmap:
    return np.packbits(mask, bitorder="little")
