"""The media port: what a caller wrote for a picture -> bytes -> pixels.

May import `domain` only.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidInput
from nearimage.domain.long_text import LongText

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3) uint8 RGB, 0..255, upright (EXIF orientation applied), transparency laid over white; height and width are at least 1."""


class Media(Protocol):
    """Reads pictures, within limits."""

    def waits(self, reference: str) -> bool:
        """Whether reading a reference means waiting for another machine or a disk: a URL, and no base64."""
        ...

    def read(self, reference: str | LongText, *, broken: bool = False) -> bytes:
        """The bytes of a picture (or of a sound ...) that a request carries or names.

        Args:
            reference: strict base64 (RFC 4648, padded, no line breaks), with or without a `data:...;base64,` prefix; or an http, https or file
                URL, where the settings allow it.
            broken: whether base64 with spaces and line breaks is read too: queries may have them, as with Weaviate, and objects may not.

        Raises:
            InvalidBase64, InvalidUrl: neither of them.
            UrlRefused: a URL that the settings do not allow; detail has "url".
            FetchFailed: a URL that brought nothing; detail has "url".
            PictureTooLarge: more bytes than the limit; no more of them were decoded or fetched.
            Busy: too many requests wait for URLs.

        Cost:
            Blocks while it waits; seconds, at worst the time limit on URLs.
        """
        ...

    def read_many(self, references: Sequence[str]) -> list[bytes | InvalidInput]:
        """The bytes of several references, those that have to be waited for side by side.

        Returns:
            One entry a reference, in order: its bytes, or what `read` would raise; one bad reference costs the others nothing.

        Raises:
            Busy: too many requests wait for URLs; nothing was read.
        """
        ...

    def decode(self, pictures: Sequence[bytes], *, short_side: int, exact: bool = False) -> list[Pixels | InvalidInput]:
        """Decode pictures, on all cores.

        Args:
            pictures: JPEG, PNG, WebP, GIF (first frame), BMP, TIFF (first page), HEIC, AVIF, JPEG 2000, or cameras' raw files (the camera's own JPEG); n may
                be 0.
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
