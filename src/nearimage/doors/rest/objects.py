"""An object as JSON: what clients send to /v1/objects and what they read back.

May import numpy, msgspec, `domain` and `doors` only.
"""

from typing import Any

import msgspec
import numpy as np

from nearimage.domain.drafts import UNNAMED, Draft
from nearimage.domain.errors import InvalidInput, MalformedRequest
from nearimage.domain.objects import AnyVector, Projection, Record
from nearimage.domain.schema import LEGACY_VECTOR, Collection
from nearimage.doors.rest.call import read_id
from nearimage.doors.rest.json_body import Json
from nearimage.doors.rest.sent import Sent
from nearimage.doors.whole_numbers import properties_with_whole_numbers


class ObjectBody(Sent):
    """An object as clients send it."""

    collection: str = msgspec.field(name="class", default="")
    id: str | None = None
    properties: Any = None
    vector: list[float | None] | None = None
    vectors: dict[str, list[Any] | None] | None = None
    tenant: str | None = None


class BatchBody(Sent):
    """Many objects.

    Attributes:
        fields: what older clients want to be told of each; they are told everything.
    """

    objects: list[ObjectBody] | None = None
    fields: list[str] | None = None


def read_draft(body: ObjectBody, where: str = "id in body") -> Draft:
    """The object that a client wants stored.

    Args:
        where: the id stands in the request.

    Raises:
        InvalidInput: an id that is no UUID, properties that are no object, a vector that is no list of numbers.
    """
    if not isinstance(body.properties, dict | None):
        raise InvalidInput(f"the properties of an object are names with values, got {type(body.properties).__name__}")
    vectors = {name: _vector(name, numbers) for name, numbers in (body.vectors or {}).items() if numbers}
    if body.vector:
        vectors[UNNAMED] = _vector(UNNAMED, body.vector)
    object_id = read_id(body.id, where=where) if body.id else None
    return Draft(id=object_id, properties=body.properties or {}, vectors=vectors, tenant=body.tenant or "", whole_floats=False)


def _vector(name: str, numbers: list[Any]) -> AnyVector:
    if isinstance(numbers[0], list):
        return _multi_vector(name, numbers)
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        raise InvalidInput(f"vector {name or 'vector'!r} must be a list of numbers")
    try:
        with np.errstate(over="ignore"):  # what overflows float32 becomes infinite, and is refused as such
            return np.array(numbers, np.float64).astype(np.float32)
    except OverflowError as wrong:
        raise InvalidInput(f"vector {name or 'vector'!r} has a number beyond float64") from wrong


def _multi_vector(name: str, rows: list[Any]) -> AnyVector:
    if not all(isinstance(row, list) and row and len(row) == len(rows[0]) for row in rows) or isinstance(rows[0][0], list):
        raise InvalidInput(f"vector {name or 'vector'!r} must be a list of numbers, or as a multi-vector a list of such lists, all of one length")
    return np.stack([_vector(name, row) for row in rows])


def projection_of(collection: Collection, include: str, exclude: str = "") -> Projection:
    """What a GET shows: all properties, pictures among them unless `exclude` is "blobs", and the vectors if `include` names them.

    Raises:
        MalformedRequest: `include` or `exclude` names something else.
    """
    if exclude not in ("", "blobs"):
        raise MalformedRequest(f"exclude knows 'blobs', got {exclude!r}")
    wanted = {part.strip() for part in include.split(",")} if include else set()
    if unknown := wanted - {"vector", "classification"}:
        raise MalformedRequest(f"include knows 'vector' and 'classification', got {sorted(unknown)}")
    properties = None if exclude else tuple(p.name for p in collection.properties)
    return Projection(properties=properties, vectors=None if "vector" in wanted else ())


def render_object(collection: Collection, record: Record, tenant: str = "") -> Json:
    """An object as clients read it."""
    body: Json = {
        "class": collection.name,
        "creationTimeUnix": record.created_ms,
        "id": str(record.id),
        "lastUpdateTimeUnix": record.updated_ms,
        "properties": properties_with_whole_numbers(record.properties),
    }
    if collection.legacy_vector and LEGACY_VECTOR in record.vectors:
        body["vector"] = record.vectors[LEGACY_VECTOR]
    if named := {name: vector for name, vector in record.vectors.items() if not (collection.legacy_vector and name == LEGACY_VECTOR)}:
        body["vectors"] = named
    if tenant:
        body["tenant"] = tenant
    return body
