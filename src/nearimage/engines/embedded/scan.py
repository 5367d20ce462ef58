"""The exact search: every allowed vector is measured.

Two passes. The first measures quickly and roughly: a matrix product (cosine, dot) or chunks of the matrix (the others), in float32. Its rounding depends on
where in the matrix a vector stands, so that two copies of one picture may come out different in the last bit. The second pass therefore takes whoever
could still belong to the answer, which is everyone no farther than the k-th roughly found plus twice the first pass's error bound, and measures those anew with
`exact_distances`, whose sums do not depend on the neighbours. Order, ties and the distances returned are those of the second pass; the pages of one
query fit together, and every exact engine answers the same.

The error bound: summing n products in float32 in any order errs by at most n u sum|a b|, u = 2^-24 (Higham, "Accuracy and Stability of Numerical
Algorithms", 3.1). With sum|a b| <= |a| |b| that is n u |a| |b| for dot, n u for cosine (plus the norms' rounding), and n u d for the sums of one sign,
l2-squared and manhattan.

Few vectors of the file are read where they lie, by their numbers (under manhattan and hamming from copies); of many the whole mapping is measured, dead slots
included, and the wanted are picked from the result. Copies and temporaries are made in chunks: 1M x 512 under manhattan takes 4 MiB more, not 2 GB.

May import numpy, `domain` and this package.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import distances, exact_distances
from nearimage.engines.embedded.ann import inner_products, squared_distances
from nearimage.engines.embedded.ann.kernel import KERNEL, METRICS, Kernel

_CHUNK_FLOATS = 1 << 20
"""4 MiB. 30,000 x 1280 under l2-squared and manhattan: 1, 2 and 4 MiB 26 to 36 ms, 8 MiB 30 to 43, 64 MiB 49 to 96; the table is in docs/design/engine.md."""

_GATHER_SHARE = {Metric.COSINE: 0.4, Metric.DOT: 0.4, Metric.L2_SQUARED: 0.7, Metric.MANHATTAN: 0.7, Metric.HAMMING: 0.7}
"""Below this share of wanted slots, reading them one by one is quicker than measuring all; 30,000 x 1280, docs/design/engine.md."""

_AT_ONCE = 1000
"""So few are measured exactly at once where there is a kernel."""

_UNIT = 2.0**-24
_PRODUCTS = frozenset({Metric.COSINE, Metric.DOT})

Numbers = npt.NDArray[np.float32]
Slots = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stored:
    """The vectors of one name, as a search finds them.

    Attributes:
        matrix: (slots, dims) float32, the published part of a mapping.
        norms: (slots,) float32, L2 norms.
    """

    metric: Metric
    matrix: Matrix
    norms: Numbers


def candidates(stored: Stored, slots: Slots, query: Vector, count: int) -> Slots:
    """Those of these slots among which the `count` nearest are, in no order; count > 0."""
    if len(slots) <= (max(count, _AT_ONCE) if _kernel_for(stored.metric) else count):
        return slots
    with np.errstate(over="ignore", invalid="ignore"):
        rough = rough_distances(stored, slots, query)
        return slots[near(stored, slots, query, rough, kth(rough, count))]


def rough_distances(stored: Stored, slots: Slots, query: Vector) -> Numbers:
    """The distances of these slots in float32, rounded by their places; what overflows is infinite or NaN, and the caller keeps numpy from warning of it."""
    total = len(stored.matrix)
    if len(slots) >= _GATHER_SHARE[stored.metric] * total:
        return _measure_all(stored, query)[slots]
    if stored.metric in _PRODUCTS:
        return _of_products(stored, slots, query, inner_products(stored.matrix, slots, query))
    if stored.metric is Metric.L2_SQUARED:
        return squared_distances(stored.matrix, slots, query)
    found, step = np.empty(len(slots), np.float32), _rows_a_chunk(stored.matrix)
    for start in range(0, len(slots), step):
        found[start : start + step] = distances(stored.metric, stored.matrix[slots[start : start + step]], query)
    return found


def kth(rough: Numbers, count: int) -> float:
    """The rough distance of the `count`-th nearest, or of the last if there are fewer; none may be missing."""
    return float(np.partition(rough, count - 1)[count - 1] if len(rough) > count else rough.max())


def near(stored: Stored, slots: Slots, query: Vector, rough: Numbers, farthest: float) -> Slots:
    """The positions of whoever may in truth be no farther than this rough distance; infinity and NaN are not beyond the bound."""
    return (~(rough > farthest + _margin(stored, slots, query, farthest))).nonzero()[0]


def settle(stored: Stored, slots: Slots, query: Vector) -> Numbers:
    """The exact distances of these slots."""
    if kernel := _kernel_for(stored.metric):
        return kernel.measure(stored.metric, stored.matrix, slots, query)
    step = _rows_a_chunk(stored.matrix)
    if len(slots) <= step:
        return exact_distances(stored.metric, stored.matrix[slots], query)
    found = np.empty(len(slots), np.float32)
    for start in range(0, len(slots), step):
        found[start : start + step] = exact_distances(stored.metric, stored.matrix[slots[start : start + step]], query)
    return found


def _kernel_for(metric: Metric) -> Kernel | None:
    return KERNEL if metric in METRICS else None


def _of_products(stored: Stored, slots: Slots, query: Vector, products: Numbers) -> Numbers:
    """Distances from the products with the query."""
    if stored.metric is Metric.DOT:
        return -products
    scale = stored.norms.take(slots)
    scale *= math.sqrt(query.dot(query))
    if scale.size and scale.min() > 0:
        products /= scale
    else:
        products = np.divide(products, scale, out=np.zeros(len(products), np.float32), where=scale > 0)
    return np.subtract(1, products, out=products)


def _measure_all(stored: Stored, query: Vector) -> Numbers:
    if stored.metric in _PRODUCTS:  # a product needs no temporaries
        return distances(stored.metric, stored.matrix, query, stored.norms)
    found = np.empty(len(stored.matrix), np.float32)
    step = _rows_a_chunk(stored.matrix)
    for start in range(0, len(found), step):
        found[start : start + step] = distances(stored.metric, stored.matrix[start : start + step], query)
    return found


def _margin(stored: Stored, slots: Slots, query: Vector, farthest: float) -> float:
    steps = 2 * (len(query) + 8) * _UNIT
    if stored.metric is Metric.COSINE:
        return 2 * steps
    if stored.metric is Metric.DOT:
        return steps * float(stored.norms[slots].max()) * float(np.linalg.norm(query)) + float(np.finfo(np.float32).tiny)
    return steps * farthest + len(query) * float(np.finfo(np.float32).tiny)


def _rows_a_chunk(matrix: Matrix) -> int:
    return max(1, _CHUNK_FLOATS // int(matrix.shape[1]))
