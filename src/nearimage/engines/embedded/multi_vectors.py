"""Multi-vectors: several vectors an object, kept as blobs and searched exactly by MaxSim.

An object has as many rows as it likes, which fits no slot. So its matrix is a blob in the table `pictures`, beside the object's pictures and under the same
key: written in the object's transaction, shared by versions that leave it as it is, with a checksum of its own, copied and checked with the rest.

    name     vector:<name of the vector>       no property is called so
    bytes    the rows one after another, float32, little-endian
    dims     those of the named vector's slot file, which has a header and no slots

A search reads the matrices of the objects that pass, some hundred at a time, and measures them roughly: one product of all their rows with the query's, the
largest in each object's stretch of rows, added up. Those that may belong to the page are then measured as `domain.vectors.max_sim_distance` says, so
that order and ties are those of the memory engine.

What was left out: an index (MUVERA turns a matrix into one vector, arXiv:2405.19504), and a mapped file of all rows, which would save reading blobs.

May import apsw, numpy, `domain` and this package.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import AnyVector, Matrix
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import MAX_SIM_OFFSET, check_dimensions, distances, max_sim_distance
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.layout import MULTI_VECTOR
from nearimage.engines.embedded.nearest import NOTHING, Ranking
from nearimage.engines.embedded.state import State

_ROWS_AT_ONCE = 500
"""Objects whose matrices are in memory at a time: 8 MB where each has 32 rows of 128 numbers."""

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
        revisions = state.table.revisions.view()[np.flatnonzero(passing)].tolist()
        parts = [_rough(metric, dict(some), query) for some in self._some(revisions)] if wanted else []
        if not parts:
            return NOTHING
        owners, rough, margins = (np.concatenate(column) for column in zip(*parts, strict=True))
        farthest = np.partition(rough, wanted - 1)[wanted - 1] if wanted < len(rough) else np.inf
        found = self.distances(metric, query, owners[rough <= farthest + 2 * margins.max()].tolist())
        rows = state.table.rows_of(np.fromiter(found.keys(), np.int64, len(found)))
        distances = np.fromiter(found.values(), np.float32, len(found))
        order = state.table.index.ids.order(rows, distances)[:wanted]
        return Ranking(rows[order], distances[order])

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


def _rough(metric: Metric, matrices: Mapping[int, Matrix], query: Matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Owners, their distances in float32, and by how much the largest of these may be wrong."""
    stacked = np.concatenate(list(matrices.values()))
    starts = np.cumsum([0, *(len(matrix) for matrix in matrices.values())])[:-1]
    total, margin = np.zeros(len(starts)), 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(stacked, axis=1)
        longest = float(norms.max())
        for wanted in query:
            nearest = np.minimum.reduceat(distances(metric, stacked, wanted, norms), starts).astype(np.float64)
            total += nearest - MAX_SIM_OFFSET.get(metric, 0)
            scale = 1.0 if metric is Metric.COSINE else longest * float(np.linalg.norm(wanted)) + float(np.abs(nearest).max())
            margin += _EPSILON * (stacked.shape[1] + 8) * scale
    sound = np.nan_to_num(total, nan=-np.inf)  # beyond float32: to be measured in float64
    return np.fromiter(matrices, np.int64, len(matrices)), sound, np.array([margin])
