"""Bind a filter to its collection: every field known and filterable, every value of the field's type.

A door hands over what the request says; an engine gets what `domain.filters` promises. A condition on the objects that a reference leads to (`Through`) is
answered on their own collection first: innermost first, each time with all the ids that pass, packed, and without reading an object.

    Through("owner", "Person", name = "Ann")  --Person's shard-->  ids  -->  PointsTo("owner", "Person", ids)

May import `domain` and `ports` only (and some of `service`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidFilter, InvalidValue, NotSupported
from nearimage.domain.filters import (
    CONTAINS,
    CREATED_FIELD,
    ID_FIELD,
    UPDATED_FIELD,
    And,
    Compare,
    Filter,
    FilterScalar,
    FilterValue,
    GeoRange,
    Not,
    Operator,
    Or,
    PointsTo,
    Through,
    length_field,
    measured_field,
)
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.ports.engine import Shard
from nearimage.service.collections import Collections
from nearimage.service.shards import Shards
from nearimage.service.stopwords import without_stopwords
from nearimage.service.values import convert_scalar

MAX_DEPTH = 100
"""Levels of And, Or and Not; no person writes ten, and recursion must end long before Python's limit of 1,000 frames."""

_ORDERS = (Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL, Operator.LESS_THAN, Operator.LESS_THAN_EQUAL)
_COMPARISONS = {Operator.EQUAL, Operator.NOT_EQUAL, *_ORDERS}
_ID = Property(name=ID_FIELD, data_type=DataType.TEXT, tokenization=Tokenization.FIELD)
"""To a filter an id is text: any text may be compared with ids, by Like too."""
_TIMES = {name: Property(name=name, data_type=DataType.INT) for name in (CREATED_FIELD, UPDATED_FIELD)}
_INCOMPARABLE = {DataType.BLOB: "a blob", DataType.PHONE_NUMBER: "a phone number"}

Target = tuple[Collection, Shard]
"""A collection and where its objects are."""

Targets = Callable[[str], Target]
"""Finds a collection by name; raises CollectionNotFound."""


def targets_of(collections: Collections, shards: Shards, tenant: str) -> Targets:
    """Where references lead, for a request of one tenant: to the same tenant's objects, if the other collection has tenants."""

    def target(name: str) -> Target:
        collection = collections.get(name)
        return collection, shards.reading(collection, tenant if collection.tenancy.enabled else "")

    return target


def bind_filter(where: Filter, collection: Collection, depth: int = 0, *, targets: Targets | None = None) -> Filter:
    """Check a filter, convert its values and answer what lies behind references.

    Args:
        targets: where the collections are that references lead to; without it, filters through references are refused.

    Raises:
        InvalidFilter: an unknown or unfilterable field, an operator that the field's type does not have, a value of another type,
            or more than `MAX_DEPTH` levels.
        NotSupported: a path into a nested object.
        CollectionNotFound: a reference leads to a collection that is gone.

    Cost:
        One filter on the target collection for each `Through`.
    """
    if depth > MAX_DEPTH:
        raise InvalidFilter(f"the filter is nested more than {MAX_DEPTH} levels deep; flatten it", property=None)
    if isinstance(where, And | Or):
        if not where.parts:
            raise InvalidFilter(f"{type(where).__name__} needs at least one operand", property=None)
        return type(where)(tuple(bind_filter(part, collection, depth + 1, targets=targets) for part in where.parts))
    if isinstance(where, Not):
        return Not(bind_filter(where.part, collection, depth + 1, targets=targets))
    if isinstance(where, Through) and (apart := _value_by_value(where)):
        return bind_filter(apart, collection, depth + 1, targets=targets)
    if isinstance(where, Through):
        return _answer(where, collection, depth, targets)
    if isinstance(where, PointsTo):
        return where
    return _bind_condition(where, collection)


