"""Multi-vectors: several vectors an object, kept as blobs and searched exactly by MaxSim.

An object has as many rows as it likes, which fits no slot. So its matrix is a blob in the table `pictures`, beside the object's pictures and under the same
key: written in the object's transaction, shared by versions that leave it as it is, with a checksum of its own, copied and checked with the rest.

    name     vector:<name of the vector>       no property is called so
    bytes    the rows one after another, float32, little-endian
    dims     those of the named vector's slot file, which has a header and no slots

A search takes the matrices of the objects that pass out of those kept in memory (`kept_matrices`) or else reads them, some at a time, which takes a hundred
times as long (bench/slow_paths.py), and measures them roughly: for each vector of the query the nearest of each object's, added up, by compiled code
(`ann.kernel`) or by products of matrices. How wrong that may be is known, so those that may belong to the page are then measured as
`domain.vectors.max_sim_distance` says: order and ties are those of the memory engine.

What was left out: an index (MUVERA turns a matrix into one vector, arXiv:2405.19504), and a mapped file of all rows, for those that are too many to be kept.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import cast

import apsw
import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import AnyVector, Matrix
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import MAX_SIM_OFFSET, check_dimensions, distances, max_sim_distance
from nearimage.engines.embedded.ann.kernel import KERNEL, METRICS, Halves, Kernel, Units
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.kept_matrices import UNKNOWN, KeptMatrices, Matrices, are_usual, norms_of
from nearimage.engines.embedded.layout import MULTI_VECTOR
from nearimage.engines.embedded.nearest import NOTHING, Ranking
from nearimage.engines.embedded.state import State

_ROWS_AT_ONCE = 500
"""Objects whose matrices are asked for at a time."""

_BYTES_AT_ONCE = 8 << 20
"""Of matrices that are read before they are looked at."""

_VECTORS_AT_ONCE = 4096
"""Of those in memory, measured at a time without compiled code: 2 MB of 128 numbers each, which the next vector of the query finds in the cache."""

Norms = npt.NDArray[np.float32]
Roughly = tuple[Positions, npt.NDArray[np.float64], float]
"""Rows, their rough distances (not finite: nobody knows), and by how much these may be wrong."""

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
        known = np.isfinite(rough) & are_usual(query, norms_of(query)).all()
        farthest = np.partition(rough[known], wanted - 1)[wanted - 1] if wanted < np.count_nonzero(known) else np.inf
        margin = max(margin for _, _, margin in parts)
        found = self.distances(metric, query, state.table.revisions.view()[near[~known | (rough <= farthest + 2 * margin)]].tolist())
        rows = state.table.rows_of(np.fromiter(found.keys(), np.int64, len(found)))
        distances = np.fromiter(found.values(), np.float32, len(found))
        order = state.table.index.ids.order(rows, distances)[:wanted]
        return Ranking(rows[order], distances[order])

    def _roughly(self, metric: Metric, query: Matrix, state: State, rows: Positions) -> Iterator[Roughly]:
        """Rough distances of those of these rows that have a multi-vector, some at a time."""
        kept = state.table.matrices(self.name, self.dims, exactly=metric not in METRICS)
        known = kept.of(rows)
        if (known.starts == UNKNOWN).any():
            self._bring(rows[known.starts == UNKNOWN], state, kept)
            known = kept.of(rows)
            for some, matrices in self._of_rows(rows[known.starts == UNKNOWN], state):  # there was no room for them
                stacked, counts = np.concatenate(matrices), np.array([len(matrix) for matrix in matrices])
                yield some, *_rough(metric, stacked, norms_of(stacked), counts, query)
        having = np.flatnonzero(known.counts)
        if KERNEL and metric in METRICS and len(having):
            yield rows[having], *_compiled(KERNEL, metric, known, having, query)
            return
        ends = np.cumsum(known.counts[having])
        bounds = np.searchsorted(ends, np.arange(0, int(ends[-1]) if len(ends) else 0, _VECTORS_AT_ONCE))
        for first, last in pairwise((*np.unique(bounds).tolist(), len(having))):
            chosen = having[first:last]
            yield rows[chosen], *_rough(metric, *known.stretch(chosen), known.counts[chosen], query, error=known.error)

    def _bring(self, rows: Positions, state: State, kept: KeptMatrices) -> None:
        """Have these rows kept, as far as there is room."""
        lacking = np.ones(len(rows), np.bool_)
        for some, matrices in self._of_rows(rows, state):
            if not kept.learn(some, matrices, state.live):
                return
            lacking[np.searchsorted(rows, some)] = False
        without = rows[lacking]
        kept.learn(without, [np.empty((0, self.dims), np.float32)] * len(without), state.live)

    def _of_rows(self, rows: Positions, state: State) -> Iterator[tuple[Positions, list[Matrix]]]:
        """Those of these rows that have a multi-vector, ascending, and theirs, some megabytes at a time."""
        for some in self._some(state.table.revisions.view()[rows].tolist()):
            some.sort(key=itemgetter(0))
            yield state.table.rows_of(np.array([owner for owner, _ in some])), [matrix for _, matrix in some]

    def distances(self, metric: Metric, query: Matrix, revisions: Sequence[int]) -> dict[int, np.float32]:
        """The exact distances of those of these objects that have a multi-vector, by revision."""
        return {owner: max_sim_distance(metric, matrix, query) for some in self._some(revisions) for owner, matrix in some}

    def _some(self, revisions: Sequence[int]) -> Iterator[list[tuple[int, Matrix]]]:
        """Revisions and matrices, some megabytes at a time, in any order."""
        for start in range(0, len(revisions), _ROWS_AT_ONCE):
            asked = revisions[start : start + _ROWS_AT_ONCE]
            some, size = list[tuple[int, Matrix]](), 0
            for owner, data, crc in self.connection.execute(f"{_SELECT}({','.join('?' * len(asked))})", (MULTI_VECTOR + self.name, *asked)):
                matrix = self._matrix(data, crc)
                some.append((int(str(owner)), matrix))
                size += matrix.nbytes
                if size >= _BYTES_AT_ONCE:
                    yield some
                    some, size = [], 0
            if some:
                yield some

    def _matrix(self, data: object, crc: object) -> Matrix:
        if not isinstance(data, bytes) or zlib.crc32(data) != crc or len(data) % (4 * self.dims):
            raise Corrupt(f"a multi-vector {self.name!r} in {self.path} is damaged; restore it from a backup", path=str(self.path))
        return np.frombuffer(data, "<f4").reshape(-1, self.dims)


def _compiled(kernel: Kernel, metric: Metric, known: Matrices, having: Positions, query: Matrix) -> tuple[npt.NDArray[np.float64], float]:
    """What `_rough` gives of rows that are kept."""
    lengths = np.linalg.norm(query.astype(np.float64), axis=1)
    asked = np.zeros((len(query), known.numbers.shape[1]), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        asked[:, : known.dims] = query if metric is not Metric.COSINE else query / np.where(lengths > 0, lengths, 1)[:, np.newaxis]
        sums = kernel.max_sim(metric, Units(cast("Halves", known.numbers), known.norms), known.starts[having], known.counts[having], asked)
        total = (float((lengths**2).sum()) if metric is Metric.L2_SQUARED else 0) - sums
        margin = _products(metric, known.norms, lengths) * (known.error + _EPSILON * (known.dims + 8))
    return total, margin


def _rough(metric: Metric, stacked: Matrix, norms: Norms, counts: Positions, query: Matrix, *, error: float = 0) -> tuple[npt.NDArray[np.float64], float]:
    """Distances in float32 of objects with so many of the stacked vectors each, and by how much the largest of these may be wrong.

    Args:
        error: of the stacked vectors, for each unit of their lengths.
    """
    starts = np.cumsum(counts) - counts
    usual = are_usual(stacked, norms)
    known = np.logical_and.reduceat(usual, starts)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(query, axis=1)
        nearest = np.minimum.reduceat(_of_each(metric, stacked, norms, query, lengths), starts, axis=1).astype(np.float64)
        total = (nearest - MAX_SIM_OFFSET.get(metric, 0)).sum(axis=0)
        total[~known] = np.nan
        if metric in METRICS:
            margin = _products(metric, norms[usual], lengths.astype(np.float64)) * (error + _EPSILON * (stacked.shape[1] + 8))
        else:
            margin = _EPSILON * (stacked.shape[1] + 8) * float(np.abs(nearest[:, known]).max(axis=1, initial=0).sum())
    return total, margin


def _products(metric: Metric, norms: Norms, lengths: npt.NDArray[np.float64]) -> float:
    """How large what the distances from a query's vectors, which have these lengths, are made of may be, all of it together."""
    longest = float(norms.max(initial=0))
    each = {Metric.COSINE: np.ones(len(lengths)), Metric.DOT: longest * lengths, Metric.L2_SQUARED: (longest + lengths) ** 2}[metric]
    return 2 * float(each.sum())


def _of_each(metric: Metric, stacked: Matrix, norms: Norms, query: Matrix, lengths: Norms) -> npt.NDArray[np.float32]:
    """(m, n): how far each of the stacked vectors is from each of the query's; where it can be, by one product of matrices."""
    if metric is Metric.DOT:
        return np.asarray(-(query @ stacked.T), np.float32)
    if metric is not Metric.COSINE:
        return np.stack([distances(metric, stacked, wanted) for wanted in query])
    scale = lengths[:, np.newaxis] * norms
    cosines = np.divide(query @ stacked.T, scale, out=np.zeros(scale.shape, np.float32), where=scale > 0)
    return np.asarray(np.maximum(1 - cosines, 0), np.float32)
