"""Which fields an operation selects, fragments and directives resolved: the tree that the parts of the door walk.

    { Get { Dog(limit: 3) { breed ...F } } } fragment F on Dog { id: _additional { id } }

    Field Get
      Field Dog {limit: 3}
        Field breed
        Field _additional as id
          Field id

Selections of the same name are merged as the specification says (6.3.2, CollectFields). May import graphql and `doors.graphql` only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLError, InlineFragmentNode, SelectionNode, SelectionSetNode

from nearimage.domain.errors import DocumentTooLarge
from nearimage.domain.schema import Collection
from nearimage.doors.graphql.argument_types import NEAR_MEDIA
from nearimage.doors.graphql.documents import Operation
from nearimage.doors.graphql.requests import Limits, Refused
from nearimage.doors.graphql.values import arguments_of

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is asked for.

    Attributes:
        key: under which name it stands in the answer.
        arguments: as plain values.
        nodes: where it stands in the document; several where selections were merged.
    """

    key: str
    name: str
    arguments: Mapping[str, Any]
    nodes: tuple[FieldNode, ...]


@dataclass(slots=True)
class Selections:
    """Resolves the selections of one operation, and counts them and what they cost.

    Attributes:
        counted: fields.
        spent: values of the answer.
    """

    operation: Operation
    limits: Limits
    counted: int = 0
    spent: int = 0

    @property
    def collections(self) -> Mapping[str, Collection]:
        """The collections for which the document was found right."""
        return self.operation.document.collections

    def spend(self, values: int) -> None:
        """Count values before they are made.

        Raises:
            DocumentTooLarge: the answer would have too many.
        """
        self.spent += values
        if self.spent > self.limits.values:
            message = f"the answer would have more than {self.limits.values} values; ask for fewer objects, fields or references at once"
            raise DocumentTooLarge(message, limit=self.limits.values, got=self.spent)

    def roots(self) -> tuple[Field, ...]:
        """The fields of the operation itself."""
        return self._collect([self.operation.node.selection_set], ("WeaviateObj",))

    def below(self, parent: Field, *types: str) -> tuple[Field, ...]:
        """The fields selected of a field.

        Args:
            types: the type of its value, and further names under which fragments may mean it.

        Raises:
            Refused: two selections of the same name differ.
            DocumentTooLarge: too many fields.
        """
        return self._collect([node.selection_set for node in parent.nodes if node.selection_set], types)

    def conditions(self, parent: Field) -> tuple[str, ...]:
        """The types that fragments right below it are for, one by one, in their order."""
        found: list[str] = []
        for node in (one for asked in parent.nodes if asked.selection_set for one in asked.selection_set.selections):
            if node.directives and not self._included(node):
                continue
            if isinstance(node, FragmentSpreadNode):
                found.append(self.operation.document.fragments[node.name.value].type_condition.name.value)
            elif isinstance(node, InlineFragmentNode) and node.type_condition is not None:
                found.append(node.type_condition.name.value)
        return tuple(found)

    def _collect(self, sets: Iterable[SelectionSetNode], types: Sequence[str]) -> tuple[Field, ...]:
        found: dict[str, Field] = {}
        for one in sets:
            self._walk(one.selections, types, found)
        return tuple(found.values())

    def _walk(self, selections: Iterable[SelectionNode], types: Sequence[str], found: dict[str, Field]) -> None:
        for node in selections:
            if node.directives and not self._included(node):
                continue
            if isinstance(node, FieldNode):
                self._add(node, found)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or node.type_condition.name.value in types:
                    self._walk(node.selection_set.selections, types, found)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.operation.document.fragments[node.name.value]
                if fragment.type_condition.name.value in types:
                    self._walk(fragment.selection_set.selections, types, found)

    def _add(self, node: FieldNode, found: dict[str, Field]) -> None:
        self.counted += 1
        if self.counted > self.limits.fields:
            message = f"the document asks for more than {self.limits.fields} fields; ask in several requests"
            raise DocumentTooLarge(message, limit=self.limits.fields, got=self.counted)
        name = node.name.value
        key = node.alias.value if node.alias else name
        arguments = self._arguments(node)
        known = found.get(key)
        if known is None:
            found[key] = Field(key, name, arguments, (node,))
        elif known.name != name or known.arguments != arguments:
            raise Refused([GraphQLError(f"{key!r} is asked for twice with different arguments; give one of them an alias", nodes=[*known.nodes, node])])
        else:
            found[key] = Field(key, name, arguments, (*known.nodes, node))

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            asked = arguments_of(directive.arguments or (), self.operation.variables, self.operation.lifted.values).get("if")
            if (directive.name.value == "skip" and asked is True) or (directive.name.value == "include" and asked is False):
                return False
        return True

    def _arguments(self, node: FieldNode) -> dict[str, Any]:
        if not node.arguments:
            return {}
        lifted = self.operation.lifted
        values = arguments_of(node.arguments, self.operation.variables, lifted.values)
        return {name: lifted.aside.put_back(value, long=_media_field(name)) for name, value in values.items()} if lifted.aside else values


def _media_field(argument: str) -> str | None:
    """Where an argument has a picture, a sound ..., which may be long."""
    return NEAR_MEDIA[argument][0] if argument in NEAR_MEDIA else None
