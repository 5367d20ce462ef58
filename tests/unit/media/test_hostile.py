"""Hostile, damaged and huge files: they cost nothing and never raise."""

import struct
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nearimage.domain.errors import InvalidInput, PictureTooLarge, UnreadablePicture
from nearimage.media import PictureReader
from nearimage.media.formats import READABLE
from nearimage.ports.media import Pixels
from tests.unit.media.pictures import encoded, exif, quarters

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns about damage that it survives


@pytest.fixture(scope="module")
def reader() -> Iterator[PictureReader]:
    """One reader for all tests of the module, with limits that small files can reach."""
    reader = PictureReader(max_bytes=4_000_000, max_pixels=1_000_000, threads=2)
    yield reader
    reader.close()


def outcome(reader: PictureReader, data: bytes) -> Pixels | InvalidInput:
    """What becomes of one picture."""
    (result,) = reader.decode([data], short_side=8)
    return result


@cache
def sample(format_name: str) -> bytes:
    """A small valid file with metadata where the format carries it."""
    options = {} if format_name in {"GIF", "BMP"} else {"exif": exif(6)}
    return encoded(quarters(24, 40), format_name, **options)


def assert_pixels_or_refusal(result: Pixels | InvalidInput) -> None:
    """The only two endings there are."""
    if isinstance(result, InvalidInput):
        assert isinstance(result, UnreadablePicture | PictureTooLarge)
        assert len(result.message) < 600
    else:
        assert result.dtype == np.uint8
        assert result.ndim == 3
        assert result.shape[2] == 3
        assert result.flags.c_contiguous


@pytest.mark.parametrize("format_name", READABLE)
@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1))
def test_every_prefix_of_a_file_gives_pixels_or_a_refusal(reader: PictureReader, format_name: str, cut: float) -> None:
    """Uploads break off at any byte."""
    data = sample(format_name)

    assert_pixels_or_refusal(outcome(reader, data[: int(cut * len(data))]))


@pytest.mark.parametrize("format_name", READABLE)
@settings(max_examples=120, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_every_flipped_byte_gives_pixels_or_a_refusal(reader: PictureReader, format_name: str, where: float, flip: int) -> None:
    """Disks and attackers change bytes; the decoders may only refuse."""
    data = bytearray(sample(format_name))
    data[int(where * len(data))] ^= flip

    assert_pixels_or_refusal(outcome(reader, bytes(data)))


@pytest.mark.parametrize("format_name", READABLE)
@settings(max_examples=40, deadline=None)
@given(tail=st.binary(max_size=300), kept=st.integers(2, 64))
def test_garbage_behind_a_true_beginning_gives_pixels_or_a_refusal(reader: PictureReader, format_name: str, tail: bytes, kept: int) -> None:
    """The first bytes choose the decoder; it must not trust the rest."""
    assert_pixels_or_refusal(outcome(reader, sample(format_name)[:kept] + tail))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(reader: PictureReader, data: bytes) -> None:
    """No bytes may crash a worker."""
    assert_pixels_or_refusal(outcome(reader, data))


@pytest.mark.parametrize("format_name", READABLE)
def test_half_a_file_is_refused_and_says_so(reader: PictureReader, format_name: str) -> None:
    """Half a picture silently taken for a whole one would give wrong neighbours for ever."""
    noise = np.random.default_rng(7).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(noise, format_name)

    result = outcome(reader, data[: len(data) // 2])

    assert isinstance(result, UnreadablePicture)
    assert result.detail == {"format": format_name, "size": len(data) // 2}
    assert "stopped" in result.message


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims any size and is all zeros."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    body = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_twenty_thousand_squared_costs_nothing() -> None:
    """A few hundred bytes that unpack to 1.2 GB are judged by their header."""
    reader = PictureReader(threads=1)
    tracemalloc.start()
    started = time.process_time()

    result = outcome(reader, png_header(20_000, 20_000))

    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.close()
    assert isinstance(result, PictureTooLarge)
    assert result.detail == {"limit": 200_000_000, "got": 400_000_000}
    assert seconds < 0.2
    assert peak < 1_000_000


def huge_webp() -> bytes:
    """An extended WebP whose canvas claims 16,384 x 16,384 pixels."""
    small = encoded(quarters(), "WebP")
    canvas = (16_383).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + small[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_huge_webp_canvas_is_refused() -> None:
    """WebP allocates its canvas while the header is read, so this one has a guard of its own."""
    reader = PictureReader(threads=1)
    started = time.process_time()

    result = outcome(reader, huge_webp())

    reader.close()
    assert isinstance(result, PictureTooLarge | UnreadablePicture)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("format_name", READABLE)
def test_the_limit_on_pixels_holds_in_every_format(reader: PictureReader, format_name: str) -> None:
    """A limit with one exception is no limit."""
    result = outcome(reader, encoded(Image.new("RGB", (1001, 1000)), format_name))

    assert isinstance(result, PictureTooLarge)
    assert result.detail == {"limit": 1_000_000, "got": 1_001_000}
    assert isinstance(outcome(reader, encoded(Image.new("RGB", (1000, 1000)), format_name)), np.ndarray)


def test_the_limit_on_bytes_holds(reader: PictureReader) -> None:
    """Pictures that come as bytes, past base64, are measured too."""
    result = outcome(reader, encoded(quarters(), "PNG") + bytes(4_000_000))

    assert isinstance(result, PictureTooLarge)
    assert result.detail["limit"] == 4_000_000


def test_a_jpeg_of_a_thousand_scans_is_refused(reader: PictureReader) -> None:
    """Each scan visits every pixel again: a small file could ask for minutes."""
    data = encoded(np.asarray(Image.new("RGB", (1000, 1000))), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    hostile = data[:last] + data[last:-2] * 1000 + data[-2:]

    result = outcome(reader, hostile)

    assert isinstance(result, UnreadablePicture)
    assert "scans" in result.message


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"8BPS\0\1" + bytes(40),
        b"SIMPLE  =                    T",
        b"P6 1 1 255 abc",
        b"\x0a\x05\x01\x08" + bytes(128),
    ],
)
def test_formats_that_nobody_asked_for_stay_shut(reader: PictureReader, data: bytes) -> None:
    """Each decoder that bytes can reach is a place to attack; Ghostscript is started for none."""
    result = outcome(reader, data)

    assert isinstance(result, UnreadablePicture)
    assert result.detail["format"] is None


def test_large_pictures_give_no_warning() -> None:
    """Pillow warns from 89 Mpx on; our own limit is the one that speaks."""
    reader = PictureReader(threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = outcome(reader, encoded(Image.new("1", (10_000, 9_000)), "PNG"))
    reader.close()

    assert isinstance(result, np.ndarray)
