"""What the schema says of itself: `__schema` and `__type`, for tools that complete names and draw maps.

    Field --compile, once a selection--> a function --once a type--> JSON

graphql-core knows the fields of `__Schema`, `__Type` and their kin, and how to read each of them. Its executor, made for resolvers that wait and fail,
takes 35 ms a collection to walk them; these cannot, so we walk them ourselves: a selection is turned into a function once, and what it says of a type is said
once, however many fields are of that type.

A question may go round in circles (the fields of the types of the fields ...), and its answer grows with each turn; so what is told is counted.

May import graphql, orjson, `domain` and `doors.graphql` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import orjson
from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    default_field_resolver,
    introspection_types,
)

from nearimage.domain.errors import DocumentTooLarge
from nearimage.doors.graphql.documents import Known
from nearimage.doors.graphql.requests import Json, Request
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections

META = ("__schema", "__type")
"""The fields that are answered here."""

MOST_TOLD = 150
"""Values in the answers to one request, for each type of the schema: the longest question of any editor takes 46."""

Read = Callable[[Any], Any]


def introspected(request: Request, fields: Sequence[Field], selections: Selections, known: Known) -> Mapping[str, orjson.Fragment]:
    """The answers to these fields of a request, as JSON: they may be megabytes, and are remembered as such.

    Raises:
        DocumentTooLarge: they would have more than `MOST_TOLD` values a type.
    """

    def tell() -> dict[str, bytes]:
        asked = Introspection(known.everything(), selections)
        return {field.key: orjson.dumps(asked.answer(field)) for field in fields}

    told = known.told(repr((request.query, request.operation_name, request.variables)), tell)
    return {key: orjson.Fragment(answer) for key, answer in told.items()}


@dataclass(slots=True)
class Introspection:
    """Answers the fields `__schema` and `__type` of one request.

    Attributes:
        told: values in the answers so far.
    """

    schema: GraphQLSchema
    selections: Selections
    told: int = 0

    def answer(self, field: Field) -> Json | None:
        """What one field says; nothing of a type that is not there.

        Raises:
            DocumentTooLarge: all answers together would have more than `MOST_TOLD` values a type.
        """
        if field.name == "__schema":
            return cast(Json, self._object(_meta("__Schema"), field)(self.schema))
        asked = self.schema.get_type(field.arguments["name"])
        return None if asked is None else cast(Json, self._object(_meta("__Type"), field)(asked))

    def _object(self, kind: GraphQLObjectType, field: Field) -> Read:
        allowed = MOST_TOLD * len(self.schema.type_map)
        parts = [(one.key, self._field(kind, one)) for one in self.selections.below(field, kind.name)]

        def read(value: Any) -> Json:
            self.told += len(parts)
            if self.told > allowed:
                raise DocumentTooLarge(f"the answer would have more than {allowed} values; ask for one __type at a time", limit=allowed, got=self.told)
            return {key: part(value) for key, part in parts}

        return self._once(read) if kind.name == "__Type" else read

    def _once(self, read: Read) -> Read:
        """The same answer for the same type; it counts each time, for it is sent each time."""
        known: dict[int, tuple[Json, int]] = {}

        def remembered(value: Any) -> Json:
            if id(value) not in known:
                before = self.told
                known[id(value)] = (read(value), self.told - before)
            else:
                self.told += known[id(value)][1]
            return known[id(value)][0]

        return remembered

    def _field(self, kind: GraphQLObjectType, field: Field) -> Read:
        if field.name == TYPENAME:
            return lambda _: kind.name
        definition = kind.fields[field.name]
        resolve, complete, arguments = definition.resolve or default_field_resolver, self._completed(definition.type, field), field.arguments
        info = cast(GraphQLResolveInfo[Any], SimpleNamespace(schema=self.schema))  # the schema is all that these resolvers look at
        return lambda value: complete(resolve(value, info, **arguments))

    def _completed(self, kind: GraphQLOutputType, field: Field) -> Read:
        if isinstance(kind, GraphQLNonNull):
            return self._completed(kind.of_type, field)
        if isinstance(kind, GraphQLList):
            one = self._completed(kind.of_type, field)
            return lambda values: None if values is None else [one(value) for value in values]
        show = self._object(kind, field) if isinstance(kind, GraphQLObjectType) else kind.serialize  # type: ignore[union-attr] # there is no interface
        return lambda value: None if value is None else show(value)


def _meta(name: str) -> GraphQLObjectType:
    return cast(GraphQLObjectType, introspection_types[name])
