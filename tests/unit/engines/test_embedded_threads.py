"""Readers beside a writer: every answer is of one commit."""

import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.errors import Busy, NearimageError
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, IDS_ONLY, Projection, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.domain.vectors import distances
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.database import Readers
from nearimage.engines.embedded.gate import Gate
from nearimage.engines.embedded.reading import Reader, Snapshot
from nearimage.engines.embedded.scan import Stored, candidates
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.engines.embedded.state import State
from tests.waiting import eventually

PHOTOS = Collection(name="Photo", properties=(Property(name="n", data_type=DataType.INT),), vectors=(VectorConfig(name="v", metric=Metric.L2_SQUARED),))
OBJECTS, COMMITS = 20, 120


def commit(shard: EmbeddedShard, number: int) -> None:
    """All objects say the same number, in their property and in their vector."""
    vector = np.full(8, number, np.float32)
    shard.put([Record(id=UUID(int=one), properties={"n": number}, vectors={"v": vector}) for one in range(OBJECTS)])


def one_number(records: Sequence[Record]) -> int:
    """The number all records say; whoever reads two commits at once finds several, or too few objects."""
    said = {record.properties["n"] for record in records} | {float(x) for record in records for x in record.vectors["v"]}
    assert len(records) == OBJECTS
    assert len(said) == 1
    return int(float(said.pop()))  # type: ignore[arg-type] # an int property


def test_a_single_get_never_shows_what_searches_do_not_see_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads by one statement, which sees a commit before it is published; who then searches must not find an older world."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard = engine.shard("Photo")
    commit(shard, 1)
    publish, said, seen = shard._publication.publish, list[object](), list[object]()

    def number(one: int) -> object:
        record = shard.get([UUID(int=one)], EVERYTHING_BUT_BLOBS)[UUID(int=one)]
        assert len({record.properties["n"], *record.vectors["v"].tolist()}) == 1
        return record.properties["n"]

    waiting = threading.Thread(target=lambda: said.append(number(2)))  # its row was not read before: it sees that a commit has come in between

    def watched(state: State) -> None:  # committed, not published
        waiting.start()
        seen.append(number(1))  # its row was
        publish(state)
        seen.append(number(1))

    assert number(1) == 1
    monkeypatch.setattr(shard._publication, "publish", watched)
    commit(shard, 2)
    waiting.join()
    assert (seen, said) == ([1, 2], [2])
    engine.close()


