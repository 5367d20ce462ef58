"""Finding the centres of the lists and the points of the codes, in steps short enough to be stopped.

faiss could train its index in one call, which takes seconds and cannot be interrupted. So Lloyd's algorithm (1957) is written out for the centres, whose
cost is one matrix product, and the points are trained by faiss for a few pairs of dimensions at a time.

May import faiss, numpy, `domain` and this package.
"""

import faiss
import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.engines.embedded.ann.codes import BITS, PAIR, POINTS, Spread
from nearimage.engines.embedded.background import Stop

_ROUNDS = 6
"""Of Lloyd's algorithm; recall is the same within noise with 10, at every share of 64 or 256 lists (100k x 256)."""

_ROWS = 4096
"""Vectors assigned at a time: 5 ms for 64 lists of 256 dimensions."""

_SUMMED = 4096
"""Vectors summed at a time, list by list: 1.5 ms for 192 lists, in many calls. One `np.add.reduceat` takes 2.7, in which it keeps the interpreter."""

_PAIRS = 8
"""Pairs of dimensions trained at a time: 20 ms."""

_LIKE_ALL = 8
"""To what a list's spread is made of, so many vectors like all others are added: a list may have three of the sample's."""

_POINT_ROUNDS = 10
_POINT_SAMPLE = 2048
"""16 points are trained on 128 vectors each. 25 rounds on twice as many take five times as long and change recall by less than 0.0005."""


class Stopped(Exception):
    """The work was told to stop."""


def check(stop: Stop) -> None:
    """Leave the work if it is told to stop.

    Raises:
        Stopped: it is.
    """
    if stop():
        raise Stopped


def train_centres(sample: Matrix, lists: int, *, inner_product: bool, stop: Stop, seed: int = 1) -> Matrix:
    """(lists, kept): the centres that the sample's vectors are nearest to on average.

    Under an inner product the centres are made all equally long, as spherical k-means does; else the longest would draw everything to itself.
    """
    if lists == 1:
        return np.asarray(sample.mean(axis=0, keepdims=True), np.float32)
    rng = np.random.default_rng(seed)
    centres: Matrix = sample[rng.choice(len(sample), lists, replace=False)]
    for _ in range(_ROUNDS):
        nearest = _assign(sample, centres, stop)
        sums, counts = _sums(sample, nearest, lists, stop)
        filled = counts > 0
        centres = sample[rng.choice(len(sample), lists, replace=False)]  # for those that nothing was near to
        centres[filled] = sums[filled] / counts[filled, None].astype(np.float32)
        if inner_product:
            centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return centres


def train_spread(sample: Matrix, centres: Matrix, stop: Stop) -> Spread:
    """How far the vectors of each list are from its centre."""
    homes, squares = _assign(sample, centres, stop), np.empty(len(sample), np.float32)
    for start in range(0, len(sample), _ROWS):
        check(stop)
        differences = sample[start : start + _ROWS] - centres[homes[start : start + _ROWS]]
        squares[start : start + _ROWS] = np.vecdot(differences, differences)
    lists, counts = len(centres), np.bincount(homes, minlength=len(centres)) + _LIKE_ALL
    means = (np.bincount(homes, squares, lists) + _LIKE_ALL * float(squares.mean())) / counts
    variances = (np.bincount(homes, (squares - means[homes]) ** 2, lists) + _LIKE_ALL * float(squares.var())) / counts
    return Spread(means.astype(np.float32), np.sqrt(variances).astype(np.float32))


def train_points(sample: Matrix, stop: Stop, *, seed: int = 1) -> npt.NDArray[np.float32]:
    """(kept / 2, 16, 2): for each pair of dimensions, the 16 points that stand for its values."""
    chosen = sample[np.random.default_rng(seed).permutation(len(sample))[:_POINT_SAMPLE]]
    found = []
    for first in range(0, chosen.shape[1], PAIR * _PAIRS):
        check(stop)
        part = np.ascontiguousarray(chosen[:, first : first + PAIR * _PAIRS])
        pairs = part.shape[1] // PAIR
        quantizer = faiss.ProductQuantizer(part.shape[1], pairs, BITS)
        quantizer.cp.niter = _POINT_ROUNDS
        quantizer.cp.min_points_per_centroid = 1  # few vectors are no reason for a warning
        quantizer.train(part)
        found.append(faiss.vector_to_array(quantizer.centroids).reshape(pairs, POINTS, PAIR))
    return np.concatenate(found)


def _sums(sample: Matrix, nearest: npt.NDArray[np.int64], lists: int, stop: Stop) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """(lists, kept) and (lists,): the sum of the vectors nearest to each centre, and how many they are."""
    sums, counts = np.zeros((lists, sample.shape[1]), np.float32), np.zeros(lists, np.int64)
    for start in range(0, len(sample), _SUMMED):
        check(stop)
        part = nearest[start : start + _SUMMED]
        order = np.argsort(part, kind="stable")
        found, firsts, met = np.unique(part[order], return_index=True, return_counts=True)
        ordered = sample[start : start + _SUMMED].take(order, axis=0)
        for number, first, end in zip(found.tolist(), firsts.tolist(), (firsts + met).tolist(), strict=True):
            sums[number] += ordered[first:end].sum(axis=0)
        counts[found] += met
    return sums, counts


def _assign(sample: Matrix, centres: Matrix, stop: Stop) -> npt.NDArray[np.int64]:
    half_squares = (centres * centres).sum(axis=1) / 2
    nearest = np.empty(len(sample), np.int64)
    for start in range(0, len(sample), _ROWS):
        check(stop)
        nearest[start : start + _ROWS] = np.argmax(sample[start : start + _ROWS] @ centres.T - half_squares, axis=1)
    return nearest
