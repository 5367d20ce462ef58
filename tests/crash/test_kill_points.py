"""Killed at each step of a history in turn: what was acknowledged is there, and the one operation that was under way is there whole or not at all.

`NEARIMAGE_CRASH_POINTS=2000 pytest tests/crash` tries every step, and each write cut in half as well.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nearimage.engines.embedded import EmbeddedEngine, recovery, upkeep
from nearimage.engines.memory import MemoryEngine
from tests.crash.kill_points import LENGTH, apply
from tests.crash.test_kill import assert_equal, same

POINTS = int(os.environ.get("NEARIMAGE_CRASH_POINTS", "200"))


class Killer:
    """The program of `kill_points`, running."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.crash.kill_points"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def run(self, folder: Path, *, first: int, kill_at: int = 0, half: bool = False) -> tuple[int, int]:
        """Let it do the history from an operation on; how many steps it took (0 if it was killed), and how many operations are acknowledged."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"folder": str(folder), "first": first, "kill_at": kill_at, "half": half}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer["killed"] or answer["status"] == 0
        said = (folder.parent / "said").read_text().split()
        return answer["steps"], int(said[-1]) + 1 if said else first


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    """One for all tests."""
    killer = Killer()
    yield killer
    killer.process.stdin.close()  # type: ignore[union-attr] # a pipe
    killer.process.wait()
    killer.process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge, too, must open with the files of columns."""
    monkeypatch.setattr(recovery, "SMALL_SHARD", 30)
    monkeypatch.setitem(vars(upkeep), "SMALL_SHARD", 30)


@cache
def model_after(operations: int) -> MemoryEngine:
    """What must be there after so many operations."""
    model = MemoryEngine()
    for number in range(operations):
        apply(model, number)
    return model


def judge(folder: Path, done: int) -> None:
    """The folder holds what the first `done` operations left, or one more."""
    engine = EmbeddedEngine(folder)
    try:
        if not same(engine, model_after(done)):
            assert_equal(engine, model_after(min(done + 1, LENGTH)))
    finally:
        engine.close()


@pytest.mark.timeout(60 + POINTS)
def test_killed_at_any_step_nothing_acknowledged_is_lost(killer: Killer, tmp_path: Path) -> None:
    """Imports, small writes, patches, deletions, files of columns, compaction, checkpoints and closing, each interrupted everywhere."""
    (tmp_path / "whole").mkdir()
    total, _ = killer.run(tmp_path / "whole" / "data", first=0)
    judge(tmp_path / "whole" / "data", LENGTH)
    assert total > 150
    every = max(1, 3 * total // (2 * POINTS))
    for number, kill_at in enumerate(range(1, total + 1, every)):
        place = tmp_path / "try"
        place.mkdir()
        _, done = killer.run(place / "data", first=0, kill_at=kill_at, half=number % 3 == 0)
        judge(place / "data", done)
        shutil.rmtree(place)


@pytest.mark.timeout(60 + POINTS)
@pytest.mark.parametrize("after", [2, 8, 13])
def test_killed_while_it_opens_after_a_kill(killer: Killer, tmp_path: Path, after: int) -> None:
    """Recovery itself writes: pending vectors, cuts, the log's end. Interrupted, it starts again."""
    place = tmp_path / "killed"
    place.mkdir()
    total, kill_at, done = killer.run(place / "data", first=0)[0], 0, 0
    while done <= after:  # find a step soon after that operation
        shutil.rmtree(place)
        place.mkdir()
        kill_at += total // 25
        _, done = killer.run(place / "data", first=0, kill_at=kill_at)
    for step in range(1, max(8, POINTS // 9)):
        again = tmp_path / "try"
        shutil.copytree(place, again)
        _, reached = killer.run(again / "data", first=done, kill_at=step)
        judge(again / "data", reached)
        shutil.rmtree(again)
