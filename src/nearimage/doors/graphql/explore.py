"""`Explore`: what is near, in whatever collection it is.

    Explore(nearText: {concepts: ["dog"]}, limit: 3) { className beacon distance }

Each collection that can answer is searched, and the answers are put in the order of their distances; so all of them must compare alike. A collection can answer
where it has one vector, or the target named, made by a module that understands the query; for a vector or an object, where the lengths agree. May import
`domain`, `doors` and `service` only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nearimage.domain.errors import DimensionMismatch, InvalidInput, NearimageError, NoVectorizer, ObjectNotFound, VectorNameAmbiguous, VectorNameUnknown
from nearimage.domain.objects import IDS_ONLY, Hit
from nearimage.domain.query import AnyNear, Search
from nearimage.domain.schema import Collection, Metric
from nearimage.domain.values import Reference
from nearimage.doors.graphql.parts import Part
from nearimage.doors.graphql.ranking import read_ranking
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.doors.whole_numbers import with_whole_numbers
from nearimage.service.beacons import beacon_of
from nearimage.service.services import Services
from nearimage.service.targets import targets_of

DEFAULT_LIMIT = 20
"""Objects where a query names no limit."""


@dataclass(frozen=True, slots=True)
class Explore:
    """Answers `Explore`."""

    services: Services

    def begin(self, field: Field, selections: Selections) -> Part:
        """Nothing is read yet: all of it may take its time."""
        return Part(None, lambda: self.answer(field, selections))

    def answer(self, field: Field, selections: Selections) -> list[dict[str, Any]]:
        """The nearest objects of all collections.

        Raises:
            InvalidInput: no way of ranking, or collections that compare differently.
            NearimageError: as the searches do.
        """
        offset = field.arguments.get("offset") or 0
        limit = self._limit(field, offset)
        found = sorted(self._found(field, limit + offset), key=lambda pair: (pair[1].distance or 0.0, pair[1].record.id))
        keys = {one.key: one.name for one in selections.below(field, "ExploreObj")}
        if "certainty" in keys.values() and any(hit.certainty is None for _, hit in found):
            raise InvalidInput("certainty is defined for cosine only, and these collections are compared otherwise; ask for distance")
        return [_shown(collection, hit, keys) for collection, hit in found[offset : offset + limit]]

    def _limit(self, field: Field, offset: int) -> int:
        limit = field.arguments.get("limit")
        unlimited = any(part.get("distance") is not None or part.get("certainty") is not None for part in _near(field).values())
        if unlimited and (limit is None or limit < 0):
            return self.services.searches.maximum_results - offset
        if (limit is not None and limit < 0) or offset < 0:
            raise InvalidInput(f"limit and offset cannot be negative; got {limit} and {offset}")
        return DEFAULT_LIMIT if limit is None else int(limit)

    def _found(self, field: Field, depth: int) -> Iterator[tuple[Collection, Hit]]:
        metrics: set[Metric] = set()
        refusals: list[NearimageError] = []
        answered = False
        for collection in self.services.collections.all():
            if collection.tenancy.enabled or not collection.vectors:
                continue
            by = read_ranking(_near(field), collection)
            if not isinstance(by, AnyNear):
                raise InvalidInput("Explore needs a search: nearVector, nearObject, nearText, nearImage ...")
            try:
                found = self.services.searches.run(Search(collection=collection.name, by=by, limit=depth, projection=IDS_ONLY))
            except (NoVectorizer, VectorNameUnknown, VectorNameAmbiguous, DimensionMismatch, ObjectNotFound) as cannot:
                refusals.append(cannot)
                continue
            answered = True
            metrics.add(targets_of(collection, by.targets)[0].vector.metric)
            if len(metrics) > 1:
                raise InvalidInput(f"Explore compares collections by one metric only; these are compared by {sorted(metrics)}")
            yield from ((collection, hit) for hit in found.hits)
        if not answered and refusals:
            raise refusals[0]


def _near(field: Field) -> dict[str, Any]:
    """The ways of searching that are asked for."""
    return {name: value for name, value in field.arguments.items() if name.startswith("near") and value is not None}


def _shown(collection: Collection, hit: Hit, keys: dict[str, str]) -> dict[str, Any]:
    said = {
        "className": collection.name,
        "beacon": beacon_of(Reference(collection.name, hit.record.id)),
        "certainty": hit.certainty,
        "distance": None if hit.distance is None else with_whole_numbers(hit.distance),
        TYPENAME: "ExploreObj",
    }
    return {key: said[name] for key, name in keys.items()}
