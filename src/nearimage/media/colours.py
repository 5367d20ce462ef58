"""Turn any of Pillow's modes into RGB pixels: depth to 8 bits, transparency over white, shrunk where the caller would shrink anyway.

ICC profiles are ignored, on purpose: the models were trained on pictures read without them, and all pictures, stored and asked for, are treated
alike; see docs/design/media.md. May import Pillow and numpy.
"""

import numpy as np
from PIL import Image

from nearimage.ports.media import Pixels

_REDUCIBLE = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})  # modes whose values can be averaged; a palette's indices cannot

_WHITE = (255, 255, 255)

_HIGHEST = 255


def rgb_pixels(picture: Image.Image, *, short_side: int | None) -> Pixels:
    """The picture's pixels, not smaller than twice `short_side` on the shorter side unless the picture is; all of them without one.

    Args:
        picture: loaded, in any mode.

    Raises:
        ValueError: a mode that cannot be converted.
    """
    picture = _eight_bits(picture)
    if picture.mode not in _REDUCIBLE or "transparency" in picture.info:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    factor = min(picture.size) // (2 * short_side) if short_side else 1
    if factor > 1:
        picture = picture.reduce(factor)  # averages whole blocks, weighting by alpha: 1.1 ms a megapixel; copying all pixels to numpy takes 5.8
    return np.asarray(_over_white(picture), dtype=np.uint8)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey in 16 or 32 bits as 8; other modes have 8 bits already (Pillow takes the high byte of 16-bit colours itself, but not of a key colour)."""
    key = picture.info.get("transparency")
    if picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        grey = Image.fromarray((values >> 8).astype(np.uint8))
        if isinstance(key, int):
            grey.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
        return grey
    if isinstance(key, tuple) and max(key) > _HIGHEST:
        picture.info["transparency"] = tuple(part >> 8 for part in key)
    if picture.mode in {"I", "F"}:
        return Image.fromarray(_stretched(np.asarray(picture, dtype=np.float64)))
    return picture


def _stretched(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Measurements in 32 bits have no white of their own: the darkest becomes black, the brightest white."""
    finite = np.where(np.isfinite(values), values, 0.0)
    low, high = float(finite.min()), float(finite.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    return ((finite - low) * scale).astype(np.uint8)


def _over_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    picture = picture.convert("RGBA")
    ground = Image.new("RGB", picture.size, _WHITE)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground
