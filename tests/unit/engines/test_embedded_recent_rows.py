"""Rows that were read are remembered: what is found again, what goes, and that nothing stale is answered."""

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import Projection, Record
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.recent_rows import RecentRows
from nearimage.engines.embedded.rows import Row
from nearimage.testing.engine_examples import patch

PROPERTIES = 100
"""Bytes of a row's properties here; with what is beside them a row counts 600."""


def row(revision: int, size: int = PROPERTIES) -> Row:
    return (revision, id_of(revision), 0, 0, None, b"", bytes(size), 0, None)


def id_of(revision: int) -> bytes:
    return revision.to_bytes(16, "big")


def test_rows_are_found_by_shard_and_id() -> None:
    """Two collections may have an object of the same id: each must find its own."""
    rows = RecentRows()
    one, other = rows.of_shard(), rows.of_shard()
    one.keep([row(1), row(2)])
    assert one.find([id_of(2), id_of(3), id_of(1)]) == [row(2), None, row(1)]
    assert other.find([id_of(1), id_of(2)]) == [None, None]


def test_what_is_wanted_stays_and_what_is_not_goes() -> None:
    """What everybody asks for must not be pushed out by a long reading of what nobody asks for again."""
    rows = RecentRows(most_bytes=10_000).of_shard()  # ten rows in each half
    rows.keep([row(1), row(2)])
    for revision in range(3, 100):
        rows.keep([row(revision)])
        assert rows.find([id_of(1)]) == [row(1)]
    assert rows.find([id_of(2), id_of(3)]) == [None, None]
    assert rows.find([id_of(99)]) == [row(99)]


def test_memory_is_bounded() -> None:
    """Whatever is read, only so many bytes are held; old and young together."""
    rows = RecentRows(most_bytes=100_000)
    shard = rows.of_shard()
    for revision in range(10_000):
        shard.keep([row(revision)])
        shard.find([id_of(one) for one in range(max(revision - 50, 0), revision)])
    assert 100 <= sum(found is not None for found in shard.find([id_of(one) for one in range(10_000)])) <= 200


def test_long_rows_are_not_kept() -> None:
    """One long text must not push thousands of rows out."""
    rows = RecentRows().of_shard()
    rows.keep([row(1, 1 << 17)])
    assert rows.find([id_of(1)]) == [None]


def test_threads_may_ask_and_keep_at_once() -> None:
    """Readers take no lock to look: none may get another's row while others make room."""
    rows = RecentRows(most_bytes=50_000).of_shard()
    wrong: list[object] = []

    def work(first: int) -> None:
        for number in range(3_000):
            revision = first + number % 120
            (found,) = rows.find([id_of(revision)])
            if found is None:
                rows.keep([row(revision)])
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


def test_an_object_is_got_as_it_is_now(tmp_path: Path) -> None:
    """What was last read of an id is looked for first: it must not be answered once the object was changed, deleted, or stored anew."""
    one = UUID(int=4)
    with closing(EmbeddedEngine(tmp_path)) as engine:
        engine.create_collection(COLLECTION)
        shard = engine.shard("Photo")

        def title() -> object:
            found = shard.get([one, UUID(int=99)], EVERYTHING)
            return found[one].properties["title"] if found else None

        shard.put([photo(number, f"first {number}") for number in range(8)])
        assert title() == title() == "first 3"
        shard.put([photo(3, "second 3")])
        assert title() == title() == "second 3"
        assert patch(shard, one, lambda record: replace(record, properties={"title": "third 3"}))
        assert title() == title() == "third 3"
        assert shard.delete([one]) == 1
        assert title() is title() is None
        shard.put([photo(3, "fourth 3")])
        assert title() == title() == "fourth 3"
