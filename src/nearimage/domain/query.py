"""Questions to a collection, as every door puts them.

A door parses its wire into one `Search` (or `Listing`); `nearimage.service` answers it with `Hit`s; the door renders them. May import numpy, the
standard library and `domain` only.
"""

from dataclasses import dataclass, field
from uuid import UUID

from nearimage.domain.filters import Filter
from nearimage.domain.objects import Projection, Vector

DEFAULT_LIMIT = 10
MAXIMUM_RESULTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """What every near query may say.

    Attributes:
        target: the named vector to search; None where the collection has just one.
        max_distance: keep hits at most this far away.
        min_certainty: the same as a certainty; cosine only; not together with `max_distance`.
    """

    target: str | None = None
    max_distance: float | None = None
    min_certainty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearVector(Near):
    """Near a vector that the caller has."""

    vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class NearObject(Near):
    """Near the vector of a stored object."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NearImage(Near):
    """Near a picture: base64, with or without a `data:` prefix."""

    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NearText(Near):
    """Near words: the mean of the concepts' vectors."""

    concepts: tuple[str, ...]


AnyNear = NearVector | NearObject | NearImage | NearText


@dataclass(frozen=True, slots=True)
class SortBy:
    """One key of an order: numbers by size, dates by instant, text by code point, false before true, arrays entry by entry; what is missing comes first.

    Attributes:
        field: a property of a type with an order, or ID_FIELD, CREATED_FIELD, UPDATED_FIELD of `domain.filters`.
        descending: the other way round, what is missing last.
    """

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Objects of one collection, nearest first.

    Attributes:
        tenant: whose objects; empty in a collection without tenants.
        limit: at most so many hits after `offset`; None means `DEFAULT_LIMIT`, as configured.
    """

    collection: str
    tenant: str = ""
    near: AnyNear
    where: Filter | None = None
    limit: int | None = None
    offset: int = 0
    projection: Projection = field(default_factory=Projection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Objects of one collection, in the order of their ids or of other keys.

    Attributes:
        tenant: whose objects; empty in a collection without tenants.
        after: only ids greater than this one (the cursor of a previous page); not together with `sort`.
        sort: the keys of the order, the first one first.
    """

    collection: str
    tenant: str = ""
    where: Filter | None = None
    after: UUID | None = None
    limit: int | None = None
    offset: int = 0
    sort: tuple[SortBy, ...] = ()
    projection: Projection = field(default_factory=Projection)
