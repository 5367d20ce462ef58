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
    IsNull          the property is missing (True) or there (False); an empty array is there
    ContainsAny     Equal for some of the values; ContainsAll: for each of them; ContainsNone: for none of them

May import the standard library and `domain` only.
"""

from dataclasses import dataclass
from enum import StrEnum

ID_FIELD = "_id"
CREATED_FIELD = "_creationTimeUnix"
UPDATED_FIELD = "_lastUpdateTimeUnix"

FilterScalar = str | int | float | bool
FilterValue = FilterScalar | tuple[FilterScalar, ...]


class Operator(StrEnum):
    """How a field is compared with a value."""

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


@dataclass(frozen=True, slots=True)
class Compare:
    """One condition on one field.

    Attributes:
        field: a property's name, or ID_FIELD (text), CREATED_FIELD or UPDATED_FIELD (int, Unix milliseconds).
        value: a tuple for the Contains operators, a bool for IsNull, else one value of the field's element type
            (int fields: int; number fields: int or float; dates: RFC 3339 text; uuids: canonical text).
    """

    field: str
    operator: Operator
    value: FilterValue


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


Filter = Compare | And | Or | Not
