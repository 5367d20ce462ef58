"""Pictures in every format, turned, transparent, deep: the pixels that come out."""

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageChops

from nearimage.domain.errors import Busy, InvalidInput, UnreadablePicture
from nearimage.domain.priority import BEHIND_SEARCHES
from nearimage.media import PictureReader
from nearimage.media.formats import READABLE, recognise
from nearimage.ports.media import Media, Pixels
from tests.unit.media.pictures import corner_colours, encoded, exif, quarters

UPRIGHT = ["red", "green", "blue", "grey"]


@pytest.fixture(scope="module")
def reader() -> Iterator[PictureReader]:
    """One reader for all tests of the module."""
    reader = PictureReader(threads=2)
    yield reader
    reader.close()


def pixels_of(reader: Media, data: bytes, short_side: int = 224) -> Pixels:
    """The pixels of a picture that is fine."""
    (pixels,) = reader.decode([data], short_side=short_side)
    if isinstance(pixels, InvalidInput):
        raise pixels
    return pixels


@pytest.mark.parametrize("format_name", READABLE)
def test_every_format_gives_its_pixels(reader: PictureReader, format_name: str) -> None:
    """The colours that were saved are the colours a model must see."""
    wanted = quarters()

    pixels = pixels_of(reader, encoded(wanted, format_name))

    assert pixels.shape == wanted.shape
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert not pixels.flags.writeable
    assert np.abs(pixels.astype(int) - wanted).mean() < 6  # lossy formats blur the edges of the quarters
    assert corner_colours(pixels) == UPRIGHT


@pytest.mark.parametrize("format_name", READABLE)
def test_a_single_pixel_is_a_picture(reader: PictureReader, format_name: str) -> None:
    """Nothing says that a picture must be large."""
    assert pixels_of(reader, encoded(quarters(1, 1), format_name)).shape == (1, 1, 3)


TURNS = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.transpose(pixels, (1, 0, 2)),
    6: lambda pixels: np.rot90(pixels, 1),
    7: lambda pixels: np.rot90(np.transpose(pixels, (1, 0, 2)), 2),
    8: lambda pixels: np.rot90(pixels, -1),
}
"""How a camera stores an upright scene under each value: the inverse of what showing it must do."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WebP", "TIFF", "HEIC", "AVIF"])
def test_every_orientation_comes_out_upright(reader: PictureReader, format_name: str, orientation: int) -> None:
    """Phones store pictures lying on their side; a model that sees them so finds nothing. HEIF and TIFF readers turn by themselves: not twice."""
    stored = np.ascontiguousarray(TURNS[orientation](quarters()))

    pixels = pixels_of(reader, encoded(stored, format_name, exif=exif(orientation)))

    assert pixels.shape == (32, 48, 3)
    assert corner_colours(pixels) == UPRIGHT
    assert pixels.flags.c_contiguous


def test_orientation_is_applied_to_scaled_jpegs(reader: PictureReader) -> None:
    """The fast path must not forget what the slow one does."""
    stored = np.ascontiguousarray(TURNS[6](quarters(640, 960)))

    pixels = pixels_of(reader, encoded(stored, "JPEG", exif=exif(6)), short_side=40)

    assert pixels.shape == (80, 120, 3)
    assert corner_colours(pixels) == UPRIGHT


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_nonsense_orientation_is_no_orientation(reader: PictureReader, orientation: int) -> None:
    """Some cameras write 0; the picture is still good."""
    assert corner_colours(pixels_of(reader, encoded(quarters(), "JPEG", exif=exif(orientation)))) == UPRIGHT


@pytest.mark.filterwarnings("ignore")  # Pillow warns and goes on
def test_damaged_exif_is_no_damage_to_the_picture(reader: PictureReader) -> None:
    """Metadata that other programs ignore must not cost the picture."""
    data = encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")

    assert corner_colours(pixels_of(reader, data)) == UPRIGHT


@pytest.mark.parametrize("format_name", ["PNG", "WebP", "TIFF", "HEIC", "AVIF", "JPEG 2000"])
@pytest.mark.parametrize(("alpha", "wanted"), [(0, 255), (255, 0), (128, 127)])
def test_transparency_is_laid_over_white(reader: PictureReader, format_name: str, alpha: int, wanted: int) -> None:
    """What shines through a cut-out is the page, and pages are white; black would look like an object."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, alpha))

    pixels = pixels_of(reader, encoded(picture, format_name))

    assert np.abs(pixels.astype(int) - wanted).max() <= 4


