"""What `nearimage check` finds, and that it changes nothing."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.checks import CheckReport, Severity
from nearimage.domain.errors import Corrupt, FolderInUse, FolderUnusable, NearimageError, SnapshotUnusable
from nearimage.domain.objects import IDS_ONLY
from nearimage.engines.embedded import EmbeddedEngine, check_folder, check_snapshot
from nearimage.testing.engine_examples import PHOTOS as PHOTOS_WITH_WORDS
from nearimage.testing.engine_examples import photo
from nearimage.testing.vectors_contract import words
from tests.unit.engines.test_embedded_snapshots import PHOTOS, content, fill

PHOTO = Path("collections") / "c000001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with something of everything, closed."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    engine.close()
    return tmp_path / "data"


def files(folder: Path) -> dict[str, bytes]:
    """Every file but the lock, which the check takes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


def damaged(report: CheckReport) -> set[str]:
    """The files in which something stored is damaged."""
    return {Path(finding.path).name for finding in report.findings if finding.severity is Severity.DAMAGED}


def test_a_sound_database_is_said_to_be_sound_and_left_as_it_is(folder: Path) -> None:
    """People run it because they are worried; it must not be what spoils their last copy."""
    before, seen = files(folder), list[tuple[int, int]]()
    report = check_folder(folder, lambda done, total: seen.append((done, total)))
    assert report.is_sound
    assert report.findings == ()
    assert (report.collections, report.shards, report.objects, report.vectors, report.pictures) == (3, 5, 44, 43, 36)
    assert files(folder) == before
    assert seen[-1][0] == seen[-1][1]


