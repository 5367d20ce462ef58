"""The properties of many objects, property by property: a batch is checked, converted and written by column and not object by object.

    0  {"title": "a", "rank": 1}            title   places 0, 1, 2   values "a", "b", "c"
    1  {"title": "b"}                       rank    places 0, 2      values 1, 3
    2  {"title": "c", "rank": 3}

What depends on the property only is then looked up once a column, and what is done to every value is one pass: the types of 500 values are looked at in the
time of five values one at a time. Objects of an import nearly all have the same properties in the same order, and columns are then their transposition.

May import the standard library only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")


class ValueColumn(NamedTuple, Generic[Value]):
    """The values of one property.

    Attributes:
        places: the objects that have it, ascending.
        values: as many.
    """

    places: Sequence[int]
    values: Sequence[Value]


def across(columns: Iterable[ValueColumn[Value]], count: int) -> list[Sequence[Value]]:
    """The values of each of so many objects, in the order of the columns."""
    chosen = list(columns)
    if chosen and all(len(column.values) == count for column in chosen):
        return list(zip(*[column.values for column in chosen], strict=True))
    found: list[list[Value]] = [[] for _ in range(count)]
    for places, values in chosen:
        for place, value in zip(places, values, strict=True):
            found[place].append(value)
    return [*found]


def columns_of(objects: Sequence[Mapping[str, Value]]) -> dict[str, ValueColumn[Value]]:
    """The columns of these objects by property, in the order in which properties are met; none of them is empty.

    Cost:
        0.1 us an object and 0.02 a value where all have the same properties in the same order, else 0.1 a value.
    """
    names = tuple(objects[0]) if objects else ()
    if all(tuple(properties) == names for properties in objects):
        everywhere = range(len(objects))
        columns = zip(*[properties.values() for properties in objects], strict=True)
        return {name: ValueColumn(everywhere, values) for name, values in zip(names, columns, strict=True)}
    gathered: dict[str, tuple[list[int], list[Value]]] = {}
    for place, properties in enumerate(objects):
        for name, value in properties.items():
            known = gathered.get(name)
            if known is None:
                gathered[name] = ([place], [value])
            else:
                known[0].append(place)
                known[1].append(value)
    return {name: ValueColumn(places, values) for name, (places, values) in gathered.items()}
