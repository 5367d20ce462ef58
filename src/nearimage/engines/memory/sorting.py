"""Records in an order that was asked for: one stable sort a key, the last key first.

May import `domain` only.
"""

from collections.abc import Sequence
from functools import partial

from nearimage.domain.dates import instant_ns
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD
from nearimage.domain.objects import PropertyValue, Record
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, DataType
from nearimage.domain.values import order_of, sorted_as


def in_order(records: Sequence[Record], sort: Sequence[SortBy], collection: Collection, *, by_id: bool) -> list[Record]:
    """The records by these keys; what is equal in all of them by id, or as they were written."""
    ordered = sorted(records, key=lambda record: record.id if by_id else record.revision)
    for key in reversed(sort):
        ordered.sort(key=partial(_rank, field=key.field, collection=collection), reverse=key.descending)
    return ordered


def _rank(record: Record, *, field: str, collection: Collection) -> tuple[object, ...]:
    own: dict[str, object] = {ID_FIELD: record.id, CREATED_FIELD: record.created_ms, UPDATED_FIELD: record.updated_ms}
    if field in own:
        return (own[field],)
    value = record.properties.get(field)
    if value is None or value == ():
        return (0,)
    prop = collection.property(field)
    return (1, _instants(value) if prop and prop.data_type.element is DataType.DATE else sorted_as(order_of(value)))


def _instants(value: PropertyValue) -> int | tuple[int, ...]:
    return tuple(instant_ns(str(entry)) for entry in value) if isinstance(value, tuple) else instant_ns(str(value))
