"""Questions about many objects at once: how many, how much, which values most often.

    Aggregation(properties={"price": 0, "breed": 5}, group_by="kennel")

A summary is chosen by the property's data type; arrays count each entry. A value that is missing counts nowhere. Figures are those of the exact
arithmetic, rounded once: they depend neither on the order of the objects nor on the engine.

May import the standard library and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nearimage.domain.filters import Filter
from nearimage.domain.objects import Scalar
from nearimage.domain.query import AnyNear, Hybrid, Words
from nearimage.domain.schema import DataType

TOP_VALUES = 5
"""The most frequent values of a text property where the caller does not say how many."""

MAX_GROUPS = 100
"""Groups where the caller does not say how many; what Weaviate gives."""

SUMMARISED = frozenset({DataType.INT, DataType.NUMBER, DataType.BOOLEAN, DataType.DATE, DataType.TEXT, DataType.UUID})
"""The element types that have a summary."""

GROUPED = SUMMARISED | {DataType.REFERENCE}
"""The element types that can be grouped by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """What to summarise.

    Attributes:
        properties: names of the properties, with how many of the most frequent values are wanted (text only).
        group_by: summarise apart for each value of this property: text and uuids whole, dates by instant, references as `str` has them; an array, as
            references are, puts its object into several groups, an object without the property into none.
        groups: at most so many groups, those with most objects first, equals by value (text by code point, false before true); None means all of them.
    """

    properties: Mapping[str, int] = field(default_factory=dict)
    group_by: str | None = None
    groups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateQuery:
    """A question about the objects of one collection, as every door puts it.

    Attributes:
        tenant: whose objects; empty in a collection without tenants.
        by: only what this search finds: with a distance or a certainty all that is near enough, with `object_limit` the first so many, with both the
            first so many of those.
    """

    collection: str
    tenant: str = ""
    aggregation: Aggregation = field(default_factory=Aggregation)
    where: Filter | None = None
    by: AnyNear | Words | Hybrid | None = None
    object_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSummary:
    """Of int and number; all but the count are None where there is no value.

    Sum, mode, minimum and maximum of int are ints, whatever their size; mean and median are floats. A figure beyond the floats is infinite.

    Attributes:
        mode: the most frequent value, of equals the smallest.
        median: the middle value, or the mean of the two in the middle.
    """

    count: int
    sum: float | None = None
    mean: float | None = None
    mode: float | None = None
    median: float | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSummary:
    """Of dates, compared by instant and written in UTC.

    Attributes:
        mode: the most frequent instant, of equals the earliest.
        median: the middle one, or the instant halfway between the two in the middle, rounded down to the nanosecond.
    """

    count: int
    mode: str | None = None
    median: str | None = None
    minimum: str | None = None
    maximum: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanSummary:
    """Of booleans; shares are 0 to 1, None where there is no value."""

    count: int
    total_true: int = 0
    total_false: int = 0
    share_true: float | None = None
    share_false: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSummary:
    """Of text and uuids.

    Attributes:
        top: whole values with how often each occurs, most frequent first, equals by value.
    """

    count: int
    top: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSummary:
    """Of references.

    Attributes:
        pointing_to: the collections that they may lead to.
    """

    pointing_to: tuple[str, ...]


Summary = NumberSummary | DateSummary | BooleanSummary | TextSummary | ReferenceSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The objects that share a value, or all of them.

    Attributes:
        value: None where nothing was grouped; a date is in UTC.
        objects: how many there are.
        summaries: by property.
    """

    value: Scalar | None = None
    objects: int
    summaries: Mapping[str, Summary] = field(default_factory=dict)
