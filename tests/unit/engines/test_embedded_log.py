"""Copying SQLite's log in the background: nobody waits for it, it comes to an end, and a disk that fails on the way is noticed."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.errors import Busy
from nearimage.domain.objects import IDS_ONLY, Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.log_copier import LogCopier
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.engines.embedded.slots import SlotFile

PHOTOS = Collection(name="Photo", properties=(Property(name="blob", data_type=DataType.BLOB),), vectors=(VectorConfig(name="v"),))
MEGABYTE = 1 << 20
LONG_LOG = 5
"""Megabytes after which a log is long."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    """An empty database."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    yield engine
    engine.close()


def put(shard: EmbeddedShard, numbers: range) -> None:
    """Objects of a megabyte, each in a commit of its own."""
    for number in numbers:
        shard.put([Record(id=UUID(int=number), properties={"blob": bytes([number]) * MEGABYTE}, vectors={"v": np.ones(4, np.float32)})])


def test_writes_go_on_while_the_log_is_copied(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow disk copying takes a tenth of a second; a user who stores one picture must not be the one who waits."""
    began, may_go_on, copied = threading.Event(), threading.Event(), LogCopier.copy

    def slow(copier: LogCopier) -> None:
        began.set()
        assert may_go_on.wait(60)
        copied(copier)

    monkeypatch.setattr(LogCopier, "copy", slow)
    shard = engine.shard("Photo")
    put(shard, range(LONG_LOG))
    assert began.wait(60)
    put(shard, range(LONG_LOG, 2 * LONG_LOG))
    assert shard.count() == 2 * LONG_LOG
    may_go_on.set()


def test_the_log_begins_anew_once_it_is_copied(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A log that only grows fills the disk, and every read looks through it."""
    shard = engine.shard("Photo")
    for first in range(0, 10 * LONG_LOG, LONG_LOG):
        put(shard, range(first, first + LONG_LOG))
        assert engine._checkpoints.wait(60)
    assert (tmp_path / "collections/c000001/shard.db-wal").stat().st_size < 3 * LONG_LOG * MEGABYTE
    assert shard._writer._checkpoints.revision >= 9 * LONG_LOG


def test_reading_alone_writes_nothing(tmp_path: Path) -> None:
    """A tenant of which something is read is opened and put to rest again and again; each wait for the disk would be paid for at each visit."""
    path = tmp_path / "collections" / "c000001" / "shard.db"
    for visit in range(2):
        engine = EmbeddedEngine(tmp_path)
        if not visit:
            engine.create_collection(PHOTOS)
            put(engine.shard("Photo"), range(5))  # so few vectors ride in the log, and leave it when the shard is put to rest
        stored = path.stat()
        assert len(engine.shard("Photo").scan(where=None, after=None, limit=9, offset=0, projection=IDS_ONLY)) == 5
        log_bytes = path.with_name("shard.db-wal").stat().st_size
        engine.close()
    assert (log_bytes, path.stat().st_mtime_ns, path.stat().st_size) == (0, stored.st_mtime_ns, stored.st_size)


def test_a_reader_that_keeps_the_log_does_not_have_it_copied_after_every_write(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup reads one commit for minutes; meanwhile the log cannot begin anew, and each write would ask in vain."""
    copies: list[int] = []
    copied = LogCopier.copy

    def counted(copier: LogCopier) -> None:
        copies.append(1)
        copied(copier)

    monkeypatch.setattr(LogCopier, "copy", counted)
    shard = engine.shard("Photo")
    put(shard, range(1))
    with shard._reader.snapshot():
        for number in range(1, 4 * LONG_LOG):
            put(shard, range(number, number + 1))
            assert engine._checkpoints.wait(60)
    assert 1 <= len(copies) <= 6


def test_a_sync_that_fails_in_the_background_ends_writing(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel tells of it once and then forgets; whoever hears of it must stop all who would believe in the disk."""
    shard = engine.shard("Photo")
    put(shard, range(1))

    def fails(_file: SlotFile) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(SlotFile, "force", fails)
    put(shard, range(1, LONG_LOG - 1))  # the last of them makes the log long
    assert engine._checkpoints.wait(60)
    with pytest.raises(Busy, match="restart the database"):
        put(shard, range(LONG_LOG, LONG_LOG + 1))
    assert len(shard.scan(where=None, after=None, limit=99, offset=0, projection=IDS_ONLY)) == LONG_LOG - 1
