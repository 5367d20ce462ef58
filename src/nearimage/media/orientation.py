"""Turn pictures upright, as EXIF's orientation asks.

    1 as it is      2 mirrored left-right   3 half a turn          4 mirrored top-bottom
    5 transposed    6 a quarter clockwise   7 transposed, half turn  8 a quarter counter-clockwise

Values and meaning: EXIF 2.32 (CIPA DC-008), tag 0x0112. HEIC and AVIF turn by boxes of their own (irot, imir), which win over EXIF: pillow-heif applies
them while decoding and resets the tag, Pillow's AVIF reader writes them into the tag, and its TIFF reader turns the picture itself and
removes it. So the tag is asked for after the pixels are there, and what it says then is still to be done. May import Pillow and numpy.
"""

import struct

import numpy as np
from PIL import ExifTags, Image

from nearimage.ports.media import Pixels

_DAMAGED = (AttributeError, EOFError, IndexError, KeyError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error)
# what Pillow raises on damaged EXIF; such a picture is shown as it is, as browsers do


def orientation_of(picture: Image.Image) -> int:
    """How the picture is turned, 1 to 8; 1 where it does not say or says nonsense."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGED:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The pixels turned so that up is up; contiguous."""
    if orientation >= 5:  # the four that swap height and width are a transposition and then one of the others
        pixels = pixels.transpose(1, 0, 2)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
