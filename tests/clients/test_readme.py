"""The README's client lines, as they stand there."""

import contextlib
import io
import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers import LiveServer

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_lines_run_and_find_the_picture(
    shared_server: LiveServer, photos: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the first thing that a user tries; only the ports differ here."""
    (tmp_path / "dogs").mkdir()
    for name in ("cheetah", "lion", "quokka", "motorcycle"):
        shutil.copy(photos[name], tmp_path / "dogs" / f"{name}.jpg")
    shutil.copy(photos["lion"], tmp_path / "query.jpg")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    here = f"connect_to_local(port={shared_server.http_port}, grpc_port={shared_server.grpc_port})"
    code = block.replace("connect_to_local()", here).replace('"Dog"', '"DogOfTheReadme"')
    assert here in code

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own document

    assert printed.getvalue().split()[0] == "lion"
    assert len(printed.getvalue().split()) == 3
