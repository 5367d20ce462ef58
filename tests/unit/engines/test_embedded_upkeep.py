"""Files of columns, compaction and the check in the background: nothing that a user stored changes."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.errors import Corrupt
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Projection, PropertyValue, Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine, recovery, upkeep
from nearimage.engines.embedded.arrays import open_arrays, write_arrays
from nearimage.engines.embedded.column_files import revisions_on_disk, write_columns
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.engines.embedded.state import State

PHOTOS = Collection(
    name="Photo",
    properties=(
        Property(name="n", data_type=DataType.INT),
        Property(name="text", data_type=DataType.TEXT),
        Property(name="tags", data_type=DataType.TEXT_ARRAY),
        Property(name="blob", data_type=DataType.BLOB),
    ),
    vectors=(VectorConfig(name="v"), VectorConfig(name="w")),
)
EVERYTHING = Projection(properties=("n", "text", "tags", "blob"), vectors=None)


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty objects are a large shard here."""
    monkeypatch.setattr(recovery, "SMALL_SHARD", 30)
    monkeypatch.setattr(upkeep, "SMALL_SHARD", 30)
    monkeypatch.setattr(upkeep, "_FEWEST_DEAD", 5)
    monkeypatch.setattr(upkeep, "_CHANGES_AT_CLOSE", 10**9)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    """An empty database."""
    engine = EmbeddedEngine(tmp_path / "data")
    engine.create_collection(PHOTOS)
    yield engine
    engine.close()


def shard_folder(folder: Path) -> Path:
    return folder / "data" / "collections" / "c000001"


def fill(shard: EmbeddedShard, numbers: Sequence[int], factor: float = 1.0) -> None:
    """Objects, most with a vector or two, some with a picture."""
    records: list[Record] = []
    for number in numbers:
        vectors = {name: np.full(4, number * factor + 1, np.float32) for name, step in (("v", 5), ("w", 3)) if number % step}
        properties: dict[str, PropertyValue] = {"n": number, "text": f"corgi number{number}", "tags": ("a", f"t{number % 3}")}
        if number % 4 == 0:
            properties["blob"] = bytes([number % 256]) * 50
        records.append(Record(id=UUID(int=number), properties=properties, vectors=vectors, created_ms=number, updated_ms=2 * number))
    assert set(shard.put(records)) <= {None}


def told(shard: EmbeddedShard) -> object:
    """Everything a user can ask, in short."""
    page = shard.scan(where=None, after=None, limit=9999, offset=0, projection=EVERYTHING)
    objects = [(r.id, dict(r.properties), {n: v.tobytes() for n, v in r.vectors.items()}, r.created_ms, r.updated_ms) for r in page]
    filters = (
        Compare("n", Operator.LESS_THAN, 40), Compare("text", Operator.EQUAL, "number7"), Compare("tags", Operator.EQUAL, "t1"),
        Compare("blob", Operator.IS_NULL, True), Compare("tags", Operator.NOT_EQUAL, "a"),
    )  # fmt: skip
    found = [[r.id for r in shard.scan(where=where, after=None, limit=9999, offset=0, projection=IDS_ONLY)] for where in filters]
    near = [
        shard.nearest(name, np.array([1, 2, 3, 4], np.float32), limit=50, offset=0, where=where, max_distance=None, projection=IDS_ONLY)
        for name in ("v", "w")
        for where in (None, filters[0])
    ]
    return objects, found, [([r.id for r in one.records], one.distances.tolist()) for one in near], shard.count()


def rest(shard: EmbeddedShard) -> None:
    """Wait until the background has done what the last writes asked for: compaction makes rows of its own."""
    assert shard._background.wait(60)


def keep_up(shard: EmbeddedShard) -> None:
    """Write a file of columns now."""
    rest(shard)
    shard._upkeep.write_columns(lambda: False)


def reopen(engine: EmbeddedEngine, folder: Path) -> EmbeddedEngine:
    """As after a kill: a copy of the folder as it lies there, opened."""
    rest(engine.shard("Photo"))
    shutil.rmtree(folder / "copy", ignore_errors=True)
    shutil.copytree(folder / "data", folder / "copy" / "data")
    return EmbeddedEngine(folder / "copy" / "data")


def columns_taken(engine: EmbeddedEngine) -> int:
    """The revision of the file of columns that opening took."""
    return engine.shard("Photo")._writer.columns


