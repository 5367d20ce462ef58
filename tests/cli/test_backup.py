"""`backup`, `restore` and `check` as the shell starts them."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from nearimage.domain.schema import Collection, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.testing.engine_examples import photo


def nearimage(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "nearimage", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database of two collections."""
    engine = EmbeddedEngine(tmp_path / "data")
    for name in ("Dog", "Cat"):
        engine.create_collection(Collection(name=name, vectors=(VectorConfig(name="clip"),)))
        engine.shard(name).put([photo(number, [1, number]) for number in range(5)])
    engine.close()
    return tmp_path / "data"


def count(folder: Path, name: str) -> int:
    engine = EmbeddedEngine(folder)
    try:
        return engine.shard(name).count()
    finally:
        engine.close()


def test_a_backup_comes_back_into_a_new_folder(folder: Path, tmp_path: Path) -> None:
    """The whole way that a person goes, with what each step says."""
    made = nearimage("backup", folder, tmp_path / "backup")
    checked = nearimage("check", tmp_path / "backup")
    restored = nearimage("restore", tmp_path / "backup", tmp_path / "new", "--collection", "Dog", "--json")

    assert (made.returncode, made.stdout, made.stderr) == (0, f"2 collections copied to {tmp_path / 'backup'}: Cat, Dog\n", "")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "2 collections, 2 shards, 10 objects, 10 vectors, 0 pictures; all of it sound" in checked.stdout
    assert orjson.loads(restored.stdout) == {"collections": ["Dog"], "folder": str(tmp_path / "new")}
    assert count(tmp_path / "new", "Dog") == 5


def test_what_goes_wrong_is_one_line_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    """A new folder with half a database in it would be opened by the next command."""
    assert nearimage("backup", folder, tmp_path / "backup").returncode == 0
    slots = tmp_path / "backup" / "c000001" / "vector-000.slots"
    slots.write_bytes(slots.read_bytes()[:-1] + b"\xff")

    restored = nearimage("restore", tmp_path / "backup", tmp_path / "new")
    again = nearimage("backup", folder, tmp_path / "backup")
    nowhere = nearimage("backup", tmp_path / "nowhere", tmp_path / "other")

    for outcome, words in ((restored, "missing or damaged"), (again, "not empty"), (nowhere, "no database")):
        assert outcome.returncode == 1
        assert words in outcome.stderr
        assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "other").exists()


def test_the_check_tells_people_and_programs_what_is_damaged(folder: Path) -> None:
    """A table for one, JSON for the other, and the exit code for scripts."""
    slots = folder / "collections" / "c000001" / "vector-000.slots"
    data = slots.read_bytes()
    slots.write_bytes(data[:4096] + b"\xff" + data[4097:])

    shown, told = nearimage("check", folder), nearimage("check", folder, "--json")

    assert (shown.returncode, told.returncode) == (1, 1)
    assert "Dog" in shown.stdout
    assert "1 damaged" in shown.stdout
    report = orjson.loads(told.stdout)
    assert (report["sound"], [finding["place"] for finding in report["findings"]]) == (False, ["Dog"])


def test_a_database_in_use_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """The message names who has it."""
    engine = EmbeddedEngine(folder)
    for arguments in (("check", folder), ("backup", folder, tmp_path / "backup")):
        refused = nearimage(*arguments)
        assert refused.returncode == 1
        assert "in use by process" in refused.stderr
    engine.close()
