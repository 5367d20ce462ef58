"""Files and functions small enough to be read."""

import statistics

import pytest

from tests.house.sources import Module, all_modules, lines_of, modules

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
P90_FUNCTION_LINES = 25
MAX_ARGUMENTS = 6


@pytest.mark.parametrize("module", all_modules(), ids=lambda module: str(module.path))
def test_no_file_is_longer_than_400_lines(module: Module) -> None:
    """A longer file holds two nouns."""
    assert len(module.text.splitlines()) <= MAX_FILE_LINES


def test_no_function_is_longer_than_50_lines() -> None:
    """A function that does not fit on a screen is read by scrolling, that is, not."""
    too_long = [
        f"{module.path}:{function.lineno} {function.name} has {lines_of(function)} lines"
        for module in all_modules()
        for function in module.functions()
        if lines_of(function) > MAX_FUNCTION_LINES and "hot" not in module.path.parts
    ]

    assert not too_long, "\n".join(too_long)


def test_nine_of_ten_functions_have_at_most_25_lines() -> None:
    """The limit on one function is for exceptions; this is the rule."""
    sizes = [lines_of(function) for module in modules("src") for function in module.functions()]

    assert statistics.quantiles(sizes, n=10)[-1] <= P90_FUNCTION_LINES


def test_no_function_takes_more_than_six_positional_arguments() -> None:
    """More means that a dataclass is missing. Arguments that must be named explain themselves and do not count."""
    too_many = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in all_modules()
        for function in module.functions()
        if len([argument for argument in function.args.posonlyargs + function.args.args if argument.arg not in {"self", "cls"}]) > MAX_ARGUMENTS
        and not function.name.startswith("test_")  # pytest passes what parametrize names
    ]

    assert not too_many, "\n".join(too_many)
