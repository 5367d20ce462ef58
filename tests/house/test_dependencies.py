"""Every dependency has a reason."""

import re
import tomllib

from tests.house.sources import ROOT

TEXT = (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_dependency_says_why_it_is_there() -> None:
    """Each one is code that others must trust; without a reason beside it, nobody will dare to remove it."""
    block = re.search(r"^dependencies = \[\n(.*?)^\]", TEXT, re.DOTALL | re.MULTILINE)
    assert block is not None

    unexplained = [line.strip() for line in block[1].splitlines() if line.strip() and not re.search(r'^\s*".+",?\s*# \S.{9,}', line)]

    assert not unexplained, "\n".join(unexplained)


def test_the_makefile_and_the_project_ask_for_the_same_client() -> None:
    """The demo must not run with another client than the tests."""
    pinned = {requirement for requirement in tomllib.loads(TEXT)["dependency-groups"]["dev"] if "weaviate-client" in requirement}

    assert re.findall(r"^CLIENT := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE) == sorted(pinned)
