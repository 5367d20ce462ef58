"""Questions to a collection, as every door puts them.

    Search(collection="Dog", by=NearImage(image="..."), where=Compare(...), limit=5)     nearest first
    Search(collection="Dog", by=Words(text="corgi"))                                     best score first
    Search(collection="Dog", sort=(SortBy(field="weight"),))                             no ranking: an order of the caller's, or that of ids

A door parses its wire into one `Search`; `nearimage.service.search` answers it with a `Found`; the door renders that. May import numpy, the standard library
and `domain` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from uuid import UUID

from nearimage.domain.boost import Boost
from nearimage.domain.filters import Filter
from nearimage.domain.long_text import LongText
from nearimage.domain.objects import Hit, Projection, Scalar, Vector
from nearimage.domain.vectorizing import Modality

DEFAULT_LIMIT = 10
MAXIMUM_RESULTS = 10_000
DEFAULT_ALPHA = 0.75
"""The vector leg's share of a hybrid search (Weaviate's default)."""


class Combination(StrEnum):
    """How the distances to several targets become one."""

    MINIMUM = "minimum"
    SUM = "sum"
    AVERAGE = "average"
    MANUAL_WEIGHTS = "manualWeights"
    RELATIVE_SCORE = "relativeScore"


class Fusion(StrEnum):
    """How two rankings become one."""

    RANKED = "ranked"
    RELATIVE_SCORE = "relativeScore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The named vectors to search.

    Attributes:
        names: none where the collection has just one vector. A name may stand several times, for several vectors in one `NearVector`.
        weights: one a name, for manual weights and relative score.
    """

    names: tuple[str, ...] = ()
    combination: Combination = Combination.MINIMUM
    weights: tuple[float, ...] = ()

    @classmethod
    def of(cls, name: str | None) -> Self:
        """The one vector of this name, or the only one there is."""
        return cls(names=(name,) if name else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """What every near query may say.

    Attributes:
        max_distance: keep hits at most this far away; with several targets, of the combined distance.
        min_certainty: the same as a certainty; cosine and one target only; not together with `max_distance`.
    """

    targets: Targets = field(default_factory=Targets)
    max_distance: float | None = None
    min_certainty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearVector(Near):
    """Near a vector that the caller has.

    Attributes:
        vectors: one, for every target; or one for each of the targets' names, in their order.
    """

    vectors: tuple[Vector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearObject(Near):
    """Near the vector of a stored object."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMedia(Near):
    """Near a picture, a sound, a film ...: base64, with or without a `data:` prefix."""

    modality: Modality
    data: str | LongText


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where to move a text query: towards, or away from, the mean of these concepts and objects; see `service.movement`."""

    force: float
    concepts: tuple[str, ...] = ()
    ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NearText(Near):
    """Near words: the mean of the concepts' vectors, moved."""

    concepts: tuple[str, ...]
    move_to: Move | None = None
    move_away: Move | None = None


AnyNear = NearVector | NearObject | NearMedia | NearText


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Keyword search.

    Attributes:
        properties: names, each with an optional weight, such as `title^3`; none means every searchable property.
        minimum_match: how many of the distinct words one property of an object must contain; 0 means all.
        across: whether the properties of an object must together contain all of them, each at least one; then `minimum_match` is not looked at.
    """

    text: str
    properties: tuple[str, ...] = ()
    minimum_match: int = 1
    across: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """Keyword search and vector search together.

    Attributes:
        words: the keyword leg; its text is also what the vector leg embeds where `near` is None.
        near: the vector leg, if the caller has more for it than the words: a vector, a picture, other words.
        targets: of the vector leg.
        alpha: the vector leg's share, 0 to 1.
        max_distance: keep of the vector leg what is at most this far away.
    """

    words: Words
    near: AnyNear | None = None
    targets: Targets = field(default_factory=Targets)
    alpha: float = DEFAULT_ALPHA
    fusion: Fusion = Fusion.RELATIVE_SCORE
    max_distance: float | None = None


@dataclass(frozen=True, slots=True)
class SortBy:
    """One key of an order: numbers by size, dates by instant, text without regard to capitals, false before true, arrays entry by entry.

    What is missing comes first, and so does an array without entries.

    Attributes:
        field: a property of a type with an order, or ID_FIELD, CREATED_FIELD, UPDATED_FIELD of `domain.filters`.
        descending: the other way round, what is missing last.
    """

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBy:
    """Put hits that share a value together.

    Attributes:
        groups: at most so many, in the order of their best hits.
        per_group: at most so many hits in each.
    """

    property: str
    groups: int
    per_group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Maximal marginal relevance; see `service.diversity`.

    Attributes:
        limit: how many of the hits to keep; None means all, in another order.
        balance: 1 is nearness only, 0 difference only.
    """

    limit: int | None = None
    balance: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One question to one collection.

    Attributes:
        tenant: of a collection with tenants; empty for any other.
        by: how to rank; None lists objects by `sort`, or in the order of ids.
        limit: at most so many hits after `offset`; None means `DEFAULT_LIMIT`, as configured.
        after: a listing from behind this id on (the cursor of a previous page).
        autocut: end the list before the jump with this number in distance or score; 0 is off.
        explains: whether hits say how their scores came about.
    """

    collection: str
    tenant: str = ""
    by: AnyNear | Words | Hybrid | None = None
    where: Filter | None = None
    limit: int | None = None
    offset: int = 0
    after: UUID | None = None
    autocut: int = 0
    sort: tuple[SortBy, ...] = ()
    group_by: GroupBy | None = None
    diversity: Diversity | None = None
    boost: Boost | None = None
    projection: Projection = field(default_factory=Projection)
    explains: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HitGroup:
    """Hits that share a value.

    Attributes:
        value: None for the hits without one.
        hits: best first; never empty.
        nearest, farthest: the distances of the first and of the last; where words rank, twice that of the first, which is 0 if words found it.
    """

    value: Scalar | None
    hits: Sequence[Hit]
    nearest: float
    farthest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to a Search.

    Attributes:
        hits: in order.
        groups: where the search asked for groups: the same hits in groups, in the order of their best; a hit may be in several.
    """

    hits: Sequence[Hit]
    groups: tuple[HitGroup, ...] | None = None
