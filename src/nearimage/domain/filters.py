"""Filters: conditions on properties, joined by And, Or and Not.

    And(Compare("breed", LIKE, "*gi"), Or(Compare("weight", GREATER_THAN, 10.0), Compare("_id", EQUAL, "...")))

A filter that reaches an engine has been bound to its collection (`nearimage.service.filters`): every field exists and is filterable, every value
has the field's type. What an engine must answer, field type by field type, "element" being the value itself or each entry of an array:

    Equal           some element equals the value; on text: every token of the value is among the element's tokens (so a value without tokens
                    equals every text that is there)
    NotEqual        not Equal (so it holds where the value is missing)
    GreaterThan ... some element compares so: numbers by size, dates by instant, uuids by code point; text: each token of the value is met by
                    some token of the element, by code point
    Like            every token of the pattern matches some token of the text, `*` any run, `?` one character (text only)
    IsNull          the property is missing, an empty text or an empty array (True), or something else (False)
    ContainsAny     Equal for some of the values; ContainsAll: for each of them; ContainsNone: for none of them
    WithinGeoRange  the place is at most so far away from another (geoCoordinates only; see `domain.geo`)

The field `len(name)` is the length of a property: of a text the number of characters (code points), of an array or of references how many there are; 0 where it
is missing. It takes Equal, NotEqual and the four orders with an int. `PointsTo` asks which objects a reference leads to.

A door may also say `Through`: some object that the reference leads to passes a filter of its own collection. The service answers that filter first and
turns it into a `PointsTo`; engines never see it.

May import the standard library and `domain` only.
"""

from dataclasses import dataclass
from enum import StrEnum

ID_FIELD = "_id"
CREATED_FIELD = "_creationTimeUnix"
UPDATED_FIELD = "_lastUpdateTimeUnix"


@dataclass(frozen=True, slots=True)
class GeoRange:
    """The places at most so many metres away from one."""

    latitude: float
    longitude: float
    distance_m: float


FilterScalar = str | int | float | bool
FilterValue = FilterScalar | GeoRange | tuple[FilterScalar, ...]


class Operator(StrEnum):
    """How a field is compared with a value.

    A text is Equal to a value where it has every token of it, and NotEqual where it has none of them.
    """

    EQUAL = "Equal"
    NOT_EQUAL = "NotEqual"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_EQUAL = "GreaterThanEqual"
    LESS_THAN = "LessThan"
    LESS_THAN_EQUAL = "LessThanEqual"
    LIKE = "Like"
    IS_NULL = "IsNull"
    CONTAINS_ANY = "ContainsAny"
    CONTAINS_ALL = "ContainsAll"
    CONTAINS_NONE = "ContainsNone"
    WITHIN_GEO_RANGE = "WithinGeoRange"


CONTAINS = frozenset((Operator.CONTAINS_ANY, Operator.CONTAINS_ALL, Operator.CONTAINS_NONE))
"""Those that take a list of values."""


@dataclass(frozen=True, slots=True)
class Compare:
    """One condition on one field.

    Attributes:
        field: a property's name, `length_field` of one, or ID_FIELD (text), CREATED_FIELD or UPDATED_FIELD (int, Unix milliseconds).
        value: a tuple for the Contains operators, a bool for IsNull, a GeoRange for WithinGeoRange, else one value of the field's element type
            (int fields: int; number fields: int or float; dates: RFC 3339 text; uuids: canonical text).
    """

    field: str
    operator: Operator
    value: FilterValue


@dataclass(frozen=True, slots=True)
class PointsTo:
    """Some reference of the field leads to one of these objects.

    Attributes:
        ids: of objects of that collection, 16 bytes each, big-endian, one after another; as `Shard.ids` gives them.
    """

    field: str
    collection: str
    ids: bytes


@dataclass(frozen=True, slots=True)
class Through:
    """Some object that the reference leads to passes a filter of its own collection.

    Attributes:
        collection: None where the property leads to one collection only.
    """

    field: str
    collection: str | None
    where: "Filter"


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds. At least one part."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds. At least one part."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Filter"


Filter = Compare | PointsTo | Through | And | Or | Not


def length_field(name: str) -> str:
    """The field that stands for the length of a property."""
    return f"len({name})"


def measured_field(field: str) -> str | None:
    """The property whose length the field stands for, or None where it is no length."""
    return field[4:-1] if field.startswith("len(") and field.endswith(")") else None
