"""BatchObjects: many objects in one request, an error for each that could not be stored.

May import numpy, `domain`, `service` and `doors.wire` only.
"""

import struct
import time
from collections.abc import Iterator, Sequence
from typing import Any

from nearimage.domain.drafts import UNNAMED, Draft
from nearimage.domain.errors import InvalidInput, NearimageError
from nearimage.domain.objects import AnyVector
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.near_request import from_bytes, read_vectors
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.uuids import read_uuid
from nearimage.doors.wire.messages import BatchObjectsReply, BatchObjectsRequest
from nearimage.service.services import Services

_BEACON = "weaviate://localhost/"


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
    properties = read_properties(entry.properties)
    for reference in (*entry.properties.single_target_ref_props, *entry.properties.multi_target_ref_props):
        target = getattr(reference, "target_collection", "")
        beacons = [{"beacon": f"{_BEACON}{target}/{one}" if target else f"{_BEACON}{one}"} for one in reference.uuids]
        known = properties.setdefault(reference.prop_name, [])
        if isinstance(known, list):
            known += beacons
    return Draft(id=read_uuid(entry.uuid, what="uuid"), properties=properties, vectors=_vectors(entry), tenant=entry.tenant)


def _vectors(entry: Any) -> dict[str, AnyVector]:
    if entry.vectors:
        return {v.name or UNNAMED: from_bytes(v.vector_bytes, kind=v.type) for v in entry.vectors}
    vectors = read_vectors(entry)
    return {UNNAMED: vectors[0]} if vectors else {}


def read_properties(given: Any) -> dict[str, object]:
    """The properties of an object, or of one nested in it, as JSON has them."""
    properties = {name: _plain(value) for name, value in given.non_ref_properties.fields.items()}
    for array in (*given.int_array_properties, *given.text_array_properties, *given.boolean_array_properties):
        properties[array.prop_name] = tuple(array.values)
    properties.update((array.prop_name, _numbers(array)) for array in given.number_array_properties)
    properties.update((nested.prop_name, read_properties(nested.value)) for nested in given.object_properties)
    properties.update((array.prop_name, [read_properties(value) for value in array.values]) for array in given.object_array_properties)
    properties.update((name, ()) for name in given.empty_list_props)
    return properties


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
