"""Read filters in the JSON form that REST and GraphQL share.

    {"operator": "And", "operands": [{"path": ["breed"], "operator": "Like", "valueText": "*gi"}, {"path": ["weight"], ...}]}
    {"path": ["owner", "Person", "name"], "operator": "Equal", "valueText": "Ann"}          through a reference

May import `domain` and `service` only.
"""

from collections.abc import Mapping, Sequence

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import And, Compare, Filter, FilterScalar, FilterValue, GeoRange, Not, Operator, Or, Through
from nearimage.service.filters import MAX_DEPTH

_JUNCTIONS: Mapping[object, type[And] | type[Or]] = {"And": And, "Or": Or}
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "valueText": (str,),
    "valueString": (str,),
    "valueDate": (str,),
    "valueInt": (int,),
    "valueNumber": (int, float),
    "valueBoolean": (bool,),
}
_GEO = "valueGeoRange"


def read_where(where: object, depth: int = 0) -> Filter:
    """A filter as JSON has it.

    Raises:
        InvalidFilter: no operator, no path, no value or several, a value of another type than its name says, or too many levels.
    """
    if depth > MAX_DEPTH:
        raise _wrong(f"the filter is nested more than {MAX_DEPTH} levels deep; flatten it")
    if not isinstance(where, Mapping):
        raise _wrong(f"a filter is an object with operator, path and a value, got {type(where).__name__}")
    junction = _JUNCTIONS.get(where.get("operator"))
    if (junction or where.get("operator") == "Not") and where.get("path") is not None:
        raise _wrong(f"operator {where.get('operator')} has operands, not a path; leave the path out")
    if junction:
        return junction(tuple(read_where(part, depth + 1) for part in _operands(where)))
    if where.get("operator") == "Not":
        operands = _operands(where)
        if len(operands) != 1:
            raise _wrong(f"Not takes exactly one operand, got {len(operands)}")
        return Not(read_where(operands[0], depth + 1))
    return on_path(_path(where), _operator(where), _value(where))


def on_path(path: Sequence[str], operator: Operator, value: FilterValue) -> Filter:
    """A condition on a property, or on what references lead to: reference, collection, property ...

    Raises:
        InvalidFilter: the path has an even number of parts, or too many.
    """
    if len(path) % 2 == 0:
        raise _wrong(f"a filter's path is a property, or reference, collection, property ...; got {list(path)}")
    if len(path) > 2 * MAX_DEPTH:
        raise _wrong(f"the filter follows more than {MAX_DEPTH} references; ask for less")
    where: Filter = Compare(path[-1], operator, value)
    for start in range(len(path) - 3, -1, -2):
        where = Through(path[start], path[start + 1], where)
    return where


def _operands(where: Mapping[object, object]) -> Sequence[object]:
    operands = where.get("operands")
    if operands is None:
        raise _wrong(f"operator {where.get('operator')} needs operands")
    return operands if isinstance(operands, list | tuple) else [operands]


def _operator(where: Mapping[object, object]) -> Operator:
    try:
        return Operator(str(where.get("operator")))
    except ValueError as wrong:
        known = ["And", "Or", "Not", *(str(operator) for operator in Operator)]
        raise _wrong(f"a filter's operator is one of {known}, got {where.get('operator')!r}") from wrong


def _path(where: Mapping[object, object]) -> Sequence[str]:
    path = where.get("path")
    parts = path if isinstance(path, list | tuple) else [path]
    if not all(isinstance(part, str) and part for part in parts):
        raise _wrong(f"a filter's path is a list of names, got {path!r}")
    return [str(part) for part in parts]


def _value(where: Mapping[object, object]) -> FilterValue:
    given = {str(key): value for key, value in where.items() if str(key).startswith("value") and value is not None}
    if len(given) != 1:
        raise _wrong(f"a filter has exactly one value, such as valueText; got {sorted(given) or 'none'}")
    name, value = next(iter(given.items()))
    if name == _GEO:
        return _geo_range(value)
    kind = name.removesuffix("Array")
    if kind not in _SCALARS:
        raise _wrong(f"there is no {name}; choose one of {[*_SCALARS, _GEO]}")
    if isinstance(value, list | tuple):
        return tuple(_scalar(kind, entry) for entry in value)
    return _scalar(kind, value)


def _scalar(name: str, value: object) -> FilterScalar:
    kinds = _SCALARS[name]
    if isinstance(value, bool) is not (kinds == (bool,)) or not isinstance(value, kinds) or not isinstance(value, str | int | float):
        raise _wrong(f"{name} must be {' or '.join(kind.__name__ for kind in kinds)}, got {type(value).__name__}")
    return value


def _geo_range(value: object) -> GeoRange:
    place = value.get("geoCoordinates") if isinstance(value, Mapping) else None
    distance = value.get("distance") if isinstance(value, Mapping) else None
    numbers = [part.get(name) if isinstance(part, Mapping) else None for part, name in ((place, "latitude"), (place, "longitude"), (distance, "max"))]
    latitude, longitude, metres = (float(n) if isinstance(n, int | float) and not isinstance(n, bool) else None for n in numbers)
    if latitude is None or longitude is None or metres is None:
        raise _wrong(f"{_GEO} is {{geoCoordinates: {{latitude, longitude}}, distance: {{max: metres}}}}, got {value!r:.200}")
    return GeoRange(latitude, longitude, metres)


def _wrong(message: str) -> InvalidFilter:
    return InvalidFilter(message, property=None)
