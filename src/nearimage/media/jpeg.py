"""Decode JPEGs at the size that is needed: libjpeg-turbo scales by 1/2, 1/4 or 1/8 while it decodes (in the DCT domain).

simplejpeg takes them all: grey, colour, CMYK and YCCK, baseline and progressive. What its strict mode refuses but other programs show goes to Pillow, which
scales likewise. Both take every CMYK file for one of Adobe's, which store how much ink is missing; a file without Adobe's marker (APP14) stores how much
there is, and is turned round (as MuPDF and libvips read it too). Speed: bench/decode.py. May import Pillow, numpy and simplejpeg.
"""

from contextlib import suppress

import simplejpeg
from PIL import Image, ImageChops

from nearimage.media.colours import rgb_pixels
from nearimage.ports.media import Pixels

_SCALES = (8, 4, 2)  # the scales with SIMD code; 5/8 to 7/8 take up to twice as long as decoding whole (bench/decode.py)

MAX_SCANS_FULL_SIZE = 20
"""How often a progressive JPEG at the limit of pixels may pass over the whole picture.

Each scan of a progressive JPEG visits every pixel, and a scan may be a few bytes long, so a small file can ask for minutes of work (the attack described
in libjpeg-turbo's "Two Issues with the JPEG Standard"). Real encoders write 10 scans (jpegtran's default script) or fewer; smaller pictures may have more.
"""


def jpeg_pixels(data: bytes, picture: Image.Image, *, short_side: int | None) -> Pixels:
    """Decode an opened JPEG to at least twice `short_side` on the shorter side, or whole where it is smaller or no side is given.

    Args:
        data: the file.
        picture: its header, from `opening.open_header`.

    Raises:
        OSError: truncated or damaged; from Pillow, after both decoders gave up.
    """
    is_ink = picture.mode == "CMYK" and "adobe" not in picture.info
    width, height = picture.size
    scale = _scale(min(width, height), 2 * short_side) if short_side else 1
    if not is_ink:
        with suppress(ValueError):  # strict: Pillow decides whether this is damage or a harmless oddity
            pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=-(-height // scale), min_width=-(-width // scale))
            return pixels
    if short_side:
        picture.draft(picture.mode, (2 * short_side, 2 * short_side))
    picture.load()
    return rgb_pixels(ImageChops.invert(picture) if is_ink else picture, short_side=short_side)


def scans(data: bytes, picture: Image.Image) -> int:
    """How many scans a JPEG has; 1 for baseline, not more than the true number plus the thumbnails' for progressive ones."""
    if not picture.info.get("progressive"):
        return 1
    return data.count(b"\xff\xda")  # the marker cannot occur inside coded data, where FF is always followed by 00 or RSTn


def _scale(short: int, wanted: int) -> int:
    """The greatest divisor that leaves at least `wanted` pixels."""
    return next((scale for scale in _SCALES if -(-short // scale) >= wanted), 1)
