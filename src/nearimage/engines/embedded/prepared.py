"""A record made ready to be written: everything that does not depend on what else is stored is done here, in the caller's thread.

    Record --Preparer.prepare--> Prepared          beside other callers, and beside the writer's fsync
    Prepared --check--> or InvalidInput            in the writer's turn: lengths of vectors depend on who came first

May import numpy, `domain` and this package.
"""

import time
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nearimage.domain.errors import InvalidInput, VectorNameUnknown
from nearimage.domain.objects import Record, Vector
from nearimage.domain.schema import Collection
from nearimage.domain.vectors import check_dimensions, dims_of
from nearimage.engines.embedded.columns import ConvertedRow
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.multi_vectors import blobs_of
from nearimage.engines.embedded.rows import RowCodec

_OFFER_EVERY = 16
"""Records between two offers of the interpreter's lock: some 0.3 ms. A search beside an import would else wait for its turn 5 ms at a time."""


class Prepared(NamedTuple):
    """One object, ready to be written.

    Attributes:
        properties: all but pictures, through the codec.
        seals: the checksum of each vector, by name.
        dims: of each vector, by name, multi-vectors too; the rows of these are among the pictures.
        refusal: why it cannot be stored, unless its vectors are refused first; the rest is then empty.
    """

    id: bytes
    created_ms: int
    updated_ms: int
    vectors: Mapping[str, Vector]
    properties: bytes
    pictures: Mapping[str, bytes]
    converted: ConvertedRow
    seals: Mapping[str, int]
    dims: Mapping[str, int]
    refusal: InvalidInput | None = None


class Preparer:
    """Makes records of one collection ready. For any thread."""

    def __init__(self, collection: Collection, codec: RowCodec) -> None:
        self._codec = codec
        self.alter(collection)

    def alter(self, collection: Collection) -> None:
        """Go by another definition from now on."""
        self._encode = self._codec.encoder(collection)
        self._names = tuple(v.name for v in collection.vectors)

    def prepare_all(self, records: Sequence[Record], index: Index) -> list[Prepared]:
        """Every record, in order."""
        prepared = []
        for number, record in enumerate(records, 1):
            prepared.append(self.prepare(record, index))
            if not number % _OFFER_EVERY:
                time.sleep(0)
        return prepared

    def prepare(self, record: Record, index: Index) -> Prepared:
        """One record."""
        dims = {name: dims_of(vector) for name, vector in record.vectors.items()}
        vectors = {name: np.ascontiguousarray(vector, np.float32) for name, vector in record.vectors.items() if vector.ndim == 1}
        multi_vectors = blobs_of(record.vectors) if len(vectors) < len(dims) else {}
        values = record.properties
        pictures = {name: value for name, value in values.items() if type(value) is bytes}
        try:
            return Prepared(
                record.id.bytes,
                record.created_ms,
                record.updated_ms,
                vectors,
                self._encode({name: value for name, value in values.items() if name not in pictures} if pictures else values),
                pictures | multi_vectors,
                index.convert(values, record.created_ms, record.updated_ms),
                {name: zlib.crc32(vector.data) for name, vector in vectors.items()},
                dims,
            )
        except InvalidInput as refusal:
            return Prepared(record.id.bytes, record.created_ms, record.updated_ms, vectors, b"", {}, {}, {}, dims, refusal)

    def check(self, prepared: Prepared, dimensions: Mapping[str, int]) -> None:
        """Refuse what must not be stored.

        Args:
            dimensions: of each named vector stored so far.

        Raises:
            DimensionMismatch: a vector has another length than those before it.
            VectorNameUnknown: the collection has no such named vector.
            InvalidValue: a value does not fit its property.
        """
        for name, dims in prepared.dims.items():
            if name not in self._names:
                raise VectorNameUnknown(f"there is no vector {name!r}; the collection has {list(self._names)}", have=list(self._names))
            check_dimensions(dims, dimensions.get(name, dims), name=name)
        if prepared.refusal:
            raise prepared.refusal
