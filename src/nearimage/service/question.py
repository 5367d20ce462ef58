"""A search whose names have been resolved: what the ways of ranking work with.

May import `domain` and `ports` only.
"""

from dataclasses import dataclass
from uuid import UUID

from nearimage.domain.filters import Filter
from nearimage.domain.objects import Hit, Projection, Record
from nearimage.domain.schema import Collection
from nearimage.ports.engine import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to one shard.

    Attributes:
        where: bound to the collection.
        limit, offset: the page that is wanted.
        explains: whether hits say how their scores came about.
    """

    collection: Collection
    shard: Shard
    where: Filter | None
    limit: int
    offset: int
    projection: Projection
    explains: bool = False

    @property
    def depth(self) -> int:
        """How many of the best are needed to cut the page."""
        return self.offset + self.limit


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place in a ranking, before its object is read.

    Attributes:
        id: packed, 16 bytes.
    """

    id: bytes
    distance: float | None = None
    score: float | None = None
    explanation: str = ""

    def hit(self, record: Record) -> Hit:
        """The same with its object."""
        return Hit(record=record, distance=self.distance, score=self.score, explanation=self.explanation)


def page_of(question: Question, ranking: list[Ranked]) -> list[Hit]:
    """The page of a ranking, with its objects; one deleted meanwhile is left out."""
    page = {UUID(bytes=one.id): one for one in ranking[question.offset : question.depth]}
    records = question.shard.get(list(page), question.projection)
    return [ranked.hit(records[one]) for one, ranked in page.items() if one in records]
