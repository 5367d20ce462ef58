"""Cameras' raw files: the camera's own picture is what comes out, upright, and never anything else that lies in the file."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import UnreadablePicture
from nearimage.media import PictureReader
from nearimage.media.formats import RAW, recognise
from nearimage.media.raw import jpeg_of
from nearimage.ports.media import Pixels
from tests.unit.media.pictures import NOISE, canon_raw, corner_colours, directory, encoded, exif, quarters, tiff_raw
from tests.unit.media.test_reader import TURNS, UPRIGHT

PICTURE = encoded(quarters(320, 480), "JPEG")
SMALL = encoded(np.zeros((16, 24, 3), np.uint8), "JPEG")
BLACK = encoded(np.zeros((640, 960, 3), np.uint8), "JPEG")
LOSSLESS = b"\xff\xd8\xff\xc3\0\x11\x08\x10\0\x10\0\x03\1\x22\0\2\x11\1\3\x11\1"


@pytest.fixture(scope="module")
def reader() -> Iterator[PictureReader]:
    """One reader for all tests of the module."""
    reader = PictureReader(threads=2)
    yield reader
    reader.close()


def shown(reader: PictureReader, data: bytes) -> Pixels:
    """The pixels of a file that is fine."""
    (pixels,) = reader.decode([data], short_side=224)
    assert isinstance(pixels, np.ndarray), pixels
    return pixels


@pytest.mark.parametrize(
    "data",
    [
        canon_raw(SMALL + NOISE + PICTURE + LOSSLESS),
        tiff_raw(SMALL + PICTURE),
        tiff_raw(PICTURE, order=">"),
        b"FUJIFILMCCD-RAW 0201FF383501" + NOISE + PICTURE + NOISE,
        b"IIRO\x08\0\0\0" + directory({}) + NOISE + PICTURE,
        b"IIU\0\x08\0\0\0" + directory({}) + NOISE + PICTURE,
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + NOISE + SMALL + PICTURE + NOISE,
    ],
    ids=["CR2", "NEF, ARW, DNG", "of the other byte order", "RAF", "ORF", "RW2", "CR3"],
)
def test_the_camera_s_own_picture_is_read(reader: PictureReader, data: bytes) -> None:
    """Photographers keep nothing else; a thumbnail, or an error, would hide their pictures."""
    assert shown(reader, data).shape == (320, 480, 3)
    assert corner_colours(shown(reader, data)) == UPRIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_file_says_how_its_picture_is_turned(reader: PictureReader, orientation: int) -> None:
    """Cameras write it once, for both; a JPEG that says it itself is right about itself."""
    stored = np.ascontiguousarray(TURNS[orientation](quarters(320, 480)))
    box = b"\0\0\0\x40CMT1II*\0\x08\0\0\0" + directory({0x112: orientation})
    for data in (
        tiff_raw(encoded(stored, "JPEG"), orientation=orientation),
        tiff_raw(encoded(stored, "JPEG", exif=exif(orientation)), orientation=orientation),
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + box + NOISE + encoded(stored, "JPEG"),
    ):
        pixels = shown(reader, data)
        assert pixels.shape == (320, 480, 3)
        assert corner_colours(pixels) == UPRIGHT


def test_what_the_sensor_saw_is_no_picture(reader: PictureReader) -> None:
    """Tiles of some raw files are JPEGs too, larger than the preview, and show a corner in false colours."""
    assert corner_colours(shown(reader, tiff_raw(PICTURE, sensor=BLACK))) == UPRIGHT


def test_an_ordinary_tiff_is_read_itself(reader: PictureReader) -> None:
    """Scanners and editors put a JPEG as a preview into it, too."""
    data = encoded(quarters(), "TIFF") + BLACK

    assert recognise(data) == "TIFF"
    assert shown(reader, data).shape == (32, 48, 3)
    assert corner_colours(shown(reader, data)) == UPRIGHT


def test_a_raw_tiff_without_a_jpeg_is_read_as_a_tiff(reader: PictureReader) -> None:
    """Some cameras put a small picture of plain numbers first; better than none."""
    assert shown(reader, tiff_raw(b"")).tolist() == [[[16] * 3, [32] * 3]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (canon_raw(LOSSLESS), "has no JPEG in it"),
        (canon_raw(PICTURE)[: -len(NOISE) - len(PICTURE) // 2], "in the camera's raw file, the JPEG of"),
    ],
)
def test_what_cannot_be_read_says_why(reader: PictureReader, data: bytes, words: str) -> None:
    """A card that was pulled out too early leaves such files."""
    (error,) = reader.decode([data], short_side=224)

    assert isinstance(error, UnreadablePicture)
    assert words in error.message


@given(
    st.lists(
        st.sampled_from([b"\xff\xd8\xff", b"\xc0", b"\xff\xe1\0\2", b"\xff\xda", b"\xff\xd9", b"II*\0\x08\0\0\0", b"\0", b"\1\0\x4a\1\4\0"])
        | st.binary(max_size=9)
    )
)
def test_any_bytes_may_be_asked(parts: list[bytes]) -> None:
    """Whatever looks like a raw file is hostile until it is read."""
    for data in (b"".join(parts), b"II*\0\x08\0\0\0" + b"".join(parts), tiff_raw(b"".join(parts))):
        found = jpeg_of(data, RAW)
        assert found is None or found.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe1\0\2" * 4_000_000, b"\xff\xd8" + b"\xff\xe1\0\2" * 6_000_000, b"II*\0" + b"\4\0\0\0" * 5_000_000])
def test_nobody_can_waste_its_time(data: bytes) -> None:
    """Ten seconds a file would be ten seconds of a core for everybody else."""
    began = time.process_time()
    assert jpeg_of(b"IIRO\x08\0\0\0" + data, RAW) is None
    assert time.process_time() - began < 5  # a tenth of that, where nobody else computes


def test_raw_is_told_by_the_first_bytes_where_they_say_so() -> None:
    """The shell takes files by them."""
    assert recognise(canon_raw(b"")[:256]) == RAW
    assert recognise(tiff_raw(b"")[:256]) == "TIFF"
