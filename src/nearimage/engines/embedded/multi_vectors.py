"""Multi-vectors: several vectors an object, kept as blobs and searched exactly by MaxSim.

An object has as many rows as it likes, which fits no slot. So its matrix is a blob in the table `pictures`, beside the object's pictures and under the same
key: written in the object's transaction, shared by versions that leave it as it is, with a checksum of its own, copied and checked with the rest.

    name     vector:<name of the vector>       no property is called so
    bytes    the rows one after another, float32, little-endian
    dims     those of the named vector's slot file, which has a header and no slots

A search takes the matrices of the objects that pass, some at a time, out of those kept in memory (`kept_matrices`) or else reads them, which takes twenty
times as long (bench/slow_paths.py), and measures them roughly: one product of all their rows with each of the query's, the largest in each object's stretch
of rows, added up. Those that may belong to the page are then measured as `domain.vectors.max_sim_distance` says, so that order and ties are those of the
memory engine.

What was left out: an index (MUVERA turns a matrix into one vector, arXiv:2405.19504), and a mapped file of all rows, for those that are too many to be kept.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import apsw
import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import AnyVector, Matrix
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import MAX_SIM_OFFSET, check_dimensions, distances, max_sim_distance
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.kept_matrices import UNKNOWN
from nearimage.engines.embedded.layout import MULTI_VECTOR
from nearimage.engines.embedded.nearest import NOTHING, Ranking
from nearimage.engines.embedded.state import State

_ROWS_AT_ONCE = 500
"""Objects whose matrices are read at a time: 8 MB where each has 32 rows of 128 numbers."""

_VECTORS_AT_ONCE = 4096
"""Of those in memory, measured at a time: 2 MB of 128 numbers each, which the next vector of the query finds in the cache."""

Norms = npt.NDArray[np.float32]
Roughly = tuple[Positions, npt.NDArray[np.float64], float]
"""Rows, their rough distances, and by how much these may be wrong."""

_EPSILON = 2.0**-24
"""Of float32, by rounding to nearest."""

_SELECT = "SELECT o.revision, p.bytes, p.crc FROM objects o JOIN pictures p ON p.key = o.pictures WHERE p.name = ? AND o.revision IN "


def blobs_of(vectors: Mapping[str, AnyVector]) -> dict[str, bytes]:
    """The multi-vectors among an object's vectors, as rows of `pictures` by name."""
    return {MULTI_VECTOR + name: np.ascontiguousarray(vector, "<f4").tobytes() for name, vector in vectors.items() if vector.ndim > 1}


