"""Numbers as readers of JSON expect them: one without a fraction is written as a whole number.

    2.0 -> 2      2.5 -> 2.5      (1.0, 2.5) -> (1, 2.5)      {"depth": 3.0} -> {"depth": 3}

JSON has one kind of number, and Weaviate writes what is whole without a fraction. A client that keeps numbers as text until it is asked for an integer,
such as Go's, stumbles over "2.0". May import `domain` only.
"""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.values import PropertyValue

_INT64 = 2.0**63
"""What readers take for an integer ends here; larger numbers keep their form."""
_MAY_HOLD = (float, dict)
_ARE_WHOLE = frozenset((str, int, bool))
"""Types of most values, of which nothing has to be asked."""


def properties_with_whole_numbers(properties: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """The same of an object's properties."""
    return {name: value if type(value) in _ARE_WHOLE else with_whole_numbers(value) for name, value in properties.items()}


def with_whole_numbers(value: PropertyValue) -> Any:
    """A property's value, in which floats without a fraction are integers; in lists and nested objects too.

    Cost:
        O(1) for what holds no numbers, such as a text or a list of them.
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() and -_INT64 <= value < _INT64 else value
    if isinstance(value, tuple):
        return tuple(map(with_whole_numbers, value)) if value and isinstance(value[0], _MAY_HOLD) else value
    if isinstance(value, dict):
        return {name: with_whole_numbers(inner) for name, inner in value.items()}
    return value
