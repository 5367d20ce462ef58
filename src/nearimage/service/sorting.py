"""Bind an order to its collection: every key is a property of a type with an order, or an object's own field.

May import `domain` only.
"""

from collections.abc import Sequence
from dataclasses import replace

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, DataType

SORTABLE = frozenset({DataType.TEXT, DataType.INT, DataType.NUMBER, DataType.BOOLEAN, DataType.DATE, DataType.GEO_COORDINATES, DataType.PHONE_NUMBER})
"""The element types with an order. Uuids have none: Weaviate refuses them, and their order would mean nothing."""


BY_AGE = (SortBy(field=CREATED_FIELD),)
"""How Weaviate lists what passes a filter, the oldest first; without a filter objects come by id, which is what a cursor goes on."""


def bind_sort(sort: Sequence[SortBy], collection: Collection) -> tuple[SortBy, ...]:
    """Check the keys of an order.

    Raises:
        InvalidInput: an unknown property, or one of a type without an order; detail has "property".
    """
    return tuple(_bind(key, collection) for key in sort)


def _bind(key: SortBy, collection: Collection) -> SortBy:
    if key.field in ("id", ID_FIELD):
        return replace(key, field=ID_FIELD)
    if key.field in (CREATED_FIELD, UPDATED_FIELD):
        return key
    prop = collection.property(key.field)
    if prop is None:
        have = sorted(p.name for p in collection.properties)
        raise InvalidInput(f"collection {collection.name!r} has no property {key.field!r} to sort by; it has {have}", property=key.field)
    if prop.data_type.element not in SORTABLE:
        raise InvalidInput(f"property {prop.name!r} is of type {prop.data_type}, which has no order; sort by one of {sorted(SORTABLE)}", property=prop.name)
    return key
