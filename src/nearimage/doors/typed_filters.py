"""Read the `where` of GraphQL and of deletions over REST, in which a value must go by the name of its property's type.

    {path: ["weight"], operator: GreaterThan, valueInt: 10}         right
    {path: ["weight"], operator: GreaterThan, valueText: "10"}      wrong: the property is an int

The names say nothing that the schema does not know, but a query that has one wrong was meant for another property. Lists go by `valueTextArray` and the
like over REST, over GraphQL by the name of one. May import `domain` and `doors` only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import CONTAINS, CREATED_FIELD, ID_FIELD, UPDATED_FIELD, Filter, Operator, measured_field
from nearimage.domain.schema import Collection, DataType
from nearimage.doors.where import read_where

Find = Callable[[str], Collection]

_TEXT = ("valueText", "valueString")
_ANY_TIME = (*_TEXT, "valueDate")
_KINDS: Mapping[DataType, tuple[str, ...]] = {
    DataType.TEXT: _TEXT,
    DataType.UUID: _TEXT,
    DataType.BLOB: _TEXT,
    DataType.BLOB_HASH: _TEXT,
    DataType.INT: ("valueInt",),
    DataType.NUMBER: ("valueNumber",),
    DataType.BOOLEAN: ("valueBoolean",),
    DataType.DATE: ("valueDate",),
    DataType.GEO_COORDINATES: ("valueGeoRange",),
    DataType.REFERENCE: ("valueInt",),
}
_OWN_FIELDS = {"id": _TEXT, ID_FIELD: _TEXT, CREATED_FIELD: _ANY_TIME, UPDATED_FIELD: _ANY_TIME}


def read_filter(where: Mapping[str, Any], collection: Collection, find: Find) -> Filter:
    """The filter in a query's `where`.

    Args:
        find: the collection of a name.

    Raises:
        InvalidFilter: as `read_where`, and for a value that goes by the name of another type.
    """
    read = read_where(where)
    left: list[Any] = [where]
    while left:
        part = left.pop()
        operands = part.get("operands")
        if operands is None:
            _check_kind(part, collection, find)
        elif part.get("path") or _value_name(part):
            raise InvalidFilter(f"where: {part.get('operator')} has operands, and neither a path nor a value; leave them out")
        else:
            left += operands if isinstance(operands, list) else [operands]
    return read


def _check_kind(condition: Mapping[str, Any], collection: Collection, find: Find) -> None:
    path = condition["path"] if isinstance(condition["path"], list) else [condition["path"]]
    for name in path[1:-1:2]:
        collection = find(name)
    is_null = condition["operator"] == Operator.IS_NULL and path[-1] not in _OWN_FIELDS
    wanted, value = ("valueBoolean",) if is_null else _kinds(path[-1], collection), _value_name(condition)
    given = value.removesuffix("Array")
    if wanted and given not in wanted:
        raise InvalidFilter(f"where: property {path[-1]!r} takes {wanted[0]}, got {given}", property=path[-1])
    if condition["operator"] in CONTAINS and not (isinstance(condition[value], list) and condition[value]):
        raise InvalidFilter(f"where: {condition['operator']} takes a list of values, got {condition[value]!r}; put it in brackets", property=path[-1])


def _value_name(condition: Mapping[str, Any]) -> str:
    return next((name for name in condition if name.startswith("value") and condition[name] is not None), "")


def _kinds(name: str, collection: Collection) -> tuple[str, ...]:
    """The names of values that fit; nothing where the property is unknown, which is told elsewhere."""
    if name in _OWN_FIELDS:
        return _OWN_FIELDS[name]
    if measured_field(name) is not None:
        return ("valueInt",)
    prop = collection.property(name)
    return _KINDS.get(prop.data_type.element, ()) if prop else ()
