"""Objects that live for a time only: what has expired is hidden from searches, if the collection says so; `sweeping` deletes it by and by.

    expired    the time of creation, of the last change, or a date of the object, plus the time to live, is past

An object without the date lives on. May import `domain` only.
"""

from datetime import UTC, datetime

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.filters import CREATED_FIELD, UPDATED_FIELD, And, Compare, Filter, Not, Operator
from nearimage.domain.schema import Collection, DataType

TIMES = (CREATED_FIELD, UPDATED_FIELD)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


def check_expiry(collection: Collection) -> None:
    """Refuse a time to live that cannot be.

    Raises:
        InvalidSchema: it hangs on something that is no date of the collection that filters can ask about, or is no time; detail names the setting.
    """
    expiry, setting = collection.expiry, "objectTtlConfig"
    if expiry is None:
        return
    if expiry.field in TIMES:
        if expiry.after_s <= 0:
            raise InvalidSchema(f"objectTtlConfig.defaultTtl must be more than 0 seconds, got {expiry.after_s}", setting=setting)
        return
    prop = collection.property(expiry.field)
    if prop is None or prop.data_type is not DataType.DATE or not prop.filterable:
        have = [*TIMES, *(p.name for p in collection.properties if p.data_type is DataType.DATE and p.filterable)]
        raise InvalidSchema(f"objectTtlConfig.deleteOn must be one of {have}, got {expiry.field!r}", setting=setting)


def expired(collection: Collection, now_ms: int) -> Filter | None:
    """The objects whose time is over; None where objects live for ever."""
    expiry = collection.expiry
    if expiry is None:
        return None
    limit_ms = now_ms - expiry.after_s * 1000
    if expiry.field in TIMES:
        return Compare(expiry.field, Operator.LESS_THAN, limit_ms)
    moment = datetime.fromtimestamp(limit_ms / 1000, UTC) if limit_ms > _FIRST.timestamp() * 1000 else _FIRST
    return Compare(expiry.field, Operator.LESS_THAN, moment.isoformat(timespec="milliseconds"))


def not_expired(where: Filter | None, collection: Collection, now_ms: int) -> Filter | None:
    """The filter, and where the collection hides what has expired, that an object has not."""
    gone = expired(collection, now_ms) if collection.expiry and collection.expiry.hide else None
    if gone is None:
        return where
    return Not(gone) if where is None else And((where, Not(gone)))
