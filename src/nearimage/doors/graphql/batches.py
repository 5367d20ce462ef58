"""Objects that are rendered together, column by column.

    Batch --one list of values a field--> columns --rows--> [{"breed": "Corgi", ...}, ...]

May import `domain` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nearimage.domain.objects import Hit
from nearimage.domain.query import HitGroup

Values = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is rendered together.

    Attributes:
        groups: where the query groups: one for each of the hits, which is its best.
        path: the property that they are grouped by.
        first: the number of the first group.
        merged: whether each hit was made of several objects, and has no id of its own.
    """

    hits: Sequence[Hit]
    groups: Sequence[HitGroup] = ()
    path: str = ""
    first: int = 0
    merged: bool = False


Column = Callable[[Batch], Values]
Columns = Mapping[str, Column]


def rows(columns: Columns, batch: Batch) -> list[dict[str, Any]]:
    """The columns side by side."""
    if not columns:
        return [{} for _ in batch.hits]
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*(column(batch) for column in columns.values()), strict=True)]


def constant(value: Any) -> Column:
    """The same for every hit."""
    return lambda batch: [value] * len(batch.hits)


def inside(columns: Columns) -> Column:
    """An object for every hit, made of these."""
    return lambda batch: list(rows(columns, batch))
