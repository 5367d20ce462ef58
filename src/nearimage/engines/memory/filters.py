"""Whether one object passes a filter: the definitions of `nearimage.domain.filters`, line by line.

    Filter, Record --passes--> bool

May import numpy and `domain` only.
"""

import operator
from collections.abc import Callable, Sequence
from uuid import UUID

import numpy as np

from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import (
    CREATED_FIELD,
    ID_FIELD,
    UPDATED_FIELD,
    And,
    Compare,
    Filter,
    FilterValue,
    GeoRange,
    Not,
    Operator,
    Or,
    PointsTo,
    Through,
    measured_field,
)
from nearimage.domain.geo import distances_m
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.domain.text import like_regex, tokenize, tokenize_pattern
from nearimage.domain.values import GeoCoordinates, PropertyValue, Reference, Scalar

_OWN_FIELDS = {
    ID_FIELD: Property(name=ID_FIELD, data_type=DataType.TEXT, tokenization=Tokenization.FIELD),
    CREATED_FIELD: Property(name=CREATED_FIELD, data_type=DataType.INT),
    UPDATED_FIELD: Property(name=UPDATED_FIELD, data_type=DataType.INT),
}

_LENGTH = Property(name="len", data_type=DataType.INT)

_ORDERS: dict[Operator, Callable[[Scalar, Scalar], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.GREATER_THAN: operator.gt,
    Operator.GREATER_THAN_EQUAL: operator.ge,
    Operator.LESS_THAN: operator.lt,
    Operator.LESS_THAN_EQUAL: operator.le,
}


def passes(where: Filter, record: Record, collection: Collection) -> bool:
    """Whether the object passes the filter."""
    match where:
        case And(parts):
            return all(passes(part, record, collection) for part in parts)
        case Or(parts):
            return any(passes(part, record, collection) for part in parts)
        case Not(part):
            return not passes(part, record, collection)
        case PointsTo(field, target, ids):
            wanted = {UUID(bytes=ids[start : start + 16]) for start in range(0, len(ids), 16)}
            got = _value_of(_property(field, collection).name, record)
            return isinstance(got, tuple) and any(isinstance(one, Reference) and one.collection == target and one.id in wanted for one in got)
        case Through(field):
            raise InvalidFilter(f"the filter through {field!r} was not resolved before it was asked", property=field)
        case Compare(field, how, value):
            measured = measured_field(field)
            if measured is not None:
                return _holds(_LENGTH, how, value, _length(_value_of(_property(measured, collection).name, record)))
            return _holds(_property(field, collection), how, value, _value_of(field, record))


def _length(got: PropertyValue | None) -> int:
    return len(got) if isinstance(got, str | tuple) else 0


def _holds(prop: Property, how: Operator, wanted: FilterValue, got: PropertyValue | None) -> bool:
    if isinstance(wanted, GeoRange):
        return isinstance(got, GeoCoordinates) and _distance_m(got, wanted) <= wanted.distance_m
    if isinstance(wanted, tuple):
        equal = (_some_element(prop, Operator.EQUAL, one, got) for one in wanted)
        if how is Operator.CONTAINS_ALL:
            return all(equal)
        return any(equal) is (how is Operator.CONTAINS_ANY)
    if how is Operator.IS_NULL:
        return (got is None or got in ("", ())) is wanted
    if how is Operator.NOT_EQUAL:
        return not any(_some_element(prop, Operator.EQUAL, one, got) for one in _parts(prop, wanted))
    return _some_element(prop, how, wanted, got)


def _parts(prop: Property, wanted: Scalar) -> Sequence[Scalar]:
    """What an object must have none of to be unlike a value: of a text that is every word of it."""
    words = tokenize(str(wanted), prop.tokenization or Tokenization.WORD, prop.fold) if prop.data_type.element is DataType.TEXT else ()
    return words or (wanted,)


def _some_element(prop: Property, how: Operator, wanted: Scalar, got: PropertyValue | None) -> bool:
    elements = [one for one in (got if isinstance(got, tuple) else (got,)) if isinstance(one, str | int | float)]
    kind = prop.data_type.element
    if kind is DataType.TEXT:
        return any(_text_compares(str(element), how, str(wanted), prop) for element in elements)
    if kind is DataType.DATE:
        return any(_ORDERS[how](instant_ns(str(element)), instant_ns(str(wanted))) for element in elements)
    return any(_ORDERS[how](element, wanted) for element in elements)


def _distance_m(place: GeoCoordinates, middle: GeoRange) -> float:
    return float(distances_m(np.array([place.latitude]), np.array([place.longitude]), middle.latitude, middle.longitude)[0])


def _text_compares(text: str, how: Operator, wanted: str, prop: Property) -> bool:
    cut, fold = prop.tokenization or Tokenization.WORD, prop.fold
    have = tokenize(text, cut, fold)
    if how is Operator.LIKE:
        return all(any(like_regex(pattern).fullmatch(token) for token in have) for pattern in tokenize_pattern(wanted, cut, fold))
    return all(any(_ORDERS[how](token, sought) for token in have) for sought in tokenize(wanted, cut, fold))


def _property(field: str, collection: Collection) -> Property:
    found = _OWN_FIELDS.get(field) or collection.property(field)
    if found is None or not (found.filterable or found.searchable or found.range_filters):
        raise InvalidFilter(f"{field!r} is no filterable property of {collection.name!r}", property=field)
    return found


def _value_of(field: str, record: Record) -> PropertyValue | None:
    own: dict[str, PropertyValue] = {ID_FIELD: str(record.id), CREATED_FIELD: record.created_ms, UPDATED_FIELD: record.updated_ms}
    return own.get(field) if field in own else record.properties.get(field)
