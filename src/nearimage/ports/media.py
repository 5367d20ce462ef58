"""The media port: what a caller wrote for a picture -> bytes -> pixels.

May import `domain` only.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidInput

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3) uint8 RGB, 0..255, upright (EXIF orientation applied), transparency laid over white; height and width are at least 1."""


class Media(Protocol):
    """Reads pictures, within limits."""

    def read(self, reference: str) -> bytes:
        """The bytes of a picture that a request carries.

        Args:
            reference: strict base64 (RFC 4648, padded, no line breaks), with or without a `data:...;base64,` prefix.

        Raises:
            InvalidBase64: neither of them.
            PictureTooLarge: more bytes than the limit; nothing was decoded.
        """
        ...

    def decode(self, pictures: Sequence[bytes], *, short_side: int, exact: bool = False) -> list[Pixels | InvalidInput]:
        """Decode pictures, on all cores.

        Args:
            pictures: JPEG, PNG, WebP, GIF (first frame), BMP, TIFF (first page), HEIC or AVIF; n may be 0.
            short_side: the caller will shrink each picture to this many pixels on its shorter side; a picture may come back smaller than it
                is, but not under twice this size.
            exact: give every pixel at its full size, without the short cuts that `short_side` allows.

        Returns:
            One entry a picture, in order: its pixels (not to be written to), or why it has none (UnreadablePicture, PictureTooLarge); one
            bad picture costs the others nothing.

        Raises:
            Busy: the server is stopping.

        Cost:
            Blocks; about 5 ms a megapixel.
        """
        ...

    def media_type(self, picture: bytes) -> str:
        """The MIME type of a picture, by its first bytes; `application/octet-stream` for what is none."""
        ...

    def thumbnail(self, picture: bytes, *, short_side: int) -> bytes:
        """A small JPEG of a picture, for people to look at.

        Args:
            short_side: pixels of its shorter side; a smaller picture keeps its size.

        Raises:
            UnreadablePicture, PictureTooLarge: as `decode` says.
        """
        ...
