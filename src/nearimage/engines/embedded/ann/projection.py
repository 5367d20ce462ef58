"""Fewer dimensions, evenly filled: centre, keep the principal directions, then rotate at random.

    y = (x - mean) P        P = (first r principal directions) R, R a random rotation of r dimensions

Picture embeddings of 512 dimensions have nine tenths of their variance in 256 directions or less, and distances between projections are nearly those
between the vectors. The rotation comes after, because the codes that follow give each pair of dimensions the same four bits: in the order of PCA the first
pairs would carry most of the variance on four bits and the last nothing (0.005 to 0.04 of recall, docs/design/engine/vector-search.md).

Under an inner product the mean is taken off the stored vectors only: (x - mean) . q differs from x . q by mean . q, which is the same for every x.

What is left out: training on queries, non-linear maps, and vectors spread evenly over all directions gain nothing here; they keep all their dimensions.

May import numpy and `domain`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector

_STEP = 64
"""Kept dimensions come in multiples of it, so that indexes of similar data look alike in figures."""

_LEAST = 128
"""Fewer than 128 dimensions make an index so cheap already (16 ns a vector) that saving more is not worth recall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A fitted projection.

    Attributes:
        mean: (dims,) float32.
        directions: (kept, dims) float32; the transpose of P, so that a query's product reads it row by row. `kept` is even.
        centres_queries: whether queries lose the mean too (distances), or not (inner products).
    """

    mean: Vector
    directions: Matrix
    centres_queries: bool

    @property
    def kept(self) -> int:
        """The dimensions of a projected vector."""
        return len(self.directions)

    def apply(self, vectors: Matrix) -> Matrix:
        """Stored vectors, projected: (n, kept)."""
        return np.ascontiguousarray((vectors - self.mean) @ self.directions.T)

    def kept_of(self, sample: Matrix) -> float:
        """The share of the variance of some vectors around the mean that their projections have, 0..1."""
        whole = float(np.square(sample - self.mean).sum(dtype=np.float64))
        return float(np.square(self.apply(sample)).sum(dtype=np.float64)) / whole if whole > 0 else 1.0

    def apply_to_query(self, query: Vector) -> tuple[Vector, float]:
        """A query, projected, and the share of its squared length that the projection kept, 0..1."""
        moved = query - self.mean if self.centres_queries else query
        projected: Vector = self.directions.dot(moved)
        whole = float(moved.dot(moved))
        return projected, float(projected.dot(projected)) / whole if whole > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions:
    """The principal directions of a sample.

    Attributes:
        mean: (dims,) float32.
        variances: (dims,), the greatest first.
        directions: (dims, dims), a column each.
    """

    mean: Vector
    variances: npt.NDArray[np.float32]
    directions: Matrix

    def projection(self, *, energy: float, centres_queries: bool, at_least: int = 0, seed: int = 1) -> Projection:
        """Keep the first of them, rotated.

        Args:
            energy: keep so many dimensions that their share of the variance is at least this.
            at_least: keep no fewer than this (or all there are).
        """
        dims = len(self.mean)
        rank = min(dims, max(at_least, _rank(self.variances, energy)))
        kept = rank + rank % 2  # codes take dimensions in pairs; an odd last one is paired with nothing
        rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((kept, kept)))[0]
        chosen = np.zeros((dims, kept), np.float32)
        chosen[:, :rank] = self.directions[:, :rank]
        return Projection(mean=self.mean, directions=np.ascontiguousarray((chosen @ rotation).T, np.float32), centres_queries=centres_queries)


def principal(sample: Matrix) -> Directions:
    """The directions of a sample.

    Args:
        sample: (n, dims); n > 0.

    Cost:
        A covariance and its eigenvectors: 0.15 s for 16,000 x 512, 1.5 s for 2,048 dimensions, beside other programs 10.
    """
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = sample - mean
    variances, directions = np.linalg.eigh((centred.T @ centred) / np.float32(len(sample)))
    return Directions(mean=mean, variances=np.maximum(variances[::-1], 0), directions=directions[:, ::-1])


def _rank(variances: npt.NDArray[np.float32], energy: float) -> int:
    shares = np.cumsum(variances, dtype=np.float64)
    needed = int(np.searchsorted(shares, energy * shares[-1])) + 1
    return max(_LEAST, -(-needed // _STEP) * _STEP)
