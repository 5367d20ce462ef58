"""Which files of a folder are taken, in which order, under which ids."""

import os
from pathlib import Path

import pytest

from nearimage.cli.picture_files import natural_order, picture_files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
TIFF = b"II*\0" + bytes(20)


def put(path: Path, data: bytes = PNG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(folder: Path) -> list[str]:
    return [str(file.path.relative_to(folder.resolve())) for file in picture_files(folder)]


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    """Cameras count without leading zeros, and people read 2 before 10."""
    for name in ("IMG 10.png", "img 2.png", "b.png", "b/1.png", "a/9.png"):
        put(tmp_path / name)

    assert names(tmp_path) == ["b.png", "img 2.png", "IMG 10.png", "a/9.png", "b/1.png"]


def test_names_that_mix_digits_and_letters_can_be_compared() -> None:
    """A key that raises would end an import on somebody's odd file name; superscripts are digits that are no numbers."""
    assert sorted(["a", "1", "1a", "a1", "", "²"], key=natural_order) == ["", "1", "1a", "a", "a1", "²"]


@pytest.mark.parametrize("name", ["holiday", "photo.dat", "x.png", "X.JPEG"])
def test_a_picture_is_known_by_content_or_by_extension(tmp_path: Path, name: str) -> None:
    """Files from old disks have lost their extensions; a damaged .jpg must be reported, not passed over."""
    put(tmp_path / name, PNG if name in ("holiday", "photo.dat") else b"not a picture")

    assert names(tmp_path) == [name]


@pytest.mark.parametrize(("name", "data"), [("notes.txt", b"BMW wrote to us"), ("scan.bin", TIFF), ("a.pdf", b"%PDF-1.7"), ("empty", b"")])
def test_other_files_are_left_alone(tmp_path: Path, name: str, data: bytes) -> None:
    """A folder of pictures has other things in it, and a list of a hundred failures would hide the one that matters."""
    put(tmp_path / name, data)

    assert names(tmp_path) == []


def test_a_raw_file_is_a_picture_unless_its_jpeg_lies_beside_it(tmp_path: Path) -> None:
    """Cameras store both if told to; nobody wants to find each of their pictures twice."""
    for name in ("a.NEF", "b.NEF", "b.JPG", "c.cr3", "d/b.arw"):
        put(tmp_path / name)

    assert names(tmp_path) == ["a.NEF", "b.JPG", "c.cr3", "d/b.arw"]


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    """Thumbnails and the trash are kept there, by programs."""
    put(tmp_path / ".thumbnails" / "a.png")
    put(tmp_path / "._a.png")

    assert names(tmp_path) == []


def test_a_link_to_a_folder_above_ends(tmp_path: Path) -> None:
    """A loop must neither run forever nor find a picture twice."""
    put(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")

    assert names(tmp_path) == ["a/1.png"]


def test_the_id_belongs_to_the_path(tmp_path: Path) -> None:
    """It is what makes a second import replace instead of double; it must not depend on where one stands."""
    put(tmp_path / "a.png")
    put(tmp_path / "b.png")
    here = [file.id for file in picture_files(tmp_path)]
    again = [file.id for file in picture_files(tmp_path / ".." / tmp_path.name)]

    assert here == again
    assert len(set(here)) == 2


def test_a_name_that_is_no_utf8_has_an_id(tmp_path: Path) -> None:
    """Linux allows any bytes; old archives have them."""
    try:
        put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")

    assert len({file.id for file in picture_files(tmp_path)}) == 1


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    """They decide whether a file is looked at again."""
    path = put(tmp_path / "a.png")
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    found = next(picture_files(tmp_path))

    assert (found.size, found.modified) == (28, "2023-11-14T22:13:20.123456Z")
