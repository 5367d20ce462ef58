"""Finds who answers a path by its segments, in place of trying one pattern after the other.

    /v1/objects/Dog/36ddd591-...  -->  v1 -> objects -> {collection} -> {id}      at each step a literal segment before a name

A collection may be called like a literal segment: where that leads nowhere, the name is tried. Slashes too many are forgiven:
programs put paths together from parts, and a part may be empty.

May import the standard library only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Node(Generic[T]):
    """Where a beginning of a path leads."""

    literal: "dict[str, _Node[T]]" = field(default_factory=dict)
    named: "_Node[T] | None" = None
    names: tuple[str, ...] = ()
    found: T | None = None


class Paths(Generic[T]):
    """What stands at each path.

    Args:
        by_path: `{name}` stands for any one segment.
    """

    def __init__(self, by_path: Mapping[str, T]) -> None:
        self._root = _Node[T]()
        for path, what in by_path.items():
            self._add(path, what)

    def find(self, path: str) -> tuple[T, Mapping[str, str]] | None:
        """What stands there, and what stands in the path for each name."""
        segments = path.split("/")
        found = _walk(self._root, segments, 0, ())
        if found is None and "" in segments[1:]:
            found = _walk(self._root, ["", *filter(None, segments)], 0, ())
        return found

    def _add(self, path: str, what: T) -> None:
        node, names = self._root, list[str]()
        for segment in path.split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.named = node.named or _Node()
                node = node.named
            else:
                node = node.literal.setdefault(segment, _Node())
        node.found, node.names = what, tuple(names)


def _walk(node: _Node[T], segments: Sequence[str], done: int, values: tuple[str, ...]) -> tuple[T, Mapping[str, str]] | None:
    """What is found from this node on; paths are short, and so are the detours."""
    if done == len(segments):
        return None if node.found is None else (node.found, dict(zip(node.names, values, strict=True)))
    segment = segments[done]
    following = node.literal.get(segment)
    found = None if following is None else _walk(following, segments, done + 1, values)
    if found is None and node.named is not None and segment:
        found = _walk(node.named, segments, done + 1, (*values, segment))
    return found
