"""Filters as Python writes conditions.

    (field("breed") == "corgi") & (field("weight") < 20) | ~field("name").like("rex*")

Each part is a filter of `domain.filters` in a thin shell, checked against the collection when it is used. May import `domain.filters` only.
"""

from dataclasses import dataclass
from typing import Self

from nearimage.domain.filters import And, Compare, Filter, FilterScalar, GeoRange, Not, Operator, Or, length_field


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter that `&`, `|` and `~` join with others; Python's own `and`, `or` and `not` are refused, because they would drop one side unseen."""

    filter: Filter

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(And((self.filter, other.filter)))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(Or((self.filter, other.filter)))

    def __invert__(self) -> "Condition":
        return Condition(Not(self.filter))

    def __bool__(self) -> bool:
        raise TypeError("a condition is neither true nor false; join conditions with & and |, turn one round with ~, and put each in parentheses")


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A property to compare; made by `field`. What each comparison means, type by type, is in `domain.filters`."""

    name: str

    def __eq__(self, value: FilterScalar) -> Condition:  # type: ignore[override] # a condition, as in every query language in Python
        return self._compare(Operator.EQUAL, value)

    def __ne__(self, value: FilterScalar) -> Condition:  # type: ignore[override]
        return self._compare(Operator.NOT_EQUAL, value)

    def __lt__(self, value: FilterScalar) -> Condition:
        return self._compare(Operator.LESS_THAN, value)

    def __le__(self, value: FilterScalar) -> Condition:
        return self._compare(Operator.LESS_THAN_EQUAL, value)

    def __gt__(self, value: FilterScalar) -> Condition:
        return self._compare(Operator.GREATER_THAN, value)

    def __ge__(self, value: FilterScalar) -> Condition:
        return self._compare(Operator.GREATER_THAN_EQUAL, value)

    def __hash__(self) -> int:
        return hash(self.name)

    def like(self, pattern: str) -> Condition:
        """Text that matches: `*` stands for any run of characters, `?` for one."""
        return self._compare(Operator.LIKE, pattern)

    def is_missing(self) -> Condition:
        """No value, an empty text or an empty array."""
        return self._compare(Operator.IS_NULL, True)

    def contains_any(self, *values: FilterScalar) -> Condition:
        """Equal to one of the values, or an array with one of them."""
        return Condition(Compare(self.name, Operator.CONTAINS_ANY, values))

    def contains_all(self, *values: FilterScalar) -> Condition:
        """An array that has each of the values, or a text that has each of the words."""
        return Condition(Compare(self.name, Operator.CONTAINS_ALL, values))

    def within(self, distance_m: float, *, latitude: float, longitude: float) -> Condition:
        """A place at most so many metres away."""
        return Condition(Compare(self.name, Operator.WITHIN_GEO_RANGE, GeoRange(latitude, longitude, distance_m)))

    def length(self) -> Self:
        """How long the text or the array is, to be compared with a number."""
        return type(self)(length_field(self.name))

    def _compare(self, operator: Operator, value: FilterScalar) -> Condition:
        return Condition(Compare(self.name, operator, value))


def field(name: str) -> Field:
    """A property of a collection, to be compared with a value."""
    return Field(name)
