"""Makes picture files in every format, for the tests of `nearimage.media`."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image

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
    image.save(stream, {"HEIC": "HEIF"}.get(format_name, format_name), **{**FORMATS[format_name], **options})
    return stream.getvalue()


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
