"""kill -9 while tenants are made, put to rest and dropped, collections altered, backups made and restored: each happened whole, or not at all."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nearimage.domain.errors import NearimageError, SnapshotUnusable
from nearimage.domain.objects import Projection
from nearimage.domain.schema import TenantState
from nearimage.engines.embedded import EmbeddedEngine, check_folder
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Engine
from nearimage.testing.engine_contract import assert_same
from tests.crash import tenant_operations
from tests.crash.test_kill import KILLS, SEED, kill_a_child

EVERYTHING = Projection(vectors=None)

SNAPSHOTS = """
import itertools, sys
from pathlib import Path
from nearimage.engines.embedded import EmbeddedEngine
engine = EmbeddedEngine(Path(sys.argv[1]))
for number in itertools.count():
    print(number, flush=True)
    engine.snapshot(Path(sys.argv[2]) / str(number))
"""


def assert_equal(engine: Engine, model: Engine) -> None:
    """The same collections, tenants, states, and objects of all that are active."""
    assert engine.collections() == model.collections()
    for collection in model.collections():
        tenants = model.tenants(collection.name)
        assert engine.tenants(collection.name) == tenants
        for name in (name for name, state in tenants.items() if state is TenantState.ACTIVE):
            shards = [one.shard(collection.name, name) for one in (model, engine)]
            pages = [shard.scan(where=None, after=None, limit=99, offset=0, projection=EVERYTHING) for shard in shards]
            assert_same(pages[0], pages[1], revisions=False)


def same(engine: Engine, model: Engine) -> bool:
    try:
        assert_equal(engine, model)
    except (AssertionError, NearimageError):
        return False
    return True


@pytest.mark.timeout(60 + 5 * KILLS)
def test_what_exists_after_a_kill_is_what_was_said_to_exist(tmp_path: Path) -> None:
    """A tenant that comes back half, or a restore of which half appears, is worse than an error; and the check finds nothing damaged."""
    rng = random.Random(SEED)  # noqa: S311 a fixed seed
    model, done = MemoryEngine(), -1
    folder, backup = tmp_path / "data", tmp_path / "backup"
    for _ in range(KILLS // 2):
        acknowledged = kill_a_child(folder, done + 1, rng.uniform(0.02, 0.4), program="tenant_operations.py")
        for number in range(done + 1, acknowledged + 1):
            tenant_operations.apply(model, number, backup)
        done = max(done, acknowledged)
        if (folder / "meta.db").exists() and done >= 0:
            assert check_folder(folder).is_sound
        engine = EmbeddedEngine(folder)
        if not same(engine, model):
            done += 1
            tenant_operations.apply(model, done, backup)
            assert_equal(engine, model)
        engine.close()
    assert done > KILLS


def test_a_backup_that_was_killed_is_refused_and_one_that_was_not_is_whole(tmp_path: Path) -> None:
    """Killed at some moment of the copying, forcing or naming; there is nothing between the two."""
    engine = EmbeddedEngine(tmp_path / "data")
    tenant_operations.bring(engine)
    model = MemoryEngine()
    tenant_operations.bring(model)
    engine.close()
    rng, refused = random.Random(SEED), 0  # noqa: S311 a fixed seed
    for kill in range(6):
        shutil.rmtree(tmp_path / "backups", ignore_errors=True)
        (tmp_path / "backups").mkdir()
        command = [sys.executable, "-c", SNAPSHOTS, str(tmp_path / "data"), str(tmp_path / "backups")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            child.stdout.readline()
            time.sleep(rng.uniform(0, 0.3))
            child.kill()
        for number, backup in enumerate((tmp_path / "backups").iterdir()):
            fresh = EmbeddedEngine(tmp_path / f"fresh{kill}-{number}")
            if (backup / "manifest.json").exists():
                fresh.restore(backup)
                assert_equal(fresh, model)
            else:
                with pytest.raises(SnapshotUnusable, match="incomplete"):
                    fresh.restore(backup)
                assert fresh.collections() == ()
                refused += 1
            fresh.close()
    assert refused
