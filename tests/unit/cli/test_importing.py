"""Bringing files in: what is stored, skipped, failed, and when it stops."""

import os
import signal
from base64 import b64decode
from pathlib import Path

import pytest

from nearimage.cli import importing
from nearimage.cli.importing import PictureImport, Report
from nearimage.cli.interrupt import stop_on_interrupt
from nearimage.cli.picture_collection import open_collection
from nearimage.cli.picture_files import picture_files
from nearimage.domain.dates import date_text
from tests.unit.cli.fake_connection import FakeConnection
from tests.unit.media.pictures import encoded, quarters, tiff_raw


class Quiet:
    """Shows nothing; counts how often it could have."""

    def __init__(self) -> None:
        self.shown = 0

    def show(self, report: Report) -> None:
        self.shown += 1


def fill(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.png").write_bytes(b"picture %d" % number)


def run(folder: Path, connection: FakeConnection, *, collection: str = "Pictures") -> Report:
    pictures = open_collection(connection, collection, model=None, clip_model=None)
    return PictureImport(connection=connection, collection=pictures, progress=Quiet(), stop=lambda: False).run(list(picture_files(folder)))


def test_all_pictures_are_stored_with_what_is_known_of_them(tmp_path: Path) -> None:
    """These properties are what filters and lists work on later."""
    fill(tmp_path, 1)
    connection = FakeConnection()
    report = run(tmp_path, connection)
    (stored,) = connection.objects.values()

    assert (report.found, report.stored, report.skipped, report.failures) == (1, 1, 0, [])
    assert {name: value for name, value in stored.items() if name != "modified"} == {
        "path": str(tmp_path.resolve() / "0.png"),
        "folder": str(tmp_path.resolve()),
        "name": "0.png",
        "size": 9,
        "image": "cGljdHVyZSAw",
    }


def test_of_a_camera_s_raw_file_its_own_picture_is_stored(tmp_path: Path) -> None:
    """The rest is ten times as large, lies on the disk already, and nobody looks at it."""
    jpeg = encoded(quarters(), "JPEG")
    (tmp_path / "1.nef").write_bytes(tiff_raw(jpeg) + bytes(FakeConnection().max_picture_bytes))
    (tmp_path / "2.nef").write_bytes(b"no picture")
    connection = FakeConnection()
    report = run(tmp_path, connection)

    assert report.stored == 2  # what is no picture the database says, which looks into it
    assert [b64decode(str(stored["image"])) for stored in connection.objects.values()] == [jpeg, b"no picture"]
    assert next(iter(connection.objects.values()))["size"] == (tmp_path / "1.nef").stat().st_size  # by which a later run sees whether it changed


def test_what_has_not_changed_is_skipped(tmp_path: Path) -> None:
    """Indexing every night must cost seconds, not hours; and a changed file replaces its old self."""
    fill(tmp_path, 3)
    connection = FakeConnection()
    run(tmp_path, connection)
    (tmp_path / "1.png").write_bytes(b"another picture")
    report = run(tmp_path, connection)

    assert (report.stored, report.skipped) == (1, 2)
    assert len(connection.objects) == 3


def test_what_has_not_changed_is_skipped_however_its_time_is_told_back(tmp_path: Path) -> None:
    """A server leaves out the zeros at the end of a fraction of a second, which one file in ten has."""
    fill(tmp_path, 1)
    os.utime(tmp_path / "0.png", (1.5, 1.5))
    connection = FakeConnection()
    run(tmp_path, connection)
    (stored,) = connection.objects.values()
    connection.objects = {key: {**stored, "modified": date_text(str(stored["modified"]))} for key in connection.objects}

    assert run(tmp_path, connection).skipped == 1


def test_a_file_with_the_same_size_but_another_time_is_stored_again(tmp_path: Path) -> None:
    """Editors that keep the size exist; bitmaps always keep it."""
    fill(tmp_path, 1)
    connection = FakeConnection()
    run(tmp_path, connection)
    os.utime(tmp_path / "0.png", (1, 1))

    assert run(tmp_path, connection).stored == 1


def test_known_objects_are_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection larger than a page must be known whole, or its rest is imported anew each time."""
    fill(tmp_path, 5)
    connection = FakeConnection()
    run(tmp_path, connection)
    monkeypatch.setattr(importing, "PAGE", 2)

    assert run(tmp_path, connection).skipped == 5


def test_bad_files_fail_alone_and_say_why(tmp_path: Path) -> None:
    """One damaged picture among ten thousand must not cost the others."""
    fill(tmp_path, 2)
    (tmp_path / "bad.png").write_bytes(b"bad picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "large.png").write_bytes(bytes(1_001))
    report = run(tmp_path, FakeConnection())

    assert report.stored == 2
    assert {failure.path.name: failure.reason for failure in report.failures} == {
        "bad.png": "it is bad",
        "empty.png": "The file is empty.",
        "large.png": "The file has 1,001 bytes; the fake takes 1,000 at most.",
    }


def test_a_file_that_vanishes_meanwhile_fails_alone(tmp_path: Path) -> None:
    """Between the walk and the reading minutes may pass."""
    fill(tmp_path, 2)
    files = list(picture_files(tmp_path))
    (tmp_path / "0.png").unlink()
    connection = FakeConnection()
    pictures = open_collection(connection, "Pictures", model=None, clip_model=None)
    report = PictureImport(connection=connection, collection=pictures, progress=Quiet(), stop=lambda: False).run(files)

    assert (report.stored, [failure.reason for failure in report.failures]) == (1, ["The file cannot be read: No such file or directory."])


def test_batches_are_small(tmp_path: Path) -> None:
    """A stop is obeyed between batches, so a batch must not take long."""
    fill(tmp_path, 70)
    connection = FakeConnection()
    run(tmp_path, connection)

    assert connection.batches == [32, 32, 6]


def test_interrupting_stops_after_the_batch(tmp_path: Path) -> None:
    """What was acknowledged is counted, and the next run goes on from there."""
    fill(tmp_path, 40)
    connection = FakeConnection(on_put=lambda: os.kill(os.getpid(), signal.SIGINT))
    pictures = open_collection(connection, "Pictures", model=None, clip_model=None)
    told: list[bool] = []
    with stop_on_interrupt(lambda: told.append(True)) as stop:
        report = PictureImport(connection=connection, collection=pictures, progress=Quiet(), stop=stop).run(list(picture_files(tmp_path)))

    assert (report.stored, report.interrupted, told) == (32, True, [True])
    connection.on_put = lambda: None
    assert run(tmp_path, connection).stored == 8


def test_interrupting_the_last_batch_is_no_interruption(tmp_path: Path) -> None:
    """Everything was done; a script need not run it again."""
    fill(tmp_path, 2)
    connection = FakeConnection(on_put=lambda: os.kill(os.getpid(), signal.SIGINT))
    pictures = open_collection(connection, "Pictures", model=None, clip_model=None)
    with stop_on_interrupt(lambda: None) as stop:
        report = PictureImport(connection=connection, collection=pictures, progress=Quiet(), stop=stop).run(list(picture_files(tmp_path)))

    assert not report.interrupted
