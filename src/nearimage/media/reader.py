"""Read pictures: the one implementation of the media port.

    text --sources--> bytes --formats--> format --opening--> header, limits --jpeg | Pillow--> pixels --orientation--> upright pixels

Everything hostile is refused as early as it shows: bytes by the length of the text, formats by the first bytes, pixels by the header. Decoding runs in
a pool of one thread a core (the decoders release the GIL), shared by all callers, so that however many ask, an import never has more pictures than
cores unpacked at a time, and of large ones only one; like all that imports do, it stands back behind searches. A single picture is decoded on its
caller's own thread, at its priority: somebody waits for it.

May import `ports` and `domain`.
"""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from PIL import Image, ImageFile

from nearimage.domain.errors import Busy, InvalidInput, PictureTooLarge, UnreadablePicture
from nearimage.domain.long_text import LongText
from nearimage.domain.priority import step_back
from nearimage.media.colours import rgb_pixels
from nearimage.media.damage import describe_damage
from nearimage.media.formats import MEDIA_TYPES, RAW, READABLE, describe, recognise
from nearimage.media.jpeg import MAX_SCANS_FULL_SIZE, jpeg_pixels, scans
from nearimage.media.opening import open_header
from nearimage.media.orientation import orientation_of, upright
from nearimage.media.raw import jpeg_of
from nearimage.media.sources import Sources
from nearimage.media.thumbnails import jpeg_thumbnail
from nearimage.ports.media import Pixels

MAX_BYTES = 64 * 1024 * 1024
"""The default limit on a picture's bytes: its base64 (89.5 MB) still fits into one of Weaviate's messages of at most 104,858,000 bytes."""

MAX_PIXELS = 200_000_000
"""The default limit on a picture's pixels: the sensors of today's phones; unpacked by Pillow (4 bytes each) it takes 0.8 GB."""

_LARGE_PIXELS = 40_000_000  # 160 MB unpacked: above, one at a time, so that a batch of scans needs no more memory than one


