"""Render hits as a gRPC SearchReply. May import numpy, `domain` and `doors.wire` only."""

import struct
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nearimage.domain.objects import Hit, PropertyValue
from nearimage.domain.schema import Collection, DataType
from nearimage.doors.grpc.search_request import Asked
from nearimage.doors.wire.messages import SearchReply

_SINGLE_FP32 = 1


def render_reply(message: Any, collection: Collection, asked: Asked, hits: Iterable[Hit], took_s: float) -> bytes:
    """The reply to a request, as bytes."""
    reply = SearchReply(took=took_s, generative_grouped_result="")
    types = {p.name: p.data_type for p in collection.properties}
    for hit in hits:
        result = reply.results.add()
        _render_properties(result.properties, collection.name, asked.properties, types, hit.record.properties)
        _render_metadata(result.metadata, message.metadata, hit)
        _render_vectors(result.metadata, collection, asked.vectors, hit)
    return bytes(reply.SerializeToString())


def _render_properties(out: Any, collection: str, names: Sequence[str], types: Mapping[str, DataType], values: Mapping[str, PropertyValue]) -> None:
    out.target_collection = collection
    fields = out.non_ref_props.fields
    for name in names:
        value = values.get(name)
        if value is None:
            fields[name].null_value = 0
        elif isinstance(value, tuple):
            _render_list(fields[name].list_value, types[name].element, value)
        else:
            field, convert = _SCALARS[types[name]]
            setattr(fields[name], field, convert(value))
    if not names:
        out.ClearField("non_ref_props")


def _text(value: Any) -> str:
    return str(value)


def _base64(value: Any) -> str:
    return b64encode(value).decode()


_SCALARS: Mapping[DataType, tuple[str, Callable[[Any], Any]]] = {
    DataType.TEXT: ("text_value", _text),
    DataType.INT: ("int_value", int),
    DataType.NUMBER: ("number_value", float),
    DataType.BOOLEAN: ("bool_value", bool),
    DataType.DATE: ("date_value", _text),
    DataType.UUID: ("uuid_value", _text),
    DataType.BLOB: ("blob_value", _base64),
}


def _render_list(out: Any, element: DataType, values: tuple[Any, ...]) -> None:
    """Numbers are packed 8 bytes each; everything else is repeated."""
    if element is DataType.INT:
        out.int_values.values = struct.pack(f"<{len(values)}q", *values)
    elif element is DataType.NUMBER:
        out.number_values.values = struct.pack(f"<{len(values)}d", *values)
    else:
        kind = {DataType.BOOLEAN: "bool_values", DataType.DATE: "date_values", DataType.UUID: "uuid_values"}.get(element, "text_values")
        part = getattr(out, kind)
        part.SetInParent()
        part.values.extend(values)


def _render_metadata(out: Any, wanted: Any, hit: Hit) -> None:
    record = hit.record
    if wanted.uuid:
        out.id = str(record.id)
        out.id_as_bytes = record.id.bytes
    if wanted.creation_time_unix:
        out.creation_time_unix, out.creation_time_unix_present = record.created_ms, True
    if wanted.last_update_time_unix:
        out.last_update_time_unix, out.last_update_time_unix_present = record.updated_ms, True
    if wanted.distance and hit.distance is not None:
        out.distance, out.distance_present = hit.distance, True
    if wanted.certainty and hit.certainty is not None:
        out.certainty, out.certainty_present = hit.certainty, True
    out.score_present = wanted.score  # nothing here is scored: clients expect the flag and 0 all the same
    out.explain_score_present = wanted.explain_score


def _render_vectors(out: Any, collection: Collection, names: Sequence[str], hit: Hit) -> None:
    for name in names:
        vector = hit.record.vectors.get(name)
        if vector is None:
            continue
        raw = vector.astype("<f4").tobytes()
        if collection.legacy_vector:
            out.vector_bytes = raw
            out.vector.extend(vector.tolist())
        else:
            out.vectors.add(name=name, vector_bytes=raw, type=_SINGLE_FP32)
