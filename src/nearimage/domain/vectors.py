"""Distances between vectors, exactly, as Weaviate's users know them.

    cosine      1 - cos            0 .. 2
    dot         -(a . b)           unbounded
    l2-squared  sum (a - b)^2      0 ..
    manhattan   sum |a - b|        0 ..
    hamming     count of a != b    0 .. dims

A multi-vector is compared part by part (MaxSim): for each vector of the query the nearest one of the object counts, and what they are apart is added up.
Under cosine that is minus the cosine, under dot minus the product, so that the sum is minus the similarity which ColBERT ranks by (Khattab and Zaharia,
"ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT", SIGIR 2020).

May import numpy, the standard library and `domain` only.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import DimensionMismatch, InvalidVector
from nearimage.domain.objects import AnyVector, Matrix, Vector
from nearimage.domain.schema import Metric

THRESHOLD_TOLERANCE = 1e-6
"""A distance limit keeps what exceeds it by this much: float32 sums of the same numbers differ in the last bits."""

COSINE_NOISE = 1e-12
"""A vector is at distance 0 from itself, but 1 - cos of it rounds to some 1e-16 in float64; a user should read 0."""

MAX_DIMENSIONS = 65_535
"""A named vector is at most this long: the wire's multi-vectors count dimensions in 16 bits, and no picture model comes near it."""

_NUMBERS_AT_ONCE = 1 << 18
"""1 MiB: as much as is copied together to look at many vectors at once."""


