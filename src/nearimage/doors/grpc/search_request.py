"""Read a gRPC SearchRequest into the query every door asks.

What this version does not answer is refused by name: an ignored clause would be a wrong answer. May import numpy, `domain` and `doors.wire` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from nearimage.domain.errors import InvalidInput, InvalidVector, NotSupported
from nearimage.domain.objects import Projection, Vector
from nearimage.domain.query import AnyNear, Listing, NearImage, NearObject, NearText, NearVector, Search
from nearimage.domain.schema import Collection, DataType
from nearimage.doors.grpc.filters import read_filter
from nearimage.doors.uuids import read_uuid
from nearimage.doors.wire.messages import SearchRequest

_NEAR = ("near_vector", "near_object", "near_text", "near_image")
_NOT_YET: Mapping[str, str] = {
    "group_by": "groupBy",
    "hybrid_search": "hybrid",
    "bm25_search": "bm25",
    "near_audio": "nearAudio",
    "near_video": "nearVideo",
    "near_depth": "nearDepth",
    "near_thermal": "nearThermal",
    "near_imu": "nearIMU",
    "generative": "generative search",
    "rerank": "rerank",
    "boost": "boost",
}
_NOT_YET_LISTS: Mapping[str, str] = {"sort_by": "sort", "autocut": "autocut", "tenant": "multi-tenancy"}


def parse_search(request: bytes) -> Any:
    """The message in the bytes.

    Raises:
        InvalidInput: the bytes are no such message.
    """
    try:
        return SearchRequest.FromString(request)
    except DecodeError as wrong:
        raise InvalidInput(f"the request is no weaviate.v1.SearchRequest: {wrong}") from wrong


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of an object that the reply shows.

    Attributes:
        properties: names, in the order of the schema.
        vectors: names.
    """

    properties: tuple[str, ...]
    vectors: tuple[str, ...]

    @property
    def projection(self) -> Projection:
        """The same for the engine."""
        return Projection(properties=self.properties, vectors=self.vectors)


def read_asked(message: Any, collection: Collection) -> Asked:
    """Which properties and vectors the reply carries.

    Raises:
        InvalidInput: a property that the collection does not have.
        NotSupported: references or nested objects.
    """
    return Asked(_properties(message, collection), _vectors(message.metadata, collection))


def _properties(message: Any, collection: Collection) -> tuple[str, ...]:
    wanted = message.properties
    if not message.HasField("properties") or wanted.return_all_nonref_properties:
        return tuple(p.name for p in collection.properties if p.data_type not in (DataType.BLOB, DataType.REFERENCE))
    if wanted.ref_properties:
        raise NotSupported("returning what references lead to is not supported yet", feature="references")
    names = {*wanted.non_ref_properties, *(entry.prop_name for entry in wanted.object_properties)}
    known = [p.name for p in collection.properties if p.data_type is not DataType.REFERENCE]
    if unknown := sorted(names.difference(known)):
        raise InvalidInput(f"collection {collection.name!r} has no property {unknown[0]!r} to return; it has {sorted(known)}", property=unknown[0])
    return tuple(name for name in known if name in names)


def _vectors(metadata: Any, collection: Collection) -> tuple[str, ...]:
    known = [v.name for v in collection.vectors]
    if metadata.vector:
        return tuple(known)
    if unknown := sorted(set(metadata.vectors).difference(known)):
        raise InvalidInput(f"collection {collection.name!r} has no vector named {unknown[0]!r} to return; it has {known}", vector=unknown[0])
    return tuple(metadata.vectors)


def read_query(message: Any, asked: Asked) -> Search | Listing:
    """The query in a SearchRequest.

    Raises:
        InvalidInput: it contradicts itself.
        NotSupported: it asks for what this version does not answer.
    """
    _refuse_what_is_not_supported(message)
    where = read_filter(message.filters) if message.HasField("filters") else None
    limit = message.limit or None
    near = _near(message)
    if near is None:
        after = read_uuid(message.after, what="after") if message.after else None
        return Listing(collection=message.collection, where=where, after=after, limit=limit, offset=message.offset, projection=asked.projection)
    if message.after:
        raise InvalidInput("after is a cursor over all objects: it cannot be combined with a search; use offset")
    return Search(collection=message.collection, near=near, where=where, limit=limit, offset=message.offset, projection=asked.projection)


