"""Put hits that share a value together.

The hits are walked best first. Each value met opens a group, as long as there are fewer than asked for; each hit joins its value's group while there is room.
An array puts its object into the group of each of its values, references into the group of each beacon. Objects without the property, and with an empty text,
share the group None. An object one of whose values would open a group too many joins no group of its later values.

Of a near query the groups are what limit and offset count: the groups of the first offset + limit hits, less the first offset of them. A search by words, or a
hybrid one, puts the hits of its page together, and only by texts, which dates and ids are too: whatever has none is in no group. A largest distance is one for
the best hit of each group, not for its company.

May import `domain` and `service.beacons` only.
"""

from collections.abc import Sequence

from nearimage.domain.columns import HitColumns
from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Hit, PropertyValue, Scalar
from nearimage.domain.query import GroupBy, HitGroup
from nearimage.domain.schema import Collection, DataType
from nearimage.domain.values import Element, GeoCoordinates, Reference
from nearimage.service.beacons import beacon_of


def check_group_by(group_by: GroupBy, collection: Collection) -> None:
    """Refuse what cannot be grouped.

    Raises:
        InvalidInput: an unknown property, or a blob.
    """
    prop = collection.property(group_by.property)
    if prop is None:
        have = sorted(p.name for p in collection.properties)
        raise InvalidInput(f"groupBy: collection {collection.name!r} has no property {group_by.property!r}; it has {have}", property=group_by.property)
    if prop.data_type is DataType.BLOB:
        raise InvalidInput(f"groupBy: property {prop.name!r} is a blob; group by another property", property=prop.name)


def grouped(hits: Sequence[Hit], group_by: GroupBy, *, by_texts: bool = False) -> tuple[HitGroup, ...]:
    """The groups in the order of their best hits; none where there is room for no hit.

    Args:
        by_texts: as for hits that words have a part in, whose groups are as far as their best.
    """
    if group_by.per_group < 1:
        return ()
    columns = HitColumns.of(hits)
    groups: dict[Scalar | None, list[int]] = {}
    for place, value in enumerate(columns.records.values(group_by.property)):
        for one in _texts(value) if by_texts else _values(value):
            if one not in groups and len(groups) >= group_by.groups:
                break
            group = groups.setdefault(one, [])
            if len(group) < group_by.per_group:
                group.append(place)
    distances = [distance or 0.0 for distance in columns.distances or [0.0] * len(columns)]
    return tuple(
        HitGroup(value=value, hits=columns.at(places), nearest=distances[places[0]], farthest=distances[places[0 if by_texts else -1]])
        for value, places in groups.items()
    )


def _values(value: PropertyValue | None) -> tuple[Scalar | None, ...]:
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(map(_scalar, value))) or (None,)
    return (None if value is None else _scalar(value),)


def _texts(value: PropertyValue | None) -> tuple[Scalar | None, ...]:
    return tuple(dict.fromkeys(one or None for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str)))


def _scalar(value: PropertyValue | Element) -> Scalar | None:
    if isinstance(value, str | int | float):
        return None if value == "" else value
    if isinstance(value, GeoCoordinates):
        return f'{{"latitude":{value.latitude:.7g},"longitude":{value.longitude:.7g}}}'
    return beacon_of(value) if isinstance(value, Reference) else str(value)
