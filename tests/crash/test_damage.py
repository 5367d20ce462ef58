"""Files that were cut, grown or damaged between two runs: answered as before, or refused as Corrupt; never answered wrongly."""

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from nearimage.domain.errors import Corrupt, FolderUnusable, FormatTooNew
from nearimage.domain.objects import Projection, Record
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from tests.crash.operations import IDS, apply
from tests.crash.test_kill import assert_equal, same

HISTORY = 30
EVERYTHING = Projection(properties=("n", "text", "blob"), vectors=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a history, closed."""
    engine = EmbeddedEngine(tmp_path / "data")
    for number in range(HISTORY):
        apply(engine, number)
    engine.close()
    return tmp_path / "data"


def shard_folder(folder: Path) -> Path:
    return folder / "collections" / "c000001"


def read_all(folder: Path) -> Sequence[Record]:
    """Every object with everything."""
    engine = EmbeddedEngine(folder)
    try:
        return engine.shard("Photo").scan(where=None, after=None, limit=len(IDS), offset=0, projection=EVERYTHING)
    finally:
        engine.close()


def model_after(operations: int) -> MemoryEngine:
    model = MemoryEngine()
    for number in range(operations):
        apply(model, number)
    return model


def test_what_lies_beyond_the_mark_is_cut_off(folder: Path) -> None:
    """A write that was killed leaves vectors there that no commit names."""
    slots = shard_folder(folder) / "vector-000.slots"
    with slots.open("ab") as file:
        file.write(b"\xff" * 100_000)
    grown = slots.stat().st_size
    engine = EmbeddedEngine(folder)
    assert_equal(engine, model_after(HISTORY))
    assert slots.stat().st_size < grown
    apply(engine, HISTORY)
    assert_equal(engine, model_after(HISTORY + 1))
    engine.close()


def cut(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(file.seek(0, 2) - (2 << 20) if file.seek(0, 2) > (2 << 20) else 4096 + 256)


def flip(offset: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[offset] ^= 0x10
        path.write_bytes(data)

    return damage


@pytest.mark.parametrize("damage", [Path.unlink, cut, flip(0), flip(9), flip(13), flip(17)], ids=["missing", "cut", "magic", "version", "dims", "crc"])
def test_a_damaged_slot_file_is_refused(folder: Path, damage: Callable[[Path], None]) -> None:
    """Mapping a short file would kill the process; reading another length of vectors would answer nonsense."""
    damage(shard_folder(folder) / "vector-000.slots")
    with pytest.raises(Corrupt):
        read_all(folder)


def test_a_damaged_collection_leaves_the_others_alone(folder: Path) -> None:
    """One bad sector must not take the whole database with it, and the damaged collection can still be dropped."""
    (shard_folder(folder) / "vector-000.slots").unlink()
    engine = EmbeddedEngine(folder)
    with pytest.raises(Corrupt):
        engine.shard("Photo")
    engine.drop_collection("Photo")
    apply(engine, 0)
    assert engine.shard("Photo").count() == 0
    engine.close()


@pytest.mark.parametrize("name", ["vector-000.slots", "vector-001.slots", "shard.db"])
def test_a_flipped_byte_is_found_or_harmless(folder: Path, name: str) -> None:
    """Disks and memory flip bits; a distance or a property that is silently wrong is worse than an error."""
    read_all(folder)  # opening cuts the files to what is published
    path, rng = shard_folder(folder) / name, random.Random(3)  # noqa: S311 a fixed seed
    intact, model, found = path.read_bytes(), model_after(HISTORY), 0
    for _ in range(40):
        path.write_bytes(intact)
        flip(rng.randrange(len(intact)))(path)
        engine = EmbeddedEngine(folder)
        try:
            assert_equal(engine, model)
        except (Corrupt, FolderUnusable, FormatTooNew):  # the last two when the header of shard.db is hit
            found += 1
        finally:
            engine.close()
    assert found > 10


def test_an_index_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    """SQLite would answer that there is no such object."""
    engine, id_ = EmbeddedEngine(tmp_path), UUID(bytes=b"sixteen unique b")
    apply(engine, 0)
    engine.shard("Photo").put([Record(id=id_), Record(id=IDS[0])])
    engine.close()
    path = shard_folder(tmp_path) / "shard.db"
    intact = path.read_bytes()
    places = [at for at in range(len(intact)) if intact.startswith(id_.bytes, at)]
    assert len(places) == 2  # the row and the index
    for at in places:
        path.write_bytes(intact)
        flip(at + 15)(path)
        engine = EmbeddedEngine(tmp_path)
        with pytest.raises(Corrupt):
            engine.shard("Photo")
        engine.close()


def test_a_log_cut_anywhere_gives_an_earlier_state_whole(tmp_path: Path) -> None:
    """Power loss takes the end of SQLite's log; each transaction must be there whole or not at all, and its vectors with it."""
    engine = EmbeddedEngine(tmp_path / "data")
    for number in range(12):
        apply(engine, number)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")  # as after a kill: the log is still beside the database
    engine.close()
    log = shard_folder(tmp_path / "copy") / "shard.db-wal"
    models, length, seen = [model_after(number) for number in range(1, 13)], log.stat().st_size, set()
    rng = random.Random(4)  # noqa: S311 a fixed seed
    for at in sorted(rng.sample(range(length), 25), reverse=True):
        shutil.rmtree(tmp_path / "try", ignore_errors=True)
        shutil.copytree(tmp_path / "copy", tmp_path / "try")
        with (shard_folder(tmp_path / "try") / "shard.db-wal").open("rb+") as file:
            file.truncate(at)
        again = EmbeddedEngine(tmp_path / "try")
        again.collections()
        photos = again.shard("Photo")
        page = photos.scan(where=None, after=None, limit=len(IDS), offset=0, projection=EVERYTHING)
        matching = [number for number, model in enumerate(models) if told(page) == told(photos_of(model))]
        assert matching, f"cut at {at}: no state of the history"
        seen.update(matching)
        again.close()
    assert len(seen) > 5


def photos_of(model: MemoryEngine) -> Sequence[Record]:
    return model.shard("Photo").scan(where=None, after=None, limit=len(IDS), offset=0, projection=EVERYTHING)


def told(page: Sequence[Record]) -> list[object]:
    return [(one.id, one.properties, {name: vector.tobytes() for name, vector in one.vectors.items()}) for one in page]


def test_folders_nobody_knows_are_swept(folder: Path) -> None:
    """A crash between making a folder and naming it, or between forgetting it and removing it, leaves one behind."""
    orphan = folder / "collections" / "c000099"
    shutil.copytree(shard_folder(folder), orphan)
    engine = EmbeddedEngine(folder)
    assert not orphan.exists()
    assert same(engine, model_after(HISTORY))
    engine.close()


def test_a_log_cut_at_the_end_of_each_frame_gives_an_earlier_state_whole(tmp_path: Path) -> None:
    """The ends of frames are where a torn log looks most like a whole one."""
    engine = EmbeddedEngine(tmp_path / "data")
    for number in range(4):
        apply(engine, number)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    engine.close()
    log = shard_folder(tmp_path / "copy") / "shard.db-wal"
    models, length = [model_after(number) for number in range(1, 5)], log.stat().st_size
    frame = 24 + 4096
    assert length > 10 * frame
    for at in [*range(32, length, frame)][-30:]:
        shutil.rmtree(tmp_path / "try", ignore_errors=True)
        shutil.copytree(tmp_path / "copy", tmp_path / "try")
        with (shard_folder(tmp_path / "try") / "shard.db-wal").open("rb+") as file:
            file.truncate(at)
        page = read_all(tmp_path / "try")
        assert any(told(page) == told(photos_of(model)) for model in models), f"cut at {at}: no state of the history"
