"""Hypothesis strategies for collections, records and filters, made to collide.

Few ids, few words, few numbers (and their neighbours at the edges of int64 and of float64): random data that never meets itself tests nothing. A filter
drawn here is bound, as the port asks: its field is there and filterable, its value has the field's type.

May import hypothesis, numpy and `domain`.
"""

import hashlib
from uuid import UUID

import numpy as np
from hypothesis import strategies as st

from nearimage.domain.filters import (
    CONTAINS,
    CREATED_FIELD,
    ID_FIELD,
    UPDATED_FIELD,
    And,
    Compare,
    Filter,
    FilterScalar,
    GeoRange,
    Not,
    Operator,
    Or,
    PointsTo,
    length_field,
)
from nearimage.domain.objects import AnyVector, Record, Vector
from nearimage.domain.schema import Collection, DataType, Metric, Property, Tokenization, VectorConfig
from nearimage.domain.values import Element, GeoCoordinates, PhoneNumber, PropertyValue, Reference, Scalar

_ORDERS = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL, Operator.LESS_THAN, Operator.LESS_THAN_EQUAL)

_INTEGERS = st.sampled_from((0, 1, -1, 2, 3, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63))) | st.integers(-4, 4)
_FLOATS = st.sampled_from((0.0, -0.0, 1.0, 2.5, -1.5, 2.0**53, 2.0**63, 1e300)) | st.floats(allow_nan=False, allow_infinity=False)
_WORDS = ("corgi", "Corgi", "cor", "puppy", "été", "Straße", "a_b", "--", "*", "犬", "\U0001f436", "")
_DATES = (
    "2026-01-31T12:00:00Z",
    "2026-01-31T13:00:00+01:00",
    "2026-01-31T12:00:00.000000001Z",
    "2026-01-31T12:00:00.5Z",
    "1969-12-31T23:59:59.999999999Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
_IDS = tuple(UUID(int=number) for number in (0, 1, 2, 255, 256, 1 << 63, 1 << 64, (1 << 64) + 1, (1 << 127) + 5, (1 << 128) - 1))

IDS = st.sampled_from(_IDS)
"""Ids that meet often and cross every boundary of 8 and 16 bytes."""

_ELEMENTS: dict[DataType, st.SearchStrategy[Scalar]] = {
    DataType.TEXT: st.lists(st.sampled_from(_WORDS), max_size=3).map(" ".join) | st.text(max_size=6),
    DataType.INT: _INTEGERS,
    DataType.NUMBER: _FLOATS,
    DataType.BOOLEAN: st.booleans(),
    DataType.DATE: st.sampled_from(_DATES),
    DataType.UUID: IDS.map(str),
    DataType.BLOB_HASH: st.sampled_from(_WORDS).map(lambda word: hashlib.sha256(word.encode()).hexdigest()),
}


_TARGETS = ("Photo", "Person", "photo")
_LATITUDES, _LONGITUDES = st.sampled_from((0.0, 52.5, -90.0, 89.99, 90.0, -33.9)), st.sampled_from((0.0, 13.4, 180.0, -180.0, 179.99, -179.99, 151.2))
_PLACES = st.builds(GeoCoordinates, _LATITUDES, _LONGITUDES)
_PHONES = st.builds(PhoneNumber, input=st.text(max_size=4), national_number=st.integers(0, 2**63 - 1), valid=st.booleans())
_REFERENCES = st.builds(Reference, st.sampled_from(_TARGETS), IDS)
_NAMES = st.sampled_from(("a", "b", "corgi"))
_LEAVES: st.SearchStrategy[Element] = st.one_of(*_ELEMENTS.values(), _PLACES, _PHONES, st.binary(max_size=4))
_OBJECTS: st.SearchStrategy[Element] = st.recursive(
    st.dictionaries(_NAMES, _LEAVES | st.lists(_LEAVES, max_size=2).map(tuple), max_size=3),
    lambda inner: st.dictionaries(_NAMES, inner | st.lists(inner, max_size=2).map(tuple), max_size=2),
    max_leaves=3,
)
_OTHERS: dict[DataType, st.SearchStrategy[PropertyValue]] = {
    DataType.BLOB: st.binary(max_size=8),
    DataType.GEO_COORDINATES: _PLACES,
    DataType.PHONE_NUMBER: _PHONES,
    DataType.OBJECT: _OBJECTS,
    DataType.OBJECT_ARRAY: st.lists(_OBJECTS, max_size=2).map(tuple),
    DataType.REFERENCE: st.lists(_REFERENCES, max_size=3).map(tuple),
}


@st.composite
def collections(draw: st.DrawFn, name: str = "Photo") -> Collection:
    """A collection of up to six properties and one or two named vectors."""
    types = draw(st.lists(st.sampled_from(DataType), max_size=6))
    properties = tuple(
        Property(
            name=f"p{number}",
            data_type=data_type,
            tokenization=draw(st.sampled_from(Tokenization)) if data_type.element is DataType.TEXT else None,
            filterable=draw(st.sampled_from((True, True, True, False))),
        )
        for number, data_type in enumerate(types)
    )
    metrics = draw(st.lists(st.sampled_from(Metric), min_size=1, max_size=2))
    multi = draw(st.sampled_from((None, None, 0, 1)))
    named = tuple(VectorConfig(name=f"v{i}", metric=metric, is_multi=i == multi) for i, metric in enumerate(metrics))
    return Collection(name=name, properties=properties, vectors=named)


def values(data_type: DataType) -> st.SearchStrategy[PropertyValue]:
    """A value of this type."""
    if data_type in _OTHERS:
        return _OTHERS[data_type]
    element = _ELEMENTS[data_type.element]
    return st.lists(element, max_size=3).map(tuple) if data_type.is_array else element


@st.composite
def vectors(draw: st.DrawFn, dims: int) -> Vector:
    """A vector that is not all zero; small integers, so that distances are often equal, or any floats of a reasonable size."""
    numbers = st.integers(-2, 2).map(float) | st.floats(-100, 100, width=32, allow_subnormal=False)
    found = np.array(draw(st.lists(numbers, min_size=dims, max_size=dims)), np.float32)
    found[np.abs(found) < 1e-3] = 0
    if not found.any():
        found[0] = 1
    return found


def any_vectors(config: VectorConfig, dims: int) -> st.SearchStrategy[AnyVector]:
    """A vector, or the few of a multi-vector, for an object or a query."""
    return st.lists(vectors(dims), min_size=1, max_size=3).map(np.stack) if config.is_multi else vectors(dims)


@st.composite
def records(draw: st.DrawFn, collection: Collection, dims: int = 3) -> Record:
    """A record of the collection; now and then a vector is missing or has a dimension too many."""
    properties = {p.name: draw(values(p.data_type)) for p in collection.properties if draw(st.sampled_from((True, True, True, False)))}
    lengths = st.sampled_from((dims, dims, dims, dims, dims + 1, 0))
    length_of_each = [(v, draw(lengths)) for v in collection.vectors]
    return Record(
        id=draw(IDS),
        properties=properties,
        vectors={v.name: draw(any_vectors(v, length)) for v, length in length_of_each if length},
        created_ms=draw(st.integers(0, 3)),
        updated_ms=draw(st.integers(0, 3)),
    )


@st.composite
def comparisons(draw: st.DrawFn, collection: Collection) -> Filter:
    """One condition on one field of the collection, or on an object's own fields."""
    own = {ID_FIELD: DataType.UUID, CREATED_FIELD: DataType.INT, UPDATED_FIELD: DataType.INT}
    filterable = [p for p in collection.properties if p.filterable]
    measured = {length_field(p.name): DataType.INT for p in filterable if p.data_type.is_array or p.data_type in (DataType.TEXT, DataType.REFERENCE)}
    fields = own | measured | {p.name: p.data_type.element for p in filterable}
    field = draw(st.sampled_from(sorted(fields)))
    kind = fields[field]
    if kind is DataType.GEO_COORDINATES and draw(st.booleans()):
        return Compare(field, Operator.WITHIN_GEO_RANGE, draw(st.builds(GeoRange, _LATITUDES, _LONGITUDES, st.sampled_from((0.0, 5e3, 4e6, 1.5e7, 3e7)))))
    if kind is DataType.REFERENCE and draw(st.booleans()):
        return PointsTo(field, draw(st.sampled_from(_TARGETS)), b"".join(draw(st.lists(IDS.map(lambda one: one.bytes), max_size=4))))
    if field not in measured and (kind not in _ELEMENTS or draw(st.sampled_from((True, False, False, False, False)))):
        return Compare(field, Operator.IS_NULL, draw(st.booleans()))
    return draw(_scalar_comparisons(field, kind, is_length=field in measured))


@st.composite
def _scalar_comparisons(draw: st.DrawFn, field: str, kind: DataType, *, is_length: bool) -> Compare:
    if is_length:
        return Compare(field, draw(st.sampled_from(_ORDERS)), draw(st.integers(0, 4)))
    operators = [*_ORDERS, *sorted(CONTAINS), *([Operator.LIKE] if kind is DataType.TEXT or field == ID_FIELD else [])]
    operator = draw(st.sampled_from(operators))
    element: st.SearchStrategy[FilterScalar] = _ELEMENTS[kind]
    if kind in (DataType.INT, DataType.NUMBER):
        element = _INTEGERS | _FLOATS  # a number may be compared with either
    if operator in CONTAINS:
        return Compare(field, operator, tuple(draw(st.lists(element, max_size=3))))
    if operator is Operator.LIKE:
        return Compare(field, operator, draw(st.sampled_from(("*gi", "c?r*", "*", "?", "puppy cor*", "00*", "", "*é"))))
    return Compare(field, operator, draw(element))


def filters(collection: Collection) -> st.SearchStrategy[Filter]:
    """Conditions joined by And, Or and Not."""

    def joined(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        several = st.lists(parts, min_size=1, max_size=3).map(tuple)
        return several.map(And) | several.map(Or) | parts.map(Not)

    return st.recursive(comparisons(collection), joined, max_leaves=4)
