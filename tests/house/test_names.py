"""Names that say something, and text that stays inside the repository."""

import ast
import re
from pathlib import Path

from tests.house.sources import ROOT, all_modules, modules

EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "core"})

_MARKERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")  # put together, so that this file does not find itself

_MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|Users|root|work(?:space)?)/\w")

_TEXT_FILES = ("*.md", "*.toml", "Makefile", ".ci/run")


def _texts() -> list[tuple[Path, str]]:
    documents = [path for pattern in _TEXT_FILES for path in ROOT.glob(pattern)] + sorted((ROOT / "docs").rglob("*.md"))
    return [(module.path, module.text) for module in all_modules()] + [(path.relative_to(ROOT), path.read_text("utf-8")) for path in documents]


def test_no_module_has_a_name_that_says_nothing() -> None:
    """What is called utils takes in everything and is found by nobody."""
    nameless = [str(module.path) for module in all_modules() if EMPTY_NAMES & {*module.path.parts[:-1], module.path.stem}]

    assert not nameless, "\n".join(nameless)


def test_nothing_is_left_for_later_in_the_source() -> None:
    """What is to be done stands in the issues, where it is seen."""
    assert [f"{path}: {match[0]}" for path, text in _texts() for match in _MARKERS.finditer(text)] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    """It works on one machine only."""
    assert [f"{path}: {match[0]}" for path, text in _texts() for match in _MACHINE_PATHS.finditer(text)] == []


def test_init_files_only_re_export() -> None:
    """Code in an __init__ runs before anybody asked for it, and nobody looks for it there."""
    wrong = [
        f"{module.path}:{node.lineno}"
        for module in modules("src")
        if module.path.name == "__init__.py"
        for node in module.tree.body
        if not (isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node) or _names_exports(node))
    ]

    assert not wrong, "\n".join(wrong)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _names_exports(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [target.id for target in node.targets if isinstance(target, ast.Name)] in (["__all__"], ["__version__"])
