"""Put hits that share a value together.

The hits are walked best first. Each value met opens a group, as long as there are fewer than asked for; each hit joins its value's group while there is room.
An array puts its object into the group of each of its values, references into the group of each beacon. Objects without the property share the group None.

May import `domain` and `service.beacons` only.
"""

from collections.abc import Sequence

from nearimage.domain.columns import HitColumns
from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Hit, PropertyValue, Scalar
from nearimage.domain.query import GroupBy, HitGroup
from nearimage.domain.schema import Collection, DataType
from nearimage.domain.values import Element, Reference
from nearimage.service.beacons import beacon_of


def check_group_by(group_by: GroupBy, collection: Collection) -> None:
    """Refuse what cannot be grouped.

    Raises:
        InvalidInput: an unknown property, a blob, no groups.
    """
    prop = collection.property(group_by.property)
    if prop is None:
        have = sorted(p.name for p in collection.properties)
        raise InvalidInput(f"groupBy: collection {collection.name!r} has no property {group_by.property!r}; it has {have}", property=group_by.property)
    if prop.data_type is DataType.BLOB:
        raise InvalidInput(f"groupBy: property {prop.name!r} is a blob; group by another property", property=prop.name)
    if group_by.groups < 1 or group_by.per_group < 1:
        raise InvalidInput(f"groupBy needs at least one group of one object; got {group_by.groups} groups of {group_by.per_group}")


def grouped(hits: Sequence[Hit], group_by: GroupBy) -> tuple[HitGroup, ...]:
    """The groups in the order of their best hits."""
    columns = HitColumns.of(hits)
    groups: dict[Scalar | None, list[int]] = {}
    for place, value in enumerate(columns.records.values(group_by.property)):
        for one in _values(value):
            group = groups.get(one)
            if group is None and len(groups) < group_by.groups:
                group = groups[one] = []
            if group is not None and len(group) < group_by.per_group:
                group.append(place)
    return tuple(HitGroup(value=value, hits=columns.at(places)) for value, places in groups.items())


def _values(value: PropertyValue | None) -> tuple[Scalar | None, ...]:
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(map(_scalar, value))) or (None,)
    return (None if value is None else _scalar(value),)


def _scalar(value: PropertyValue | Element) -> Scalar:
    if isinstance(value, str | int | float):
        return value
    return beacon_of(value) if isinstance(value, Reference) else str(value)