class PictureReader:
    """Reads pictures, within limits; implements `nearimage.ports.media.Media`.

    Args:
        sources: reads references; by default those only that carry their bytes.
        max_bytes: the most bytes a picture may have.
        max_pixels: the most pixels a picture may have; checked from its header.
        threads: how many pictures are decoded at a time; by default as many as this process has cores.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS, threads: int | None = None, sources: Sources | None = None) -> None:
        self._sources = sources or Sources(max_bytes=max_bytes)
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._large = threading.Lock()
        self._pool = ThreadPoolExecutor(threads or _cores(), thread_name_prefix="decode", initializer=step_back)
        self._closed = False

    def read(self, reference: str | LongText, *, broken: bool = False) -> bytes:
        """The bytes of a picture that a request carries or names; see the port."""
        return self._sources.read(reference, broken=broken)

    def read_many(self, references: Sequence[str]) -> list[bytes | InvalidInput]:
        """The bytes of several; see the port."""
        return self._sources.read_many(references)

    def waits(self, reference: str) -> bool:
        """Whether its bytes are somewhere else; see the port."""
        return self._sources.waits(reference)

    def decode(self, pictures: Sequence[bytes], *, short_side: int, exact: bool = False) -> list[Pixels | InvalidInput]:
        """Decode pictures, on all cores; see the port.

        Returns:
            One entry a picture, in order; arrays are contiguous and read-only.

        Raises:
            Busy: the reader is closed.
        """
        if self._closed:
            raise Busy("the server is stopping; send the request again later")
        wanted = None if exact else short_side
        if len(pictures) == 1:  # a query: on the caller's own thread it waits behind no import
            return [self._decode(pictures[0], wanted)]
        return list(self._pool.map(lambda data: self._decode(data, wanted), pictures))

    def media_type(self, picture: bytes) -> str:
        """The MIME type of a picture; see the port."""
        name = recognise(picture)
        return MEDIA_TYPES.get(name, f"image/{name.lower()}") if name else "application/octet-stream"

    def thumbnail(self, picture: bytes, *, short_side: int) -> bytes:
        """A small JPEG of a picture; see the port."""
        pixels = self.decode([picture], short_side=short_side)[0]
        if isinstance(pixels, InvalidInput):
            raise pixels
        return jpeg_thumbnail(pixels, short_side=short_side)

    def close(self) -> None:
        """Finish what runs and let the threads go; closing twice is fine."""
        self._closed = True
        self._sources.close()
        self._pool.shutdown()

    def _decode(self, data: bytes, short_side: int | None) -> Pixels | InvalidInput:
        """One picture's pixels, or why it has none; never raises, so that one bad picture fails alone. Without a short side at full size."""
        if len(data) > self._max_bytes:
            return PictureTooLarge(
                f"the picture has {len(data):,} bytes; the limit is {self._max_bytes:,}; send a smaller one, or raise the limit",
                limit=self._max_bytes,
                got=len(data),
            )
        format_name = recognise(data)
        if format_name is None:
            return UnreadablePicture(
                f"the {len(data):,} bytes are no picture that can be read: they look like {describe(data)}; send one of {', '.join(READABLE)}",
                format=None,
                size=len(data),
            )
        if jpeg := jpeg_of(data, format_name):
            pixels = self._decode_known(jpeg, "JPEG", short_side)
            if isinstance(pixels, UnreadablePicture):
                return UnreadablePicture(f"in the camera's raw file, {pixels.message}", format=RAW, size=len(data))
            return pixels
        if format_name == RAW:
            return UnreadablePicture(
                f"the camera's raw file of {len(data):,} bytes has no JPEG in it; develop it, and send what comes out", format=RAW, size=len(data)
            )
        return self._decode_known(data, format_name, short_side)

    def _decode_known(self, data: bytes, format_name: str, short_side: int | None) -> Pixels | InvalidInput:
        try:
            picture = open_header(data, format_name, max_pixels=self._max_pixels)
        except InvalidInput as error:
            return error
        except Image.DecompressionBombError:  # Pillow's own limit on a WebP's canvas, a GIF's frame and a TIFF's tile: 179 Mpx
            return self._too_many_pixels(format_name)
        except Exception as error:  # noqa: BLE001 decoders fed hostile bytes raise anything; this is a worker's loop
            return _unreadable(data, format_name, "in its header", error)
        return self._decode_opened(data, format_name, picture, short_side)

    def _decode_opened(self, data: bytes, format_name: str, picture: ImageFile.ImageFile, short_side: int | None) -> Pixels | InvalidInput:
        try:
            with self._turn(picture):
                if format_name != "JPEG":
                    picture.load()
                    pixels = rgb_pixels(picture, short_side=short_side)
                elif scans(data, picture) * picture.width * picture.height <= MAX_SCANS_FULL_SIZE * self._max_pixels:
                    pixels = jpeg_pixels(data, picture, short_side=short_side)
                else:
                    return UnreadablePicture("the JPEG has so many scans that it was made to waste time; save it anew", format="JPEG", size=len(data))
                pixels = upright(pixels, orientation_of(picture))
        except Image.DecompressionBombError:
            return self._too_many_pixels(format_name)
        except Exception as error:  # noqa: BLE001 as above
            return _unreadable(data, format_name, "in its pixels", error)
        pixels.flags.writeable = False
        return pixels

    def _turn(self, picture: ImageFile.ImageFile) -> AbstractContextManager[object]:
        return self._large if picture.width * picture.height > _LARGE_PIXELS else nullcontext()

    def _too_many_pixels(self, format_name: str) -> PictureTooLarge:
        return PictureTooLarge(f"the {format_name} has more pixels than can be decoded; send a smaller one", limit=self._max_pixels, got=None)


def _unreadable(data: bytes, format_name: str, where: str, error: Exception) -> UnreadablePicture:
    reason = str(error) or type(error).__name__
    seen = describe_damage(data, format_name)
    what = f"{seen}; decoding" if seen else "decoding"
    return UnreadablePicture(
        f"the {format_name} of {len(data):,} bytes is damaged or cut: {what} stopped {where} ({reason}); save it anew, or send it whole",
        format=format_name,
        size=len(data),
    )


def _cores() -> int:
    """The cores this process may use; in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
