"""Read the ways of ranking in gRPC messages: near_*, bm25, hybrid.

    SearchRequest, AggregateRequest --read_ranking--> NearVector | ... | Words | Hybrid | None

Clients of several years put the same thing into different fields; the newest that is there counts.

May import numpy, `domain`, `service.targets` and `doors.wire` only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nearimage.domain.errors import InvalidInput, InvalidVector, VectorNameUnknown
from nearimage.domain.objects import AnyVector
from nearimage.domain.query import (
    DEFAULT_ALPHA,
    AnyNear,
    Combination,
    Diversity,
    Fusion,
    Hybrid,
    Move,
    NearMedia,
    NearObject,
    NearText,
    NearVector,
    Targets,
    Words,
)
from nearimage.domain.schema import LEGACY_VECTOR, Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.uuids import read_uuid
from nearimage.doors.wire.messages import CombinationMethod, HybridMessage, SearchOperatorOptions, VectorsMessage
from nearimage.service.targets import WEIGHED

_FLOAT32 = np.dtype("<f4")
_MEDIA: Mapping[str, Modality] = {
    "near_image": Modality.IMAGE,
    "near_audio": Modality.AUDIO,
    "near_video": Modality.VIDEO,
    "near_depth": Modality.DEPTH,
    "near_thermal": Modality.THERMAL,
    "near_imu": Modality.IMU,
}
_NEAR = ("near_vector", "near_object", "near_text", *_MEDIA)
_BOTH_LIMITS = {"near_text": "explorer: get class: vectorize params: nearText cannot provide both distance and certainty"}
"""What clients have been told in other words."""

_COMBINATIONS: Mapping[int, Combination] = {
    CombinationMethod.COMBINATION_METHOD_TYPE_SUM: Combination.SUM,
    CombinationMethod.COMBINATION_METHOD_TYPE_MIN: Combination.MINIMUM,
    CombinationMethod.COMBINATION_METHOD_TYPE_AVERAGE: Combination.AVERAGE,
    CombinationMethod.COMBINATION_METHOD_TYPE_RELATIVE_SCORE: Combination.RELATIVE_SCORE,
    CombinationMethod.COMBINATION_METHOD_TYPE_MANUAL: Combination.MANUAL_WEIGHTS,
}


def read_ranking(message: Any, others: Sequence[str], collection: Collection) -> AnyNear | Words | Hybrid | None:
    """How the request wants objects ranked.

    Args:
        others: the message's fields for bm25 and hybrid.

    Raises:
        InvalidInput: several ways at once, or one that contradicts itself.
        VectorNameUnknown: the vector without a name is called by the one that it is kept under; it is meant where no name is said.
    """
    by = _ranking(message, others)
    parts = () if by is None or isinstance(by, Words) else (by, by.near) if isinstance(by, Hybrid) else (by,)
    if collection.legacy_vector and any(part and LEGACY_VECTOR in part.targets.names for part in parts):
        have = [v.name for v in collection.vectors[1:]]
        raise VectorNameUnknown(f"collection {collection.name!r} has no vector named {LEGACY_VECTOR!r}; it has one without a name, and {have}", have=have)
    return by


def _ranking(message: Any, others: Sequence[str]) -> AnyNear | Words | Hybrid | None:
    given = [field for field in (*_NEAR, *others) if message.HasField(field)]
    if not given or (given == ["near_text"] and not message.near_text.query):  # without concepts it is no search, as clients know it
        return None
    if len(given) > 1:
        raise InvalidInput(f"a query takes one search, got {given}; choose one")
    part = getattr(message, given[0])
    if given[0].startswith("hybrid"):
        return read_hybrid(part)
    return read_words(part) if given[0] == "bm25_search" else read_near(given[0], part)


def read_diversity(message: Any) -> Diversity | None:
    """The MMR selection of the request's search, if it has one."""
    for field in (*_NEAR, "hybrid_search"):
        if message.HasField(field):
            part = getattr(message, field)
            if part.HasField("selection") and part.selection.HasField("mmr"):
                mmr = part.selection.mmr
                return Diversity(limit=mmr.limit if mmr.HasField("limit") else None, balance=mmr.balance if mmr.HasField("balance") else 0.5)
    return None


