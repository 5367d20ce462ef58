"""What tenants are on disk, which shards stay open, and how an old catalogue becomes a new one."""

import os
import random
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from nearimage.domain.errors import Busy, Corrupt, TenantNotActive
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS as _ALL
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, Tenancy, TenantState, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.gate import Gate
from nearimage.engines.embedded.layout import META_FORMAT
from nearimage.testing.engine_examples import photo, uid

ACTIVE, INACTIVE = TenantState.ACTIVE, TenantState.INACTIVE
SHARED = Collection(name="Shared", vectors=(VectorConfig(name="clip"),), tenancy=Tenancy(enabled=True))


def engine_with(folder: Path, tenants: int, *, open_shards: int = 256) -> EmbeddedEngine:
    """A database with tenants t0, t1 ..."""
    engine = EmbeddedEngine(folder, open_shards=open_shards)
    engine.create_collection(SHARED)
    engine.create_tenants("Shared", {f"t{number}": ACTIVE for number in range(tenants)})
    return engine


def pass_through(gate: Gate) -> None:
    """One call."""
    with gate:
        pass


def test_a_tenant_that_was_never_opened_has_no_folder(tmp_path: Path) -> None:
    """Ten thousand tenants are made in one call; ten thousand folders are not."""
    engine = engine_with(tmp_path, 10_000)
    folder = tmp_path / "collections" / "c000001"
    assert list(folder.iterdir()) == []
    engine.shard("Shared", "t7").put([photo(1)])
    assert len(list(folder.iterdir())) == 1
    engine.drop_tenants("Shared", ["t7"])
    assert list(folder.iterdir()) == []
    assert len(engine.tenants("Shared")) == 9_999
    engine.close()


def test_folders_that_no_tenant_has_are_swept(tmp_path: Path) -> None:
    """A crash between making a folder and naming it, or between forgetting a tenant and removing its folder, leaves one behind."""
    engine = engine_with(tmp_path, 2)
    engine.shard("Shared", "t0").put([photo(1)])
    engine.close()
    folder = tmp_path / "collections" / "c000001"
    shutil.copytree(folder / "t000001", folder / "t000002")
    engine = EmbeddedEngine(tmp_path)
    assert [found.name for found in folder.iterdir()] == ["t000001"]
    assert [engine.shard("Shared", name).count() for name in ("t0", "t1")] == [1, 0]
    engine.close()


def test_a_tenants_missing_folder_is_damage_and_not_a_new_tenant(tmp_path: Path) -> None:
    """An empty answer would hide that the objects are gone; the other tenants go on."""
    engine = engine_with(tmp_path, 2)
    engine.shard("Shared", "t0").put([photo(1)])
    engine.close()
    shutil.rmtree(tmp_path / "collections" / "c000001" / "t000001")
    engine = EmbeddedEngine(tmp_path)
    with pytest.raises((Busy, Corrupt)):
        engine.shard("Shared", "t0")
    assert engine.shard("Shared", "t1").count() == 0
    engine.close()


