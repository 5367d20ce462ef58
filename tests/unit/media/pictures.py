"""Makes picture files in every format, for the tests of `nearimage.media`."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image

from nearimage.media.formats import RAW

pillow_heif.register_heif_opener()  # for saving; the code under test registers nothing

EXIF_ORIENTATION = 0x0112

FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WebP": {"lossless": True},
    "GIF": {},
    "BMP": {},
    "TIFF": {},
    "HEIC": {"quality": 95, "chroma": 444},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "JPEG 2000": {"irreversible": False},
    RAW: {"quality": 95, "subsampling": 0},
}
"""Every readable format with options that keep the colours."""


def quarters(height: int = 32, width: int = 48) -> npt.NDArray[np.uint8]:
    """A picture whose quarters are red, green, blue and grey, so that every turn and mirroring shows."""
    pixels = np.full((height, width, 3), 128, dtype=np.uint8)
    pixels[: height // 2, : width // 2] = (230, 20, 20)
    pixels[: height // 2, width // 2 :] = (20, 200, 20)
    pixels[height // 2 :, : width // 2] = (20, 20, 230)
    return pixels


def encoded(picture: Image.Image | npt.NDArray[np.uint8], format_name: str = "PNG", **options: Any) -> bytes:
    """The picture as a file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = BytesIO()
    image.save(stream, {"HEIC": "HEIF", "JPEG 2000": "JPEG2000", RAW: "JPEG"}.get(format_name, format_name), **{**FORMATS[format_name], **options})
    return canon_raw(stream.getvalue()) if format_name == RAW else stream.getvalue()


def canon_raw(jpeg: bytes) -> bytes:
    """A raw file whose first bytes say that it is one."""
    return b"II*\0\x10\0\0\0CR\2\0\0\0\0\0" + directory({}) + NOISE + jpeg + NOISE


def tiff_raw(jpeg: bytes, *, orientation: int = 1, order: str = "<", sensor: bytes = b"") -> bytes:
    """One that is a TIFF: a small picture for whoever knows no better, and beneath it what the sensor saw."""
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    small = {0x100: 2, 0x101: 1, 0x102: 8, 0x103: 1, 0x106: 1, 0x111: 0, 0x112: orientation, 0x115: 1, 0x116: 1, 0x117: 2, 0x14A: 0}
    first = 8 + len(directory(small, order))
    strip = first + len(directory({0x106: 0, 0x111: 0}, order))
    small |= {0x111: strip, 0x14A: first}
    below = directory({0x106: 32803, 0x111: strip + 2}, order)
    return header + directory(small, order) + below + b"\x10\x20" + sensor + NOISE + jpeg + NOISE


def directory(numbers: dict[int, int], order: str = "<") -> bytes:
    """A directory of a TIFF, with numbers of four bytes, and none behind it."""
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, number) for tag, number in sorted(numbers.items()))
    return struct.pack(f"{order}H", len(numbers)) + entries + bytes(4)


NOISE = np.random.default_rng(3).bytes(3000)


def exif(orientation: int) -> bytes:
    """An EXIF block that says only how the picture is turned."""
    block = Image.Exif()
    block[EXIF_ORIENTATION] = orientation
    return block.tobytes()


def corner_colours(pixels: npt.NDArray[np.uint8]) -> list[str]:
    """What stands in the middle of the four quarters: upper left, upper right, lower left, lower right."""
    height, width, _ = pixels.shape
    return [
        _name(pixels[row, column])
        for row, column in (
            (height // 4, width // 4),
            (height // 4, width * 3 // 4),
            (height * 3 // 4, width // 4),
            (height * 3 // 4, width * 3 // 4),
        )
    ]


def _name(pixel: npt.NDArray[np.uint8]) -> str:
    wanted = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 230), "grey": (128, 128, 128)}
    return min(wanted, key=lambda name: int(np.abs(pixel.astype(int) - wanted[name]).sum()))
