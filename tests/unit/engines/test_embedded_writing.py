"""What a commit holds, what it writes, and which slots it takes."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import DimensionMismatch, NearimageError, ObjectChanged, ObjectExists
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import Projection, PropertyValue, Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.free_slots import FreeSlots
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.testing.engine_examples import patch
from tests.waiting import eventually

PHOTOS = Collection(
    name="Photo",
    properties=(Property(name="n", data_type=DataType.INT), Property(name="blob", data_type=DataType.BLOB)),
    vectors=(VectorConfig(name="v"),),
)
EVERYTHING = Projection(properties=("n", "blob"), vectors=None)


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[EmbeddedShard]:
    """An empty shard."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    yield engine.shard("Photo")
    engine.close()


def photo(number: int, vector: float | None = None, **properties: PropertyValue) -> Record:
    """An object, if need be with a vector all of one number."""
    return Record(id=UUID(int=number), properties=properties, vectors={} if vector is None else {"v": np.full(4, vector, np.float32)})


def together(shard: EmbeddedShard, *calls: object) -> list[object]:
    """What calls return or raise that reach the writer while it is busy, so that one commit takes them all, in order."""
    answers: list[object] = [None] * len(calls)
    turns = shard._writer._turns

    def call(position: int) -> None:
        try:
            answers[position] = calls[position]()  # type: ignore[operator] # callables
        except NearimageError as refused:
            answers[position] = type(refused)

    threads: list[threading.Thread] = []
    with turns._lock:
        turns._is_led = True
    for position in range(len(calls)):
        threads.append(threading.Thread(target=call, args=(position,)))
        threads[-1].start()
        eventually("it asks for a turn", lambda: len(turns._waiting) == len(threads))
    turns._waiting[0].wake.release()
    for thread in threads:
        thread.join()
    return answers


def test_requests_of_one_commit_see_each_other_and_fail_alone(shard: EmbeddedShard) -> None:
    """Sixteen clients at once must get the answers that they would have got one after another."""
    shard.put([photo(1, n=1), photo(2, n=2)])
    seen = shard.get([UUID(int=1)], EVERYTHING)[UUID(int=1)].revision
    before = shard._publication.state.revision
    answers = together(
        shard,
        lambda: shard.put([photo(3, 1.0), Record(id=UUID(int=4), vectors={"v": np.ones(3, np.float32)})]),
        lambda: shard.put_if(photo(1, n=10), seen),
        lambda: shard.put_if(photo(1, n=11), seen),
        lambda: shard.put_if(photo(3), 0),
        lambda: shard.delete([UUID(int=3), UUID(int=2), UUID(int=9)]),
        lambda: shard.put_if(photo(2, n=20), 0),
        lambda: shard.delete([UUID(int=3)]),
    )
    assert [type(one) for one in answers[0]] == [type(None), DimensionMismatch]  # type: ignore[attr-defined] # a tuple
    assert answers[1:] == [None, ObjectChanged, ObjectExists, 2, None, 0]
    assert {key.int: one.properties for key, one in shard.get([UUID(int=n) for n in range(9)], EVERYTHING).items()} == {1: {"n": 10}, 2: {"n": 20}}
    assert shard._publication.state.revision == before + 2  # one commit of two rows


def test_a_patch_sees_what_the_same_commit_stored(shard: EmbeddedShard) -> None:
    """It must neither work on the version before, nor lose the vector and the picture that came with the new one."""
    shard.put([photo(1, 1.0, n=1, blob=b"old")])

    def more(old: Record) -> Record:
        return replace(old, properties={"n": int(str(old.properties["n"])) + 1})

    answers = together(
        shard,
        lambda: patch(shard, UUID(int=1), more),
        lambda: patch(shard, UUID(int=1), more),
        lambda: shard.put([photo(2, 2.0, n=10, blob=b"new")]),
        lambda: patch(shard, UUID(int=2), more),
        lambda: shard.delete([UUID(int=2)]),
        lambda: patch(shard, UUID(int=2), more),
        lambda: shard.put([photo(3, 3.0, n=20, blob=b"new")]),
        lambda: patch(shard, UUID(int=3), more),
    )
    assert answers == [True, True, (None,), True, 1, False, (None,), True]
    found = {one.id.int: one for one in shard.scan(where=None, after=None, limit=9, offset=0, projection=EVERYTHING)}
    assert {number: dict(one.properties) for number, one in found.items()} == {1: {"n": 3, "blob": b"old"}, 3: {"n": 21, "blob": b"new"}}
    assert [float(one.vectors["v"][0]) for one in found.values()] == [1.0, 3.0]
    assert shard.count(Compare("blob", Operator.IS_NULL, value=False)) == 2


