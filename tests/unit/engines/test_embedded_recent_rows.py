"""Rows that were read are remembered: what is found again, what goes, and that nothing stale is answered."""

import threading
from contextlib import closing
from pathlib import Path
from uuid import UUID

from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import Projection, Record
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.recent_rows import RecentRows, Row

PROPERTIES = 100
"""Bytes of a row's properties here; with what is beside them a row counts 500."""


def row(revision: int, size: int = PROPERTIES) -> Row:
    return (revision, bytes(16), 0, 0, None, b"", bytes(size), 0, None)


def test_rows_are_found_by_shard_and_revision() -> None:
    """Revisions of two shards are the same numbers: each must find its own rows."""
    rows = RecentRows()
    one, other = rows.of_shard(), rows.of_shard()
    one.keep([(1, row(1)), (2, row(2))])
    assert one.find([2, 3, 1]) == [row(2), None, row(1)]
    assert other.find([1, 2]) == [None, None]


def test_what_is_wanted_stays_and_what_is_not_goes() -> None:
    """What everybody asks for must not be pushed out by a long reading of what nobody asks for again."""
    rows = RecentRows(most_bytes=10_000).of_shard()  # ten rows in each half
    rows.keep([(1, row(1)), (2, row(2))])
    for revision in range(3, 100):
        rows.keep([(revision, row(revision))])
        assert rows.find([1]) == [row(1)]
    assert rows.find([2, 3]) == [None, None]
    assert rows.find([99]) == [row(99)]


def test_memory_is_bounded() -> None:
    """Whatever is read, only so many bytes are held; old and young together."""
    rows = RecentRows(most_bytes=100_000)
    shard = rows.of_shard()
    for revision in range(10_000):
        shard.keep([(revision, row(revision))])
        shard.find(range(revision - 50, revision))
    assert 100 <= sum(found is not None for found in shard.find(range(10_000))) <= 200


def test_long_rows_are_not_kept() -> None:
    """One long text must not push thousands of rows out."""
    rows = RecentRows().of_shard()
    rows.keep([(1, row(1, 1 << 17))])
    assert rows.find([1]) == [None]


def test_threads_may_ask_and_keep_at_once() -> None:
    """Readers take no lock to look: none may get another's row while others make room."""
    rows = RecentRows(most_bytes=50_000).of_shard()
    wrong: list[object] = []

    def work(first: int) -> None:
        for number in range(3_000):
            revision = first + number % 120
            (found,) = rows.find([revision])
            if found is None:
                rows.keep([(revision, row(revision))])
            elif found[0] != revision:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 60, 120)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


COLLECTION = Collection(name="Photo", properties=(Property(name="title", data_type=DataType.TEXT), Property(name="rank", data_type=DataType.INT)))
EVERYTHING = Projection(properties=None, vectors=())
LOW = Compare(field="rank", operator=Operator.LESS_THAN, value=5)


def photo(number: int, title: str) -> Record:
    return Record(id=UUID(int=number + 1), properties={"title": title, "rank": number}, vectors={}, created_ms=number, updated_ms=number)


def test_a_change_is_seen_although_the_row_before_is_remembered(tmp_path: Path) -> None:
    """A row that was replaced or deleted may still be remembered, and must not be answered any more."""
    with closing(EmbeddedEngine(tmp_path)) as engine:
        engine.create_collection(COLLECTION)
        shard = engine.shard("Photo")

        def titles() -> list[object]:
            return [one.properties["title"] for one in shard.scan(where=LOW, after=None, limit=10, offset=0, projection=EVERYTHING)]

        shard.put([photo(number, f"first {number}") for number in range(8)])
        assert titles() == titles() == [f"first {number}" for number in range(5)]
        shard.put([photo(3, "second 3")])
        assert shard.delete([UUID(int=2)]) == 1
        assert titles() == titles() == ["first 0", "first 2", "second 3", "first 4"]


def test_a_collection_made_anew_under_the_same_name_has_rows_of_its_own(tmp_path: Path) -> None:
    """Revisions begin anew in it: the rows of the dropped one must not be taken for its own."""
    with closing(EmbeddedEngine(tmp_path)) as engine:
        for title in ("before", "after"):
            engine.create_collection(COLLECTION)
            shard = engine.shard("Photo")
            shard.put([photo(0, title)])
            (found,) = shard.scan(where=LOW, after=None, limit=10, offset=0, projection=EVERYTHING)
            assert found.properties["title"] == title
            engine.drop_collection("Photo")
