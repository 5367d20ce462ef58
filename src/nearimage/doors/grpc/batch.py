"""BatchObjects: many objects in one request, an error for each that could not be stored.

May import numpy, `domain`, `service` and `doors.wire` only.
"""

import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nearimage.domain.drafts import UNNAMED, Draft
from nearimage.domain.errors import InvalidInput, NearimageError
from nearimage.domain.objects import AnyVector
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.near_request import from_bytes
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.uuids import read_uuid
from nearimage.doors.wire.messages import BatchObjectsReply, BatchObjectsRequest
from nearimage.service.services import Services

_BEACON = "weaviate://localhost/"
_SCALARS = frozenset(("string_value", "number_value", "bool_value"))


def batch_objects(services: Services, request: bytes) -> bytes:
    """Store the objects of a BatchObjectsRequest; the reply names what failed, by position.

    Raises:
        InvalidInput: the bytes are no such message.
    """
    started = time.perf_counter()
    message = parse(BatchObjectsRequest, request)
    reply = BatchObjectsReply()
    for position, error in sorted(store_objects(services, message.objects).items()):
        reply.errors.add(index=position, error=fault_of(error).message)
    reply.took = time.perf_counter() - started
    return bytes(reply.SerializeToString())


def store_objects(services: Services, entries: Sequence[Any]) -> dict[int, NearimageError]:
    """Store objects, all of one collection at once; what could not be stored, by position."""
    errors: dict[int, NearimageError] = {}
    drafts: dict[str, list[tuple[int, Draft]]] = {}
    for position, entry in enumerate(entries):
        try:
            drafts.setdefault(entry.collection, []).append((position, read_draft(entry)))
        except NearimageError as wrong:
            errors[position] = wrong
    for collection, numbered in drafts.items():
        errors.update(_store(services, collection, numbered))
    return errors


def _store(services: Services, collection: str, numbered: list[tuple[int, Draft]]) -> Iterator[tuple[int, NearimageError]]:
    try:
        stored = services.objects.put_many(collection, [draft for _, draft in numbered])
    except NearimageError as wrong:
        yield from ((position, wrong) for position, _ in numbered)
        return
    for (position, _), outcome in zip(numbered, stored, strict=True):
        if isinstance(outcome, NearimageError):
            yield position, outcome


def read_draft(entry: Any) -> Draft:
    """One object of the request.

    Raises:
        InvalidInput: no UUID, or bytes that are no vector.
    """
    parts = _parts(entry.properties)
    properties = _properties(parts)
    for reference in (*parts.get("single_target_ref_props", ()), *parts.get("multi_target_ref_props", ())):
        target = getattr(reference, "target_collection", "")
        beacons = [{"beacon": f"{_BEACON}{target}/{one}" if target else f"{_BEACON}{one}"} for one in reference.uuids]
        known = properties.setdefault(reference.prop_name, [])
        if isinstance(known, list):
            known += beacons
    return Draft(id=read_uuid(entry.uuid, what="uuid"), properties=properties, vectors=_vectors(entry), tenant=entry.tenant)


def _vectors(entry: Any) -> dict[str, AnyVector]:
    if entry.vectors:
        return {v.name or UNNAMED: from_bytes(v.vector_bytes, kind=v.type) for v in entry.vectors}
    raw = entry.vector_bytes
    if raw:
        return {UNNAMED: from_bytes(raw)}
    numbers = entry.vector
    return {UNNAMED: np.array(numbers, np.float32)} if len(numbers) else {}


def _parts(given: Any) -> dict[str, Any]:
    """The fields of a message that are there: ten ways to say something about a property, of which an object mostly uses one."""
    return {field.name: value for field, value in given.ListFields()}


def _properties(parts: Mapping[str, Any]) -> dict[str, object]:
    """The properties of an object, or of one nested in it, as JSON has them."""
    properties = _fields(parts["non_ref_properties"].fields) if "non_ref_properties" in parts else {}
    if len(parts) == 1 and properties:  # as mostly
        return properties
    for part, read in _READ.items():
        if part in parts:
            properties.update([(given.prop_name, read(given)) for given in parts[part]])
    properties.update(dict.fromkeys(parts.get("empty_list_props", ()), ()))
    return properties


def _elements(array: Any) -> tuple[object, ...]:
    return tuple(array.values)


def _numbers(array: Any) -> tuple[float, ...]:
    raw = array.values_bytes
    if not raw:
        return tuple(array.values)
    if len(raw) % 8:
        raise InvalidInput(f"property {array.prop_name!r}: {len(raw)} bytes are not made of 8-byte float64 numbers", property=array.prop_name)
    return struct.unpack(f"<{len(raw) // 8}d", raw)


def _nested(given: Any) -> dict[str, object]:
    return _properties(_parts(given.value))


def _nested_each(array: Any) -> list[dict[str, object]]:
    return [_properties(_parts(value)) for value in array.values]


_READ: Mapping[str, Callable[[Any], object]] = {
    "int_array_properties": _elements,
    "text_array_properties": _elements,
    "boolean_array_properties": _elements,
    "number_array_properties": _numbers,
    "object_properties": _nested,
    "object_array_properties": _nested_each,
}
"""What reads the entries of a part that have names; where two parts name the same property, the later one counts."""


def _fields(fields: Any) -> dict[str, object]:
    """A struct's; looking each name up takes half the time of the map's own `items`."""
    values: dict[str, object] = {}
    for name in fields:
        value = fields[name]
        kind = value.WhichOneof("kind")
        values[name] = getattr(value, kind) if kind in _SCALARS else _composed(value, kind)
    return values


def _plain(value: Any) -> object:
    """A value of google.protobuf.Struct as Python has it."""
    kind = value.WhichOneof("kind")
    return getattr(value, kind) if kind in _SCALARS else _composed(value, kind)


def _composed(value: Any, kind: str | None) -> object:
    if kind == "list_value":
        return [_plain(entry) for entry in value.list_value.values]
    return _fields(value.struct_value.fields) if kind == "struct_value" else None
