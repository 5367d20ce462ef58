"""The command as the shell starts it: pipes, signals, and a folder that another command holds."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

NEARIMAGE = (sys.executable, "-m", "nearimage")

HOLD = """
import sys, time
from nearimage.app import open_database
from nearimage.config.settings import Settings

with open_database(Settings(data=sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def nearimage(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*NEARIMAGE, *arguments], capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def pictures(photos: Mapping[str, Path], tmp_path: Path) -> Path:
    """A folder with one photograph."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(photos["coffee"], folder)
    return folder


def test_piped_output_is_plain(pictures: Path, data_folder: Path) -> None:
    """No colours, no boxes, no progress bar in a file."""
    indexed = nearimage("index", str(pictures), "--data", str(data_folder))
    found = nearimage("search", str(pictures / "coffee.png"), "--data", str(data_folder))

    assert (indexed.returncode, indexed.stderr) == (0, "")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.split("\t") == ["1", found.stdout.split("\t")[1], f"{pictures.resolve() / 'coffee.png'}\n"]
    assert "\x1b" not in indexed.stdout + found.stdout


def test_the_command_explains_itself_at_once() -> None:
    """Help that first loads numpy takes twice as long."""
    code = "import sys; from nearimage.cli.main import main; main(['index', '--help'], standalone_mode=False); sys.exit('numpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert shown.returncode == 0
    assert "Bring the pictures in FOLDER" in shown.stdout


def test_interrupting_an_import_keeps_what_is_stored(photos: Mapping[str, Path], data_folder: Path, tmp_path: Path) -> None:
    """Ctrl-C is how one leaves a long import; the counts it prints must be true afterwards."""
    many = tmp_path / "many"
    many.mkdir()
    for number in range(600):
        (many / f"{number}.png").symlink_to(photos["coffee"])
    process = subprocess.Popen(
        [*NEARIMAGE, "index", str(many), "--data", str(data_folder), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    database = data_folder / "collections"
    while process.poll() is None and not any(slots.stat().st_size for slots in database.rglob("*.slots")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    told = orjson.loads(out)
    found = nearimage("search", str(photos["coffee"]), "--data", str(data_folder), "--limit", "1000")

    assert (process.returncode, err) == (130, "")
    assert told["interrupted"] is True
    assert 0 < told["stored"] < 600
    assert len(found.stdout.splitlines()) == told["stored"]


def test_a_folder_that_another_command_holds_is_refused(pictures: Path, data_folder: Path) -> None:
    """It answers on no port, so there is nobody to ask; waiting silently would look like a hang."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(data_folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        result = nearimage("index", str(pictures), "--data", str(data_folder))
    finally:
        holder.kill()
        holder.communicate()

    assert result.returncode == 1
    assert f"is in use by process {holder.pid}" in result.stderr