def test_what_a_kill_left_in_the_log_counts_and_stays_there(tmp_path: Path) -> None:
    """After a crash the newest objects are only in SQLite's log, and few vectors only there too; neither is damage."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    shutil.copytree(tmp_path / "data", tmp_path / "killed")
    engine.close()
    before = files(tmp_path / "killed")
    assert any(name.endswith("-wal") and data for name, data in before.items())
    report = check_folder(tmp_path / "killed")
    assert (report.is_sound, report.objects) == (True, 44)
    after = files(tmp_path / "killed")
    assert {name for name in after if not name.endswith("-shm")} == {name for name in before if not name.endswith("-shm")}
    assert all(after[name] == data for name, data in before.items() if not name.endswith("-shm"))


def test_a_damaged_multi_vector_is_found(tmp_path: Path) -> None:
    """It lies among the pictures, and would give a search wrong distances without a sign."""
    engine = EmbeddedEngine(tmp_path / "data")
    engine.create_collection(PHOTOS_WITH_WORDS)
    engine.shard("Photo").put([words(1, [[1, 0], [0, 1]]), photo(2, None, blob=b"picture")])
    engine.close()
    report = check_folder(tmp_path / "data")
    assert (report.is_sound, report.vectors, report.pictures) == (True, 1, 1)
    change("UPDATE pictures SET bytes = zeroblob(16) WHERE name = 'vector:words'")(tmp_path / "data")
    assert damaged(check_folder(tmp_path / "data")) == {"shard.db"}
    engine = EmbeddedEngine(tmp_path / "data")
    with pytest.raises(Corrupt, match="multi-vector 'words'"):
        engine.shard("Photo").nearest("words", np.ones((1, 2), np.float32), limit=1, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
    engine.close()


def flip(name: Path, offset: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[offset] ^= 0x10
        (folder / name).write_bytes(data)

    return damage


def cut(folder: Path) -> None:
    with (folder / PHOTO / "vector-000.slots").open("rb+") as file:
        file.truncate(4096 + 8)


def change(sql: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        connection = sqlite3.connect(folder / PHOTO / "shard.db")
        connection.execute(sql)
        connection.commit()
        connection.close()

    return damage


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (flip(PHOTO / "vector-000.slots", 4096 + 9), "vector-000.slots"),
        (flip(PHOTO / "vector-000.slots", 3), "vector-000.slots"),
        (cut, "vector-000.slots"),
        (lambda folder: (folder / PHOTO / "vector-001.slots").unlink(), "vector-001.slots"),
        (lambda folder: (folder / PHOTO / "shard.db").unlink(), "shard.db"),
        (lambda folder: shutil.rmtree(folder / PHOTO), "shard.db"),
        (lambda folder: (folder / PHOTO / "shard.db").write_bytes(b"no database" * 1000), "shard.db"),
        (change("UPDATE objects SET updated_ms = 3 WHERE revision = 5"), "shard.db"),
        (change("UPDATE objects SET properties = 'text' WHERE revision = 5"), "shard.db"),
        (change("UPDATE pictures SET bytes = x'01'"), "shard.db"),
        (change("DELETE FROM pictures"), "shard.db"),
        (change("DELETE FROM objects WHERE revision = 5"), "shard.db"),
        (change("PRAGMA user_version = 99"), "shard.db"),
        (lambda folder: (folder / "meta.db").write_bytes(b"no database" * 1000), "meta.db"),
    ],
    ids=["vector", "header", "cut", "no slots", "no shard", "no folder", "foreign", "row", "type", "picture", "pictures", "object", "newer", "catalogue"],
)
def test_damage_is_found_and_told_with_what_to_do(folder: Path, damage: Callable[[Path], object], file: str) -> None:
    """By collection and file, and without stopping at the first."""
    damage(folder)
    report = check_folder(folder)
    assert not report.is_sound
    assert damaged(report) == {file}
    assert all(finding.advice and finding.what for finding in report.findings)
    assert {finding.place for finding in report.findings} == {"" if file == "meta.db" else "Photo"}
    if file != "meta.db":
        assert report.shards == 5


def test_whatever_opening_would_refuse_the_check_finds(tmp_path: Path) -> None:
    """A flipped byte anywhere: if the database refuses to open or to answer, the check must have said so; and it never breaks down itself."""
    engine = EmbeddedEngine(tmp_path / "data")
    engine.create_collection(PHOTOS)
    engine.shard("Photo").put([photo(number, [number + 1.0] * 40, text=f"corgi {number}", blob=b"x" * 50) for number in range(20)])
    engine.close()
    rng, found = random.Random(8), 0  # noqa: S311 a fixed seed
    names = [path.relative_to(tmp_path / "data") for path in (tmp_path / "data").rglob("*") if path.suffix in (".db", ".slots")]
    for _ in range(100):
        shutil.rmtree(tmp_path / "try", ignore_errors=True)
        shutil.copytree(tmp_path / "data", tmp_path / "try")
        name = rng.choice(names)
        flip(name, rng.randrange((tmp_path / "try" / name).stat().st_size))(tmp_path / "try")
        report = check_folder(tmp_path / "try")
        found += not report.is_sound
        assert report.is_sound <= _answers(tmp_path / "try"), name
    assert found > 5


def _answers(folder: Path) -> bool:
    try:
        engine = EmbeddedEngine(folder)
    except NearimageError:
        return False
    try:
        return bool(content(engine)) or True
    except NearimageError:
        return False
    finally:
        engine.close()


def test_folders_that_a_crash_left_are_told_and_are_no_damage(folder: Path) -> None:
    """The next opening removes them."""
    shutil.copytree(folder / PHOTO, folder / "collections" / "c000099")
    shutil.copytree(folder / PHOTO, folder / "collections" / "c000003" / "t000099")
    report = check_folder(folder)
    assert report.is_sound
    assert [(finding.severity, Path(finding.path).name) for finding in report.findings] == [(Severity.LEFTOVER, "c000099"), (Severity.LEFTOVER, "t000099")]


def test_damage_to_what_is_made_from_objects_is_told_and_is_no_loss(folder: Path) -> None:
    """The next opening reads the objects themselves."""
    engine = EmbeddedEngine(folder)
    engine.shard("Photo")._upkeep.write_columns(lambda: False)
    engine.close()
    assert check_folder(folder).findings == ()
    (columns,) = (folder / PHOTO).glob("*.arrays")
    flip(columns.relative_to(folder), columns.stat().st_size // 2)(folder)
    report = check_folder(folder)
    assert report.is_sound
    assert [(finding.severity, finding.path) for finding in report.findings] == [(Severity.REBUILT, str(columns))]


def test_a_database_in_use_is_not_examined(folder: Path, tmp_path: Path) -> None:
    """It changes while one looks; and a folder without a database is a mistake in the path, not a sound database."""
    engine = EmbeddedEngine(folder)
    with pytest.raises(FolderInUse):
        check_folder(folder)
    engine.close()
    assert check_folder(folder).is_sound
    for nothing in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(FolderUnusable):
            check_folder(nothing)
    assert not (tmp_path / "nowhere").exists()


def test_a_backup_can_be_examined_too(folder: Path, tmp_path: Path) -> None:
    """Before one needs it."""
    engine = EmbeddedEngine(folder)
    engine.snapshot(tmp_path / "backup")
    engine.close()
    report = check_snapshot(tmp_path / "backup")
    assert (report.is_sound, report.collections, report.shards, report.objects) == (True, 3, 5, 44)
    flip(Path("c000002") / "shard.db", 99)(tmp_path / "backup")
    report = check_snapshot(tmp_path / "backup")
    assert damaged(report) == {"shard.db"}
    (tmp_path / "backup" / "manifest.json").unlink()
    with pytest.raises(SnapshotUnusable):
        check_snapshot(tmp_path / "backup")
