"""A record made ready to be written: everything that can be refused is refused here, before anything is touched.

    Record --Preparation.add--> Prepared, or InvalidInput

May import numpy, `domain` and this package.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nearimage.domain.errors import VectorNameUnknown
from nearimage.domain.objects import Record, Vector
from nearimage.domain.schema import Collection
from nearimage.domain.vectors import check_dimensions
from nearimage.engines.embedded.columns import ConvertedRow
from nearimage.engines.embedded.index import Index
from nearimage.engines.embedded.rows import RowCodec


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One object, ready to be written.

    Attributes:
        properties: all but pictures, through the codec.
        seals: the checksum of each vector, by name.
    """

    id: bytes
    created_ms: int
    updated_ms: int
    properties: bytes
    pictures: Mapping[str, bytes]
    converted: ConvertedRow
    vectors: Mapping[str, Vector]
    seals: Mapping[str, int]


class Preparation:
    """The records of one call, checked one after another, as if each were put alone.

    Attributes:
        chosen: what is to be written, by id; the last one of an id wins.
        dimensions: of each named vector, with what this call adds.
    """

    def __init__(self, collection: Collection, codec: RowCodec, index: Index, dimensions: Mapping[str, int]) -> None:
        self.chosen: dict[bytes, Prepared] = {}
        self.dimensions = dict(dimensions)
        self._codec = codec
        self._index = index
        self._names = tuple(v.name for v in collection.vectors)

    def add(self, record: Record) -> None:
        """Check and encode one record.

        Raises:
            DimensionMismatch: a vector has another length than those before it.
            VectorNameUnknown: the collection has no such named vector.
            InvalidValue: a value does not fit its property.
        """
        vectors = {name: np.ascontiguousarray(vector, np.float32) for name, vector in record.vectors.items()}
        for name, vector in vectors.items():
            if name not in self._names:
                raise VectorNameUnknown(f"there is no vector {name!r}; the collection has {list(self._names)}", have=list(self._names))
            check_dimensions(len(vector), self.dimensions.get(name, len(vector)), name=name)
        pictures = {name: value for name, value in record.properties.items() if isinstance(value, bytes)}
        prepared = Prepared(
            id=record.id.bytes,
            created_ms=record.created_ms,
            updated_ms=record.updated_ms,
            properties=self._codec.encode({name: value for name, value in record.properties.items() if name not in pictures}),
            pictures=pictures,
            converted=self._index.convert(record.properties, record.created_ms, record.updated_ms),
            vectors=vectors,
            seals={name: zlib.crc32(vector.data) for name, vector in vectors.items()},
        )
        self.dimensions.update({name: len(vector) for name, vector in vectors.items()})
        self.chosen.pop(prepared.id, None)
        self.chosen[prepared.id] = prepared
