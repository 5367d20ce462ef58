"""Read the filters of a gRPC request. May import `domain`, `doors` and `service` only."""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import CONTAINS, CREATED_FIELD, UPDATED_FIELD, And, Compare, Filter, FilterValue, GeoRange, Not, Operator, Or, Through
from nearimage.doors.where import on_path
from nearimage.doors.wire.messages import Filters
from nearimage.service.filters import MAX_DEPTH

_JUNCTIONS: Mapping[int, type[And] | type[Or]] = {Filters.OPERATOR_AND: And, Filters.OPERATOR_OR: Or}
_OPERATORS: Mapping[int, Operator] = {
    Filters.OPERATOR_EQUAL: Operator.EQUAL,
    Filters.OPERATOR_NOT_EQUAL: Operator.NOT_EQUAL,
    Filters.OPERATOR_GREATER_THAN: Operator.GREATER_THAN,
    Filters.OPERATOR_GREATER_THAN_EQUAL: Operator.GREATER_THAN_EQUAL,
    Filters.OPERATOR_LESS_THAN: Operator.LESS_THAN,
    Filters.OPERATOR_LESS_THAN_EQUAL: Operator.LESS_THAN_EQUAL,
    Filters.OPERATOR_LIKE: Operator.LIKE,
    Filters.OPERATOR_IS_NULL: Operator.IS_NULL,
    Filters.OPERATOR_CONTAINS_ANY: Operator.CONTAINS_ANY,
    Filters.OPERATOR_CONTAINS_ALL: Operator.CONTAINS_ALL,
    Filters.OPERATOR_CONTAINS_NONE: Operator.CONTAINS_NONE,
    Filters.OPERATOR_WITHIN_GEO_RANGE: Operator.WITHIN_GEO_RANGE,
}


def read_filter(message: Any, depth: int = 0) -> Filter:
    """A `Filters` message as a filter.

    Raises:
        InvalidFilter: no operator, no value, no target, no operands, or too many levels.
    """
    if depth > MAX_DEPTH:
        raise InvalidFilter(f"the filter is nested more than {MAX_DEPTH} levels deep; flatten it", property=None)
    junction = _JUNCTIONS.get(message.operator)
    if junction:
        return junction(tuple(read_filter(part, depth + 1) for part in message.filters))
    if message.operator == Filters.OPERATOR_NOT:
        if len(message.filters) != 1:
            raise InvalidFilter(f"Not takes exactly one operand, got {len(message.filters)}", property=None)
        return Not(read_filter(message.filters[0], depth + 1))
    operator, value = _operator(message), _value(message)
    if operator in CONTAINS and not isinstance(value, tuple):
        raise InvalidFilter(f"{operator} takes a list of values, got {value!r:.200}", property=None)
    if message.HasField("target"):
        return _aimed(message.target, operator, value, depth)
    on = tuple(message.on)  # the form of older clients
    _check_field(on[-1] if on else "", value)
    return on_path(on, operator, value)


def _check_field(field: str, value: FilterValue) -> None:
    """Refuse names and values that only other doors know: an id is `_id`, and times are dates."""
    if field == "id":
        raise InvalidFilter("there is no property 'id' to filter by; the id of an object is '_id'", property=field)
    if field in (CREATED_FIELD, UPDATED_FIELD):
        for one in value if isinstance(value, tuple) else (value,):
            if not isinstance(one, str) or one.lstrip("-").isdigit():
                raise InvalidFilter(f"{field!r} is compared with an RFC 3339 date, got {one!r:.200}", property=field)


def _operator(message: Any) -> Operator:
    if message.operator not in _OPERATORS:
        raise InvalidFilter(f"a filter has no known operator (got number {message.operator}); say Equal, Like, And ...", property=None)
    return _OPERATORS[message.operator]


def _aimed(target: Any, operator: Operator, value: FilterValue, depth: int) -> Filter:
    """A condition on a property, on the number of references, or on what a reference leads to."""
    if depth > MAX_DEPTH:
        raise InvalidFilter(f"the filter follows more than {MAX_DEPTH} references; ask for less", property=None)
    kind = target.WhichOneof("target")
    if kind == "property":
        _check_field(str(target.property), value)
        return Compare(str(target.property), operator, value)
    if kind == "count":
        return Compare(str(target.count.on), operator, value)
    if kind is None:
        raise InvalidFilter("a filter names no property; set its target", property=None)
    hop = getattr(target, kind)
    collection = str(hop.target_collection) if kind == "multi_target" else None
    return Through(str(hop.on), collection, _aimed(hop.target, operator, value, depth + 1))


def _value(message: Any) -> FilterValue:
    kind = message.WhichOneof("test_value")
    if kind is None:
        raise InvalidFilter("a filter has no value to compare with; set one of value_text, value_int, value_number, value_boolean ...", property=None)
    if kind == "value_geo":
        return GeoRange(message.value_geo.latitude, message.value_geo.longitude, message.value_geo.distance)
    value = getattr(message, kind)
    return tuple(value.values) if kind.endswith("_array") else value