def test_transparency_in_palettes_and_key_colours_is_white(reader: PictureReader) -> None:
    """PNG and GIF have three more ways to be transparent, and all of them mean the same."""
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    files = [
        encoded(palette, "GIF", transparency=1),
        encoded(palette, "PNG", transparency=1),
        encoded(palette, "PNG", transparency=b"\xff\x00"),
        encoded(Image.new("RGB", (8, 8), (9, 9, 9)), "PNG", transparency=(9, 9, 9)),
        encoded(Image.new("L", (8, 8), 9), "PNG", transparency=9),
        encoded(Image.new("LA", (8, 8), (9, 0)), "PNG"),
        png_of_16_bits(0, (40_000,)),
        png_of_16_bits(2, (50_000, 7_000, 7_000)),
    ]

    for data in files:
        assert (pixels_of(reader, data) == 255).all()


def png_of_16_bits(colours: int, value: tuple[int, ...]) -> bytes:
    """A PNG of one colour in 16 bits, which is also its key colour: Pillow writes no such files."""
    packed = struct.pack(f">{len(value)}H", *value)
    chunks = {b"IHDR": struct.pack(">IIBBBBB", 8, 8, 16, colours, 0, 0, 0), b"tRNS": packed, b"IDAT": zlib.compress((b"\0" + packed * 8) * 8), b"IEND": b""}
    checked = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(checked)


def test_transparent_pixels_lend_no_colour_when_shrunk(reader: PictureReader) -> None:
    """Averaging must weigh by alpha: the invisible red half may not tint the visible white one."""
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 33, 64))

    assert (pixels_of(reader, encoded(picture, "PNG"), short_side=8) == 255).all()


def test_key_colours_lend_no_colour_when_shrunk(reader: PictureReader) -> None:
    """A key colour must become transparent before it is averaged away into something that is not the key."""
    picture = Image.new("RGB", (64, 64), (9, 9, 9))
    picture.paste((255, 255, 255), (0, 0, 33, 64))

    assert (pixels_of(reader, encoded(picture, "PNG", transparency=(9, 9, 9)), short_side=8) == 255).all()


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_brightness(reader: PictureReader, format_name: str) -> None:
    """Pillow's own conversion would clip everything above 255 of 65,535 to white."""
    values = np.full((16, 16), 0x8000, dtype=np.uint16)

    pixels = pixels_of(reader, encoded(Image.fromarray(values), format_name))

    assert (pixels == 0x80).all()