def read_near(field: str, near: Any) -> AnyNear:
    """A near query.

    Raises:
        InvalidInput: distance and certainty at once, an id that is no UUID, weights without targets.
    """
    if near.HasField("distance") and near.HasField("certainty"):
        raise InvalidInput(_BOTH_LIMITS.get(field, f"{field}: cannot provide distance and certainty"))
    common: dict[str, Any] = {
        "targets": read_targets(near),
        "max_distance": near.distance if near.HasField("distance") else None,
        "min_certainty": near.certainty if near.HasField("certainty") else None,
    }
    if field == "near_vector":
        return _near_vector(near, common)
    if field == "near_object":
        return NearObject(id=read_uuid(near.id, what="near_object.id"), **common)
    if field in _MEDIA:
        return NearMedia(modality=_MEDIA[field], data=getattr(near, _MEDIA[field]), **common)
    return NearText(concepts=tuple(near.query), move_to=_move(near, "move_to"), move_away=_move(near, "move_away"), **common)


def _move(near: Any, field: str) -> Move | None:
    if not near.HasField(field):
        return None
    move = getattr(near, field)
    return Move(force=move.force, concepts=tuple(move.concepts), ids=tuple(read_uuid(one, what=f"{field}.uuids") for one in move.uuids))


def _near_vector(near: Any, common: Mapping[str, Any]) -> NearVector:
    targets: Targets = common["targets"]
    _check_order(near, targets.names)
    named = [(name, from_bytes(raw)) for name, raw in near.vector_per_target.items()]
    for entry in near.vector_for_targets:
        named += [(entry.name, vector) for vector in read_vectors(entry)]
    if not named:
        vectors = _one_vector(near, "near_vector")
        if not vectors:
            raise InvalidVector("near_vector has no vector; set vectors, vector_bytes or vector", vector=None)
        return NearVector(vectors=vectors, **common)
    names = targets.names or tuple(name for name, _ in named)
    named = [(name, part) for name, vector in named for part in _parts(vector, names.count(name))]
    if not targets.weights:
        names = _as_often(names, Counter(name for name, _ in named))
    if sorted(names) != sorted(name for name, _ in named):
        raise InvalidInput(f"near_vector: the vectors are for {[name for name, _ in named]}, the targets are {list(names)}; give each target its vector")
    left = list(named)
    ordered = [left.pop(next(place for place, (other, _) in enumerate(left) if other == name))[1] for name in names]
    return NearVector(vectors=tuple(ordered), **{**common, "targets": Targets(names=names, combination=targets.combination, weights=targets.weights)})


def _check_order(near: Any, names: tuple[str, ...]) -> None:
    """Vectors stand in the order of their targets; where there are lists of them, in that of the different targets."""
    given = [entry.name for entry in near.vector_for_targets]
    expected = list(dict.fromkeys(names)) if given and near.vector_for_targets[0].vectors else list(names)
    if names and given and given != expected:
        raise InvalidInput(f"near_vector: the vectors are for {given}, the targets are {list(names)}; give each target its vector, in the same order")


def _one_vector(message: Any, where: str) -> tuple[AnyVector, ...]:
    """The vector of a query without targets of its own; none where there is none."""
    if len(message.vectors) > 1:
        raise InvalidVector(f"{where} takes one vector, got {len(message.vectors)}; several are given by target", vector=None)
    return tuple(read_vectors(message))


def _as_often(names: tuple[str, ...], given: Mapping[str, int]) -> tuple[str, ...]:
    """A target that is named once and given several vectors is meant once for each of them."""
    return tuple(name for one in names for name in (one,) * (given.get(one, 1) if names.count(one) == 1 else 1))


def _parts(vector: AnyVector, times: int) -> Sequence[AnyVector]:
    """A list of vectors for a target that is named as often is one for each time."""
    return list(vector) if vector.ndim > 1 and times == len(vector) > 1 else [vector]


def read_targets(message: Any) -> Targets:
    """The target vectors of a near query or a hybrid search.

    Raises:
        InvalidInput: weights that do not belong to the targets, where the combination has weights.
    """
    targets = message.targets
    names = tuple(targets.target_vectors) or tuple(message.target_vectors)
    combination = _COMBINATIONS.get(targets.combination, Combination.MINIMUM)
    if combination not in WEIGHED:
        return Targets(names=names, combination=combination)
    given = tuple(weight.target for weight in targets.weights_for_targets)
    if given != names:
        raise InvalidInput(f"the weights are for {list(given)}, the targets are {list(names)}; give each target its weight, in the same order")
    return Targets(names=names, combination=combination, weights=tuple(weight.weight for weight in targets.weights_for_targets))


def read_words(message: Any) -> Words:
    """A keyword search."""
    return _words(message, "search_operator")