def _value_by_value(where: Through) -> Filter | None:
    """ContainsAll and ContainsNone behind references: each value may be met by another of the objects referred to; None for all other filters."""
    leaf = where.where
    while isinstance(leaf, Through):
        leaf = leaf.where
    if not isinstance(leaf, Compare) or leaf.operator not in (Operator.CONTAINS_ALL, Operator.CONTAINS_NONE) or not isinstance(leaf.value, tuple):
        return None
    if leaf.operator is Operator.CONTAINS_NONE:
        return Not(_with_leaf(where, replace(leaf, operator=Operator.CONTAINS_ANY)))
    return And(tuple(_with_leaf(where, replace(leaf, operator=Operator.CONTAINS_ANY, value=(value,))) for value in leaf.value))


def _with_leaf(where: Through, leaf: Compare) -> Through:
    inner = where.where
    return replace(where, where=_with_leaf(inner, leaf) if isinstance(inner, Through) else leaf)


def _answer(where: Through, collection: Collection, depth: int, targets: Targets | None) -> PointsTo:
    prop = _field(where.field, collection)
    if prop.data_type is not DataType.REFERENCE:
        raise InvalidFilter(f"property {prop.name!r} is {prop.data_type}, no reference; a path can go on behind references only", property=prop.name)
    wanted = where.collection or (prop.targets[0] if len(prop.targets) == 1 else None)
    if wanted is None or wanted not in prop.targets:
        raise InvalidFilter(f"property {prop.name!r} leads to {list(prop.targets)}; name one of them, got {where.collection!r}", property=prop.name)
    if targets is None:
        raise NotSupported("filtering by what a reference leads to is not supported here", feature="filter by reference")
    target, shard = targets(wanted)
    return PointsTo(prop.name, wanted, shard.passing_ids(bind_filter(where.where, target, depth + 1, targets=targets)))


def _bind_condition(where: Compare, collection: Collection) -> Compare:
    measured = measured_field(where.field)
    prop = _field(where.field if measured is None else measured, collection)
    if measured is not None:
        _check_indexed("indexPropertyLength", f"the length of {prop.name!r}", collection)
        return _bind_length(where, prop)
    if where.operator is Operator.IS_NULL:
        if prop is _ID or prop.name in _TIMES:
            raise _misfit(prop, where.operator, where.value, "a property: every object has an id and its times")
        _check_indexed("indexNullState", f"whether {prop.name!r} is missing", collection)
    if prop.name in _TIMES:
        _check_indexed("indexTimestamps", f"{prop.name!r}", collection)
    if prop.data_type is DataType.REFERENCE and where.operator is not Operator.IS_NULL:
        return _bind_length(where, prop)
    return without_stopwords(_bind_compare(where, prop), prop, collection.keywords)


def _check_indexed(flag: str, what: str, collection: Collection) -> None:
    """Refuse what a collection said it would not be asked for; one made without a word of its indexes may be asked anything."""
    indexes = collection.settings.get("invertedIndexConfig")
    if isinstance(indexes, Mapping) and not indexes.get(flag):
        message = f"collection {collection.name!r} was made without {flag}, so {what} cannot be filtered by; set invertedIndexConfig.{flag} when making it"
        raise InvalidFilter(message, property=None)


def _bind_length(where: Compare, prop: Property) -> Compare:
    """The length of a text or an array, or the number of references."""
    if prop is _ID or not (prop.data_type.is_array or prop.data_type in (DataType.TEXT, DataType.REFERENCE)):
        raise InvalidFilter(f"property {prop.name!r} is {prop.data_type}, which has no length; len() takes texts and arrays", property=prop.name)
    length = _whole(where.value)
    if length is None or length < 0 or where.operator not in _COMPARISONS:
        what = "the number of references" if prop.data_type is DataType.REFERENCE else "the length"
        expected = "a whole number of at least 0, by Equal, NotEqual or one of the four orders"
        raise InvalidFilter(f"{what} of {prop.name!r} is compared with {expected}; got {where.operator} {where.value!r}", property=prop.name)
    return Compare(length_field(prop.name), where.operator, length)


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        return None
    return int(value)


