"""BatchReferences: many references in one request, an error for each that could not be added. May import `domain`, `service` and `doors` only."""

import time
from collections.abc import Sequence
from typing import Any

from nearimage.domain.errors import NearimageError
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.uuids import read_uuid
from nearimage.doors.wire.messages import BatchReferencesReply, BatchReferencesRequest
from nearimage.service.references import Source
from nearimage.service.services import Services

_BEACON = "weaviate://localhost/"


def batch_references(services: Services, request: bytes) -> bytes:
    """Add the references of a BatchReferencesRequest; the reply names what failed, by position.

    Raises:
        InvalidInput: the bytes are no such message.
    """
    started = time.perf_counter()
    message = parse(BatchReferencesRequest, request)
    reply = BatchReferencesReply()
    for position, error in store_references(services, message.references).items():
        reply.errors.add(index=position, error=fault_of(error).message)
    reply.took = time.perf_counter() - started
    return bytes(reply.SerializeToString())


def store_references(services: Services, entries: Sequence[Any]) -> dict[int, NearimageError]:
    """Add references; what could not be added, by position."""
    errors: dict[int, NearimageError] = {}
    additions: dict[int, tuple[Source, str]] = {}
    for position, entry in enumerate(entries):
        try:
            source = Source(collection=entry.from_collection, id=read_uuid(entry.from_uuid, what="from_uuid"), property=entry.name, tenant=entry.tenant)
            additions[position] = source, f"{_BEACON}{entry.to_collection}/{entry.to_uuid}" if entry.to_collection else f"{_BEACON}{entry.to_uuid}"
        except NearimageError as wrong:
            errors[position] = wrong
    positions = list(additions)
    failed = services.references.add_many(list(additions.values()))
    return errors | {positions[number]: wrong for number, wrong in failed.items()}


def beacon_of(entry: Any) -> str:
    """The name by which a client knows a reference that it sent: where it starts."""
    return f"{_BEACON}{entry.from_collection}/{entry.from_uuid}/{entry.name}"