def test_a_catalogue_of_format_1_is_upgraded(tmp_path: Path) -> None:
    """Folders written before there were tenants open as they are, and take tenants from then on."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(Collection(name="Old", vectors=(VectorConfig(name="clip"),)))
    engine.shard("Old").put([photo(1, [1, 0])])
    engine.close()
    old = sqlite3.connect(tmp_path / "meta.db")
    (definition,) = old.execute("SELECT definition FROM collections").fetchone()
    before = definition.replace(',"tenancy":{"enabled":false,"auto_create":false,"auto_activate":false}', "")
    assert before != definition
    old.execute("UPDATE collections SET definition = ?", (before,))
    old.execute("DROP TABLE tenants")
    old.execute("DROP TABLE aliases")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()

    for _ in range(2):
        engine = EmbeddedEngine(tmp_path)
        assert engine.shard("Old").get([uid(1)], _ALL).keys() == {uid(1)}
        if "Shared" not in [c.name for c in engine.collections()]:
            engine.create_collection(SHARED)
            engine.create_tenants("Shared", {"anna": ACTIVE})
        assert engine.tenants("Shared") == {"anna": ACTIVE}
        engine.close()
    upgraded = sqlite3.connect(tmp_path / "meta.db")
    assert upgraded.execute("PRAGMA user_version").fetchone() == (META_FORMAT,)
    upgraded.close()


def test_no_more_shards_are_open_than_the_limit_and_all_of_them_answer(tmp_path: Path) -> None:
    """Open files and memory are bounded by the limit, not by the number of tenants; a shard that was closed for others opens by itself."""
    engine = engine_with(tmp_path, 60, open_shards=8)
    held = [engine.shard("Shared", f"t{number}") for number in range(60)]
    for number, shard in enumerate(held):
        shard.put([photo(one, [1, number]) for one in range(number % 3)])
    files = len(os.listdir("/proc/self/fd"))
    for number in random.Random(3).sample(range(60), 60):  # noqa: S311 a fixed seed
        assert held[number].count() == number % 3
        assert len(engine._open_shards) <= 8
    assert len(os.listdir("/proc/self/fd")) <= files + 20
    engine.close()
    assert len(engine._open_shards) == 0


def test_shards_under_load_are_never_taken_away(tmp_path: Path) -> None:
    """More threads than open shards, writing and reading everywhere: every write is there afterwards, once."""
    engine = engine_with(tmp_path, 30, open_shards=8)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 a fixed seed
        try:
            for step in range(60):
                shard = engine.shard("Shared", f"t{rng.randrange(30)}")
                shard.put([Record(id=uid(1000 * seed + step))])
                assert shard.get([uid(1000 * seed + step)], _ALL)
        except BaseException as failed:  # noqa: BLE001 told below
            failures.append(failed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(engine.shard("Shared", f"t{number}").count() for number in range(30)) == 12 * 60
    engine.close()


def test_deactivating_waits_for_the_calls_that_run_and_closes_the_files(tmp_path: Path) -> None:
    """Whoever was let in gets an answer; afterwards the tenant takes neither files nor memory."""
    engine = engine_with(tmp_path, 1)
    shard = engine.shard("Shared", "t0")
    done: list[str] = []

    def deactivate() -> None:
        engine.set_tenants("Shared", {"t0": INACTIVE})
        done.append("inactive")

    thread = threading.Thread(target=deactivate)
    with shard._gate:
        thread.start()
        while not shard._gate._barred:
            time.sleep(0.001)
        assert done == []
    thread.join()
    assert len(engine._open_shards) == 0
    with pytest.raises(TenantNotActive):
        shard.count()
    engine.close()


def test_a_gate_wakes_once_for_all_who_wait_and_tries_again_after_a_failure() -> None:
    """Two threads that open one shard at once must not open its files twice; an error belongs to the call that met it."""
    woken: list[int] = []

    def wake() -> None:
        woken.append(1)
        time.sleep(0.05)
        if len(woken) == 1:
            raise OSError("not yet")

    gate = Gate(wake, woken.clear)
    with pytest.raises(OSError, match="not yet"):
        gate.__enter__()
    threads = [threading.Thread(target=pass_through, args=(gate,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(woken) == 2
    assert gate.rest()
    assert woken == []
    assert not gate.rest()


def test_a_held_gate_stays_as_it_is() -> None:
    """A copy of files at rest must not meet a writer, nor a copy of open ones their closing."""
    turns: list[str] = []
    gate = Gate(lambda: turns.append("wake"), lambda: turns.append("sleep"))
    caller = threading.Thread(target=pass_through, args=(gate,))
    with gate.holding() as awake:
        assert not awake
        caller.start()
        time.sleep(0.02)
        assert turns == []
    caller.join()
    with gate.holding() as awake:
        assert awake
        assert not gate.rest()
    assert turns == ["wake"]
    assert gate.close(Busy("closed"))
    assert turns == ["wake", "sleep"]
