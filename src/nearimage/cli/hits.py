"""What a search found, printed: a table with thumbnails in a terminal, tabs for pipes, JSON for programs.

May import click, orjson, rich, `domain` and `cli` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import click
import orjson
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from nearimage.cli.thumbnails import Thumbnail, shows_thumbnails
from nearimage.domain.objects import Hit
from nearimage.domain.schema import Collection

_NAMES = ("name", "title", "path")  # the property that a hit is called by, if there is one
_SHOWN_TEXTS = 3  # other text properties beside it; more would push the next hit off the screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The hits of one search, nearest first."""

    collection: Collection
    target: str | None
    place: str
    took_ms: float
    hits: Sequence[Hit]


def show(answer: Answer, thumbnails: Callable[[], Mapping[UUID, Thumbnail]], wanted: bool | None) -> None:
    """Print for whoever is at the other end: a table in a terminal, plain lines elsewhere.

    Args:
        thumbnails: called if they are to be shown.
        wanted: whether the user wants them; None leaves it to the terminal.
    """
    console = Console(force_terminal=True, color_system="truecolor") if wanted else Console()
    if not answer.hits:
        click.echo(f"Nothing found in {answer.collection.name}, {answer.place}.", err=True)
    elif console.is_terminal:
        print_table(console, answer, thumbnails() if wanted or (wanted is None and shows_thumbnails(console)) else {})
    else:
        click.echo(as_lines(answer))


def as_json(answer: Answer) -> str:
    """One line for programs."""
    hits = [{"id": str(hit.record.id), "distance": hit.distance, "certainty": hit.certainty, "properties": dict(hit.record.properties)} for hit in answer.hits]
    about = {"collection": answer.collection.name, "target": answer.target, "place": answer.place, "took_ms": round(answer.took_ms, 1)}
    return orjson.dumps(about | {"hits": hits}).decode()


def as_lines(answer: Answer) -> str:
    """Rank, distance and path (or name, or id), with tabs between them: what `cut` and `awk` take."""
    return "\n".join(f"{rank}\t{_distance(hit)}\t{_where(hit)}" for rank, hit in enumerate(answer.hits, 1))


def print_table(console: Console, answer: Answer, thumbnails: Mapping[UUID, Thumbnail]) -> None:
    """A table for people, and below it where the hits come from.

    Args:
        thumbnails: by object; where there are none, there is no column for them.
    """
    table = Table(box=None, show_header=not thumbnails, pad_edge=False, padding=(0, 2, 1 if thumbnails else 0, 0))
    table.add_column("", justify="right", style="bold")
    table.add_column("distance", style="cyan", justify="right")
    if thumbnails:
        table.add_column()
    table.add_column("picture", overflow="fold")
    for rank, hit in enumerate(answer.hits, 1):
        picture = [thumbnails.get(hit.record.id, Text(""))] if thumbnails else []
        table.add_row(str(rank), _distance(hit), *picture, _description(hit))
    console.print(table)
    by = f" by vector {answer.target}" if answer.target else ""
    console.print(Text(f"{len(answer.hits)} of {answer.collection.name}{by}, {answer.place}, {answer.took_ms:.0f} ms", style="dim"))


def _distance(hit: Hit) -> str:
    return "" if hit.distance is None else f"{hit.distance:.4f}"


def _where(hit: Hit) -> str:
    found = hit.record.properties.get("path", hit.record.properties.get("name"))
    return str(hit.record.id if found is None else found).translate(_ONE_LINE)


_ONE_LINE = str.maketrans("\t\n\r", "   ")


def _description(hit: Hit) -> Group:
    """The hit's name, and below it the path or other texts."""
    texts = {name: value for name, value in hit.record.properties.items() if isinstance(value, str)}
    called = next((name for name in _NAMES if name in texts), None)
    title = texts.pop(called) if called else str(hit.record.id)
    rest = [texts["path"]] if "path" in texts else list(texts.values())[:_SHOWN_TEXTS]
    return Group(Text(title, style="bold"), *(Text(text, style="dim") for text in rest))
