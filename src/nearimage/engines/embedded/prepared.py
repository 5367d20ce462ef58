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

from nearimage.domain.columns import NOTHING, uuid_of
from nearimage.domain.errors import InvalidInput, VectorNameUnknown
from nearimage.domain.objects import Record, Vector
from nearimage.domain.schema import Collection
from nearimage.domain.values import PropertyValue
from nearimage.domain.vectors import check_dimensions, dims_of
from nearimage.engines.embedded.columns import ConvertedRow
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.multi_vectors import blobs_of
from nearimage.engines.embedded.rows import RowCodec, StoredRow

_OFFER_EVERY = 32
"""Records between two offers of the interpreter's lock: some 0.4 ms. A search beside an import would else wait for its turn 5 ms at a time."""


class Prepared(NamedTuple):
    """One object, ready to be written.

    Attributes:
        properties: all but pictures, through the codec.
        seals: the checksum of each vector, by name.
        dims: of each vector, by name, multi-vectors too; the rows of these are among the pictures.
        is_patch: whether vectors and pictures are those of the stored object; the record brings none.
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
    is_patch: bool = False


class Preparer:
    """Makes records of one collection ready. For any thread."""

    def __init__(self, collection: Collection, codec: RowCodec) -> None:
        self._codec = codec
        self.alter(collection)

    def alter(self, collection: Collection) -> None:
        """Go by another definition from now on."""
        self._encoder = self._codec.encoder(collection)
        self._names = tuple(v.name for v in collection.vectors)

    def prepare_all(self, records: Sequence[Record], index: Index) -> list[Prepared]:
        """Every record, in order."""
        if len(records) == 1:
            return [self.prepare(records[0], index)]
        prepared: list[Prepared] = []
        for first in range(0, len(records), _OFFER_EVERY):
            prepared += self._prepare_some(records[first : first + _OFFER_EVERY], index)
            time.sleep(0)
        return prepared

    def prepare(self, record: Record, index: Index) -> Prepared:
        """One record."""
        try:
            converted, pictures = index.convert(record.properties, record.created_ms, record.updated_ms), _pictures(record)
            return self._prepared(record, converted, pictures, self._encoder.encode(_without(record.properties, pictures)))
        except InvalidInput as refusal:
            return self._refused(record, refusal)

    def _prepare_some(self, records: Sequence[Record], index: Index) -> list[Prepared]:
        try:
            pictures = list(map(_pictures, records))
            encoded = self._encoder.encode_all([_without(record.properties, some) for record, some in zip(records, pictures, strict=True)])
            return list(map(self._prepared, records, index.convert_all(records), pictures, encoded))
        except InvalidInput:  # of one of them; the others must not suffer from it
            return [self.prepare(record, index) for record in records]

    @staticmethod
    def _prepared(record: Record, converted: ConvertedRow, pictures: Mapping[str, bytes], encoded: bytes) -> Prepared:
        given, vectors, seals, dims = record.vectors, {}, {}, {}
        for name, vector in given.items():
            dims[name] = vector.shape[-1]
            if vector.ndim == 1:
                vectors[name] = own = np.ascontiguousarray(vector, np.float32)
                seals[name] = zlib.crc32(own.data)
        if len(vectors) < len(given):
            pictures = {**pictures, **blobs_of(given)}
        return Prepared(record.id.bytes, record.created_ms, record.updated_ms, vectors, encoded, pictures, converted, seals, dims)

    def record(self, stored: Prepared | StoredRow) -> Record:
        """The inverse, without vectors and pictures."""
        properties = self._codec.view(stored.properties, None)
        return Record(id=uuid_of(stored.id), properties=properties, created_ms=stored.created_ms, updated_ms=stored.updated_ms)

    @staticmethod
    def _refused(record: Record, refusal: InvalidInput) -> Prepared:
        """A record that cannot be stored; its vectors may be refused first."""
        dims = {name: dims_of(vector) for name, vector in record.vectors.items()}
        return Prepared(record.id.bytes, record.created_ms, record.updated_ms, {}, b"", {}, {}, {}, dims, refusal)

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


def _pictures(record: Record) -> Mapping[str, bytes]:
    """Its blobs, which are stored apart."""
    values = record.properties
    if bytes not in map(type, values.values()):
        return NOTHING
    return {name: value for name, value in values.items() if type(value) is bytes}


def _without(values: Mapping[str, PropertyValue], pictures: Mapping[str, bytes]) -> Mapping[str, PropertyValue]:
    return {name: value for name, value in values.items() if name not in pictures} if pictures else values
