"""Measuring the recall of a fresh index on its own vectors.

Queries are made of stored vectors, each moved by a part of the difference between two others and left out of its own answer. What an exact search finds
for them is compared with what the index finds, for growing numbers of candidates k' and of lists; `Tuning` keeps the table.

Why moved: a collection holds copies and series of nearly the same picture, so that a stored vector has easier neighbours than the next user's query.
Moved by 0.4 of a difference, queries found what real ones held out found, or 0.002 less.

Recall@10 counts by distance: a candidate counts if it is no farther than the tenth of the exact answer. Counted by id, copies of a picture would be misses.

Filters need numbers of their own. What passes a narrow filter is farther from the query than what lies around it, and the codes tell far vectors apart
less well; and a filter that follows the vectors ("only dogs") leaves few lists with anything in them. So the same queries are measured a second time under
a filter that passes a tenth at random, and under one that passes a twentieth on one side of a plane, which for most queries is far away.

One search over all lists answers for every smaller k' and for every reach (`walking`) at once. Candidates come nearest first, and those that a search of fewer
lists would find are those whose list is among them, in the same order:

    candidate                      1    2    3    4    5    6         needed: the reach from which on its list is looked at
    needed                       sure 4.1  3.2 sure  6.0  3.4
    a hit                          x    x         x
    with a reach of 3.5            1         2    3         4         two hits among the first three
    with one of 5                  1    2    3    4         5         three hits among the first four

How wrong codes are, `noise`, is measured on vectors chosen at random: those near to a query may be copies of one, whose errors are all the same.

May import numpy, `domain` and this package.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.domain.schema import Metric
from nearimage.engines.embedded.ann.codes import Codes, Homes, Slots
from nearimage.engines.embedded.ann.projection import Projection
from nearimage.engines.embedded.ann.training import check
from nearimage.engines.embedded.ann.tuning import AWAY, CANDIDATES, NEIGHBOURS, REACHES, SCATTERED, Measured, Tuning
from nearimage.engines.embedded.ann.walking import deviations, in_order, sure
from nearimage.engines.embedded.background import Stop

_FEW_CANDIDATES = 384
"""More are tried only where this many from all lists are not good enough."""

_MOVED = 0.4
"""See the module's essay. Recall of 100 of 100,000, 8 of 64 lists: held out 0.981; moved by 0 / 0.2 / 0.4 / 0.5: 0.989 / 0.989 / 0.977 / 0.963."""

_GOOD_ENOUGH = 0.9995
"""From here on, more candidates need not be tried: no setting asks for so much that the next step would show."""

_ROWS = 2048
"""Vectors measured exactly at a time: a copy of 4 MB, made in 2 ms."""

_KEPT = 24
"""Of each query's nearest so many are known. Where all of them are as near as the tenth (copies of one picture), candidates are measured instead."""

_AT_RANDOM = 128
"""Vectors on which the noise is measured; in 2,048 dimensions a copy of 17 MB for each of their pairs' points."""

_ROUNDING = 8e-6
"""Two float32 products of unit vectors differ by less than this; 16 times 2**-21."""

Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is measured, and how.

    Attributes:
        matrix: the slots' vectors, (slots, dims), as stored.
        norms: (slots,), used under cosine.
        slots: what the index covers.
        homes: by slot, its list.
    """

    metric: Metric
    matrix: Matrix
    norms: npt.NDArray[np.float32]
    slots: Slots
    homes: Homes
    projection: Projection
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Queries under one filter.

    Attributes:
        own: the slot that each was made from.
        nearest: (queries, `_KEPT`) slots of the exact answer, nearest first; -1 where fewer pass.
        scores: of these; -inf there.
        mask: the slots that pass; None for all.
        counts: how many pass in each list.
    """

    own: Slots
    queries: Matrix
    nearest: Slots
    scores: Scores
    mask: Mask | None
    counts: Slots


def measure(trial: Trial, *, queries: int, stop: Stop, seed: int = 1) -> Tuning:
    """Measure a fresh index.

    Cost:
        An exact search for each query, 1.4 s for 256 queries and 100k x 512, and as much again for the index's searches.
    """
    rng = np.random.default_rng(seed)
    own = rng.choice(trial.slots, min(queries, len(trial.slots)), replace=False)
    vectors = _queries(trial, own, rng)
    masks = _filters(trial, vectors[0], rng, stop)
    answers = _answers(trial, own, vectors, masks, stop)
    projected = [trial.projection.apply_to_query(query) for query in vectors]
    samples = [
        _Sample(own=own, queries=vectors, nearest=nearest, scores=scores, mask=mask, counts=_counts(trial, mask))
        for mask, (scores, nearest) in zip((None, *masks), answers, strict=True)
    ]
    everything, scattered, away = (tuple(_lines(trial, sample, [one for one, _ in projected], stop)) for sample in samples)
    noise = _noise(trial, vectors, np.stack([query for query, _ in projected]), rng)
    return Tuning(open=everything, scattered=scattered, away=away, energy=float(np.quantile([kept for _, kept in projected], 0.1)), noise=noise)


