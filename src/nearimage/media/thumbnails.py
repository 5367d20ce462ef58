"""Small JPEGs of pictures, for people to look at. May import Pillow, numpy and `ports` only."""

import io

from PIL import Image

from nearimage.ports.media import Pixels

QUALITY = 85  # a 256-pixel thumbnail has 10 to 20 KB, and no edge shows that it was compressed


def jpeg_thumbnail(pixels: Pixels, *, short_side: int) -> bytes:
    """The picture shrunk to `short_side` pixels on its shorter side, never enlarged, as JPEG."""
    picture = Image.fromarray(pixels)
    scale = short_side / min(picture.size)
    if scale < 1:
        picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
