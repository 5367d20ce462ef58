"""The pictures that the demo searches by: like a photograph that is stored, but not the same. May import Pillow and the module `photographs`."""

import io
from pathlib import Path

from PIL import Image, ImageOps

from demo.photographs import Photograph


def mirrored_cat(cat: Photograph, folder: Path) -> Path:
    """A file with the middle of the cat's face, left and right exchanged."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mirrored-cat.jpg"
    ImageOps.mirror(_middle(cat.path)).save(path, quality=85)
    return path


def coffee_cut_out(coffee: Photograph) -> bytes:
    """A JPEG of the middle of the cup, grey, 160 pixels wide."""
    small = ImageOps.grayscale(_middle(coffee.path))
    small.thumbnail((160, 160))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=60)
    return out.getvalue()


def _middle(path: Path) -> Image.Image:
    """The inner 70 % of a picture, each way."""
    with Image.open(path) as picture:
        wide, high = picture.size
        return picture.convert("RGB").crop((wide * 3 // 20, high * 3 // 20, wide * 17 // 20, high * 17 // 20))
