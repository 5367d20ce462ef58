"""Disks that are full, and disks that fail: the error says which, and what was stored before stays."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nearimage.domain.errors import Busy, DiskFull
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS as ALL_VECTORS
from nearimage.domain.objects import Record
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from tests.crash.operations import IDS, apply
from tests.crash.test_kill import assert_equal

PHOTO_ID = IDS[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, text=True, check=False)  # noqa: S607
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S607


@pytest.mark.parametrize("ballast_kib", [0, 1500, 3000, 4250])
def test_a_full_disk_is_an_error_and_keeps_what_was_there(small_disk: Path, ballast_kib: int) -> None:
    """Wherever the room runs out, in the slot file, in the log or in the catalogue, the write vanishes whole; with room again, writing goes on."""
    (small_disk / "ballast").write_bytes(bytes(ballast_kib * 1024))
    (small_disk / "reserve").write_bytes(bytes(512 * 1024))
    engine, model = EmbeddedEngine(small_disk / "data"), MemoryEngine()
    number = 0
    with pytest.raises(DiskFull):  # noqa: PT012 the history must go on until the disk is full
        while number < 3000:
            apply(engine, number)
            apply(model, number)
            number += 1
    assert number >= 1
    (small_disk / "reserve").unlink()  # closing copies of SQLite's log what there is room for, opening makes its index
    assert_equal(engine, model)
    engine.close()

    again = EmbeddedEngine(small_disk / "data")
    assert_equal(again, model)
    again.close()


def test_writing_goes_on_when_there_is_room_again(small_disk: Path) -> None:
    """A full disk is for people to clear; the server must not need a restart afterwards."""
    engine, model = EmbeddedEngine(small_disk / "data"), MemoryEngine()
    for number in range(5):
        apply(engine, number)
        apply(model, number)
    ballast = small_disk / "ballast"
    fill(ballast)
    picture = Record(id=PHOTO_ID, properties={"n": 1, "blob": bytes(500_000)})
    with pytest.raises(DiskFull):
        engine.shard("Photo").put([picture])
    ballast.unlink()
    for one in (engine, model):
        assert one.shard("Photo").put([picture]) == (None,)
    assert_equal(engine, model)
    engine.close()


def fill(path: Path) -> None:
    """Take all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as full:
            assert full.errno == errno.ENOSPC  # noqa: PT017 the loop ends no other way


def test_after_a_failed_sync_the_shard_takes_no_more_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may have thrown the pages away and call the next sync a success; only reading the files anew tells."""
    engine, model = EmbeddedEngine(tmp_path), MemoryEngine()
    for number in range(5):
        apply(engine, number)
        apply(model, number)

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    vector = next(r for r in model.shard("Photo").scan(where=None, after=None, limit=50, offset=0, projection=ALL_VECTORS) if "v" in r.vectors).vectors["v"]
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(Busy, match="restart"):
            engine.shard("Photo").put([Record(id=one, vectors={"v": vector + 1, "w": vector}) for one in IDS])  # few vectors would ride in SQLite
    for write in (lambda: engine.shard("Photo").put([Record(id=PHOTO_ID)]), lambda: engine.shard("Photo").delete([PHOTO_ID])):
        with pytest.raises(Busy, match="restart"):
            write()
    assert_equal(engine, model)
    engine.close()

    again = EmbeddedEngine(tmp_path)
    assert_equal(again, model)
    assert again.shard("Photo").put([Record(id=PHOTO_ID)]) == (None,)
    again.close()
