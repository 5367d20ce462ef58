"""What is stored and what comes back: records, projections, hits.

May import numpy, the standard library and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt

from nearimage.domain.values import PropertyValue, Scalar

__all__ = ["EVERYTHING_BUT_BLOBS", "IDS_ONLY", "AnyVector", "Hit", "Matrix", "Projection", "PropertyValue", "Record", "Scalar", "Vector"]

Vector = npt.NDArray[np.float32]
"""(dims,) float32, finite, as the user or the vectorizer gave it (not normalised)."""

Matrix = npt.NDArray[np.float32]
"""(n, dims) float32, C-contiguous; n may be 0."""

AnyVector = npt.NDArray[np.float32]
"""A Vector, or of a multi-vector a Matrix: as many rows as the object has parts, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One object of a collection.

    Attributes:
        properties: what a projection left of them. Values have passed `nearimage.service.values`.
        vectors: by named vector, multi-vectors as matrices; an object may lack some or all of them.
        created_ms, updated_ms: Unix time in milliseconds.
        revision: set by the engine on what it returns: changes with every write of the object, never 0. Of no meaning on a record to be stored.
    """

    id: UUID
    properties: Mapping[str, PropertyValue] = field(default_factory=dict)
    vectors: Mapping[str, AnyVector] = field(default_factory=dict)
    created_ms: int = 0
    updated_ms: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Which parts of an object a caller wants back.

    Attributes:
        properties: names; None means every property but blobs (pictures are large: they come only when named). Unknown names give nothing.
        vectors: names; None means all of them.
        times: whether they matter; where they do not, an engine that need not read the object for the rest may leave them 0.
    """

    properties: tuple[str, ...] | None = None
    vectors: tuple[str, ...] | None = ()
    times: bool = True

    @property
    def is_bare(self) -> bool:
        """Whether nothing is wanted but which objects they are."""
        return self.properties == () and self.vectors == () and not self.times


EVERYTHING_BUT_BLOBS = Projection(vectors=None)
IDS_ONLY = Projection(properties=(), times=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An object that answers a query.

    Attributes:
        distance: in the metric of the vector searched; None where the query ranked nothing.
        certainty: 1 - distance / 2; only under cosine, where it is between 0 and 1; of multi-vectors, whose distances may be below 0, also above.
        score: of a keyword or hybrid search, higher is better; None of any other.
        explanation: how the score came about, for people; empty where nobody scored, or asked.
    """

    record: Record
    distance: float | None = None
    certainty: float | None = None
    score: float | None = None
    explanation: str = ""