def test_measurements_in_32_bits_are_stretched(reader: PictureReader) -> None:
    """They have no white of their own; NaN is no reason to fail."""
    values = np.linspace(-3.0, 5.0, 256, dtype=np.float32).reshape(16, 16)
    values[0, 3] = np.nan

    pixels = pixels_of(reader, encoded(Image.fromarray(values), "TIFF"))

    assert pixels.min() == 0
    assert pixels.max() == 255


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr"])
def test_every_mode_of_tiff_is_read(reader: PictureReader, mode: str) -> None:
    """TIFF is what scanners and print shops make, in all colour models."""
    if mode == "1":
        wanted = quarters() // 128 * 255
    elif mode in {"L", "LA"}:
        wanted = np.asarray(Image.fromarray(quarters()).convert("L").convert("RGB"))
    else:
        wanted = quarters()

    pixels = pixels_of(reader, encoded(Image.fromarray(quarters()).convert(mode), "TIFF"))

    assert pixels.shape == wanted.shape
    if mode not in {"1", "P"}:  # both are dithered
        assert np.abs(pixels.astype(int) - wanted).max() <= 8


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("short_side", [20, 400])
def test_every_kind_of_jpeg_is_as_pillow_shows_it(reader: PictureReader, mode: str, progressive: bool, short_side: int) -> None:
    """Two decoders share this format (CMYK is stored inverted by Adobe's convention); nobody may notice which one ran."""
    data = encoded(Image.fromarray(quarters(320, 480)).convert(mode), "JPEG", progressive=progressive)
    wanted = np.asarray(Image.fromarray(quarters(320, 480)).convert(mode).convert("RGB").resize((48, 32)))

    pixels = pixels_of(reader, data, short_side=short_side)

    assert pixels.shape == ((40, 60, 3) if short_side == 20 else (320, 480, 3))
    shrunk = np.asarray(Image.fromarray(pixels).resize((48, 32)))
    assert np.abs(shrunk.astype(int) - wanted).mean() < 3


def without_adobe_s_marker(data: bytes) -> bytes:
    """A JPEG whose APP14 segment is gone."""
    start = data.index(b"\xff\xee")
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("short_side", [20, 400])
def test_inks_without_adobe_s_marker_are_not_inverted(reader: PictureReader, progressive: bool, short_side: int) -> None:
    """Adobe's programs store how much ink is missing and say so by a marker; without it the numbers are ink, or the picture is its own negative."""
    picture = Image.fromarray(quarters(320, 480)).convert("CMYK")
    negative = ImageChops.invert(picture)  # Pillow inverts what it saves, and writes the marker
    plain = without_adobe_s_marker(encoded(negative, "JPEG", progressive=progressive))

    assert corner_colours(pixels_of(reader, encoded(picture, "JPEG"), short_side=short_side)) == UPRIGHT
    assert corner_colours(pixels_of(reader, plain, short_side=short_side)) == UPRIGHT


def test_a_harmless_oddity_is_no_damage(reader: PictureReader) -> None:
    """Stray bytes before a marker make the strict decoder refuse; every other program shows such pictures, so the tolerant one gets its turn."""
    data = encoded(quarters(320, 480), "JPEG")
    frame = data.index(b"\xff\xc0")
    odd = data[:frame] + b"\x12\x34\x56" + data[frame:]
    with pytest.raises(ValueError, match="extraneous"):
        simplejpeg.decode_jpeg(odd)

    for short_side, shape in ((40, (80, 120, 3)), (400, (320, 480, 3))):
        pixels = pixels_of(reader, odd, short_side=short_side)
        assert pixels.shape == shape
        assert corner_colours(pixels) == UPRIGHT


def test_ycck_is_read(reader: PictureReader) -> None:
    """Photoshop's print files; four components that are not inks but brightness, two colours and black."""
    inks = np.zeros((32, 48, 4), dtype=np.uint8)
    inks[..., 2] = 255  # yellow alone
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(255 - inks), 95, "CMYK", "420")

    assert np.abs(pixels_of(reader, data).astype(int) - (255, 255, 0)).max() <= 4


def test_odd_sizes_are_read(reader: PictureReader) -> None:
    """Sizes that no block divides are the normal case."""
    for size in ((1, 7), (7, 1), (13, 17), (101, 3)):
        for format_name in READABLE:
            assert pixels_of(reader, encoded(quarters(*size), format_name), short_side=1).shape[2] == 3


def test_the_first_frame_and_the_first_page_count(reader: PictureReader) -> None:
    """One object has one picture; the first is what file managers show."""
    first, second = Image.fromarray(quarters()), Image.new("RGB", (48, 32), (0, 0, 0))
    for format_name in ("GIF", "TIFF", "WebP", "PNG", "AVIF", "HEIC"):
        data = encoded(first, format_name, save_all=True, append_images=[second])

        assert corner_colours(pixels_of(reader, data)) == UPRIGHT, format_name