def test_a_reader_never_sees_half_a_commit(tmp_path: Path) -> None:
    """A hole in a page, or new properties with old vectors, is what snapshots are for."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard, wrong, done = engine.shard("Photo"), [], threading.Event()
    commit(shard, 1)

    def by_search() -> Sequence[Record]:
        query = np.zeros(8, np.float32)
        where = Compare("n", Operator.GREATER_THAN, 0)
        return shard.nearest("v", query, limit=50, offset=0, where=where, max_distance=None, projection=EVERYTHING_BUT_BLOBS).records

    def by_filter() -> Sequence[Record]:
        return shard.scan(where=Compare("n", Operator.GREATER_THAN, 0), after=None, limit=50, offset=0, projection=EVERYTHING_BUT_BLOBS)

    def by_listing() -> Sequence[Record]:
        return shard.scan(where=None, after=None, limit=50, offset=0, projection=EVERYTHING_BUT_BLOBS)

    def read(ask: Callable[[], Sequence[Record]]) -> None:
        latest = 0
        while not done.is_set():
            try:
                number = one_number(ask())
                assert number >= latest  # time does not run backwards
                latest = number
            except (AssertionError, NearimageError) as found:
                wrong.append(found)
                return

    threads = [threading.Thread(target=read, args=(ask,)) for ask in (by_search, by_filter, by_listing)]
    for thread in threads:
        thread.start()
    for number in range(2, COMMITS):
        commit(shard, number)
        assert one_number(by_search()) == number  # read your writes
    done.set()
    for thread in threads:
        thread.join()
    engine.close()
    assert wrong == []


def test_writers_take_turns(tmp_path: Path) -> None:
    """Compare-and-set from many threads loses no increment."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard, id_ = engine.shard("Photo"), UUID(int=1)
    shard.put([Record(id=id_, properties={"n": 0})])

    def increment() -> None:
        done = 0
        while done < 10:
            stored = shard.get([id_], Projection())[id_]
            try:
                shard.put_if(Record(id=id_, properties={"n": int(str(stored.properties["n"])) + 1}), stored.revision)
            except NearimageError:
                continue
            done += 1

    threads = [threading.Thread(target=increment) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shard.get([id_], Projection())[id_].properties == {"n": 40}
    engine.close()


def test_a_closing_gate_waits_until_the_last_call_has_left() -> None:
    """And lets nobody in meanwhile."""
    gate, order = Gate(), []

    def close() -> None:
        gate.close(Busy("closed"))
        order.append("closed")

    thread = threading.Thread(target=close)
    with gate:
        thread.start()
        eventually("it is closing", lambda: gate._closed is not None)
        with pytest.raises(Busy), gate:
            pass
        thread.join(0.05)  # time enough to be wrong in
        order.append("left")
    thread.join()
    assert order == ["left", "closed"]


def test_closing_waits_for_the_calls_inside(tmp_path: Path) -> None:
    """Unmapping a file under a search kills the process."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard, outcomes = engine.shard("Photo"), []

    def write() -> None:
        number = 0
        try:
            while True:
                commit(shard, number := number + 1)
        except Busy as refused:
            outcomes.append((number - 1, refused))

    thread = threading.Thread(target=write)
    thread.start()
    eventually("the first object is there", lambda: shard.count() > 0)
    engine.close()
    thread.join()
    again = EmbeddedEngine(tmp_path)
    ((last, _),) = outcomes
    assert one_number(again.shard("Photo").scan(where=None, after=None, limit=50, offset=0, projection=EVERYTHING_BUT_BLOBS)) == last
    again.close()


def test_a_ranking_of_ids_asks_sqlite_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The legs of a hybrid search read nothing that is on the disk; asking SQLite for a snapshot all the same took a tenth of it."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard = engine.shard("Photo")
    commit(shard, 1)

    @contextmanager
    def lend(_: Readers) -> Iterator[object]:
        yield object()  # which has no statements

    monkeypatch.setattr(Readers, "lend", lend)

    def found(projection: Projection) -> int:
        return len(shard.nearest("v", np.zeros(8, np.float32), limit=5, offset=0, where=None, max_distance=None, projection=projection).records)

    assert found(IDS_ONLY) == 5
    with pytest.raises(AttributeError):
        found(EVERYTHING_BUT_BLOBS)
    engine.close()


@pytest.mark.parametrize("kind", ["nearest", "filtered", "listed", "by id"])
def test_what_is_read_while_another_commits_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Most readings hold no transaction open; a commit between the search and its rows must not leave a hole in the page, or mix two commits in it."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard = engine.shard("Photo")
    commit(shard, 1)
    ask: dict[str, Callable[[], Sequence[Record]]] = {
        "nearest": lambda: (
            shard.nearest("v", np.zeros(8, np.float32), limit=OBJECTS, offset=0, where=None, max_distance=None, projection=EVERYTHING_BUT_BLOBS).records
        ),
        "filtered": lambda: shard.scan(where=Compare("n", Operator.GREATER_THAN, 0), after=None, limit=OBJECTS, offset=0, projection=EVERYTHING_BUT_BLOBS),
        "listed": lambda: shard.scan(where=None, after=None, limit=OBJECTS, offset=0, projection=EVERYTHING_BUT_BLOBS),
        "by id": lambda: list(shard.get([UUID(int=number) for number in range(OBJECTS)], EVERYTHING_BUT_BLOBS).values()),
    }
    read, writers = Reader._read_loosely, []

    def overtaken(reader: Reader, what: Callable[[Snapshot], object]) -> object:
        def late(snapshot: Snapshot) -> object:
            writers.append(threading.Thread(target=commit, args=(shard, 2)))
            writers[-1].start()
            writers[-1].join()
            return what(snapshot)

        return read(reader, late)

    monkeypatch.setattr(Reader, "_read_loosely", overtaken)
    found = ask[kind]()
    assert len(writers) == 1
    assert one_number(found) == 2
    engine.close()


def test_a_search_copies_no_matrix() -> None:
    """1M x 512 floats are 2 GB; a search that takes as much again ends the process on the machines people have."""
    matrix = np.random.default_rng(1).standard_normal((40_000, 256), np.float32)  # 41 MB
    norms = np.linalg.norm(matrix, axis=1)
    for metric in Metric:
        for share in (1, 5):
            slots = np.arange(0, len(matrix), share)
            tracemalloc.start()
            found = candidates(Stored(metric, matrix, norms), slots, matrix[7], 10)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 14 << 20, metric
            rough = distances(metric, matrix[::share], matrix[7])
            assert set(np.argsort(rough, kind="stable")[:5]) <= set((found // share).tolist())
