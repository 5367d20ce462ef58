"""Answer one GraphQL request.

    Request --lifting, documents--> Operation --selections--> Get, Aggregate, Explore, introspection --> {"data": ..., "errors": [...]}

A part that fails becomes null, with an entry among the errors; the other parts are answered. A document that is wrong is not run at all, and its answer has no
data. May import graphql, `domain`, `doors` and `service` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from nearimage.domain.errors import DocumentTooLarge
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.graphql.aggregate import Aggregate
from nearimage.doors.graphql.documents import Documents, Known, Operation
from nearimage.doors.graphql.explore import Explore
from nearimage.doors.graphql.get import DEFAULT_LIMIT, Get
from nearimage.doors.graphql.introspection import META, introspected
from nearimage.doors.graphql.lifting import lift
from nearimage.doors.graphql.requests import Errors, Json, Limits, Refused, Request
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.service.services import Services

Answer = Callable[[Field, Selections], Any]


@dataclass(frozen=True, slots=True)
class GraphQl:
    """Answers GraphQL requests to one database."""

    services: Services
    documents: Documents
    limits: Limits
    default_limit: int

    def answer(self, request: Request) -> Json:
        """The whole answer to one request; whatever goes wrong is in it."""
        lifted = lift(request.query)
        errors = Errors(request.query, lifted)
        try:
            known = self.documents.known(self.services.collections.all(), self.services.aliases.all())
            operation = self.documents.operation(request, lifted, known)
            data = self._data(operation, request, known, errors)
        except Refused as refused:
            for error in refused.errors:
                errors.refuse(error)
            return {"errors": errors.found}
        except DocumentTooLarge as refused:
            errors.refuse(GraphQLError(refused.message))
            return {"errors": errors.found}
        return {"data": data, "errors": errors.found} if errors.found else {"data": data}

    def _data(self, operation: Operation, request: Request, known: Known, errors: Errors) -> Json:
        selections = Selections(operation, self.limits)
        data: Json = {}
        kinds: Mapping[str, tuple[str, Answer]] = {
            "Get": ("GetObjectsObj", Get(self.services, self.default_limit).answer),
            "Aggregate": ("AggregateObjectsObj", Aggregate(self.services).answer),
        }
        roots = selections.roots()
        for field in roots:
            if field.name in kinds:
                typename, answer = kinds[field.name]
                parts = selections.below(field, typename)
                data[field.key] = {part.key: _part(part, (field.key, part.key), answer, selections, errors, typename=typename) for part in parts}
            elif field.name == "Explore":
                data[field.key] = _part(field, (field.key,), Explore(self.services).answer, selections, errors, typename="WeaviateObj")
            elif field.name == TYPENAME:
                data[field.key] = "WeaviateObj"
            else:
                data[field.key] = None  # its place, until all of them are told
        if told := [field for field in roots if field.name in META]:
            data.update(introspected(request, told, selections, known))
        return data


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