def gather(metric: Metric, matrix: Matrix, norms: npt.NDArray[np.float32], slots: Slots) -> Matrix:
    """A copy of some vectors, of unit length under cosine."""
    found: Matrix = matrix[slots]
    if metric is Metric.COSINE:
        found /= norms[slots, None]
    return found


def _queries(trial: Trial, asked: Slots, rng: np.random.Generator) -> Matrix:
    """Queries near these slots' vectors, but not near their copies.

    Under an inner product by their directions: how long a query is changes nothing of its answer, and a difference of long vectors would be all there is of it.
    """
    own, some, others = (gather(trial.metric, trial.matrix, trial.norms, slots) for slots in (asked, *rng.choice(trial.slots, (2, len(asked)))))
    if trial.metric is Metric.DOT:
        own, some, others = _directions(own), _directions(some), _directions(others)
    moved: Matrix = own + np.float32(_MOVED) * (some - others)
    return _directions(moved) if trial.metric is Metric.COSINE else moved


def _directions(vectors: Matrix) -> Matrix:
    directions: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return directions


def _filters(trial: Trial, direction: Vector, rng: np.random.Generator, stop: Stop) -> tuple[Mask, Mask]:
    """Two masks over all slots: a tenth at random, and the twentieth farthest along a direction."""
    random = np.zeros(len(trial.matrix), np.bool_)
    random[trial.slots] = rng.random(len(trial.slots)) < SCATTERED
    along = np.concatenate([vectors @ direction for _, vectors in _chunks(trial, stop)])
    oneside = np.zeros(len(trial.matrix), np.bool_)
    oneside[trial.slots] = along >= np.quantile(along, 1 - AWAY)
    return random, oneside


def _counts(trial: Trial, mask: Mask | None) -> Slots:
    return np.bincount(trial.homes[trial.slots if mask is None else np.flatnonzero(mask)], minlength=trial.codes.lists)


def _answers(trial: Trial, own: Slots, queries: Matrix, masks: Sequence[Mask], stop: Stop) -> list[tuple[Scores, Slots]]:
    """For no filter and for each mask: the best scores of each query and their slots, best first; no query finds the vector it was made from."""
    count = _KEPT + 1  # its own is left out afterwards
    best = [(np.full((len(queries), count), -np.inf, np.float32), np.full((len(queries), count), -1)) for _ in range(1 + len(masks))]
    for slots, vectors in _chunks(trial, stop):
        scores = _all_scores(trial.metric, vectors, queries)
        for number, mask in enumerate((None, *masks)):
            some = slice(None) if mask is None else np.flatnonzero(mask[slots])
            best[number] = _better(best[number], scores[:, some], slots[some])
    return [_without(own, *one) for one in best]


def _all_scores(metric: Metric, vectors: Matrix, queries: Matrix) -> Scores:
    """(queries, vectors): greater is nearer. One product for all; faiss.knn takes three times as long for so many queries (15 against 47 Gflop a second)."""
    products: Scores = queries @ vectors.T
    if metric is Metric.L2_SQUARED:
        products *= 2
        products -= np.vecdot(vectors, vectors)
        products -= np.vecdot(queries, queries)[:, None]
    return products


def _better(known: tuple[Scores, Slots], scores: Scores, slots: Slots) -> tuple[Scores, Slots]:
    """The best of those known and of some more, best first."""
    count = known[0].shape[1]
    positions = np.argpartition(scores, -count, axis=1)[:, -count:] if len(slots) > count else np.broadcast_to(np.arange(len(slots)), scores.shape)
    joined = np.concatenate((known[0], np.take_along_axis(scores, positions, axis=1)), axis=1)
    order = np.argsort(-joined, axis=1)[:, :count]
    return np.take_along_axis(joined, order, axis=1), np.take_along_axis(np.concatenate((known[1], slots[positions]), axis=1), order, axis=1)


def _without(own: Slots, scores: Scores, slots: Slots) -> tuple[Scores, Slots]:
    order = np.argsort(slots == own[:, None], axis=1, kind="stable")[:, :_KEPT]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(slots, order, axis=1)


def _noise(trial: Trial, queries: Matrix, projected: Matrix, rng: np.random.Generator) -> float:
    """How much the distances of codes differ from those of their vectors; see `Tuning.noise`."""
    slots = rng.choice(trial.slots, min(len(trial.slots), _AT_RANDOM), replace=False)
    vectors = gather(trial.metric, trial.matrix, trial.norms, slots)
    decoded = trial.codes.decoded(trial.projection.apply(vectors))
    told = -_all_scores(trial.metric if trial.codes.inner_product else Metric.L2_SQUARED, decoded, projected)
    unit = 2 if trial.metric is Metric.COSINE else 1  # |a - b|^2 = 2 (1 - cos) for unit vectors
    errors = -unit * _all_scores(trial.metric, vectors, queries) - told
    squares = np.vecdot(projected, projected) if trial.codes.inner_product else told.mean(axis=1)
    return float(np.median(errors.var(axis=1) / np.maximum(squares, np.finfo(np.float32).tiny)))