def test_opening_takes_the_columns_from_their_file_and_adds_what_came_since(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A million objects must open in seconds, with what was written, changed and deleted after the file."""
    shard = engine.shard("Photo")
    fill(shard, range(100))
    shard.delete([UUID(int=number) for number in range(0, 30, 7)])
    keep_up(shard)
    fill(shard, range(95, 120))
    fill(shard, (50, 51), factor=3.0)
    shard.delete([UUID(int=number) for number in (40, 41, 118)])
    again = reopen(engine, tmp_path)
    assert told(again.shard("Photo")) == told(shard)
    assert columns_taken(again) > 0
    for one in (engine, again):  # and it goes on from there
        fill(one.shard("Photo"), range(10, 20), factor=0.5)
        one.shard("Photo").delete([UUID(int=99)])
    assert told(again.shard("Photo")) == told(shard)
    again.close()


def test_a_reused_slot_has_the_norm_of_its_new_vector(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """The file of columns knows the norm of the vector that was there before; a cosine with it is wrong."""
    shard = engine.shard("Photo")
    fill(shard, range(60))
    keep_up(shard)
    shard.delete([UUID(int=number) for number in range(17)])  # too few to be compacted in the background, which would take the free slots
    shard._writer.settle()
    end = shard._publication.state.slots
    fill(shard, range(100, 115), factor=100.0)
    assert shard._publication.state.slots == end
    again = reopen(engine, tmp_path)
    assert told(again.shard("Photo")) == told(shard)
    assert columns_taken(again) > 0
    again.close()


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "other properties", "of a lost history"])
def test_a_useless_file_of_columns_is_no_error(engine: EmbeddedEngine, tmp_path: Path, damage: str) -> None:
    """It is derived: every object is read instead."""
    shard = engine.shard("Photo")
    fill(shard, range(60))
    keep_up(shard)
    fill(shard, range(50, 70))
    expected = told(shard)
    engine.close()
    (revision,) = revisions_on_disk(shard_folder(tmp_path))
    path = shard_folder(tmp_path) / f"columns-{revision}.arrays"
    data, contents = path.read_bytes(), open_arrays(path)
    assert contents
    path.unlink()
    if damage == "cut":
        path.write_bytes(data[:-9])
    elif damage == "flipped":
        path.write_bytes(data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])
    elif damage == "of a lost history":
        (shard_folder(tmp_path) / f"columns-{revision + 1000}.arrays").write_bytes(data)
    elif damage == "other properties":
        write_arrays(path, contents.arrays, contents.about | {"properties": {"n": ["text", "word", True, True, False]}})
    again = EmbeddedEngine(tmp_path / "data")
    assert told(again.shard("Photo")) == expected
    assert columns_taken(again) == 0
    assert revisions_on_disk(shard_folder(tmp_path)) == []
    again.close()


def test_dead_rows_leave_memory_and_readers_keep_theirs(engine: EmbeddedEngine) -> None:
    """A shard whose objects are changed all day must not grow until it is closed."""
    shard = engine.shard("Photo")
    for factor in (1.0, 2.0, 3.0):
        fill(shard, range(60), factor=factor)
    with shard._reader.snapshot() as snapshot:
        old = len(snapshot.state.live)
        before = told(shard)
        keep_up(shard)
        assert len(shard._publication.state.live) == 60 < old
        assert told(shard) == before
        column = snapshot.state.vectors["v"]
        assert len(column.owners(snapshot.state.live)[0]) == 48  # the old state still answers
    fill(shard, range(58, 70))
    assert shard.count() == 70
    assert [r.id.int for r in shard.scan(where=Compare("text", Operator.EQUAL, "number69"), after=None, limit=9, offset=0, projection=IDS_ONLY)] == [69]


def test_compaction_moves_objects_and_gives_the_end_of_the_files_back(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Whoever deletes half of a million pictures wants the disk back, and every other picture as it was."""
    shard = engine.shard("Photo")
    fill(shard, range(200))
    shard.delete([UUID(int=number) for number in range(0, 200, 2)])
    before = told(shard)
    rest(shard)
    shard._upkeep.compact(lambda: False)
    assert told(shard) == before
    state = shard._publication.state
    assert state.slots <= 110
    again = reopen(engine, tmp_path)
    assert told(again.shard("Photo")) == before
    assert (tmp_path / "copy" / "data" / "collections" / "c000001" / "vector-000.slots").stat().st_size <= 4096 + 110 * 16
    again.close()
    fill(shard, range(300, 340))
    assert shard.count() == 140
    assert len(shard.scan(where=Compare("n", Operator.GREATER_THAN_EQUAL, 300), after=None, limit=99, offset=0, projection=EVERYTHING)) == 40


def test_damage_in_a_large_shard_is_found_after_opening(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """It opens without reading everything; but it must not go on for long beside a flipped bit, nor hand one out."""
    shard = engine.shard("Photo")
    fill(shard, range(60))
    keep_up(shard)
    engine.close()
    path = shard_folder(tmp_path) / "vector-000.slots"
    data = bytearray(path.read_bytes())
    data[4096 + 16 * 20 + 3] ^= 1
    path.write_bytes(data)
    again = EmbeddedEngine(tmp_path / "data")
    handle = again.shard("Photo")
    with pytest.raises(Corrupt):
        handle.scan(where=None, after=None, limit=99, offset=0, projection=EVERYTHING)
    assert again.background.wait(10)
    with pytest.raises(Corrupt):
        handle.count()
    again.close()


def test_commits_beside_the_writing_of_columns_do_not_have_them_written_once_more(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each commit asks again while the last answer is being written; an import would pay for every file of columns twice."""
    written: list[int] = []

    def write(folder: Path, state: State, collection: Collection) -> None:
        if not written:
            fill(shard, [40])
        written.append(state.count)
        write_columns(folder, state, collection)

    monkeypatch.setattr(upkeep, "_CHANGES_A_FILE", 20)
    monkeypatch.setattr(upkeep, "write_columns", write)
    shard = engine.shard("Photo")
    fill(shard, range(40))
    assert engine.background.wait(60)
    assert written == [40]
    fill(shard, range(41, 70))
    assert engine.background.wait(60)
    assert written == [40, 70]


def test_the_columns_of_a_large_shard_are_written_before_a_kill_would_cost_long(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a million objects, read one by one on opening, keeps everybody waiting for 14 seconds."""
    monkeypatch.setattr(upkeep, "_CHANGES_A_FILE", 5)
    monkeypatch.setattr(upkeep, "_MOST_CHANGES", 10)
    shard = engine.shard("Photo")
    fill(shard, range(100))
    assert engine.background.wait(60)
    assert shard._writer.columns == 100
    fill(shard, range(100, 111))
    assert engine.background.wait(60)
    assert shard._writer.columns == 111
