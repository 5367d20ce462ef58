"""What a reply says about an object beside its properties: id, times, distance, score, vectors; as the bytes of a `MetadataResult`.

May import `domain` and `doors` only.
"""

import struct
from collections.abc import Callable

from nearimage.domain.objects import AnyVector, Hit
from nearimage.domain.schema import LEGACY_VECTOR
from nearimage.doors.grpc.asked import Asked
from nearimage.doors.wire.encoding import int64, sized, varint
from nearimage.doors.wire.messages import MetadataResult, VectorsMessage, key_of

_ID, _ID_BYTES = key_of(MetadataResult, "id") + varint(36), key_of(MetadataResult, "id_as_bytes") + varint(16)
_FLOATS, _VECTOR_BYTES, _VECTORS = (key_of(MetadataResult, name) for name in ("vector", "vector_bytes", "vectors"))
_EXPLANATION = key_of(MetadataResult, "explain_score")
_EXPLAINED = key_of(MetadataResult, "explain_score_present") + b"\1"
_NAME, _BYTES, _TYPE = (key_of(VectorsMessage, name) for name in ("name", "vector_bytes", "type"))
_SINGLE, _MULTI = (_TYPE + varint(kind) for kind in (VectorsMessage.VECTOR_TYPE_SINGLE_FP32, VectorsMessage.VECTOR_TYPE_MULTI_FP32))


def _float(name: str) -> Callable[[float], bytes]:
    """Writes a number and the flag that it is there."""
    before, behind, pack = key_of(MetadataResult, name), key_of(MetadataResult, f"{name}_present") + b"\1", struct.Struct("<f").pack

    def written(number: float) -> bytes:
        return before + pack(number) + behind

    return written


def _time(name: str) -> Callable[[int], bytes]:
    """The same for Unix milliseconds."""
    before, behind = key_of(MetadataResult, name), key_of(MetadataResult, f"{name}_present") + b"\1"

    def written(time_ms: int) -> bytes:
        return before + int64(time_ms) + behind

    return written


_DISTANCE, _CERTAINTY, _SCORE = _float("distance"), _float("certainty"), _float("score")
_CREATED, _UPDATED = _time("creation_time_unix"), _time("last_update_time_unix")


class Metadata:
    """Writes the metadata that one request asked for.

    Args:
        asked: of the collection that the objects are of.
    """

    def __init__(self, asked: Asked) -> None:
        wanted = asked.metadata
        self._uuid, self._explanation = wanted.uuid, wanted.explain_score
        self._created, self._updated = wanted.creation_time_unix, wanted.last_update_time_unix
        self._distance, self._certainty, self._score = wanted.distance, wanted.certainty, wanted.score
        self._vectors = [(name, asked.collection.legacy_vector and name == LEGACY_VECTOR) for name in asked.vectors]

    def of(self, hit: Hit) -> bytes:
        """A `MetadataResult`."""
        record, parts = hit.record, list[bytes]()
        if self._uuid:
            packed = record.id.bytes
            parts += (_ID, str(record.id).encode(), _ID_BYTES, packed)
        if self._distance and hit.distance is not None:
            parts.append(_DISTANCE(hit.distance))
        if self._certainty and hit.certainty is not None:
            parts.append(_CERTAINTY(hit.certainty))
        if self._score:  # clients expect the flag also where nothing is scored
            parts.append(_SCORE(hit.score or 0.0))
        if self._explanation:
            parts += (sized(_EXPLANATION, hit.explanation.encode()), _EXPLAINED)
        if self._created:
            parts.append(_CREATED(record.created_ms))
        if self._updated:
            parts.append(_UPDATED(record.updated_ms))
        for name, is_legacy in self._vectors:
            if name in record.vectors:
                parts.append(_vector(name, record.vectors[name], is_legacy=is_legacy))
        return b"".join(parts)


def _vector(name: str, vector: AnyVector, *, is_legacy: bool) -> bytes:
    raw = vector.astype("<f4", copy=False).tobytes()
    if is_legacy:  # bytes for clients of today, numbers for those of yesterday: packed, they are the same bytes
        return sized(_VECTOR_BYTES, raw) + sized(_FLOATS, raw)
    if vector.ndim > 1:
        raw, kind = vector.shape[1].to_bytes(2, "little") + raw, _MULTI
    else:
        kind = _SINGLE
    return sized(_VECTORS, sized(_NAME, name.encode()) + sized(_BYTES, raw) + kind)