def test_a_tiff_with_long_offsets_is_a_tiff(reader: PictureReader) -> None:
    """BigTIFF: scanners of maps and slides write it whatever the size."""
    data = encoded(quarters(), "TIFF", big_tiff=True)

    assert data.startswith(b"II+")
    assert corner_colours(pixels_of(reader, data)) == UPRIGHT


def test_a_phone_s_mpo_is_a_jpeg(reader: PictureReader) -> None:
    """Phones append a depth map or a second view; the first picture is the photograph."""
    first, second = Image.fromarray(quarters()), Image.new("RGB", (48, 32))
    stream = BytesIO()
    first.save(stream, "MPO", save_all=True, append_images=[second])

    assert corner_colours(pixels_of(reader, stream.getvalue())) == UPRIGHT


@pytest.mark.parametrize("format_name", READABLE)
@pytest.mark.parametrize(("height", "width"), [(300, 450), (450, 300), (257, 1001)])
def test_a_shrunk_picture_has_at_least_twice_the_asked_size(reader: PictureReader, format_name: str, height: int, width: int) -> None:
    """Below that, the model's own resampling would have too little to work with."""
    for short_side in (1, 16, 64, 128, 200):
        shape = pixels_of(reader, encoded(quarters(height, width), format_name), short_side=short_side).shape

        assert min(shape[:2]) >= min(2 * short_side, height, width)
        assert max(shape[:2]) <= max(height, width)
        assert abs(shape[1] / shape[0] - width / height) < 0.35 * width / height


@pytest.mark.parametrize("format_name", READABLE)
def test_exact_gives_every_pixel_that_the_picture_has(reader: PictureReader, format_name: str) -> None:
    """Whoever asks for it wants the numbers of a full decode, not of one at an eighth of the size."""
    data = encoded(quarters(1200, 900), format_name)
    (exact,) = reader.decode([data], short_side=16, exact=True)
    batch = reader.decode([data, data], short_side=16, exact=True)

    assert isinstance(exact, np.ndarray)
    assert exact.shape == (1200, 900, 3)
    assert all(np.array_equal(exact, one) for one in batch if isinstance(one, np.ndarray))
    assert corner_colours(exact) == UPRIGHT


def test_one_bad_picture_fails_alone(reader: PictureReader) -> None:
    """A batch of a thousand must not be lost to one file."""
    good = encoded(quarters())

    first, second, third = reader.decode([good, b"%PDF-1.7", good], short_side=224)

    assert isinstance(first, np.ndarray)
    assert isinstance(second, UnreadablePicture)
    assert second.detail == {"format": None, "size": 8}
    assert "a PDF" in second.message
    assert isinstance(third, np.ndarray)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux has priorities of threads")
def test_an_import_decodes_behind_searches_and_a_query_does_not(reader: PictureReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large pictures cost more to decode than to embed: an import of them must not slow down what somebody waits for."""
    seen: list[int] = []

    def recognised(data: bytes) -> str | None:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return recognise(data)

    monkeypatch.setattr("nearimage.media.reader.recognise", recognised)
    picture = encoded(quarters())
    before = os.getpriority(os.PRIO_PROCESS, 0)

    reader.decode([picture], short_side=8)
    reader.decode([picture] * 4, short_side=8)

    assert seen == [before, *[BEHIND_SEARCHES] * 4]


def test_no_pictures_give_no_pixels(reader: PictureReader) -> None:
    """An empty batch is a batch."""
    assert reader.decode([], short_side=224) == []


def test_a_closed_reader_is_busy() -> None:
    """A request that comes while the server stops may be sent again."""
    reader = PictureReader(threads=1)
    reader.close()
    reader.close()

    with pytest.raises(Busy):
        reader.decode([encoded(quarters())], short_side=224)
