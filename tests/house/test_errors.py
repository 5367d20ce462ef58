"""Error codes are promises to programs."""

import re
from collections.abc import Iterator

from nearimage.domain import errors
from nearimage.domain.errors import NearimageError


def _classes(root: type[NearimageError]) -> Iterator[type[NearimageError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _classes(child)


def test_every_error_has_a_code_of_its_own() -> None:
    """A program that handles one code must not meet another error under it."""
    classes = list(_classes(NearimageError))

    assert [error.__name__ for error in classes if "code" not in vars(error)] == []
    assert len({error.code for error in classes}) == len(classes)


def test_codes_are_kebab_case() -> None:
    """One spelling, so that nobody has to look it up."""
    assert [error.code for error in _classes(NearimageError) if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error.code)] == []


def test_codes_say_the_name_of_the_class() -> None:
    """Who reads a code in a log finds the class by searching for it."""
    kebab = {error: re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower() for error in _classes(NearimageError) if error is not NearimageError}

    assert {error.code: name for error, name in kebab.items() if error.code.replace("-", "") != name.replace("-", "")} == {}
