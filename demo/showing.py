"""Show what was found: names, distances, and small pictures where the terminal can. May import rich, nearimage and the module `photographs`."""

import io
from collections.abc import Sequence

from PIL import Image
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo.photographs import Photograph
from nearimage.cli.thumbnails import Thumbnail, shows_thumbnails, thumbnail_of

_WIDTH, _HEIGHT = 22, 7  # characters; three of them stand side by side on 80 columns


def show_hits(console: Console, heading: str, hits: Sequence[tuple[Photograph, float]], took_ms: float) -> None:
    """One query with its hits: side by side under small pictures, or a line each."""
    console.print(Text.assemble("\n   ", (heading, "bold cyan"), (f"   {took_ms:.0f} ms", "dim")))
    if not shows_thumbnails(console):
        for rank, (photograph, distance) in enumerate(hits, 1):
            console.print(f"   {rank}  {distance:.3f}  {photograph.name:<12}  {photograph.caption}", markup=False)
        return
    table = Table.grid(padding=(0, 2))
    table.add_row("", *(_cell(photograph, distance) for photograph, distance in hits))
    console.print(table)


def _cell(photograph: Photograph, distance: float) -> RenderableType:
    return Group(_thumbnail(photograph), Text.assemble((photograph.name, "bold"), (f"  {distance:.3f}", "cyan")))


def _thumbnail(photograph: Photograph) -> Thumbnail:
    with Image.open(photograph.path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((256, 256))
        out = io.BytesIO()
        small.save(out, "PNG")
    return thumbnail_of(out.getvalue(), width=_WIDTH, height=_HEIGHT)
