"""The project's own source, parsed once, for the tests that read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FOLDERS = ("src", "tests", "bench", "demo", "tools")

_GENERATED = ("_pb2.py", "_pb2_grpc.py")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file.

    Attributes:
        path: relative to the repository.
    """

    path: Path
    text: str
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def public(self) -> Iterator[tuple[str, Function | ast.ClassDef]]:
        """Every public class, function and method with its dotted name; private classes' methods are private."""
        yield from _public(self.tree, "")


def _public(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    for child in node.body:
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_"):
            yield prefix + child.name, child
            if isinstance(child, ast.ClassDef):
                yield from _public(child, f"{prefix}{child.name}.")


@cache
def modules(folder: str) -> tuple[Module, ...]:
    """The written (not generated) Python files below a folder of the repository."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple(Module(path.relative_to(ROOT), text := path.read_text("utf-8"), ast.parse(text)) for path in paths if not path.name.endswith(_GENERATED))


def all_modules() -> tuple[Module, ...]:
    """Every written Python file of the repository."""
    return tuple(module for folder in _FOLDERS for module in modules(folder))


def lines_of(node: Function) -> int:
    """How many lines a function takes, without its docstring: documentation is not what makes a function long."""
    first, last = node.lineno, node.end_lineno or node.lineno
    docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    documented = (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1 if docstring else 0
    return last - first + 1 - documented