def _refuse_what_is_not_supported(message: Any) -> None:
    for field, feature in _NOT_YET.items():
        if message.HasField(field):
            raise NotSupported(f"{feature} is not supported by this version", feature=feature)
    for field, feature in _NOT_YET_LISTS.items():
        if getattr(message, field):
            raise NotSupported(f"{feature} is not supported by this version", feature=feature)


def _near(message: Any) -> AnyNear | None:
    given = [field for field in _NEAR if message.HasField(field)]
    if not given:
        return None
    if len(given) > 1:
        raise InvalidInput(f"a query takes one search, got {given}; choose one")
    near = getattr(message, given[0])
    if near.HasField("selection"):
        raise NotSupported("MMR selection is not supported by this version", feature="mmr")
    if near.HasField("distance") and near.HasField("certainty"):
        raise InvalidInput(f"{given[0]}: give distance or certainty, not both")
    common: dict[str, Any] = {
        "target": _target(near),
        "max_distance": near.distance if near.HasField("distance") else None,
        "min_certainty": near.certainty if near.HasField("certainty") else None,
    }
    if given[0] == "near_vector":
        return _near_vector(near, common)
    if given[0] == "near_object":
        return NearObject(id=read_uuid(near.id, what="near_object.id"), **common)
    if given[0] == "near_image":
        return NearImage(image=near.image, **common)
    if near.HasField("move_to") or near.HasField("move_away"):
        raise NotSupported("moveTo and moveAwayFrom are not supported by this version", feature="moveTo")
    return NearText(concepts=tuple(near.query), **common)


def _target(near: Any) -> str | None:
    names = list(near.targets.target_vectors) or list(near.target_vectors)
    if len(names) > 1:
        raise NotSupported(f"searching several target vectors at once ({names}) is not supported by this version", feature="several targets")
    return str(names[0]) if names else None


def _near_vector(near: Any, common: Mapping[str, Any]) -> NearVector:
    given: list[tuple[str | None, Vector]] = [(None, v) for v in read_vectors(near)]
    given += [(name, from_bytes(raw)) for name, raw in near.vector_per_target.items()]
    for entry in near.vector_for_targets:
        given += [(entry.name, v) for v in read_vectors(entry)]
    if len(given) != 1:
        if given:
            raise NotSupported("searching by several vectors at once is not supported by this version", feature="several vectors")
        raise InvalidVector("near_vector has no vector; set vectors, vector_bytes or vector", vector=None)
    name, vector = given[0]
    return NearVector(vector=vector, **{**common, "target": common["target"] or name})


def read_vectors(message: Any) -> list[Vector]:
    """The vectors in the fields that successive clients have used: `vectors`, `vector_bytes`, `vector`.

    Raises:
        InvalidVector: bytes that are no float32s.
        NotSupported: multi-vectors.
    """
    if message.vectors:
        return [from_bytes(v.vector_bytes, kind=v.type) for v in message.vectors]
    if message.vector_bytes:
        return [from_bytes(message.vector_bytes)]
    floats = getattr(message, "vector", ())
    return [np.array(floats, np.float32)] if len(floats) else []


def from_bytes(raw: bytes, *, kind: int = 0) -> Vector:
    """Little-endian float32 numbers.

    Raises:
        InvalidVector: their length is no multiple of 4.
        NotSupported: a multi-vector.
    """
    if kind == 2:
        raise NotSupported("multi-vectors are not supported by this version", feature="multi-vectors")
    if len(raw) % 4:
        raise InvalidVector(f"a vector of {len(raw)} bytes is not made of 4-byte float32 numbers", vector=None)
    return np.frombuffer(raw, "<f4").astype(np.float32)
