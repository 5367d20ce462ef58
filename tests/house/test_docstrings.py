"""Everything public says what it is."""

import ast

from tests.house.sources import all_modules, modules


def test_every_module_opens_with_a_docstring() -> None:
    """The reader learns what a file answers before reading how. Empty files need none."""
    silent = [str(module.path) for module in all_modules() if module.tree.body and ast.get_docstring(module.tree) is None]

    assert not silent, "\n".join(silent)


def test_every_public_name_has_a_docstring() -> None:
    """A public name without one is a riddle to whoever calls it. An override says it where it was first said."""
    silent = [
        f"{module.path}:{node.lineno} {name}"
        for module in modules("src")
        for name, node in module.public()
        if ast.get_docstring(node) is None and not _overrides(node)
    ]

    assert not silent, "\n".join(silent)


def _overrides(node: ast.AST) -> bool:
    """Whether a method is marked with @override or is an overload or a property's setter."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in getattr(node, "decorator_list", [])}
    return bool(names & {"override", "overload", "setter"})


def test_every_test_says_why_in_a_sentence() -> None:
    """A failing test is read by somebody who does not know why the promise mattered."""
    silent = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in (*modules("tests"), *modules("src/nearimage/testing"))
        for function in module.functions()
        if function.name.startswith("test_") and not _is_sentence(ast.get_docstring(function))
    ]

    assert not silent, "\n".join(silent)


def _is_sentence(docstring: str | None) -> bool:
    if not docstring:
        return False
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return not paragraph[0].islower() and paragraph[-1] in ".?!" and len(paragraph.split()) >= 3
