"""Read the ways of ranking in GraphQL arguments: near*, bm25, hybrid.

    {"nearText": {"concepts": ["dog"], "moveTo": {...}}}  -->  NearText(concepts=("dog",), move_to=Move(...))

A single value may stand for a list, as GraphQL allows. May import numpy, `domain`, `doors` and `service` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np

from nearimage.domain.errors import InvalidInput, InvalidVector
from nearimage.domain.objects import AnyVector, Vector
from nearimage.domain.query import (
    DEFAULT_ALPHA,
    AnyNear,
    Combination,
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
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.doors.graphql.argument_types import NEAR_MEDIA
from nearimage.doors.uuids import read_uuid
from nearimage.service.beacons import read_beacon

Arguments = Mapping[str, Any]
_NEAR = ("nearVector", "nearObject", "nearText", *NEAR_MEDIA)
MOST_SINGLE = float(np.finfo(np.float32).max)
_FUSIONS = {"rankedFusion": Fusion.RANKED, "relativeScoreFusion": Fusion.RELATIVE_SCORE}


def read_ranking(arguments: Arguments, collection: Collection) -> AnyNear | Words | Hybrid | None:
    """How a query wants objects ranked; a hybrid search beside another one is checked, and left out, as in Weaviate.

    Raises:
        InvalidInput: several ways at once, or one that contradicts itself.
    """
    given = [name for name in (*_NEAR, "bm25", "hybrid") if arguments.get(name) is not None]
    if not given:
        return None
    if len(given) == 2 and given[1] == "hybrid":
        _hybrid(arguments["hybrid"], collection)
    elif len(given) > 1:
        raise InvalidInput(f"a query takes one search, got {' and '.join(given)}, which are conflicting; choose one")
    part = arguments[given[0]]
    if given[0] == "hybrid":
        return _hybrid(part, collection)
    return _words(part, "bm25", "searchOperator") if given[0] == "bm25" else read_near(given[0], part, collection)


def read_counted(arguments: Arguments, collection: Collection) -> AnyNear | Words | Hybrid | None:
    """How objects that are to be summarised are found; a near query beside a hybrid search only says how far its vector leg reaches, as in Weaviate.

    Raises:
        InvalidInput: as for `read_ranking`.
    """
    near = [name for name in _NEAR if arguments.get(name) is not None]
    if len(near) != 1 or arguments.get("hybrid") is None or arguments.get("bm25") is not None:
        return read_ranking(arguments, collection)
    limit, hybrid = read_near(near[0], arguments[near[0]], collection), _hybrid(arguments["hybrid"], collection)
    if not has_threshold(limit):
        return hybrid
    leg = hybrid.near or NearText(concepts=(hybrid.words.text,), targets=hybrid.targets)
    return replace(hybrid, near=replace(leg, max_distance=limit.max_distance, min_certainty=limit.min_certainty))


def has_threshold(ranking: object) -> bool:
    """Whether a near query says how near is near enough."""
    return isinstance(ranking, AnyNear) and (ranking.max_distance is not None or ranking.min_certainty is not None)


def read_near(name: str, near: Arguments, collection: Collection) -> AnyNear:
    """A near query.

    Raises:
        InvalidInput: distance and certainty at once, an id that is no UUID, weights without targets, no vector.
    """
    if near.get("distance") is not None and near.get("certainty") is not None:
        raise InvalidInput(f"{name} cannot have both distance and certainty; leave one out")
    said: dict[str, Any] = {"targets": _targets(near), "max_distance": _single(near, "distance"), "min_certainty": _single(near, "certainty")}
    if name == "nearVector":
        return _near_vector(near, said, collection)
    if name == "nearObject":
        return NearObject(id=_object_id(name, near, collection), **said)
    if name in NEAR_MEDIA:
        field, modality = NEAR_MEDIA[name]
        return NearMedia(modality=modality, data=near[field], **said)
    moves: dict[str, Any] = {"move_to": _move("moveTo", near, collection), "move_away": _move("moveAwayFrom", near, collection)}
    return NearText(concepts=_texts(near.get("concepts")), **moves, **said)


def _single(near: Arguments, name: str) -> float | None:
    """A number that distances, which are single floats, can be compared with."""
    value = near.get(name)
    if value is not None and not abs(value) <= MOST_SINGLE:
        raise InvalidInput(f"{name} is a number of at most {MOST_SINGLE:.1e}, got {value}")
    return None if value is None else float(value)


def _object_id(name: str, given: Arguments, collection: Collection) -> UUID:
    if given.get("id") is not None:
        return read_uuid(given["id"], what=f"{name}.id")
    if given.get("beacon") is None:
        raise InvalidInput(f"{name} needs an id or a beacon")
    try:
        return read_beacon(given["beacon"], (collection.name,)).id
    except ValueError as wrong:
        raise InvalidInput(f"{name}: expected {wrong}; got {given['beacon']!r}") from wrong


def _move(name: str, near: Arguments, collection: Collection) -> Move | None:
    move = near.get(name)
    if move is None:
        return None
    objects = tuple(_object_id(f"{name}.objects", one or {}, collection) for one in _listed(move.get("objects")))
    return Move(force=move.get("force") or 0.0, concepts=_texts(move.get("concepts")), ids=objects)


def _near_vector(near: Arguments, said: Mapping[str, Any], collection: Collection) -> NearVector:
    named = near.get("vectorPerTarget")
    if not named:
        if not near.get("vector"):
            raise InvalidVector("nearVector has no vector; give it vector, or vectorPerTarget", vector=None)
        return NearVector(vectors=(vector_of(near["vector"]),), **said)
    if near.get("vector") is not None:
        raise InvalidInput("nearVector cannot have both vector and vectorPerTarget; leave one out")
    vectors = {name: _vectors(numbers, collection.vector(name)) for name, numbers in named.items()}
    targets: Targets = said["targets"]
    names = targets.names or tuple(name for name, several in vectors.items() for _ in several)
    if set(names) != set(vectors) or any(names.count(name) not in (1, len(several)) for name, several in vectors.items()):
        raise InvalidInput(f"nearVector: the vectors are for {list(vectors)}, the targets are {list(names)}; give each target its vector")
    pairs = [(name, place) for name in dict.fromkeys(names) for place in range(len(vectors[name]))]
    weights = targets.weights if len(targets.weights) == len(pairs) else ()
    spread = Targets(names=tuple(name for name, _ in pairs), combination=targets.combination, weights=weights)
    return NearVector(vectors=tuple(vectors[name][place] for name, place in pairs), **{**said, "targets": spread})


def _vectors(numbers: object, target: VectorConfig | None) -> list[AnyVector]:
    """One vector, or a list of them; a list of lists is one multi-vector where the target has those."""
    several = isinstance(numbers, list) and bool(numbers) and isinstance(numbers[0], list)
    if several and isinstance(numbers, list) and target and target.is_multi:
        return [_multi_vector(numbers)]
    return [vector_of(one) for one in numbers] if several and isinstance(numbers, list) else [vector_of(numbers)]


def _multi_vector(rows: list[object]) -> AnyVector:
    parts = [vector_of(row) for row in rows]
    if len({len(part) for part in parts}) > 1:
        raise InvalidVector("the vectors of a multi-vector must be of one length", vector=None)
    return np.stack(parts)


def vector_of(numbers: object) -> Vector:
    """A list of numbers, or one number, as a vector.

    Raises:
        InvalidVector: something in it is no number.
    """
    try:
        with np.errstate(over="ignore"):  # what overflows float32 becomes infinite, and is refused as such
            vector = np.array(_listed(numbers), np.float64).astype(np.float32)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise InvalidVector("a vector is a list of numbers", vector=None) from wrong
    if vector.ndim != 1:
        raise InvalidVector("a vector is a list of numbers; give a multi-vector under its name in vectorPerTarget", vector=None)
    return vector


def _targets(given: Arguments) -> Targets:
    """The target vectors: `targets` with a way to combine them, or the plain `targetVectors`.

    Raises:
        InvalidInput: weights that do not belong to the targets.
    """
    targets = given.get("targets") or {}
    names = _texts(targets.get("targetVectors") or given.get("targetVectors"))
    combination = Combination(targets.get("combinationMethod") or Combination.MINIMUM)
    weights = targets.get("weights")
    if not weights:
        return Targets(names=names, combination=combination)
    if not all(isinstance(weight, int | float) and abs(weight) <= MOST_SINGLE for several in weights.values() for weight in _listed(several)):
        raise InvalidInput(f"weights are numbers of at most {MOST_SINGLE:.1e}, got {dict(weights)}")
    if set(weights) != set(names):
        raise InvalidInput(f"the weights are for {list(weights)}, the targets are {list(names)}; give each target its weight")
    pairs = [(name, float(weight)) for name in dict.fromkeys(names) for weight in _listed(weights[name])]
    return Targets(names=tuple(name for name, _ in pairs), combination=combination, weights=tuple(weight for _, weight in pairs))


def _words(given: Arguments, what: str, operator: str) -> Words:
    """The keyword search of an argument, `what`, whose operator has this name."""
    chosen = given.get(operator) or {}
    across = chosen.get("operator") == "AndCross"
    return Words(text=given.get("query") or "", properties=_texts(given.get("properties")), minimum_match=_minimum_match(chosen, what), across=across)


def _minimum_match(operator: Arguments | None, what: str) -> int:
    if not operator:
        return 1
    minimum = operator.get("minimumOrTokensMatch")
    if operator.get("operator") is None:
        raise InvalidInput(f"{what}: the operator is missing, And, AndCross or Or")
    return max(1, minimum or 1) if operator["operator"] == "Or" else 0


def _hybrid(hybrid: Arguments, collection: Collection) -> Hybrid:
    """A hybrid search.

    Raises:
        InvalidInput: two vector legs at once, and whatever is wrong with one.
    """
    targets, max_distance = _targets(hybrid), hybrid.get("maxVectorDistance")
    said: dict[str, Any] = {"targets": targets, "max_distance": max_distance}
    legs: list[NearVector | NearText] = [NearVector(vectors=(vector_of(hybrid["vector"]),), **said)] if hybrid.get("vector") else []
    for search in filter(None, _listed(hybrid.get("searches"))[:1]):  # Weaviate looks at the first only
        for name in ("nearText", "nearVector"):
            if search.get(name):
                leg = read_near(name, {**hybrid_targets(hybrid), **search[name]}, collection)
                legs += [replace(leg, min_certainty=None)] if isinstance(leg, NearVector | NearText) else []  # nor at a certainty here
    if len(legs) > 1:
        raise InvalidInput(f"hybrid takes one vector leg, got {len(legs)}; choose one of vector, searches.nearText and searches.nearVector")
    alpha = hybrid.get("alpha")
    return Hybrid(
        words=_words(hybrid, "hybrid", "bm25SearchOperator"),
        near=legs[0] if legs else None,
        targets=targets,
        alpha=DEFAULT_ALPHA if alpha is None else alpha,
        fusion=_FUSIONS[hybrid.get("fusionType") or "relativeScoreFusion"],
        max_distance=max_distance,
    )


def hybrid_targets(hybrid: Arguments) -> dict[str, Any]:
    """What a hybrid search says about targets, for a leg that says nothing itself."""
    said = {name: hybrid[name] for name in ("targetVectors", "targets") if hybrid.get(name)}
    return said | ({"distance": hybrid["maxVectorDistance"]} if hybrid.get("maxVectorDistance") is not None else {})


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in _listed(value))


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