def _field(name: str, collection: Collection) -> Property:
    if name in ("id", ID_FIELD):
        return _ID
    if name in _TIMES:
        return _TIMES[name]
    prop = collection.property(name)
    if prop is None and "." in name:
        raise NotSupported(f"{name!r}: filtering by a field of a nested object is not supported", feature="nested filters")
    if prop is None:
        have = sorted(p.name for p in collection.properties)
        raise InvalidFilter(f"collection {collection.name!r} has no property {name!r} to filter by; it has {have}", property=name)
    if prop.data_type in _INCOMPARABLE:
        raise InvalidFilter(f"property {name!r} is {_INCOMPARABLE[prop.data_type]}, which no filter can compare; filter by another property", property=name)
    if not (prop.filterable or prop.searchable or prop.range_filters):
        raise InvalidFilter(f"property {name!r} is not filterable; it was declared with indexFilterable false", property=name)
    return prop


def _bind_compare(compare: Compare, prop: Property) -> Compare:
    operator, value = compare.operator, compare.value
    if operator is Operator.IS_NULL:
        if not isinstance(value, bool):
            raise _misfit(prop, operator, value, "true or false")
        return Compare(prop.name, operator, value)
    if prop.data_type.element is DataType.OBJECT:
        raise NotSupported(f"property {prop.name!r} is {prop.data_type}: only IsNull is supported of nested objects", feature="nested filters")
    if prop.data_type is DataType.GEO_COORDINATES or operator is Operator.WITHIN_GEO_RANGE:
        return _bind_range(compare, prop)
    if operator in CONTAINS:
        values = value if isinstance(value, tuple) else (value,)
        if not values:
            raise _misfit(prop, operator, value, "at least one value")
        return Compare(prop.name, operator, tuple(_scalar(prop, operator, v) for v in values))
    if isinstance(value, tuple):
        raise _misfit(prop, operator, value, "one value; for several use ContainsAny or ContainsAll")
    if operator is Operator.LIKE and prop.data_type.element is not DataType.TEXT:
        raise _misfit(prop, operator, value, "a text property: Like compares text only")
    return Compare(prop.name, operator, _scalar(prop, operator, value))


def _bind_range(compare: Compare, prop: Property) -> Compare:
    circle = compare.value
    if prop.data_type is not DataType.GEO_COORDINATES or compare.operator is not Operator.WITHIN_GEO_RANGE or not isinstance(circle, GeoRange):
        raise _misfit(prop, compare.operator, circle, "WithinGeoRange, on a geoCoordinates property, with latitude, longitude and a distance")
    if not (-90 <= circle.latitude <= 90 and -180 <= circle.longitude <= 180 and 0 <= circle.distance_m < math.inf):
        raise _misfit(prop, compare.operator, circle, "a latitude of -90 to 90, a longitude of -180 to 180 and a distance of at least 0 metres")
    return Compare(prop.name, compare.operator, circle)


def _scalar(prop: Property, operator: Operator, value: FilterValue) -> FilterScalar:
    kind = prop.data_type.element
    if prop.name in _TIMES:
        return _milliseconds(prop, operator, value)
    if kind is DataType.NUMBER and isinstance(value, int) and not isinstance(value, bool):
        return value  # exact: a float would round beyond 2**53
    try:
        return convert_scalar(prop, value)
    except InvalidValue as wrong:
        raise InvalidFilter(f"filter {operator}: {wrong.message}", property=prop.name) from wrong


def _milliseconds(prop: Property, operator: Operator, value: FilterValue) -> int:
    """Times are compared as milliseconds: an int, its text, or an RFC 3339 date."""
    try:
        if isinstance(value, str):
            return int(value) if value.lstrip("-").isdigit() else instant_ns(value) // 1_000_000
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise _misfit(prop, operator, value, "Unix milliseconds or an RFC 3339 date")


def _misfit(prop: Property, operator: Operator, value: object, expected: str) -> InvalidFilter:
    return InvalidFilter(f"filter {operator} on {prop.name!r} ({prop.data_type}): expected {expected}, got {value!r}", property=prop.name)