def _words(message: Any, operator: str) -> Words:
    least, across = _minimum_match(message, operator), getattr(message, operator).operator == SearchOperatorOptions.OPERATOR_AND_CROSS
    return Words(text=message.query, properties=tuple(message.properties), minimum_match=least, across=across)


def _minimum_match(message: Any, field: str) -> int:
    if not message.HasField(field):
        return 1
    options = getattr(message, field)
    if options.operator in (SearchOperatorOptions.OPERATOR_AND, SearchOperatorOptions.OPERATOR_AND_CROSS):
        return 0
    return max(1, int(options.minimum_or_tokens_match))


def read_hybrid(message: Any) -> Hybrid:
    """A hybrid search.

    Raises:
        InvalidInput: two vector legs at once, and whatever is wrong with one.
    """
    targets = read_targets(message)
    max_distance = message.vector_distance if message.WhichOneof("threshold") == "vector_distance" else None
    common: dict[str, Any] = {"targets": targets, "max_distance": max_distance}
    vectors = _one_vector(message, "hybrid")
    there = {"vectors": bool(vectors), "near_text": message.HasField("near_text"), "near_vector": message.HasField("near_vector")}
    legs = [name for name, given in there.items() if given]
    if len(legs) > 1:
        raise InvalidInput(f"hybrid takes one vector leg, got {legs}; choose one")
    near: NearVector | NearText | None = None
    if vectors:
        near = NearVector(vectors=vectors, targets=targets, max_distance=max_distance)
    elif message.HasField("near_vector"):
        near = _near_vector(message.near_vector, common | _own_targets(message.near_vector) | _own_limits(message.near_vector))
    elif message.HasField("near_text"):
        text = message.near_text
        moved: dict[str, Any] = {field: _move(text, field) for field in ("move_to", "move_away")}
        near = NearText(concepts=tuple(text.query), **(common | moved | _own_targets(text) | _own_limits(text)))
    words = _words(message, "bm25_search_operator")
    fusion = Fusion.RANKED if message.fusion_type == HybridMessage.FUSION_TYPE_RANKED else Fusion.RELATIVE_SCORE
    return Hybrid(words=words, near=near, targets=targets, alpha=_alpha(message), fusion=fusion, max_distance=max_distance)


def _own_targets(part: Any) -> dict[str, Any]:
    targets = read_targets(part)
    return {"targets": targets} if targets.names else {}


def _own_limits(part: Any) -> dict[str, Any]:
    """How far a leg of its own may reach."""
    found: dict[str, Any] = {"max_distance": part.distance} if part.HasField("distance") else {}
    return found | ({"max_distance": None, "min_certainty": part.certainty} if part.HasField("certainty") and not found else {})


def _alpha(message: Any) -> float:
    if message.use_alpha_param:
        return float(message.alpha_param) if message.HasField("alpha_param") else DEFAULT_ALPHA
    return float(message.alpha)


def read_vectors(message: Any) -> list[AnyVector]:
    """The vectors in the fields that successive clients have used: `vectors`, `vector_bytes`, `vector`.

    Raises:
        InvalidVector: bytes that are no float32s.
    """
    if message.vectors:
        return [from_bytes(v.vector_bytes, kind=v.type) for v in message.vectors]
    if message.vector_bytes:
        return [from_bytes(message.vector_bytes)]
    floats = getattr(message, "vector", ())
    return [np.array(floats, np.float32)] if len(floats) else []


def from_bytes(raw: bytes, *, kind: int = 0) -> AnyVector:
    """Little-endian float32 numbers, read-only; of a multi-vector behind a uint16 that says how many of them are one vector.

    Raises:
        InvalidVector: their length is no multiple of 4, or of the vectors'.
    """
    if kind == VectorsMessage.VECTOR_TYPE_MULTI_FP32:
        dims, numbers = int.from_bytes(raw[:2], "little"), raw[2:]
        if not dims or not numbers or len(numbers) % (4 * dims):
            message = f"a multi-vector of {len(raw)} bytes is not a uint16 number of dimensions ({dims}) and vectors of so many float32 numbers"
            raise InvalidVector(message, vector=None)
        return np.frombuffer(numbers, _FLOAT32).reshape(-1, dims)
    if len(raw) % 4:
        raise InvalidVector(f"a vector of {len(raw)} bytes is not made of 4-byte float32 numbers", vector=None)
    return np.frombuffer(raw, _FLOAT32)
