"""What a reply says about an object beside its properties: id, times, distance, score, vectors; as the bytes of a `MetadataResult`.

May import numpy, `domain` and `doors` only.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from nearimage.domain.columns import HitColumns
from nearimage.domain.objects import AnyVector
from nearimage.domain.schema import LEGACY_VECTOR
from nearimage.doors.grpc.asked import Asked
from nearimage.doors.wire.encoding import int64, sized, varint
from nearimage.doors.wire.messages import MetadataResult, VectorsMessage, key_of

_ID, _ID_BYTES = key_of(MetadataResult, "id") + varint(36), key_of(MetadataResult, "id_as_bytes") + varint(16)
_NO_ID = np.frombuffer(_ID + b"........-....-....-....-............" + _ID_BYTES + bytes(16), np.uint8)
_DIGITS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))
"""Where digits of an id stand in its text, and which."""

_FEW = 20
"""Up to so many ids are looked up among those that were written last: they are what everybody finds."""

_FLOATS, _VECTOR_BYTES, _VECTORS = (key_of(MetadataResult, name) for name in ("vector", "vector_bytes", "vectors"))
_EXPLANATION = key_of(MetadataResult, "explain_score")
_EXPLAINED = key_of(MetadataResult, "explain_score_present") + b"\1"
_NAME, _BYTES, _TYPE = (key_of(VectorsMessage, name) for name in ("name", "vector_bytes", "type"))
_SINGLE, _MULTI = (_TYPE + varint(kind) for kind in (VectorsMessage.VECTOR_TYPE_SINGLE_FP32, VectorsMessage.VECTOR_TYPE_MULTI_FP32))


def _number(name: str) -> Callable[[Sequence[float | None]], list[bytes]]:
    """Writes a number and the flag that it is there."""
    before, behind, pack = key_of(MetadataResult, name), key_of(MetadataResult, f"{name}_present") + b"\1", struct.Struct("<f").pack

    def written(numbers: Sequence[float | None]) -> list[bytes]:
        return [b"" if number is None else before + pack(number) + behind for number in numbers]

    return written


def _time(name: str) -> Callable[[Sequence[int]], list[bytes]]:
    """The same for Unix milliseconds, which objects of one import share."""
    before, behind = key_of(MetadataResult, name), key_of(MetadataResult, f"{name}_present") + b"\1"

    @lru_cache(1024)
    def written(time_ms: int) -> bytes:
        return before + int64(time_ms) + behind

    return lambda times: list(map(written, times))


_DISTANCES, _CERTAINTIES, _SCORES = _number("distance"), _number("certainty"), _number("score")
_CREATED, _UPDATED = _time("creation_time_unix"), _time("last_update_time_unix")


class Metadata:
    """Writes the metadata that one request asked for.

    Args:
        asked: of the collection that the objects are of.
    """

    def __init__(self, asked: Asked) -> None:
        self._wanted = asked.metadata
        self._vectors = [(name, asked.collection.legacy_vector and name == LEGACY_VECTOR) for name in asked.vectors]

    def of(self, hits: HitColumns) -> list[bytes]:
        """A `MetadataResult` of each."""
        columns = list(self._columns(hits))
        return list(map(b"".join, zip(*columns, strict=True))) if columns else [b""] * len(hits)

    def _columns(self, hits: HitColumns) -> Iterator[list[bytes]]:
        """Field by field; empty where a hit lacks one."""
        wanted, records = self._wanted, hits.records
        if wanted.uuid:
            yield _ids(records.ids)
        if wanted.distance and hits.distances and not hits.is_scored:  # a hybrid search tells none
            yield _DISTANCES(hits.distances)
        if wanted.certainty and hits.certainties:
            yield _CERTAINTIES(hits.certainties)
        if wanted.score:  # clients expect the flag also where nothing is scored
            yield _SCORES([score or 0.0 for score in hits.scores] if hits.scores else [0.0] * len(hits))
        if wanted.explain_score:
            yield [sized(_EXPLANATION, one.encode()) + _EXPLAINED for one in hits.explanations or [""] * len(hits)]
        if wanted.creation_time_unix:
            yield _CREATED(records.created_ms)
        if wanted.last_update_time_unix:
            yield _UPDATED(records.updated_ms)
        for name, is_legacy in self._vectors:
            yield [b"" if vector is None else _vector(name, vector, is_legacy=is_legacy) for vector in records.vectors.get(name, ())] or [b""] * len(hits)


def _ids(packed: Sequence[bytes]) -> list[bytes]:
    """The two forms of each id."""
    return list(map(_id, packed)) if len(packed) <= _FEW else _many_ids(packed)


@lru_cache(1 << 14)
def _id(packed: bytes) -> bytes:
    digits = packed.hex()
    text = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return b"".join((_ID, text.encode(), _ID_BYTES, packed))


def _many_ids(packed: Sequence[bytes]) -> list[bytes]:
    """Written for all of them at once; in a third of the time where none was written before."""
    joined = b"".join(packed)
    digits = np.frombuffer(joined.hex().encode(), np.uint8).reshape(-1, 32)
    written = np.empty((len(packed), len(_NO_ID)), np.uint8)
    written[:] = _NO_ID
    for at, first, last in _DIGITS:
        written[:, len(_ID) + at : len(_ID) + at + last - first] = digits[:, first:last]
    written[:, -16:] = np.frombuffer(joined, np.uint8).reshape(-1, 16)
    data, length = written.tobytes(), len(_NO_ID)
    return [data[start : start + length] for start in range(0, len(data), length)]


def _vector(name: str, vector: AnyVector, *, is_legacy: bool) -> bytes:
    raw = vector.astype("<f4", copy=False).tobytes()
    if is_legacy:  # bytes for clients of today, numbers for those of yesterday: packed, they are the same bytes
        length = varint(len(raw))
        return b"".join((_VECTOR_BYTES, length, raw, _FLOATS, length, raw))
    if vector.ndim > 1:
        raw, kind = vector.shape[1].to_bytes(2, "little") + raw, _MULTI
    else:
        kind = _SINGLE
    return sized(_VECTORS, sized(_NAME, name.encode()) + sized(_BYTES, raw) + kind)
