"""Answer one GraphQL request.

    Request --lifting, documents--> Operation --selections--> Get, Aggregate, Explore, introspection --> {"data": ..., "errors": [...]}

A part that fails becomes null, with an entry among the errors; the other parts are answered. A document that is wrong is not run at all, and its answer has no
data. May import graphql, `domain`, `doors` and `service` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nearimage.domain.errors import DocumentTooLarge
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.graphql.aggregate import Aggregate
from nearimage.doors.graphql.documents import Documents, Known, Operation
from nearimage.doors.graphql.explore import Explore
from nearimage.doors.graphql.get import DEFAULT_LIMIT, Get
from nearimage.doors.graphql.introspection import META, introspected
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.requests import Errors, Json, Limits, Refused, Request
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.service.services import Services

Answer = Callable[[Field, Selections], Any]

_ROOT = "WeaviateObj"
_KINDS = {"Get": "GetObjectsObj", "Aggregate": "AggregateObjectsObj"}
"""The types of what has parts."""


@dataclass(frozen=True, slots=True)
class GraphQl:
    """Answers GraphQL requests to one database."""

    services: Services
    documents: Documents
    limits: Limits
    default_limit: int

    def answer(self, request: Request) -> Json:
        """The whole answer to one request; whatever goes wrong is in it."""
        try:
            return self._answer(request, lift(request.query, self.limits.characters))
        except DocumentTooLarge as refused:
            return {"errors": [{"message": refused.message, "path": None, "locations": []}]}

    def _answer(self, request: Request, lifted: Lifted) -> Json:
        errors = Errors(request.query, lifted)
        try:
            known = self.documents.known(self.services.collections.all(), self.services.aliases.all())
            operation = self.documents.operation(request, lifted, known)
            data = self._data(operation, request, known, errors)
        except Refused as refused:
            for error in refused.errors:
                errors.refuse(error)
            return {"errors": errors.found}
        return {"data": data, "errors": errors.found} if errors.found else {"data": data}

    def _data(self, operation: Operation, request: Request, known: Known, errors: Errors) -> Json:
        selections = Selections(operation, self.limits)
        roots = selections.roots()
        parts = {field.key: selections.below(field, _KINDS[field.name]) for field in roots if field.name in _KINDS}
        self._check_searches(sum(map(len, parts.values())) + sum(field.name == "Explore" for field in roots))
        answers: Mapping[str, Answer] = {"Get": Get(self.services, self.default_limit).answer, "Aggregate": Aggregate(self.services).answer}
        data: Json = {}
        for field in roots:
            if field.name in answers:
                kind, answer = _KINDS[field.name], answers[field.name]
                data[field.key] = {part.key: _part(part, (field.key, part.key), answer, selections, errors, typename=kind) for part in parts[field.key]}
            elif field.name == "Explore":
                data[field.key] = _part(field, (field.key,), Explore(self.services).answer, selections, errors, typename=_ROOT)
            else:
                data[field.key] = _ROOT if field.name == TYPENAME else None  # introspection's place, until all of it is told
        if told := [field for field in roots if field.name in META]:
            data.update(introspected(request, told, selections, known))
        return data

    def _check_searches(self, asked: int) -> None:
        if asked > self.limits.searches:
            message = f"the document asks {asked} collections, and {self.limits.searches} are allowed; ask in several requests"
            raise DocumentTooLarge(message, limit=self.limits.searches, got=asked)


def _part(field: Field, path: Sequence[str], answer: Answer, selections: Selections, errors: Errors, *, typename: str) -> Any:
    if field.name == TYPENAME:
        return typename
    try:
        return answer(field, selections)
    except (Refused, DocumentTooLarge):
        raise
    except Exception as error:  # noqa: BLE001 - the door's boundary: one part fails alone, as GraphQL says
        errors.add(error, field.nodes[:1], path)
        return None


def graphql(services: Services, *, limits: Limits | None = None, default_limit: int = DEFAULT_LIMIT) -> GraphQl:
    """The GraphQL of a database."""

    def modalities(collection: Collection) -> frozenset[Modality]:
        modules = [services.modules[vector.module] for vector in collection.vectors if vector.module in services.modules]
        return frozenset(modality for module in modules for modality in module.modalities)

    allowed = limits or Limits()
    return GraphQl(services, Documents(modalities, allowed), allowed, default_limit)
