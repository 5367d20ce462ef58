"""The objects and filters that the engine contract is checked on, with the answers written out by hand.

May import numpy, `domain` and `ports`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from nearimage.domain.filters import FilterValue, Operator
from nearimage.domain.objects import PropertyValue, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, Tokenization, VectorConfig
from nearimage.ports.engine import Shard


def uid(number: int) -> UUID:
    """The id with this number."""
    return UUID(int=number)


def photo(
    number: int, vector: Sequence[float] | None = None, values: Mapping[str, PropertyValue] | None = None, /, *, name: str = "clip", **more: PropertyValue
) -> Record:
    """A record with this id, at most one vector, and these properties."""
    vectors = {} if vector is None else {name: np.array(vector, np.float32)}
    return Record(id=uid(number), properties={**(values or {}), **more}, vectors=vectors, created_ms=number, updated_ms=10 * number)


PHOTOS = Collection(
    name="Photo",
    properties=(
        *(Property(name=kind.value, data_type=kind, tokenization=Tokenization.WORD if kind.element is DataType.TEXT else None) for kind in DataType),
        Property(name="field", data_type=DataType.TEXT, tokenization=Tokenization.FIELD),
        Property(name="white", data_type=DataType.TEXT, tokenization=Tokenization.WHITESPACE),
        Property(name="lower", data_type=DataType.TEXT, tokenization=Tokenization.LOWERCASE),
    ),
    vectors=(VectorConfig(name="clip"), VectorConfig(name="Clip", metric=Metric.L2_SQUARED), VectorConfig(name="words", is_multi=True)),
)
"""A collection with a property of each data type, named after it."""

UNINDEXED_PHOTOS = replace(PHOTOS, name="Unindexed", properties=tuple(replace(p, filterable=False) for p in PHOTOS.properties))
"""The same, and no property can be filtered by."""

_UUID_A, _UUID_B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"

FILTERED: tuple[Mapping[str, PropertyValue], ...] = (
    {"text": "A corgi puppy", "int": 1, "number": 1.5, "boolean": True, "date": "2026-01-31T12:00:00Z", "uuid": _UUID_A, "blob": b"\0"},
    {"text": "Éclair, PUPPY!", "int": 2**53 + 1, "number": -2.0, "boolean": False, "date": "2026-01-31T13:00:00.000000001+01:00", "uuid": _UUID_B},
    {"text[]": ("corgi", "a puppy"), "int[]": (1, 5), "number[]": (0.5, 9.0), "boolean[]": (True, False), "uuid[]": (_UUID_A, _UUID_B)},
    {"text[]": (), "int[]": (), "date[]": ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")},
    {"field": " Corgi Puppy ", "white": "Corgi Puppy", "lower": "Corgi, Puppy"},
)
"""Objects 1 to 5 of the filter tests."""

O = Operator  # noqa: E741 the table below is read by its columns
CASES: tuple[tuple[str, Operator, FilterValue, set[int]], ...] = (
    ("text", O.EQUAL, "PUPPY a", {1}),
    ("text", O.EQUAL, "éclair", {2}),
    ("text", O.NOT_EQUAL, "puppy", {3, 4, 5}),
    ("text", O.NOT_EQUAL, "corgi éclair", {3, 4, 5}),
    ("text[]", O.NOT_EQUAL, "corgi puppy", {1, 2, 4, 5}),
    ("field", O.NOT_EQUAL, "Corgi", {1, 2, 3, 4, 5}),
    ("text", O.LIKE, "pup* ?", {1}),
    ("text", O.LIKE, "*clair", {2}),
    ("text", O.GREATER_THAN, "puppy", {2}),
    ("text", O.LESS_THAN_EQUAL, "a", {1}),
    ("text", O.IS_NULL, False, {1, 2}),
    ("text", O.CONTAINS_ANY, ("corgi", "éclair"), {1, 2}),
    ("text", O.CONTAINS_ALL, ("corgi", "puppy"), {1}),
    ("text", O.CONTAINS_NONE, ("corgi", "cat"), {2, 3, 4, 5}),
    ("text[]", O.EQUAL, "puppy a", {3}),
    ("text[]", O.EQUAL, "corgi puppy", set()),
    ("text[]", O.LIKE, "c*", {3}),
    ("text[]", O.CONTAINS_ALL, ("corgi", "puppy"), {3}),
    ("text[]", O.IS_NULL, True, {1, 2, 4, 5}),
    ("int", O.EQUAL, 2**53 + 1, {2}),
    ("int", O.EQUAL, 2.0**53, set()),
    ("int", O.GREATER_THAN, 2.0**53, {2}),
    ("int", O.GREATER_THAN_EQUAL, 0.5, {1, 2}),
    ("int", O.LESS_THAN, 1.5, {1}),
    ("int", O.GREATER_THAN, 0.75, {1, 2}),
    ("int", O.LESS_THAN_EQUAL, 1.75, {1}),
    ("int", O.LESS_THAN, 1e300, {1, 2}),
    ("int", O.CONTAINS_ANY, (1, 7), {1}),
    ("int[]", O.EQUAL, 5, {3}),
    ("int[]", O.NOT_EQUAL, 5, {1, 2, 4, 5}),
    ("int[]", O.LESS_THAN, 5, {3}),
    ("int[]", O.CONTAINS_ALL, (1, 5), {3}),
    ("int[]", O.CONTAINS_ALL, (), {1, 2, 3, 4, 5}),
    ("int[]", O.CONTAINS_ANY, (), set()),
    ("int[]", O.IS_NULL, False, {3}),
    ("number", O.EQUAL, 1.5, {1}),
    ("number", O.LESS_THAN, 1, {2}),
    ("number", O.GREATER_THAN_EQUAL, -2, {1, 2}),
    ("number[]", O.GREATER_THAN, 8.5, {3}),
    ("number[]", O.CONTAINS_NONE, (0.5,), {1, 2, 4, 5}),
    ("boolean", O.EQUAL, False, {2}),
    ("boolean", O.NOT_EQUAL, False, {1, 3, 4, 5}),
    ("boolean[]", O.CONTAINS_ALL, (True, False), {3}),
    ("date", O.EQUAL, "2026-01-31T13:00:00+01:00", {1}),
    ("date", O.GREATER_THAN, "2026-01-31T12:00:00Z", {2}),
    ("date", O.LESS_THAN, "9999-12-31T23:59:59Z", {1, 2}),
    ("date[]", O.LESS_THAN, "0001-01-01T00:00:00.5Z", {4}),
    ("date[]", O.EQUAL, "9999-12-31T23:59:59Z", {4}),
    ("uuid", O.EQUAL, _UUID_A, {1}),
    ("uuid", O.GREATER_THAN, _UUID_A, {2}),
    ("uuid[]", O.CONTAINS_ALL, (_UUID_A, _UUID_B), {3}),
    ("blob", O.IS_NULL, False, {1}),
    ("blob", O.IS_NULL, True, {2, 3, 4, 5}),
    ("field", O.EQUAL, "Corgi Puppy", {5}),
    ("field", O.EQUAL, "corgi puppy", set()),
    ("field", O.LIKE, "Corgi P*", {5}),
    ("white", O.EQUAL, "Puppy", {5}),
    ("white", O.EQUAL, "puppy", set()),
    ("lower", O.EQUAL, "CORGI,", {5}),
    ("_id", O.EQUAL, str(uid(2)), {2}),
    ("_id", O.EQUAL, "no uuid", set()),
    ("_id", O.GREATER_THAN, str(uid(3)), {4, 5}),
    ("_id", O.LIKE, "*-00000000000?", {1, 2, 3, 4, 5}),
    ("_id", O.CONTAINS_ANY, (str(uid(1)), str(uid(9))), {1}),
    ("_creationTimeUnix", O.LESS_THAN, 3, {1, 2}),
    ("_lastUpdateTimeUnix", O.GREATER_THAN_EQUAL, 40, {4, 5}),
)


def patch(shard: Shard, object_id: UUID, change: Callable[[Record], Record]) -> bool:
    """Change one object; whether it is there. Raises what its change did."""
    outcomes = shard.patch({object_id: change})
    if refused := outcomes.get(object_id):
        raise refused
    return object_id in outcomes
