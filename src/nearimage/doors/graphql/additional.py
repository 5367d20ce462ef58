"""What stands under `_additional`, by the way an object was found.

    listed     what is stored beside the properties: its id, vectors and times; a score of nothing
    near       also the distance and the certainty
    words      as listed, with a score
    hybrid     as words; the distance only where nothing else is asked for, and only of what the words did not find
    grouped    the group, and nothing of the object that is its best
    hit        in a group: id and distance, and the vector where the group's own `_additional` asks for that
    linked     through a reference: what is stored

What is not there is null, and so is `_additional` itself where nothing of what it asks for is there: so a running Weaviate answers. May import numpy and
`doors` only.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

import numpy as np

from nearimage.doors.graphql.batches import Column, Columns, constant, inside, rows
from nearimage.doors.graphql.selections import TYPENAME
from nearimage.doors.whole_numbers import with_whole_numbers


class Origin(Enum):
    """How objects were found."""

    LISTED = auto()
    NEAR = auto()
    WORDS = auto()
    HYBRID = auto()
    GROUPED = auto()
    HIT = auto()
    LINKED = auto()


_STORED = frozenset(("id", "vector", "vectors", "creationTimeUnix", "lastUpdateTimeUnix"))
_SCORED = _STORED | {"score", "explainScore"}
_THERE: Mapping[Origin, frozenset[str]] = {
    Origin.LISTED: _SCORED,
    Origin.NEAR: _SCORED | {"distance", "certainty"},
    Origin.WORDS: _SCORED,
    Origin.HYBRID: _SCORED,
    Origin.GROUPED: frozenset(("group",)),
    Origin.HIT: frozenset(("id", "distance", "vector")),
    Origin.LINKED: _STORED,
}


def additional(columns: Columns, names: Mapping[str, str], origin: Origin) -> Column:
    """An object for every hit, or null.

    Args:
        columns: of the fields that are asked for, by the key in the answer.
        names: what each key asks for.
    """
    there = {key for key, name in names.items() if name in _THERE[origin]}
    may_be = {key for key, name in names.items() if name == "distance"} if origin is Origin.HYBRID and not there else set[str]()
    shown = {key: column if key in there or key in may_be or names[key] == TYPENAME else constant(None) for key, column in columns.items()}
    if there or origin in (Origin.GROUPED, Origin.HIT):
        return inside(shown)
    return lambda batch: [row if any(row[key] is not None for key in may_be) else None for row in rows(shown, batch)]


def _single(value: float | None) -> Any:
    """As short as a single float is: 0.07191074, not 0.07191073894500732; without a fraction, a whole number."""
    return None if value is None else int(value) if value.is_integer() else np.float32(value)


ADDITIONAL: Mapping[str, Column] = {
    "id": lambda batch: ["" if batch.merged else str(hit.record.id) for hit in batch.hits],
    "distance": lambda batch: [_single(hit.distance) for hit in batch.hits],
    "certainty": lambda batch: [None if hit.certainty is None else with_whole_numbers(hit.certainty) for hit in batch.hits],
    "score": lambda batch: [str(np.float32(hit.score or 0)).removesuffix(".0") for hit in batch.hits],
    "explainScore": lambda batch: [hit.explanation for hit in batch.hits],
    "creationTimeUnix": lambda batch: [str(hit.record.created_ms) for hit in batch.hits],
    "lastUpdateTimeUnix": lambda batch: [str(hit.record.updated_ms) for hit in batch.hits],
    "classification": constant(None),
}
HIT_DISTANCE: Column = lambda batch: [_single(hit.distance or 0.0) for hit in batch.hits]  # noqa: E731 - beside the others
GROUP: Mapping[str, Column] = {
    "id": lambda batch: list(range(batch.first, batch.first + len(batch.groups))),
    "count": lambda batch: [len(group.hits) for group in batch.groups],
    "minDistance": lambda batch: [_single(group.nearest) for group in batch.groups],
    "maxDistance": lambda batch: [_single(group.farthest) for group in batch.groups],
}
"""Of a group."""