@dataclass(frozen=True, slots=True)
class MultiVectors:
    """The multi-vectors of one name, as one snapshot has them.

    Attributes:
        path: of the database, for errors.
    """

    connection: apsw.Connection
    path: Path
    name: str
    dims: int

    def count(self) -> int:
        """How many objects have one."""
        return int(self.connection.execute("SELECT count(*) FROM pictures WHERE name = ?", (MULTI_VECTOR + self.name,)).get)

    def of_key(self, key: int) -> Matrix | None:
        """The one under a key of `pictures`, if there is one.

        Raises:
            Corrupt: it does not match its checksum.
        """
        found = self.connection.execute("SELECT bytes, crc FROM pictures WHERE key = ? AND name = ?", (key, MULTI_VECTOR + self.name)).fetchone()
        return None if found is None else self._matrix(*found)

    def nearest(self, metric: Metric, query: Matrix, wanted: int, state: State, passing: Mask) -> Ranking:
        """The nearest objects that pass, equal distances in the order of ids.

        Raises:
            DimensionMismatch: the query has another length than the vectors stored.
            Corrupt: a matrix does not match its checksum.
        """
        check_dimensions(query.shape[1], self.dims, name=self.name)
        parts = list(self._roughly(metric, query, state, np.flatnonzero(passing))) if wanted else []
        if not parts:
            return NOTHING
        near, rough = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
        margin = max(margin for _, _, margin in parts)
        farthest = np.partition(rough, wanted - 1)[wanted - 1] if wanted < len(rough) else np.inf
        found = self.distances(metric, query, state.table.revisions.view()[near[rough <= farthest + 2 * margin]].tolist())
        rows = state.table.rows_of(np.fromiter(found.keys(), np.int64, len(found)))
        distances = np.fromiter(found.values(), np.float32, len(found))
        order = state.table.index.ids.order(rows, distances)[:wanted]
        return Ranking(rows[order], distances[order])

    def _roughly(self, metric: Metric, query: Matrix, state: State, rows: Positions) -> Iterator[Roughly]:
        """Rough distances of those of these rows that have a multi-vector, some at a time."""
        kept = state.table.matrices(self.name, self.dims)
        known = kept.of(rows)
        missing = rows[known.starts == UNKNOWN]
        for start in range(0, len(missing), _ROWS_AT_ONCE):
            some = missing[start : start + _ROWS_AT_ONCE]
            matrices = self._of_rows(some, state)
            kept.learn(some, matrices, state.live)
            counts = np.array([len(matrix) for matrix in matrices])
            if counts.any():
                stacked = np.concatenate(matrices)
                yield some[counts > 0], *_rough(metric, stacked, np.linalg.norm(stacked, axis=1), counts[counts > 0], query)
        having = np.flatnonzero(known.counts)
        ends = np.cumsum(known.counts[having])
        bounds = np.searchsorted(ends, np.arange(0, int(ends[-1]) if len(ends) else 0, _VECTORS_AT_ONCE))
        for first, last in pairwise((*np.unique(bounds).tolist(), len(having))):
            chosen = having[first:last]
            yield rows[chosen], *_rough(metric, *known.stretch(chosen), known.counts[chosen], query)

    def _of_rows(self, rows: Positions, state: State) -> list[Matrix]:
        """The matrices of these rows, read; one without vectors where there is none."""
        revisions, none = state.table.revisions.view()[rows].tolist(), np.empty((0, self.dims), np.float32)
        found = {owner: matrix for some in self._some(revisions) for owner, matrix in some}
        return [found.get(revision, none) for revision in revisions]

    def distances(self, metric: Metric, query: Matrix, revisions: Sequence[int]) -> dict[int, np.float32]:
        """The exact distances of those of these objects that have a multi-vector, by revision."""
        return {owner: max_sim_distance(metric, matrix, query) for some in self._some(revisions) for owner, matrix in some}

    def _some(self, revisions: Sequence[int]) -> Iterator[list[tuple[int, Matrix]]]:
        for start in range(0, len(revisions), _ROWS_AT_ONCE):
            some = revisions[start : start + _ROWS_AT_ONCE]
            places = ",".join("?" * len(some))
            rows = self.connection.execute(f"{_SELECT}({places})", (MULTI_VECTOR + self.name, *some)).fetchall()
            if rows:
                yield [(int(str(owner)), self._matrix(data, crc)) for owner, data, crc in rows]

    def _matrix(self, data: object, crc: object) -> Matrix:
        if not isinstance(data, bytes) or zlib.crc32(data) != crc or len(data) % (4 * self.dims):
            raise Corrupt(f"a multi-vector {self.name!r} in {self.path} is damaged; restore it from a backup", path=str(self.path))
        return np.frombuffer(data, "<f4").reshape(-1, self.dims)


def _rough(metric: Metric, stacked: Matrix, norms: Norms, counts: Positions, query: Matrix) -> tuple[npt.NDArray[np.float64], float]:
    """Distances in float32 of objects with so many of the stacked vectors each, and by how much the largest of these may be wrong."""
    starts = np.cumsum(counts) - counts
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(query, axis=1)
        nearest = np.minimum.reduceat(_of_each(metric, stacked, norms, query, lengths), starts, axis=1).astype(np.float64)
        total = (nearest - MAX_SIM_OFFSET.get(metric, 0)).sum(axis=0)
        scales = np.ones(len(query)) if metric is Metric.COSINE else float(norms.max()) * lengths.astype(np.float64) + np.abs(nearest).max(axis=1)
        margin = _EPSILON * (stacked.shape[1] + 8) * float(scales.sum())
    return np.nan_to_num(total, nan=-np.inf), margin  # beyond float32: to be measured in float64


def _of_each(metric: Metric, stacked: Matrix, norms: Norms, query: Matrix, lengths: Norms) -> npt.NDArray[np.float32]:
    """(m, n): how far each of the stacked vectors is from each of the query's; where it can be, by one product of matrices."""
    if metric is Metric.DOT:
        return np.asarray(-(query @ stacked.T), np.float32)
    if metric is not Metric.COSINE:
        return np.stack([distances(metric, stacked, wanted) for wanted in query])
    scale = lengths[:, np.newaxis] * norms
    cosines = np.divide(query @ stacked.T, scale, out=np.zeros(scale.shape, np.float32), where=scale > 0)
    return np.asarray(np.maximum(1 - cosines, 0), np.float32)
