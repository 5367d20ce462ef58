"""What a caller wrote for a picture -> bytes -> pixels, within limits; see `reader`."""

from nearimage.media.reader import PictureReader

__all__ = ["PictureReader"]