def test_many_writers_lose_nothing(shard: EmbeddedShard) -> None:
    """Each call that returned is stored, whoever committed it."""

    def write(first: int) -> None:
        for number in range(first, first + 40):
            shard.put([photo(number, float(number + 1), n=number)])

    threads = [threading.Thread(target=write, args=(first,)) for first in range(0, 320, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = shard.scan(where=None, after=None, limit=999, offset=0, projection=EVERYTHING)
    assert [(one.properties["n"], one.vectors["v"][0]) for one in found] == [(number, number + 1) for number in range(320)]


def test_a_patch_does_not_write_pictures_again(shard: EmbeddedShard) -> None:
    """A million changed captions must not rewrite a million pictures."""

    def stored() -> list[tuple[object, ...]]:
        with shard._reader.snapshot() as snapshot:
            return snapshot.connection.execute("SELECT key, bytes FROM pictures").fetchall()

    shard.put([photo(1, n=1, blob=b"x" * 9000)])
    (first,) = stored()
    shard.put([photo(1, n=2, blob=b"x" * 9000)])
    assert stored() == [first]
    assert shard.get([UUID(int=1)], EVERYTHING)[UUID(int=1)].properties == {"n": 2, "blob": b"x" * 9000}
    shard.put([photo(1, n=2, blob=b"y" * 9000)])
    assert [data for _, data in stored()] == [b"y" * 9000]
    (second,) = stored()
    assert patch(shard, UUID(int=1), lambda old: replace(old, properties={"n": 3}))
    assert stored() == [second]
    shard.put([photo(1, n=2)])
    assert stored() == []


def test_slots_are_given_again_when_nobody_can_read_them(shard: EmbeddedShard) -> None:
    """Or a shard whose objects change for years would never stop growing; but a reader keeps what it saw."""
    shard.put([photo(number, 1.0) for number in range(10)])
    shard.delete([UUID(int=number) for number in range(5)])
    shard.put([photo(20, 2.0)])
    assert shard._publication.state.slots == 11  # the deletion is in SQLite's log only
    with shard._reader.snapshot() as snapshot:
        shard._writer.settle()
        shard.delete([UUID(int=5)])
        shard.put([photo(21, 3.0), photo(22, 4.0)])
        shard._writer.settle()
        shard.put([photo(23, 3.0)])
        column = snapshot.state.vectors["v"]
        assert column.file.matrix()[column.owners(snapshot.state.live)[1]].sum() == 4 * (5 * 1 + 2)
    shard._writer.settle()
    ends = []
    for number in range(30, 37):
        shard.put([photo(number, float(number))])
        ends.append(shard._publication.state.slots)
    assert ends[0] == ends[-2] < ends[-1]
    found = {one.id.int: float(one.vectors["v"][0]) for one in shard.scan(where=None, after=None, limit=99, offset=0, projection=EVERYTHING)}
    assert found == {6: 1, 7: 1, 8: 1, 9: 1, 20: 2, 21: 3, 22: 4, 23: 3} | {number: number for number in range(30, 37)}


def test_a_small_write_waits_for_the_disk_once_and_is_safe_without_its_slot_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its vectors ride in the transaction; what the kernel had not written of the slot file is written again on opening."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard = engine.shard("Photo")
    shard.put([photo(0, 1.0)])
    shard._writer.settle()
    forced: list[int] = []
    monkeypatch.setattr("nearimage.engines.embedded.slots.force", forced.append)
    shard.put([photo(number, float(number)) for number in range(1, 9)])
    assert forced == []
    monkeypatch.undo()
    lost = tmp_path / "collections" / "c000001"
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in lost.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    engine.close()
    for path in copy.iterdir():
        (lost / path.name).write_bytes(path.read_bytes())
    (lost / "vector-000.slots").write_bytes((copy / "vector-000.slots").read_bytes()[: 4096 + 16])  # power was cut before the rest was written
    engine = EmbeddedEngine(tmp_path)
    found = engine.shard("Photo").scan(where=None, after=None, limit=99, offset=0, projection=EVERYTHING)
    assert [one.vectors["v"][0] for one in found] == [1, 1, 2, 3, 4, 5, 6, 7, 8]
    engine.close()


def test_a_slot_given_again_forgets_the_pending_vector_of_its_former_owner(shard: EmbeddedShard, tmp_path: Path) -> None:
    """Opening would write the old vector over the new one."""
    shard.put([photo(1, 1.0)])
    shard._writer.settle()
    shard.delete([UUID(int=1)])
    shard._writer.settle()
    shard.put([photo(2, 2.0)])
    shard.delete([UUID(int=2)])
    writer = shard._writer
    writer._checkpoints.revision = shard._publication.state.revision
    shard.put([Record(id=UUID(int=number), vectors={"v": np.full(4, number, np.float32)}) for number in range(100, 4300)])  # more than rides along
    assert shard._publication.state.slots == 4200
    connection = apsw.Connection(str(tmp_path / "collections" / "c000001" / "shard.db"), flags=apsw.SQLITE_OPEN_READWRITE)
    assert connection.execute("SELECT count(*) FROM pending").get == 0
    connection.close()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 9)), max_size=40))
def test_a_slot_is_never_given_twice_at_once(steps: list[tuple[bool, int, int]]) -> None:
    """Two objects in one slot would answer with one vector."""
    free, used = FreeSlots(np.array([1, 4], np.int64), 6), {0, 2, 3, 5}
    for revision, (gives, number, lag) in enumerate(steps, 1):
        if gives:
            slots = free.peek(number % 6)
            assert not used & set(slots.tolist())
            assert slots.tolist() == sorted(set(slots.tolist()))
            free.take(len(slots))
            used |= set(slots.tolist())
        elif used:
            gone = sorted(used)[number % len(used)]
            used.remove(gone)
            free.bury(revision, np.array([gone], np.int64))
        free.release(revision - lag)
        if number == 30:
            free.cut()
        assert max(used, default=-1) < free.end
        assert free.dead == free.end - len(used)