def _lines(trial: Trial, sample: _Sample, projected: Sequence[Vector], stop: Stop) -> list[Measured]:
    """The recall at each number of candidates and each reach; at large numbers only if smaller ones are not good enough."""
    few = _measured(trial, sample, projected, [candidates for candidates in CANDIDATES if candidates <= _FEW_CANDIDATES], stop)
    if max(line.recall for line in few) >= _GOOD_ENOUGH:
        return few
    return _measured(trial, sample, projected, CANDIDATES, stop)


def _measured(trial: Trial, sample: _Sample, projected: Sequence[Vector], steps: Sequence[int], stop: Stop) -> list[Measured]:
    hits, looked_at, possible = np.zeros((len(steps), len(REACHES))), np.zeros(len(REACHES)), 0
    allowed = None if sample.mask is None else np.packbits(sample.mask, bitorder="little")
    sizes, flags = _counts(trial, None) / len(trial.slots), np.zeros(len(trial.matrix), np.bool_)
    for number, query in enumerate(projected):
        check(stop)
        nearness = trial.codes.nearness(query)
        lists = in_order(nearness, sample.counts)
        if not len(lists):
            continue
        first = lists[: max(sure(len(lists)), int(np.searchsorted(np.cumsum(sample.counts[lists]), NEIGHBOURS)) + 1)]
        found, told = trial.codes.search(query, candidates=steps[-1] + 1, lists=lists, allowed=allowed)
        others = found != sample.own[number]
        found, told = found[others], told[others]
        limit = _limit(first, trial.homes[found], told)
        needed = deviations(nearness, float(query.dot(query)), limit, trial.codes)
        needed[first] = -math.inf
        hits += _hits_within(_hits(trial, sample, number, found, flags), needed[trial.homes[found]], steps)
        looked_at += sizes[lists] @ (needed[lists, None] <= np.array(REACHES))
        possible += min(NEIGHBOURS, int(np.count_nonzero(sample.nearest[number] >= 0)))
    recalls, shares = np.minimum(hits / max(1, possible), 1.0), looked_at / len(projected)
    return [Measured(step, reach, float(shares[at]), float(recalls[row, at])) for row, step in enumerate(steps) for at, reach in enumerate(REACHES)]


def _hits_within(good: Mask, needed: Scores, steps: Sequence[int]) -> npt.NDArray[np.int64]:
    """(steps, reaches): how many hits are among so many candidates with such a reach.

    Args:
        good: (found,), nearest first: which are hits.
        needed: (found,): the reach from which on each is found.
    """
    inside = needed[:, None] <= np.array(REACHES)
    places = np.cumsum(inside, axis=0)[good]  # of each hit among the candidates of a reach, from 1 on
    within = inside[good] & (places <= np.array(steps)[:, None, None])
    counts: npt.NDArray[np.int64] = within.sum(axis=1)
    return np.minimum(counts, NEIGHBOURS)


def _limit(first: Slots, homes: Homes, told: Scores) -> float:
    """How far the last hit is after the sure lists of a search for `NEIGHBOURS`, where the nearest codes are in these lists and so far away.

    Where fewer than that are of sure lists, the answer is too near, and more reach will seem to be needed than is.
    """
    of_sure = np.isin(homes, first).nonzero()[0]
    if not len(told):
        return math.inf
    return float(told[of_sure[NEIGHBOURS - 1] if len(of_sure) >= NEIGHBOURS else -1])


def _hits(trial: Trial, sample: _Sample, number: int, found: Slots, flags: Mask) -> Mask:
    """Which of the found are as near as the tenth of the exact answer.

    Args:
        flags: (slots,), all false; so again afterwards.
    """
    scores, nearest = sample.scores[number], sample.nearest[number]
    tenth = float(scores[min(NEIGHBOURS, max(1, int(np.count_nonzero(nearest >= 0)))) - 1])
    bound = tenth - _ROUNDING * max(1.0, abs(tenth)) if np.isfinite(tenth) else -np.inf
    good = nearest[(scores >= bound) & (nearest >= 0)]
    if len(good) == _KEPT:
        return _scores(trial.metric, gather(trial.metric, trial.matrix, trial.norms, found), sample.queries[number]) >= bound
    flags[good] = True
    hits = flags[found]
    flags[good] = False
    return hits


def _scores(metric: Metric, vectors: Matrix, query: Vector) -> Scores:
    if metric is not Metric.L2_SQUARED:
        return np.asarray(vectors @ query, np.float32)
    difference = vectors - query
    return np.asarray(-np.vecdot(difference, difference), np.float32)


def _chunks(trial: Trial, stop: Stop) -> Iterator[tuple[Slots, Matrix]]:
    for start in range(0, len(trial.slots), _ROWS):
        check(stop)
        slots = trial.slots[start : start + _ROWS]
        yield slots, gather(trial.metric, trial.matrix, trial.norms, slots)
