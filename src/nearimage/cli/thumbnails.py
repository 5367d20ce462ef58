"""A picture in a terminal, out of half blocks: each character shows two pixels, one above the other, in the colours of its front and its ground.

    JPEG --Pillow--> at most (width, 2 x height) pixels --> lines of U+2580 "upper half block"

Characters are about twice as high as wide, so the pixels come out square. May import Pillow and rich only.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

UPPER_HALF = "\u2580"

WIDTH, HEIGHT = 24, 8
"""Characters; a 3:2 photograph fills both, and five of them fit on a screen."""

SHORT_SIDE = 64
"""Pixels of the thumbnail to ask a database for: some four times what is shown, which shrinks without jags."""

RGB = tuple[int, int, int]


def shows_thumbnails(console: Console) -> bool:
    """Whether half blocks would look like a picture: a terminal with at least 256 colours."""
    return console.is_terminal and console.color_system in ("256", "truecolor")


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture to be printed with rich.

    Attributes:
        rows: colours, row by row; an even number of rows, all as wide.
    """

    rows: tuple[tuple[RGB, ...], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for upper, lower in zip(self.rows[::2], self.rows[1::2], strict=True):
            yield from (Segment(UPPER_HALF, _style(above, below)) for above, below in zip(upper, lower, strict=True))
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = len(self.rows[0])
        return Measurement(width, width)


def thumbnail_of(jpeg: bytes, *, width: int = WIDTH, height: int = HEIGHT) -> Thumbnail:
    """Shrink a picture to at most `width` x `height` characters."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        scale = min(width / picture.width, 2 * height / picture.height)
        wide = max(1, round(picture.width * scale))
        high = max(2, round(picture.height * scale / 2) * 2)
        small = picture.convert("RGB").resize((wide, high), Image.Resampling.LANCZOS)
    return Thumbnail(tuple(_rows(small.tobytes(), wide)))


def _rows(pixels: bytes, width: int) -> Iterator[tuple[RGB, ...]]:
    for start in range(0, len(pixels), 3 * width):
        row = pixels[start : start + 3 * width]
        yield tuple(zip(row[::3], row[1::3], row[2::3], strict=True))


def _style(above: RGB, below: RGB) -> Style:
    return Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below))
