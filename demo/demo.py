"""A tour for the first time: real photographs into a fresh server, and found again by picture and by words. `make demo` runs it.

    photographs --official client--> nearimage serve --near_image, near_text--> hits, in the terminal

It needs no terminal, ends by itself and leaves nothing running. What it stored stays in demo-data/, to go on with. May import nearimage, rich,
Pillow, weaviate-client and the modules beside it.
"""

import fcntl
import shutil
import signal
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # Python puts this folder there, where `demo` is this very file

import weaviate  # noqa: E402
from rich.console import Console  # noqa: E402
from weaviate.classes.config import Configure, DataType, Property  # noqa: E402
from weaviate.classes.query import MetadataQuery  # noqa: E402

from demo.photographs import Photograph, photographs  # noqa: E402
from demo.queries import coffee_cut_out, mirrored_cat  # noqa: E402
from demo.running_server import RunningServer, running_server  # noqa: E402
from demo.showing import show_hits  # noqa: E402
from nearimage.vectorizers import STARTER_LIMITS  # noqa: E402

COLLECTION = "Pictures"  # what `nearimage search` looks in where nothing else is said
SHOWN_HITS = 3
TEXTS = ("a big cat in the wild", "a spacecraft", "a hot drink")

CLIENT_LINES = """\
import weaviate
from pathlib import Path

with weaviate.connect_to_local() as client:
    pictures = client.collections.use("Pictures")
    picture = Path("{picture}")
    for hit in pictures.query.near_image(picture, target_vector="picture", limit=3).objects:
        print(hit.properties["name"])
    for hit in pictures.query.near_text("a spacecraft", target_vector="words", limit=3).objects:
        print(hit.properties["name"])"""

console = Console(highlight=False, soft_wrap=True)


def main(data: Path) -> int:
    """The tour; returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped
    try:
        _empty(data)
        with running_server(data, "--clip-model", "starter") as server:
            console.print(f"[bold]1. A server[/] on the empty folder {_short(data)}, ready in {server.start_s:.1f} s")
            _tour(server, data)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return 1
    except Exception as failed:  # noqa: BLE001 - whatever it is, a first-time user gets a sentence
        console.print(f"\nThe demo failed: {failed}", style="bold red", markup=False)
        return 1
    _go_on(data)
    return 0


def _tour(server: RunningServer, data: Path) -> None:
    console.print("   fetching the photographs (46 MB, the first time)", style="dim")
    shown = {photograph.name: photograph for photograph in photographs(data / "photographs")}
    with weaviate.connect_to_local(port=server.http_port, grpc_port=server.grpc_port) as client:
        pictures = _create(client)
        _import(pictures, list(shown.values()))

        def ask(heading: str, query: Callable[..., Any], wanted: object, target: str) -> None:
            started = time.perf_counter()
            hits = query(wanted, target_vector=target, limit=SHOWN_HITS, return_metadata=MetadataQuery(distance=True)).objects
            took_ms = (time.perf_counter() - started) * 1000
            if not hits:
                raise RuntimeError(f"nothing was found by {heading}")
            show_hits(console, heading, [(shown[hit.properties["name"]], hit.metadata.distance) for hit in hits], took_ms)

        console.print("\n[bold]3. Found by picture[/], none of them stored as it is")
        mirrored = mirrored_cat(shown["cat"], data / "queries")
        ask(f"a file: {_short(mirrored)} (mirrored, cropped)", pictures.query.near_image, mirrored, "picture")
        text = b64encode(coffee_cut_out(shown["coffee"])).decode()
        ask("base64: a small grey cut-out of the coffee", pictures.query.near_image, text, "picture")

        console.print("\n[bold]4. Found by words[/]; the captions are not looked at, only the pictures")
        for words in TEXTS:
            ask(f'"{words}"', pictures.query.near_text, words, "words")
        console.print(STARTER_LIMITS, style="dim")


def _create(client: Any) -> Any:
    return client.collections.create(
        COLLECTION,
        properties=[Property(name=name, data_type=DataType.TEXT) for name in ("name", "caption", "licence", "source")]
        + [Property(name="image", data_type=DataType.BLOB)],
        vector_config=[
            Configure.Vectors.custom(name="words", module_name="multi2vec-clip", module_config={"imageFields": ["image"], "model": "starter"}),
            Configure.Vectors.img2vec_neural(name="picture", image_fields=["image"]),
        ],
    )


def _import(pictures: Any, found: Sequence[Photograph]) -> None:
    started = time.perf_counter()
    with pictures.batch.dynamic() as batch:
        for photograph in found:
            about = {"name": photograph.name, "caption": photograph.caption, "licence": photograph.licence, "source": photograph.source}
            batch.add_object(properties=about | {"image": b64encode(photograph.path.read_bytes()).decode()})
    took_s = time.perf_counter() - started
    if pictures.batch.failed_objects:
        raise RuntimeError(f"{len(pictures.batch.failed_objects)} photographs were not stored: {pictures.batch.failed_objects[0].message}")
    console.print(f"\n[bold]2. {len(found)} photographs[/] imported with the official client, two vectors each, in {took_s:.1f} s")
    console.print("   the first time, this also converts the models; demo/PHOTOGRAPHS.md names authors and licences", style="dim")


def _empty(data: Path) -> None:
    """Start afresh, but never under a running server, nor in a folder that is not ours."""
    lock = data / "nearimage.lock"
    if lock.exists():
        with lock.open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as taken:
                raise RuntimeError(f"a running server holds {_short(data)}; stop it first") from taken
        shutil.rmtree(data)
    elif data.exists() and any(data.iterdir()):
        raise RuntimeError(f"{_short(data)} holds something else than a database; move it away first")


def _go_on(data: Path) -> None:
    picture = _short(data / "queries" / "mirrored-cat.jpg")
    console.print(f"""
[bold]To go on[/] (the server of this tour is stopped; its data stays in {_short(data)})
  .venv/bin/nearimage serve --data {_short(data)}     then open http://127.0.0.1:8080
  .venv/bin/nearimage search {picture} --data {_short(data)}
  .venv/bin/nearimage search "a spacecraft" --data {_short(data)}
  .venv/bin/nearimage index YOUR-PICTURES --clip-model starter

[bold]Ten lines with the client[/], while that server runs
""")
    console.print(CLIENT_LINES.format(picture=picture), markup=False)


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "demo-data"))
