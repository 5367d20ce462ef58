"""GraphQL requests and answers as JSON.

    {"query": "{ Get { Dog { breed } } }", "operationName": null, "variables": {}}  -->  {"data": {"Get": {"Dog": [...]}}, "errors": [...]}

May import graphql, msgspec and `domain` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import GraphQLError, Node

from nearimage.domain.errors import NearimageError
from nearimage.doors.faults import fault_of
from nearimage.doors.graphql.lifting import Lifted

Json = dict[str, Any]
Path = Sequence[str | int]


class Request(msgspec.Struct, rename="camel"):
    """One GraphQL request."""

    query: str = ""
    operation_name: str | None = None
    variables: dict[str, Any] | None = None


class InBatch(msgspec.Struct, rename="camel"):
    """One GraphQL request of several; variables that are no object are its own mistake, not the batch's."""

    query: str = ""
    operation_name: str | None = None
    variables: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one document may ask for.

    Attributes:
        depth: levels of braces, brackets and parentheses.
        fields: fields of all selections, fragments counted as often as they are spread.
        characters: of the document without its literals.
        searches: collections asked under Get and Aggregate, and Explore.
        values: in the answer, as it is written: references in a circle are written again and again.
    """

    depth: int = 60
    fields: int = 5_000
    characters: int = 100_000
    searches: int = 100
    values: int = 2_000_000


class Refused(Exception):
    """A document that is not run at all; it becomes an answer without data."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = tuple(errors)


@dataclass(slots=True)
class Errors:
    """What went wrong in parts of an answer, with the places in the document as it was sent."""

    text: str
    lifted: Lifted
    found: list[Json] = field(default_factory=list)

    def add(self, error: BaseException, nodes: Sequence[Node], path: Path | None) -> None:
        """A part that failed; its place in the data is null."""
        starts = [node.loc.start for node in nodes if node.loc]
        message = error.message if isinstance(error, GraphQLError) else fault_of(error).message
        code = {"extensions": {"code": error.code}} if isinstance(error, NearimageError) else {}
        self.found.append({"message": message, "path": path and list(path), "locations": [self._location(start) for start in starts], **code})

    def refuse(self, error: GraphQLError) -> None:
        """A mistake in the document, which was read as it was sent, or without its literals."""
        as_sent = error.source is not None and error.source.body == self.text
        places = [location(self.text, start, {}) if as_sent else self._location(start) for start in error.positions or ()]
        self.found.append({"message": error.message, "path": None, "locations": places})

    def _location(self, start: int) -> Mapping[str, int]:
        return location(self.text, self.lifted.original(start), self.lifted.longer)


def location(text: str, place: int, longer: Mapping[str, int]) -> Mapping[str, int]:
    """Line and column, from 1; a line ends as GraphQL says.

    Args:
        longer: words in the text that stand for so many characters more.
    """
    before = text[:place].replace("\r\n", "\n").replace("\r", "\n")
    start = before.rfind("\n") + 1
    column = len(before) - start + sum(more for word, more in longer.items() if before.find(word, start) >= 0)
    return {"line": before.count("\n") + 1, "column": column + 1}
