"""Bind a filter to its collection: every field known and filterable, every value of the field's type.

A door hands over what the request says; an engine gets what `domain.filters` promises. May import `domain` only (and `service.values`).
"""

from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidFilter, InvalidValue
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD, And, Compare, Filter, FilterScalar, FilterValue, Not, Operator, Or
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.values import convert_scalar

MAX_DEPTH = 100
"""Levels of And, Or and Not; no person writes ten, and recursion must end long before Python's limit of 1,000 frames."""

_CONTAINS = {Operator.CONTAINS_ANY, Operator.CONTAINS_ALL, Operator.CONTAINS_NONE}
_ORDERED = {Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL, Operator.LESS_THAN, Operator.LESS_THAN_EQUAL}
_ID = Property(name=ID_FIELD, data_type=DataType.UUID)
_TIMES = {name: Property(name=name, data_type=DataType.INT) for name in (CREATED_FIELD, UPDATED_FIELD)}


def bind_filter(where: Filter, collection: Collection, depth: int = 0) -> Filter:
    """Check a filter and convert its values.

    Raises:
        InvalidFilter: an unknown or unfilterable field, an operator that the field's type does not have, a value of another type,
            or more than `MAX_DEPTH` levels.
    """
    if depth > MAX_DEPTH:
        raise InvalidFilter(f"the filter is nested more than {MAX_DEPTH} levels deep; flatten it", property=None)
    if isinstance(where, And | Or):
        if not where.parts:
            raise InvalidFilter(f"{type(where).__name__} needs at least one operand", property=None)
        return type(where)(tuple(bind_filter(part, collection, depth + 1) for part in where.parts))
    if isinstance(where, Not):
        return Not(bind_filter(where.part, collection, depth + 1))
    return _bind_compare(where, _field(where.field, collection))


def _field(name: str, collection: Collection) -> Property:
    if name in ("id", ID_FIELD):
        return _ID
    if name in _TIMES:
        return _TIMES[name]
    prop = collection.property(name)
    if prop is None:
        have = sorted(p.name for p in collection.properties)
        raise InvalidFilter(f"collection {collection.name!r} has no property {name!r} to filter by; it has {have}", property=name)
    if prop.data_type is DataType.BLOB:
        raise InvalidFilter(f"property {name!r} is a blob, which no filter can compare; filter by another property", property=name)
    if not (prop.filterable or prop.searchable or prop.range_filters):
        raise InvalidFilter(f"property {name!r} is not filterable; it was declared with indexFilterable false", property=name)
    return prop


def _bind_compare(compare: Compare, prop: Property) -> Compare:
    operator, value = compare.operator, compare.value
    if operator is Operator.IS_NULL:
        if not isinstance(value, bool):
            raise _misfit(prop, operator, value, "true or false")
        return Compare(prop.name, operator, value)
    if operator in _CONTAINS:
        values = value if isinstance(value, tuple) else (value,)
        return Compare(prop.name, operator, tuple(_scalar(prop, operator, v) for v in values))
    if isinstance(value, tuple):
        raise _misfit(prop, operator, value, "one value; for several use ContainsAny or ContainsAll")
    if operator is Operator.LIKE and prop.data_type.element is not DataType.TEXT:
        raise _misfit(prop, operator, value, "a text property: Like compares text only")
    if operator in _ORDERED and prop.data_type.element is DataType.BOOLEAN:
        raise _misfit(prop, operator, value, "Equal or NotEqual: true and false have no order")
    return Compare(prop.name, operator, _scalar(prop, operator, value))


def _scalar(prop: Property, operator: Operator, value: FilterValue) -> FilterScalar:
    kind = prop.data_type.element
    if prop.name in _TIMES:
        return _milliseconds(prop, operator, value)
    if kind is DataType.INT and isinstance(value, float):
        return _number_against_int(prop, operator, value)
    if kind in (DataType.INT, DataType.NUMBER) and isinstance(value, str):
        return _number_in_text(prop, operator, value)
    if kind is DataType.NUMBER and isinstance(value, int) and not isinstance(value, bool):
        return value  # exact: a float would round beyond 2**53
    try:
        return convert_scalar(prop, value)
    except InvalidValue as wrong:
        raise InvalidFilter(f"filter {operator}: {wrong.message}", property=prop.name) from wrong


def _number_against_int(prop: Property, operator: Operator, value: float) -> FilterScalar:
    """A whole float is that int; 7.5 on an int property can be ordered against but equals nothing."""
    if value.is_integer():
        return int(value)
    if value != value or operator not in _ORDERED:  # noqa: PLR0124 - NaN
        raise _misfit(prop, operator, value, "a whole number")
    return value


def _number_in_text(prop: Property, operator: Operator, value: str) -> FilterScalar:
    try:
        number = float(value)
        return int(value) if number.is_integer() and value.lstrip("+-").isdigit() else number
    except ValueError as wrong:
        raise _misfit(prop, operator, value, f"a {prop.data_type.element}") from wrong


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
