"""Answer one GraphQL request.

    Request --lifting, documents--> Operation --selections--> parts: Get, Aggregate, Explore --answer--> {"data": ..., "errors": [...]}

A part that fails becomes null, with an entry among the errors; the other parts are answered. A document that is wrong is not run at all, and its answer has no
data. May import graphql, `domain`, `doors` and `service` only.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from nearimage.domain.errors import DocumentTooLarge
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.graphql.aggregate import Aggregate
from nearimage.doors.graphql.documents import Documents, Known
from nearimage.doors.graphql.explore import Explore
from nearimage.doors.graphql.get import DEFAULT_LIMIT, Get
from nearimage.doors.graphql.introspection import META, introspected
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.parts import Begin, Part
from nearimage.doors.graphql.requests import Errors, Json, Limits, Refused, Request
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.service.services import Services

_ROOT = "WeaviateObj"
_KINDS = {"Get": "GetObjectsObj", "Aggregate": "AggregateObjectsObj"}
"""The types of what has parts."""

Place = tuple[str, ...]
"""Of a part in the answer: ("Get", "Dog")."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read.

    Attributes:
        is_quick: whether the rest takes no longer than a hop to another thread is worth (`service.pace`).
        answer: makes the whole answer; whatever goes wrong is in it.
    """

    is_quick: bool
    answer: Callable[[], Json]


@dataclass(frozen=True, slots=True)
class GraphQl:
    """Answers GraphQL requests to one database."""

    services: Services
    documents: Documents
    limits: Limits
    default_limit: int

    def answer(self, request: Request) -> Json:
        """The whole answer to one request; whatever goes wrong is in it."""
        return self.begin(request).answer()

    def begin(self, request: Request, lifted: Lifted | None = None) -> Asked:
        """Read a request whose shape is known; a new one takes milliseconds to read, so that is left to whoever answers.

        Args:
            lifted: its document, where that is lifted already.
        """
        try:
            lifted = lifted or lift(request.query, self.limits.characters)
        except DocumentTooLarge as refused:
            return Asked(False, partial(_too_large, refused))
        known = self.documents.known(self.services.collections.all(), self.services.aliases.all())
        return self._read(request, lifted, known) if known.has(lifted.text) else Asked(False, lambda: self._read(request, lifted, known).answer())

    def _read(self, request: Request, lifted: Lifted, known: Known) -> Asked:
        errors = Errors(request.query, lifted)
        try:
            selections = Selections(self.documents.operation(request, lifted, known), self.limits)
            running = _Running(self, request, known, selections, errors)
            running.begin()
        except (Refused, DocumentTooLarge) as refused:
            return Asked(False, partial(_refused, refused, errors))
        pace, kind = self.services.pace, running.kind
        is_quick = pace.is_quick(kind)
        return Asked(is_quick, partial(pace.measured if is_quick else pace.in_turn, kind, running.answer))


@dataclass(slots=True)
class _Running:
    """A request that may be run.

    Attributes:
        data: of the answer, with null in the place of whatever is not found yet.
        errors: of its parts.
    """

    graphql: GraphQl
    request: Request
    known: Known
    selections: Selections
    errors: Errors
    data: Json = field(default_factory=dict)
    parts: list[tuple[Place, Field, Part]] = field(default_factory=list)
    told: list[Field] = field(default_factory=list)

    def begin(self) -> None:
        """Read the parts.

        Raises:
            Refused, DocumentTooLarge: the document cannot be run.
        """
        roots = self.selections.roots()
        self.data = {root.key: {} if root.name in _KINDS else None for root in roots}
        self.told = [root for root in roots if root.name in META]
        fields = list(self._fields(roots))
        if len(fields) > self.graphql.limits.searches:
            message = f"the document asks {len(fields)} collections, and {self.graphql.limits.searches} are allowed; ask in several requests"
            raise DocumentTooLarge(message, limit=self.graphql.limits.searches, got=len(fields))
        self.parts = [(place, asked, part) for place, asked, begin in fields if (part := self._guarded(place, asked, partial(begin, asked, self.selections)))]

    @property
    def kind(self) -> Hashable | None:
        """What decides how long the rest takes; None where it may wait for something."""
        kinds = tuple(part.kind for _, _, part in self.parts)
        return None if self.told or None in kinds else (hash(self.errors.lifted.text), kinds)

    def answer(self) -> Json:
        """As `Asked` says."""
        try:
            for place, asked, part in self.parts:
                self._put(place, self._guarded(place, asked, part.answer))
            if self.told:
                self.data.update(introspected(self.request, self.told, self.selections, self.known))
        except (Refused, DocumentTooLarge) as refused:
            return _refused(refused, self.errors)
        return {"data": self.data, "errors": self.errors.found} if self.errors.found else {"data": self.data}

    def _fields(self, roots: Iterable[Field]) -> Iterator[tuple[Place, Field, Begin]]:
        """What is asked, with its place in the answer and who reads it."""
        services = self.graphql.services
        readers: Mapping[str, Begin] = {"Get": Get(services, self.graphql.default_limit).begin, "Aggregate": Aggregate(services).begin}
        for root in roots:
            if root.name in _KINDS:
                for part in self.selections.below(root, _KINDS[root.name]):
                    yield (root.key, part.key), part, _typename(_KINDS[root.name]) if part.name == TYPENAME else readers[root.name]
            elif root.name not in META:
                yield (root.key,), root, _typename(_ROOT) if root.name == TYPENAME else Explore(services).begin

    def _guarded(self, place: Place, asked: Field, work: Callable[[], T]) -> T | None:
        """What the work returns; nothing, and an error noted, where it fails."""
        try:
            return work()
        except (Refused, DocumentTooLarge):
            raise
        except Exception as error:  # noqa: BLE001 - the door's boundary: one part fails alone, as GraphQL says
            self._put(place, None)
            self.errors.add(error, asked.nodes[:1], place)
            return None

    def _put(self, place: Place, value: Any) -> None:
        if len(place) > 1:
            self.data[place[0]][place[1]] = value
        else:
            self.data[place[0]] = value


def _typename(name: str) -> Begin:
    return lambda *_: Part((), lambda: name)


def _too_large(refused: DocumentTooLarge) -> Json:
    return {"errors": [{"message": refused.message, "path": None, "locations": []}]}


def _refused(refused: Refused | DocumentTooLarge, errors: Errors) -> Json:
    if isinstance(refused, DocumentTooLarge):
        return _too_large(refused)
    for error in refused.errors:
        errors.refuse(error)
    return {"errors": errors.found}


def graphql(services: Services, *, limits: Limits | None = None, default_limit: int = DEFAULT_LIMIT) -> GraphQl:
    """The GraphQL of a database."""

    def modalities(collection: Collection) -> frozenset[Modality]:
        modules = [services.modules[vector.module] for vector in collection.vectors if vector.module in services.modules]
        return frozenset(modality for module in modules for modality in module.modalities)

    allowed = limits or Limits()
    return GraphQl(services, Documents(modalities, allowed), allowed, default_limit)
