"""Read the filters of a gRPC request. May import `domain`, `doors.wire` and `service` only."""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.errors import InvalidFilter, NotSupported
from nearimage.domain.filters import And, Compare, Filter, FilterValue, Not, Operator, Or
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
}


def read_filter(message: Any, depth: int = 0) -> Filter:
    """A `Filters` message as a filter.

    Raises:
        InvalidFilter: no operator, no value, no target, no operands, or too many levels.
        NotSupported: an operator or a target that this version does not answer.
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
    return Compare(_field(message), _operator(message), _value(message))


def _operator(message: Any) -> Operator:
    if message.operator == Filters.OPERATOR_WITHIN_GEO_RANGE:
        raise NotSupported("filtering by WithinGeoRange is not supported yet", feature="filter WithinGeoRange")
    if message.operator not in _OPERATORS:
        raise InvalidFilter(f"a filter has no known operator (got number {message.operator}); say Equal, Like, And ...", property=None)
    return _OPERATORS[message.operator]


def _field(message: Any) -> str:
    kind = message.target.WhichOneof("target")
    if kind == "property":
        return str(message.target.property)
    if kind is None and len(message.on) == 1:
        return str(message.on[0])
    if kind is None and not message.on:
        raise InvalidFilter("a filter names no property; set its target", property=None)
    raise NotSupported("filtering by references is not supported yet", feature="filter by reference")


def _value(message: Any) -> FilterValue:
    kind = message.WhichOneof("test_value")
    if kind is None or kind == "value_geo":
        raise InvalidFilter("a filter has no value to compare with; set one of value_text, value_int, value_number, value_boolean ...", property=None)
    value = getattr(message, kind)
    return tuple(value.values) if kind.endswith("_array") else value
