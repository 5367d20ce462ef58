"""kill -9 at any moment: what was acknowledged is there, what was not is there whole or not at all.

A child applies a known history and says after each operation that it returned. It is killed at a random moment; the folder opened again must be the
state after its last word, or after the one operation that was under way. Then the next child goes on from there, on the same folder.

`NEARIMAGE_CRASH_KILLS=500 pytest tests/crash` kills more often.
"""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nearimage.domain.errors import NearimageError
from nearimage.domain.objects import Projection
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Engine
from nearimage.testing.engine_contract import assert_same
from tests.crash.operations import IDS, apply

KILLS = int(os.environ.get("NEARIMAGE_CRASH_KILLS", "20"))
SEED = int(os.environ.get("NEARIMAGE_CRASH_SEED", "1"))


@pytest.mark.timeout(30 + 5 * KILLS)
def test_nothing_acknowledged_is_lost_and_nothing_is_half_written(tmp_path: Path) -> None:
    """The first promise of the port."""
    rng = random.Random(SEED)  # noqa: S311 a fixed seed
    model, done = MemoryEngine(), -1
    for _ in range(KILLS):
        acknowledged = kill_a_child(tmp_path / "data", done + 1, rng.uniform(0, 0.2))
        for number in range(done + 1, acknowledged + 1):
            apply(model, number)
        done = max(done, acknowledged)
        engine = EmbeddedEngine(tmp_path / "data")
        if not same(engine, model):
            done += 1
            apply(model, done)
            assert_equal(engine, model)
        engine.close()
    assert done > KILLS  # the children did get somewhere


def kill_a_child(folder: Path, first: int, after_s: float, *, program: str = "operations.py") -> int:
    """Start a child, kill it so many seconds after it has opened the folder (or, for the shortest, while it opens); the last number it said."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(Path(__file__).with_name(program)), str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout
        if after_s < 0.02:
            time.sleep(0.25 + 10 * after_s)  # somewhere while the interpreter starts and the folder opens
        else:
            assert child.stdout.readline() == "open\n"
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(child.stdout or ()))
        reader.start()  # a full pipe would stop the child
        time.sleep(after_s)
        child.kill()
        reader.join()
    said = [int(line) for line in lines if line.endswith("\n") and line != "open\n"]
    return said[-1] if said else first - 1


def same(engine: Engine, model: Engine) -> bool:
    """Whether both hold the same."""
    try:
        assert_equal(engine, model)
    except (AssertionError, NearimageError):
        return False
    return True


def assert_equal(engine: Engine, model: Engine) -> None:
    """The same collections and objects, pictures and vectors included; and searches see them."""
    assert engine.collections() == model.collections()
    everything = Projection(properties=("n", "text", "blob"), vectors=None)
    for collection in model.collections():
        pages = [one.shard(collection.name).scan(where=None, after=None, limit=len(IDS), offset=0, projection=everything) for one in (model, engine)]
        assert_same(pages[0], pages[1], revisions=False)
        assert engine.shard(collection.name).count() == len(pages[0])
