"""Killed while an index is trained, filled, measured, written and swapped in: the next opening has all objects, and an index over all of them in the end.

`NEARIMAGE_CRASH_POINTS=2000 pytest tests/crash` tries every step.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.objects import IDS_ONLY, Matrix, Record
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine, background
from nearimage.testing.engine_examples import uid
from tests.crash.index_builder import LOW

POINTS = int(os.environ.get("NEARIMAGE_CRASH_POINTS", "200")) // 40
COUNT, DIMS = 700, 32


@pytest.fixture(scope="module")
def vectors() -> Matrix:
    return np.random.default_rng(1).standard_normal((COUNT, DIMS)).astype(np.float32)


@pytest.fixture(scope="module")
def filled(vectors: Matrix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that would get an index, if it were opened with low thresholds."""
    folder = tmp_path_factory.mktemp("filled") / "data"
    engine = EmbeddedEngine(folder)
    engine.create_collection(Collection(name="Photo", vectors=(VectorConfig(name="v"),)))
    engine.shard("Photo").put([Record(id=uid(number), vectors={"v": vector}) for number, vector in enumerate(vectors)])
    engine.close()
    return folder


@pytest.fixture(autouse=True)
def in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other programs, work that yields to them would take minutes."""
    monkeypatch.setattr(background, "LONGEST_REST_S", 0)


def build(folder: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    """Let a process of its own build the index."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.crash.index_builder", str(folder), str(kill_at)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


def test_a_kill_at_any_step_of_an_index_build_costs_time_only(filled: Path, vectors: Matrix, tmp_path: Path) -> None:
    """An index is derived; half of one must never be believed, nor stand in the way of the next."""
    shutil.copytree(filled, tmp_path / "whole")
    whole = build(tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout)
    assert steps > 20
    for kill_at in sorted({1 + (steps - 1) * number // max(1, POINTS - 1) for number in range(POINTS)}):
        folder = tmp_path / f"killed-{kill_at}"
        shutil.copytree(filled, folder)
        assert build(folder, kill_at).returncode == -signal.SIGKILL
        engine = EmbeddedEngine(folder, thresholds=LOW)
        shard = engine.shard("Photo")
        assert shard.count() == COUNT
        assert [record.id for record in shard.nearest("v", vectors[7], limit=1, offset=0, where=None, max_distance=None, projection=IDS_ONLY).records] == [
            uid(7)
        ]
        assert engine.background.wait(60)
        assert engine.background.failures() == {}
        assert shard.stats().indexes["v"].indexed == COUNT
        found = shard.nearest("v", vectors[9], limit=10, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
        assert found.records[0].id == uid(9)
        engine.close()
        assert not list(folder.rglob("*.new"))
