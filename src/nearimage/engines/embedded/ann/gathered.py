"""Distances of chosen rows of a matrix to a query, read where they lie.

numpy would copy the rows out first; here faiss walks through them by number, and gives the GIL away meanwhile: 1,000 of 100,000 x 512 take 121 us against 202.
Each row is summed by itself in float32, so that equal rows give equal results.

May import faiss, numpy and `domain`.
"""

from collections.abc import Callable

import faiss
import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.engines.embedded.ann.codes import Slots, use_one_thread

Numbers = npt.NDArray[np.float32]


def inner_products(matrix: Matrix, rows: Slots, query: Vector) -> Numbers:
    """(n,): the inner product of each row with the query.

    Args:
        matrix: C-contiguous; may be a read-only map.
        rows: (n,), contiguous; n may be 0.
        query: (dims,), contiguous.
    """
    return _each(faiss.fvec_inner_products_by_idx, matrix, rows, query)


def squared_distances(matrix: Matrix, rows: Slots, query: Vector) -> Numbers:
    """(n,): the squared Euclidean distance of each row to the query; arguments as for `inner_products`."""
    return _each(faiss.fvec_L2sqr_by_idx, matrix, rows, query)


def _each(measure: Callable[..., None], matrix: Matrix, rows: Slots, query: Vector) -> Numbers:
    use_one_thread()
    found = np.empty(len(rows), np.float32)
    if len(rows):
        measure(faiss.swig_ptr(found), faiss.swig_ptr(query), faiss.swig_ptr(matrix), faiss.swig_ptr(rows), len(query), 1, len(rows))
    return found
