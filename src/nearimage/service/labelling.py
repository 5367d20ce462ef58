"""Find the label of an object: the reference that it should have, going by its vector.

    NeighbourLabels   vector --engine--> the k nearest that have labels --the most frequent--> label      k nearest neighbours
    NearestLabels     vector --engine--> the nearest of the objects that the property leads to  --> label      without examples ("zero-shot")

Of labels that are equally frequent the one whose owner is nearest wins, so that the answer does not depend on chance. May import `domain` and `ports` only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import And, Compare, Filter, Operator, length_field
from nearimage.domain.objects import IDS_ONLY, AnyVector, Projection, Record
from nearimage.domain.values import Reference
from nearimage.ports.engine import Shard


class Labels(Protocol):
    """A way to find labels."""

    def of(self, vector: AnyVector) -> Mapping[str, Reference]:
        """The label of an object with this vector, by property; a property for which there is none is absent.

        Raises:
            InvalidInput: the vector cannot be compared, or what it is compared with has more labels than one.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourLabels:
    """The labels that most of the nearest have.

    Attributes:
        vector: the named vector to compare.
        where: passes what has a label in every property; see `labelled`.
        k: how many of the nearest are asked.
    """

    shard: Shard
    vector: str
    where: Filter
    properties: Sequence[str]
    k: int

    def of(self, vector: AnyVector) -> Mapping[str, Reference]:
        """See `Labels`."""
        wanted = Projection(properties=tuple(self.properties), times=False)
        nearest = self.shard.nearest(self.vector, vector, limit=self.k, offset=0, where=self.where, max_distance=None, projection=wanted)
        votes = {name: Counter(_label(record, name) for record in nearest.records) for name in self.properties}
        return {name: counted.most_common(1)[0][0] for name, counted in votes.items() if counted}  # of equals the first counted, the nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Objects of one collection: those that are labels, have labels, or are to be given some.

    Attributes:
        vector: the named vector to compare.
        where: which of the collection's they are; None for all.
    """

    collection: str
    shard: Shard
    vector: str
    where: Filter | None


@dataclass(frozen=True, slots=True)
class NearestLabels:
    """The nearest of the labels themselves, by property."""

    candidates: Mapping[str, Sequence[Candidates]]

    def of(self, vector: AnyVector) -> Mapping[str, Reference]:
        """See `Labels`."""
        found = {name: [one for part in parts for one in _nearest(part, vector)] for name, parts in self.candidates.items()}
        return {name: min(ones, key=_distance)[1] for name, ones in found.items() if ones}


def labelled(where: Filter | None, properties: Sequence[str]) -> Filter:
    """Passes what passes the filter and has a reference in every one of the properties."""
    return _with_counts(where, properties, Operator.GREATER_THAN)


def unlabelled(where: Filter | None, properties: Sequence[str]) -> Filter:
    """Passes what passes the filter and has no reference in any of the properties."""
    return _with_counts(where, properties, Operator.EQUAL)


def _with_counts(where: Filter | None, properties: Sequence[str], operator: Operator) -> Filter:
    counts = tuple(Compare(length_field(name), operator, 0) for name in properties)
    return And(counts if where is None else (where, *counts))


def _nearest(part: Candidates, vector: AnyVector) -> list[tuple[float, Reference]]:
    nearest = part.shard.nearest(part.vector, vector, limit=1, offset=0, where=part.where, max_distance=None, projection=IDS_ONLY)
    distances: list[float] = nearest.distances.tolist()
    return [(distance, Reference(part.collection, record.id)) for distance, record in zip(distances, nearest.records, strict=True)]


def _distance(found: tuple[float, Reference]) -> float:
    return found[0]


def _label(record: Record, name: str) -> Reference:
    value = record.properties.get(name)
    labels = [one for one in value if isinstance(one, Reference)] if isinstance(value, tuple) else []
    if len(labels) != 1:
        message = f"object {record.id} has {len(labels)} references in {name!r}; an example has exactly one label: leave it out with trainingSetWhere"
        raise InvalidInput(message, property=name)
    return labels[0]
