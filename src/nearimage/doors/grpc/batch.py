"""BatchObjects: many objects in one request, an error for each that could not be stored.

May import numpy, `domain`, `service` and `doors.wire` only.
"""

import struct
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from nearimage.domain.drafts import UNNAMED, Draft
from nearimage.domain.errors import InvalidInput, NearimageError, NotSupported
from nearimage.domain.objects import Vector
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.search_request import from_bytes, read_vectors
from nearimage.doors.uuids import read_uuid
from nearimage.doors.wire.messages import BatchObjectsReply, BatchObjectsRequest
from nearimage.service.services import Services


def batch_objects(services: Services, request: bytes) -> bytes:
    """Store the objects of a BatchObjectsRequest; the reply names what failed, by position.

    Raises:
        InvalidInput: the bytes are no such message.
    """
    try:
        message = BatchObjectsRequest.FromString(request)
    except DecodeError as wrong:
        raise InvalidInput(f"the request is no weaviate.v1.BatchObjectsRequest: {wrong}") from wrong
    errors: dict[int, NearimageError] = {}
    drafts: dict[str, list[tuple[int, Draft]]] = {}
    for position, entry in enumerate(message.objects):
        try:
            drafts.setdefault(entry.collection, []).append((position, read_draft(entry)))
        except NearimageError as wrong:
            errors[position] = wrong
    for collection, numbered in drafts.items():
        errors.update(_store(services, collection, numbered))
    reply = BatchObjectsReply()
    for position in sorted(errors):
        reply.errors.add(index=position, error=fault_of(errors[position]).message)
    return bytes(reply.SerializeToString())


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
        NotSupported: tenants.
    """
    if entry.tenant:
        raise NotSupported("multi-tenancy is not supported by this version", feature="multi-tenancy")
    return Draft(id=read_uuid(entry.uuid, what="uuid"), properties=_properties(entry.properties) | _references(entry.properties), vectors=_vectors(entry))


def _vectors(entry: Any) -> dict[str, Vector]:
    if entry.vectors:
        return {v.name or UNNAMED: from_bytes(v.vector_bytes, kind=v.type) for v in entry.vectors}
    vectors = read_vectors(entry)
    return {UNNAMED: vectors[0]} if vectors else {}


def _properties(given: Any) -> dict[str, object]:
    properties = {name: _plain(value) for name, value in given.non_ref_properties.fields.items()}
    properties.update((p.prop_name, tuple(p.values)) for p in given.int_array_properties)
    properties.update((p.prop_name, tuple(p.values)) for p in given.text_array_properties)
    properties.update((p.prop_name, tuple(p.values)) for p in given.boolean_array_properties)
    properties.update((p.prop_name, _numbers(p)) for p in given.number_array_properties)
    properties.update((p.prop_name, _properties(p.value)) for p in given.object_properties)
    properties.update((p.prop_name, [_properties(value) for value in p.values]) for p in given.object_array_properties)
    properties.update((name, ()) for name in given.empty_list_props)
    return properties


def _references(given: Any) -> dict[str, object]:
    """References as JSON has them, so that both doors are checked alike."""
    found: dict[str, list[object]] = {}
    for single in given.single_target_ref_props:
        found.setdefault(single.prop_name, []).extend({"beacon": f"weaviate://localhost/{uuid}"} for uuid in single.uuids)
    for multi in given.multi_target_ref_props:
        beacons = ({"beacon": f"weaviate://localhost/{multi.target_collection}/{uuid}"} for uuid in multi.uuids)
        found.setdefault(multi.prop_name, []).extend(beacons)
    return dict(found)


def _numbers(array: Any) -> tuple[float, ...]:
    raw = array.values_bytes
    if not raw:
        return tuple(array.values)
    if len(raw) % 8:
        raise InvalidInput(f"property {array.prop_name!r}: {len(raw)} bytes are not made of 8-byte float64 numbers", property=array.prop_name)
    return struct.unpack(f"<{len(raw) // 8}d", raw)


def _plain(value: Any) -> object:
    """A value of google.protobuf.Struct as Python has it."""
    kind = value.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    if kind == "list_value":
        return [_plain(entry) for entry in value.list_value.values]
    if kind == "struct_value":
        return {name: _plain(entry) for name, entry in value.struct_value.fields.items()}
    return getattr(value, kind)
