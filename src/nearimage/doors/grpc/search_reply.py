"""Render hits as a gRPC SearchReply. May import numpy, `domain` and `doors.wire` only."""

import struct
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nearimage.domain.objects import Hit
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.values import GeoCoordinates, Nested, PhoneNumber, PropertyValue
from nearimage.doors.grpc.search_request import Asked
from nearimage.doors.wire.messages import SearchReply

_SINGLE_FP32 = 1


def render_reply(message: Any, collection: Collection, asked: Asked, hits: Iterable[Hit], took_s: float) -> bytes:
    """The reply to a request, as bytes."""
    reply = SearchReply(took=took_s, generative_grouped_result="")
    types = {p.name: p for p in collection.properties}
    types.update((entry.prop_name, _narrowed(types[entry.prop_name], entry)) for entry in message.properties.object_properties)
    for hit in hits:
        result = reply.results.add()
        _render_properties(result.properties, collection.name, asked.properties, types, hit.record.properties)
        _render_metadata(result.metadata, message.metadata, hit)
        _render_vectors(result.metadata, collection, asked.vectors, hit)
    return bytes(reply.SerializeToString())


def _narrowed(prop: Property, asked: Any) -> Property:
    """The property with only those nested ones that are asked for."""
    deeper = {entry.prop_name: entry for entry in asked.object_properties}
    chosen = (p for p in prop.nested if p.name in deeper or p.name in asked.primitive_properties)
    return replace(prop, nested=tuple(_narrowed(p, deeper[p.name]) if p.name in deeper else p for p in chosen))


def _render_properties(out: Any, collection: str, names: Sequence[str], types: Mapping[str, Property], values: Mapping[str, PropertyValue]) -> None:
    out.target_collection = collection
    fields = out.non_ref_props.fields
    for name in names:
        value = values.get(name)
        if value is None:
            fields[name].null_value = 0
        else:
            _render_value(fields[name], types[name], value)
    if not names:
        out.ClearField("non_ref_props")


def _render_value(out: Any, prop: Property, value: PropertyValue) -> None:
    if isinstance(value, tuple):
        _render_list(out.list_value, prop, value)
    elif isinstance(value, GeoCoordinates):
        out.geo_value.latitude, out.geo_value.longitude = value.latitude, value.longitude
    elif isinstance(value, PhoneNumber):
        _render_phone_number(out.phone_value, value)
    elif isinstance(value, Mapping):
        _render_object(out.object_value, prop, value)
    else:
        field, convert = _SCALARS[prop.data_type.element]
        setattr(out, field, convert(value))


def _render_object(out: Any, prop: Property, values: Nested) -> None:
    """The fields of a nested object that are there, in the order of the schema."""
    out.SetInParent()
    for inner in prop.nested:
        if inner.name in values:
            _render_value(out.fields[inner.name], inner, values[inner.name])


def _render_phone_number(out: Any, value: PhoneNumber) -> None:
    out.input, out.default_country, out.valid = value.input, value.default_country, value.valid
    out.international_formatted, out.national_formatted = value.international, value.national
    out.national, out.country_code = value.national_number, value.country_code


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


def _render_list(out: Any, prop: Property, values: tuple[Any, ...]) -> None:
    """Numbers are packed 8 bytes each; everything else is repeated."""
    element = prop.data_type.element
    if element is DataType.INT:
        out.int_values.values = struct.pack(f"<{len(values)}q", *values)
    elif element is DataType.NUMBER:
        out.number_values.values = struct.pack(f"<{len(values)}d", *values)
    elif element is DataType.OBJECT:
        out.object_values.SetInParent()
        for value in values:
            _render_object(out.object_values.values.add(), prop, value)
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
