"""Documents that do not lead astray."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.sources import ROOT

DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").glob("*.md")})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    """A dead link in the first document read is the last document read."""
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text("utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_block_is_python(document: Path) -> None:
    """A snippet that does not parse cannot be pasted."""
    for block in re.findall(r"^```python\n(.*?)^```", document.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        compile(block, str(document), "exec")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_script_that_a_document_names_is_there(document: Path) -> None:
    """A figure is worth what the script that prints it is worth."""
    named = re.findall(r"\b((?:bench|demo|tools)/\w+\.py)\b", document.read_text("utf-8"))

    assert [script for script in named if not (ROOT / script).exists()] == []


def test_the_list_of_photographs_is_complete() -> None:
    """Each photograph's author and licence must be named where people read."""
    listed = re.findall(r"^\| ([\w-]+) \| (.+?) \| (\S+) \| (.+?) \|$", (ROOT / "demo" / "PHOTOGRAPHS.md").read_text("utf-8"), re.MULTILINE)
    entries = tomllib.loads((ROOT / "demo" / "photographs.toml").read_text("utf-8"))["photograph"]

    assert [row for row in listed if row[0] != "name"] == [(entry["name"], entry["caption"], entry["package"], entry["licence"]) for entry in entries]
