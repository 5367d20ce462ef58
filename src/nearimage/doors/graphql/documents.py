"""From the text of a request to something that can be run: parsed, validated, its operation chosen, its variables read.

    text --lifting--> shape, literals --graphql-core, once a shape--> Document --operation, variables--> Operation

Parsing and validating take milliseconds, and say the same for every document of the same shape; so their outcome is kept, until the collections change.

May import graphql, `domain` and `doors.graphql` only.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Source,
    TypeNode,
    parse,
    print_ast,
    validate,
)
from graphql.execution.values import get_variable_values

from nearimage.domain.errors import DocumentTooLarge
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.graphql.lifting import Lifted
from nearimage.doors.graphql.requests import Limits, Refused, Request
from nearimage.doors.graphql.types import Modalities, schema_of
from nearimage.doors.graphql.values import value_of

KEPT = 512
"""Shapes to remember: a client asks a few dozen; one takes some 50 KB."""

LONGEST_KEPT = 20_000
"""Characters of a shape worth remembering: nobody asks a longer one twice."""

KEPT_SCHEMAS = 64
"""Schemas to remember: one for each set of collections that documents name together; one collection takes some 300 KB."""

KEPT_TOLD = 4
"""Answers to introspection to remember: each tool asks one question."""

MOST_REPEATS, MOST_FRAGMENTS = 50, 100
"""Selections of one name in one pair of braces, and fragments: validating compares each with each other."""

_NAME = re.compile(r"[A-Z][_0-9A-Za-z]*")
_BRACKET = re.compile(r"[\[\](){}]")


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is right for these collections.

    Attributes:
        schema: of the collections that it names.
        collections: all there are, by name.
    """

    parsed: DocumentNode
    schema: GraphQLSchema
    collections: Mapping[str, Collection]
    operations: tuple[OperationDefinitionNode, ...]
    fragments: Mapping[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with the values of its variables; a variable without a value is absent."""

    document: Document
    node: OperationDefinitionNode
    variables: Mapping[str, Any]
    lifted: Lifted


@dataclass(frozen=True, slots=True)
class Known:
    """What can be asked at one time, and what was learnt of documents meanwhile.

    Attributes:
        stored: the collections of the database.
        aliases: the collection that each stands for.
        collections: the stored ones, and each alias as a collection of that name.
    """

    modalities: Modalities
    stored: tuple[Collection, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    collections: tuple[Collection, ...] = ()
    _documents: OrderedDict[str, Document] = field(default_factory=OrderedDict)
    _schemas: dict[tuple[str, ...], GraphQLSchema] = field(default_factory=dict)
    _told: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def is_of(self, stored: tuple[Collection, ...], aliases: Mapping[str, str]) -> bool:
        """Whether this is what can still be asked: an altered collection is another object."""
        return len(stored) == len(self.stored) and all(map(is_, stored, self.stored)) and aliases == self.aliases

    def schema(self, named: Container[str]) -> GraphQLSchema:
        """The schema of those of the collections that are named; Explore asks all of them."""
        some = [one for one in self.collections if one.name in named]
        names = tuple(one.name for one in some) + (("Explore",) if "Explore" in named else ())
        found = self._schemas.get(names)
        if found is None:
            asked = self.collections if "Explore" in named else ()
            understood = frozenset[Modality]().union(*(self.modalities(one) for one in asked))
            found = schema_of(some, self.modalities, understood)
            with self._lock:
                if len(self._schemas) >= KEPT_SCHEMAS:
                    self._schemas.clear()
                self._schemas[names] = found
        return found

    def everything(self) -> GraphQLSchema:
        """The schema of the whole database."""
        return self.schema(frozenset(one.name for one in self.collections) | {"Explore"})

    def told(self, question: str, tell: Callable[[], Mapping[str, bytes]]) -> Mapping[str, bytes]:
        """What introspection answers, by name, as JSON: editors ask the same over and over."""
        found = self._told.get(question)
        if found is None:
            found = tell()
            if len(question) > LONGEST_KEPT:
                return found
            with self._lock:
                if len(self._told) >= KEPT_TOLD:
                    self._told.clear()
                self._told[question] = found
        return found

    def has(self, text: str) -> bool:
        """Whether the document of this shape is known."""
        return text in self._documents

    def document(self, text: str) -> Document:
        """The document of this shape.

        Raises:
            Refused: it is wrong.
            DocumentTooLarge: it repeats itself too often.
        """
        found = self._documents.get(text)
        if found is None:
            found = self.read(text)
            if len(text) <= LONGEST_KEPT:
                with self._lock:
                    self._documents[text] = found
                    if len(self._documents) > KEPT:
                        self._documents.popitem(last=False)
        return found

    def read(self, text: str) -> Document:
        """Parse and validate; raises as `document`."""
        try:
            parsed = parse(Source(text))
        except GraphQLSyntaxError as wrong:
            raise Refused([wrong]) from wrong
        _check_selections(parsed)
        schema = self.schema(frozenset(_NAME.findall(text)))
        if errors := validate(schema, parsed, max_errors=20):
            raise Refused(errors)
        operations = tuple(node for node in parsed.definitions if isinstance(node, OperationDefinitionNode))
        fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
        return Document(parsed, schema, {one.name: one for one in self.collections}, operations, fragments)


class Documents:
    """Documents by their shape, for the collections as they are."""

    def __init__(self, modalities: Modalities, limits: Limits) -> None:
        self._modalities = modalities
        self._limits = limits
        self._known = Known(modalities)

    def known(self, stored: tuple[Collection, ...], aliases: Mapping[str, str]) -> Known:
        """What can be asked; what was learnt while it was something else is forgotten."""
        known = self._known
        if not known.is_of(stored, aliases):
            by_name = {one.name: one for one in stored}
            renamed = tuple(replace(by_name[name], name=alias) for alias, name in aliases.items() if name in by_name)
            known = self._known = Known(self._modalities, stored, aliases, (*stored, *renamed))
        return known

    def operation(self, request: Request, lifted: Lifted, known: Known) -> Operation:
        """What a request asks to be run.

        Raises:
            Refused: the document is wrong, has no such operation, or a variable has no fitting value.
            DocumentTooLarge: it is beyond a limit.
        """
        if not known.has(lifted.text):
            check_depth(lifted.text, self._limits)
        try:
            document = known.document(lifted.text)
        except Refused:
            if len(request.query) <= LONGEST_KEPT and not lifted.longer:
                known.read(request.query)  # refused again, with the literals that were sent in its words
            raise
        node = _chosen(document.operations, request.operation_name)
        return Operation(document, node, _variables(document.schema, node, request.variables or {}, lifted), lifted)


def check_depth(text: str, limits: Limits) -> None:
    """Refuse what would take the parser deeper than it can go.

    Raises:
        DocumentTooLarge: detail has "limit" and "got".
    """
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    if deepest > limits.depth:
        message = f"the document is nested {deepest} levels deep, and {limits.depth} are allowed; flatten it"
        raise DocumentTooLarge(message, limit=limits.depth, got=deepest)


def _check_selections(parsed: DocumentNode) -> None:
    """Refuse what would take the validator long, and braces without a field, which the parser lets pass.

    Raises:
        DocumentTooLarge: detail has "limit" and "got".
        Refused: there is nothing between braces.
    """
    if len(parsed.definitions) > MOST_FRAGMENTS:
        message = f"the document has {len(parsed.definitions)} fragments and operations, and {MOST_FRAGMENTS} are allowed"
        raise DocumentTooLarge(message, limit=MOST_FRAGMENTS, got=len(parsed.definitions))
    left: list[SelectionSetNode | None] = [getattr(node, "selection_set", None) for node in parsed.definitions]
    while left:
        selected = left.pop()
        selections = selected.selections if selected else ()
        if selected and not selections:
            raise Refused([GraphQLError("there is nothing between these braces; name the fields that are wanted", nodes=selected)])
        left += [getattr(node, "selection_set", None) for node in selections]
        names = Counter((node.alias or node.name).value if isinstance(node, FieldNode) else type(node).__name__ for node in selections)
        if names and (most := max(names.values())) > MOST_REPEATS:
            message = f"the document asks {most} times for the same in one place, and {MOST_REPEATS} are allowed; once is enough"
            raise DocumentTooLarge(message, limit=MOST_REPEATS, got=most)


def _chosen(operations: Sequence[OperationDefinitionNode], name: str | None) -> OperationDefinitionNode:
    if not operations:
        raise Refused([GraphQLError("the document has fragments only; it needs an operation, such as { Get { ... } }")])
    names = [operation.name.value if operation.name else "" for operation in operations]
    if name and name not in names:
        raise Refused([GraphQLError(f"the document has no operation named {name!r}; it has {names}")])
    if not name and len(operations) > 1:
        raise Refused([GraphQLError(f"the document has several operations, {names}; say in operationName which one is to be run")])
    chosen = operations[names.index(name)] if name else operations[0]
    if chosen.operation is not OperationType.QUERY:
        raise Refused([GraphQLError(f"{chosen.operation.value} is not supported; a document can only query", nodes=chosen)])
    return chosen


def _variables(schema: GraphQLSchema, node: OperationDefinitionNode, given: Mapping[str, Any], lifted: Lifted) -> dict[str, Any]:
    """The variables' values; those of long lists of numbers are not looked at one by one."""
    if not node.variable_definitions:
        return {}
    vectors = {d.variable.name.value: given.get(d.variable.name.value) for d in node.variable_definitions if _is_vector(d.type, given, d.variable.name.value)}
    coerced = get_variable_values(schema, node.variable_definitions, {**given, **{name: [] for name in vectors}})
    if isinstance(coerced, list):
        if lifted.aside:  # refused again, with what was sent in its words
            return _variables(schema, node, lifted.aside.put_back(given), replace(lifted, aside=None))
        raise Refused(coerced)
    values = dict(coerced.coerced) | vectors
    defaults = {d.variable.name.value: d.default_value for d in node.variable_definitions if d.default_value and d.variable.name.value not in given}
    return values | {name: value_of(default, {}, lifted.values) for name, default in defaults.items()}


def _is_vector(kind: TypeNode, given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    if not isinstance(value, list) or print_ast(kind).replace("!", "") != "[Float]":
        return False
    return all(type(number) is float or type(number) is int for number in value)
