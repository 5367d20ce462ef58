"""`nearimage models list|pull|add|remove|check|quantize`.

The options and the tables; the model store does the work. May import click and what `cli` may.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.filesize import decimal
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from nearimage.domain.errors import Conflict, InvalidInput
from nearimage.domain.models import ModelReport, ModelState

if TYPE_CHECKING:
    from nearimage.config.settings import Settings

_STYLES = {ModelState.STORED: "green", ModelState.INSTALLED: "green", ModelState.DAMAGED: "bold red"}

_INDENT = 4
"""Of what is said of a model, below its name."""

_DATA = click.option("--data", metavar="DIR", help="The data folder (PERSISTENCE_DATA_PATH) [default: data]")
_MODELS = click.option("--models", "folder", metavar="DIR", help="The folder of models (NEARIMAGE_MODELS) [default: models inside of the data folder]")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of text")


def _places(command: Callable[..., Any]) -> Callable[..., Any]:
    return _DATA(_MODELS(_JSON(command)))


@click.group()
def models() -> None:
    """The models that make vectors: see, get, add, remove, check them."""


@models.command("list")
@_places
def list_models(*, data: str | None, folder: str | None, as_json: bool) -> None:
    """Show the models that are there, and those that are known by name."""
    from nearimage.model_store import open_models

    _tell(open_models(_settings(data, folder)).list(), as_json=as_json)


@models.command()
@click.argument("name")
@click.option("--sha256", "pins", metavar="FILE=HASH", multiple=True, help="The checksum of one of its files; may be given several times")
@click.option("--manifest", default="", metavar="PATH|URL", help="A manifest that names the files with their checksums; in place of what is known by name")
@click.option("--files", default="", metavar="URL", help="Below which URL the manifest's files lie [default: beside the manifest]")
@click.option("--hub", metavar="URL", help="The hub (NEARIMAGE_MODEL_HUB)")
@_places
def pull(*, name: str, pins: Sequence[str], hub: str | None, data: str | None, folder: str | None, as_json: bool, **source: str) -> None:
    """Download the model NAME.

    Every file must have a checksum before it is downloaded, and is compared with it after. What was broken off goes on where it stopped.
    """
    from nearimage.model_store import open_models

    shelf = open_models(_settings(data, folder, hub=hub))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        report = shelf.pull(name, {**source, "pins": _pairs(pins, "--sha256")}, _shown_on(bar))
    _tell([report], as_json=as_json)


def _shown_on(bar: Progress) -> Callable[[str, int, int | None], None]:
    tasks: dict[str, Any] = {}

    def show(file: str, done: int, total: int | None) -> None:
        if file not in tasks:
            tasks[file] = bar.add_task(file, total=total)
        bar.update(tasks[file], completed=done, total=total)

    return show


@models.command()
@click.argument("name")
@click.option("--image", type=click.Path(path_type=Path), help="The ONNX file of the image tower")
@click.option("--text", type=click.Path(path_type=Path), help="The ONNX file of the text tower")
@click.option("--tower", "others", metavar="KIND=PATH", multiple=True, help="The ONNX file of another tower: audio, video, depth, thermal, imu")
@click.option("--preset", default="", metavar="NAME", help="Take everything below from a model that is known by name")
@click.option("--tokenizer", type=click.Path(path_type=Path), help="tokenizer.json, or CLIP's merges [default: CLIP's, which nearimage has]")
@click.option("--context", type=int, help="How many tokens the text tower reads [default: 77]")
@click.option("--pad", type=click.Choice(["longest", "context"]), help="context: it reads the padding too, as SigLIP's does [default: longest]")
@click.option("--clean", type=click.Choice(["none", "whitespace", "lower", "canonicalize"]), help="How texts are cleaned first [default: lower]")
@click.option("--size", type=int, help="The sides of the square that the image tower looks at")
@click.option("--resize", type=int, help="To what the shorter side is shrunk first [default: the same]")
@click.option("--crop", type=click.Choice(["hf", "openclip"]), help="Whose rounding of odd margins [default: openclip]")
@click.option("--fit", type=click.Choice(["shortest", "squash"]), help="squash: the whole picture, whatever its shape [default: shortest]")
@click.option("--filter", type=click.Choice(["bicubic", "bilinear", "lanczos"]), help="How pictures are shrunk [default: bicubic]")
@click.option("--mean", type=float, nargs=3, help="Of the channels, 0 to 1 [default: CLIP's]")
@click.option("--std", type=float, nargs=3, help="Of the channels [default: CLIP's]")
@click.option("--output", "outputs", metavar="KIND=NAME", multiple=True, help="The output that holds the vectors, where there are several")
@click.option("--dimensions", type=int, default=0, help="Of the vectors, where the files do not say")
@click.option("--normalise/--no-normalise", default=None, help="Whether vectors are scaled to length 1 [default: yes]")
@click.option("--licence", default="", help="Shown in lists")
@click.option("--replace", is_flag=True, help="In place of a model of that name")
@_places
def add(*, name: str, data: str | None, folder: str | None, as_json: bool, replace: bool, **said: Any) -> None:
    """Take ONNX files of your own as the model NAME.

    The files are copied, and kept only if they work: every tower is run on pictures or texts.
    """
    from nearimage.model_store import Described, open_models

    towers = {kind: said.pop(kind) for kind in ("image", "text")}
    towers = {kind: path for kind, path in towers.items() if path} | {kind: Path(path) for kind, path in _pairs(said.pop("others"), "--tower").items()}
    said["preset_"] = said.pop("crop")
    pictures = {key.rstrip("_"): said.pop(key) for key in ("size", "resize", "preset_", "fit", "filter", "mean", "std")}
    words = {key: said.pop(key) for key in ("context", "pad", "clean")}
    outputs = _pairs(said.pop("outputs"), "--output")
    described = Described(towers=towers, pictures=_given(pictures), words=_given(words), outputs=outputs, **said)
    _tell([open_models(_settings(data, folder)).add(name, described, replace_old=replace)], as_json=as_json)


@models.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Also where collections use it; they cannot make vectors then")
@_places
def remove(*, name: str, force: bool, data: str | None, folder: str | None, as_json: bool) -> None:
    """Delete the model NAME from the store."""
    from nearimage.model_store import collections_by_model, open_models

    settings = _settings(data, folder)
    used = [] if force else collections_by_model(settings).get(name, [])
    if used:
        raise Conflict(f"the model {name!r} makes the vectors of {', '.join(used)}; delete these first, or say --force", model=name, collections=used)
    open_models(settings).remove(name)
    click.echo(orjson.dumps({"removed": name}).decode() if as_json else f"removed {name}")


@models.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_places
def check(*, names: Sequence[str], data: str | None, folder: str | None, as_json: bool) -> None:
    """Compare all files of the models with their checksums, and run them.

    Exit code 0: all are sound; 1: at least one is not.
    """
    from nearimage.model_store import open_models

    reports = open_models(_settings(data, folder)).check(names)
    _tell(reports, as_json=as_json)
    sys.exit(any(report.state is ModelState.DAMAGED for report in reports))


@models.command()
@click.argument("name")
@click.option("--pictures", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Calibrate with the pictures in this folder")
@_places
def quantize(*, name: str, pictures: Path | None, data: str | None, folder: str | None, as_json: bool) -> None:
    """Make the 8-bit version of the model NAME now, and measure what it keeps.

    It is used where a schema says `"precision": "int8"`, and made then if it is not there, with generated pictures.
    """
    from nearimage.model_store import decoded_pictures, open_models

    settings = _settings(data, folder)
    found = decoded_pictures(settings, pictures) if pictures else None
    _tell([open_models(settings).quantize(name, found)], as_json=as_json)


def _settings(data: str | None, folder: str | None, *, hub: str | None = None) -> "Settings":
    from nearimage.config.settings import load_settings

    return load_settings({"data": data, "models": folder, "model_hub": hub}, os.environ)


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """KEY=VALUE texts as a mapping."""
    pairs = [text.partition("=") for text in texts]
    for key, _, value in pairs:
        if not key or not value:
            raise InvalidInput(f"{option} takes two words with = between, such as {option} KEY=VALUE")
    return {key: value for key, _, value in pairs}


def _given(options: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in options.items() if value is not None}


def _tell(reports: Sequence[ModelReport], *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"models": [asdict(report) for report in reports]}).decode())
        return
    console, width = Console(), max((len(report.name) for report in reports), default=0)
    for report in reports:
        dims, size = f"{report.dimensions} dims" if report.dimensions else "", decimal(report.size_bytes) if report.size_bytes else ""
        style = _STYLES.get(report.state, "dim")
        head = (f"[bold]{report.name:<{width}}[/]", f"[{style}]{report.state.value:<14}[/]", f"{report.module:<14}", f"{dims:>9}", f"{size:>8}")
        console.print("  ".join(head).rstrip(), soft_wrap=True, highlight=False)  # a name that is folded cannot be copied
        kept = [f"int8 keeps {share:.0%} of the nearest ({kind})" for kind, share in report.int8_overlap.items()]
        about = ". ".join(filter(None, (report.about, f"Licence: {report.licence}" if report.licence else "", *kept)))
        for line in filter(None, (about, report.note)):
            console.print(Padding(Text(line), (0, 0, 0, _INDENT), expand=False))