def distances(metric: Metric, matrix: Matrix, query: Vector, norms: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
    """The distance of each row to the query.

    Args:
        matrix: (n, dims) float32; n may be 0.
        query: (dims,) float32.
        norms: (n,) float32, the L2 norms of the rows, if the caller has them; used under cosine only.

    Returns:
        (n,) float32, in the order of the rows.

    Cost:
        One pass over the matrix; manhattan and hamming make temporaries of its size.
    """
    if metric is Metric.COSINE:
        lengths = np.linalg.norm(matrix, axis=1) if norms is None else norms
        scale = lengths * np.float32(np.sqrt(query @ query))
        if (least := scale.min(initial=1)) > 0 and np.isfinite(least):
            cosine = matrix @ query
            cosine /= scale
        else:
            cosine = np.divide(matrix @ query, scale, out=np.zeros(len(matrix), np.float32), where=scale > 0)
        result = np.maximum(np.float32(1) - cosine, np.float32(0))
    elif metric is Metric.DOT:
        result = -(matrix @ query)
    elif metric is Metric.HAMMING:
        result = (matrix != query).sum(axis=1)
    elif metric is Metric.MANHATTAN:
        result = np.abs(matrix - query).sum(axis=1)
    else:
        difference = matrix - query
        result = np.einsum("ij,ij->i", difference, difference)
    return np.asarray(result, np.float32)


def exact_distances(metric: Metric, matrix: Matrix, query: Vector) -> npt.NDArray[np.float32]:
    """The distance of each row to the query, summed in float64 row by row, so that it does not depend on the rows beside it.

    `distances` is quick, but its matrix product rounds a row by its place in the matrix: equal vectors may differ in the last bit, and then neither
    ties nor pages are stable. Engines rank by `distances` and settle order, ties and answers with this.

    Args:
        matrix: (n, dims) float32; n may be 0.
        query: (dims,) float32.

    Returns:
        (n,) float32, in the order of the rows; infinite where it is beyond float32.

    Cost:
        A copy of twice the matrix.
    """
    with np.errstate(over="ignore"):
        return _exactly(metric, matrix.astype(np.float64), query.astype(np.float64)).astype(np.float32)


def max_sim_distance(metric: Metric, matrix: Matrix, query: Matrix) -> np.float32:
    """How far the vectors of an object are from those of a query, summed in float64: the same for the same vectors, wherever they are.

    Args:
        matrix: (n, dims) float32, n > 0.
        query: (m, dims) float32, m > 0.

    Returns:
        Infinite where it is beyond float32.

    Cost:
        O(n x m x dims).
    """
    rows, wanted, above = matrix.astype(np.float64), query.astype(np.float64), MAX_SIM_OFFSET.get(metric, 0)
    if metric in _PRODUCTS:
        nearest = _exactly(metric, rows, wanted[:, np.newaxis]).min(axis=1)
    else:  # at once, differences would need m times the room
        nearest = np.array([_exactly(metric, rows, one).min() for one in wanted])
    with np.errstate(over="ignore"):
        return np.float32(sum((nearest - above).tolist()))


MAX_SIM_OFFSET: Mapping[Metric, int] = {Metric.COSINE: 1}
"""What a distance is more than minus the similarity that MaxSim adds up."""


_PRODUCTS = frozenset((Metric.COSINE, Metric.DOT))


def _exactly(metric: Metric, rows: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n,) of one wanted vector, (m, n) of several, (m, 1, dims), under one of `_PRODUCTS`."""
    if metric is Metric.COSINE:
        scale = np.sqrt(np.vecdot(rows, rows)) * np.sqrt(np.vecdot(wanted, wanted))
        result = np.divide(np.vecdot(rows, wanted), scale, out=np.zeros(scale.shape), where=scale > 0)
        np.subtract(1, result, out=result)
        result[result < COSINE_NOISE] = 0
        np.minimum(result, 2, out=result)
    elif metric is Metric.DOT:
        result = -np.vecdot(rows, wanted)
    elif metric is Metric.HAMMING:
        result = (rows != wanted).sum(axis=1)
    elif metric is Metric.MANHATTAN:
        result = np.abs(rows - wanted).sum(axis=1)
    else:
        difference = rows - wanted
        result = np.vecdot(difference, difference)
    return np.asarray(result, np.float64)


def certainty_of(distance: float) -> float:
    """Cosine distance 0..2 as a certainty 1..0."""
    return 1 - distance / 2


def distance_of(certainty: float) -> float:
    """Certainty 1..0 as a cosine distance 0..2."""
    return 2 * (1 - certainty)


def check_vector(vector: AnyVector, *, name: str, metric: Metric, is_multi: bool = False) -> None:
    """Refuse what cannot be compared.

    Args:
        is_multi: whether several vectors are expected.

    Raises:
        InvalidVector: empty, longer than `MAX_DIMENSIONS`, several where one is expected or the other way round, not finite, or all zero under cosine.
    """
    if not is_multi and vector.ndim == 1 and len(vector) <= MAX_DIMENSIONS and 0 < np.vdot(vector, vector) < math.inf:
        return  # no NaN, no infinity, not all zeros: a third of the time of looking for each
    if vector.ndim != 1 + is_multi or not 0 < vector.shape[-1] <= MAX_DIMENSIONS or not len(vector):
        expected = "a list of vectors (a multi-vector)" if is_multi else "one vector, a list"
        raise InvalidVector(f"vector {name!r} has shape {vector.shape}; expected {expected} of 1 to {MAX_DIMENSIONS} numbers", vector=name)
    if not np.isfinite(vector).all():
        raise InvalidVector(f"vector {name!r} contains NaN or infinity; every number must be finite in float32", vector=name)
    if metric is Metric.COSINE and not vector.any(axis=-1).all():
        raise InvalidVector(f"vector {name!r} is all zeros, which has no direction for cosine; leave it out or use another metric", vector=name)


def are_sound(vectors: Sequence[Vector]) -> bool:
    """Whether `check_vector` lets each of these pass as one vector, under any metric; where it is False, ask of each by itself.

    Args:
        vectors: at least one.

    Cost:
        0.7 us a vector of 512 numbers, a fifth of `check_vector` one after another.
    """
    shape = vectors[0].shape
    if len(shape) != 1 or not 0 < shape[0] <= MAX_DIMENSIONS or any(vector.shape != shape for vector in vectors):
        return False
    at_once = max(1, _NUMBERS_AT_ONCE // shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(vectors), at_once):
            matrix = np.concatenate(vectors[first : first + at_once]).reshape(-1, shape[0])
            squares = np.vecdot(matrix, matrix)
            if not (squares.min() > 0 and squares.max() < math.inf):  # nor where one is NaN
                return False
    return True


def dims_of(vector: AnyVector) -> int:
    """How long a vector is, or each part of a multi-vector."""
    return int(vector.shape[-1])


def check_dimensions(got: int, want: int, *, name: str) -> None:
    """Refuse a vector of another length than those stored.

    Raises:
        DimensionMismatch: detail has "vector", "want" and "got".
    """
    if got != want:
        raise DimensionMismatch(f"vector {name!r} has {got} dimensions; the vectors stored under that name have {want}", vector=name, want=want, got=got)
