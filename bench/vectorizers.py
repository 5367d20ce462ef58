"""Measure pictures to vectors from the file on: decoding, preparing, running; and what a query waits for while an import runs.

    python bench/vectorizers.py [--seconds 4]

One run, side by side: the same pictures (JPEG of 0.1, 1 and 5 MB, PNG, WebP) through EfficientNet-Lite0 and through towers of CLIP ViT-B/32's size with
random weights, in float and in 8 bits. "CPU" is what all threads used, for each picture; it is the steady figure where others use the machine too.
May import nearimage, the tests' towers, numpy and Pillow.
"""

import argparse
import io
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nearimage.domain.errors import NearimageError
from nearimage.domain.vectorizing import Modality
from nearimage.media import PictureReader
from nearimage.ports.vectorizer import Bundle, Input, Vectorizer
from nearimage.vectorizers import Modules, modules
from nearimage.vectorizers.runtime.int8 import sums_full_range
from nearimage.vectorizers.runtime.runner import cores
from nearimage.vectorizers.store.adding import CLIP_MERGES, NewModel, add
from nearimage.vectorizers.store.folder import ModelStore
from nearimage.vectorizers.store.manifest import Pictures, Words
from nearimage.vectorizers.store.scenes import scene
from tests.towers import TEXT_B32, VISION_B32, text_tower, vision_tower

CLIP = "clip-vit-b-32-random"
QUERY = "a photograph of a small cat on a chair"  # 10 tokens with start and end beside its 9 words
BATCH = 32
QUERIES = 60
SMALL = "JPEG 0.1 MB"

KINDS = {
    SMALL: ((640, 480), "JPEG", {"quality": 84}),
    "JPEG 1 MB": ((2400, 1800), "JPEG", {"quality": 80}),
    "JPEG 5 MB": ((5600, 4200), "JPEG", {"quality": 80}),
    "PNG 0.8 MB": ((640, 480), "PNG", {}),
    "WebP 0.1 MB": ((640, 480), "WEBP", {"quality": 90}),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One model in one precision."""

    module: str
    model: str
    precision: str


LINES = (
    Line("img2vec-neural", "efficientnet-lite0", "fp32"),
    Line("img2vec-neural", "efficientnet-lite0", "int8"),
    Line("multi2vec-clip", CLIP, "fp32"),
    Line("multi2vec-clip", CLIP, "int8"),
)


def pictures(kind: str, count: int) -> list[bytes]:
    """Generated pictures with a photograph's detail, as files."""
    (width, height), form, options = KINDS[kind]
    found = []
    for number in range(count):
        image = Image.fromarray(scene(number, width=640, height=480)).resize((width, height), Image.Resampling.BICUBIC)
        grain = np.random.default_rng(number).normal(0, 8, (height, width, 1)).astype(np.float32)
        out = io.BytesIO()
        Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)).save(out, form, **options)
        found.append(out.getvalue())
    return found


def add_clip(folder: Path) -> None:
    """Random towers of CLIP ViT-B/32's size, in the store."""
    files = {Modality.IMAGE: folder / "vision.onnx", Modality.TEXT: folder / "text.onnx"}
    files[Modality.IMAGE].write_bytes(vision_tower(VISION_B32))
    files[Modality.TEXT].write_bytes(text_tower(TEXT_B32))
    add(ModelStore(folder), NewModel(name=CLIP, towers=files, pictures=Pictures(size=224), words=Words(file=CLIP_MERGES)))


def opened(found: Modules, line: Line) -> Vectorizer:
    """The vectorizer of a line."""
    (module,) = (module for module in found.all if module.name == line.module)
    return module.open(module.check({"imageFields": ["photo"], "model": line.model, "precision": line.precision}))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """From files to vectors, as an import does it."""

    media: PictureReader
    vectorizer: Vectorizer

    def embed(self, files: Sequence[bytes]) -> None:
        """Decode and embed; raises what fails."""
        decoded = self.media.decode(files, short_side=self.vectorizer.short_side or 1)
        bundles: list[Bundle] = []
        for pixels in decoded:
            if isinstance(pixels, NearimageError):
                raise pixels
            bundles.append([Input(Modality.IMAGE, pixels)])
        for made in self.vectorizer.embed(bundles):
            if isinstance(made, NearimageError):
                raise made


def rate(what: str, call: Callable[[], None], count: int, seconds: float) -> None:
    """Repeat a call and print how many a second, and their CPU time."""
    call()
    done, begun, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        call()
        done += count
    wall = time.perf_counter() - begun
    print(f"| {what:42} | {done / wall:6.1f}/s | {(time.process_time() - cpu) / done * 1e3:6.1f} ms CPU each |", flush=True)


def latencies(call: Callable[[], None]) -> tuple[float, float]:
    """p50 and p99 of single calls, in ms."""
    call()
    times = []
    for _ in range(QUERIES):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    p50, p99 = np.percentile(times, [50, 99])
    return float(p50), float(p99)


@contextmanager
def importing(pipeline: Pipeline, files: Sequence[bytes]) -> Iterator[None]:
    """Import without pause beside what happens inside."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            pipeline.embed(files)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.5)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure(found: Modules, media: PictureReader, files: dict[str, list[bytes]], seconds: float) -> None:
    """Print the table."""
    for line in LINES:
        vectorizer = opened(found, line)
        measure_one(f"{line.model} {line.precision}", Pipeline(media, vectorizer), files if line == LINES[0] else {SMALL: files[SMALL]}, seconds)


def measure_one(name: str, pipeline: Pipeline, files: dict[str, list[bytes]], seconds: float) -> None:
    """The rows of one model."""
    for kind, some in files.items():
        rate(f"{name}, {kind}", partial(pipeline.embed, some), len(some), seconds)
    query = partial(pipeline.embed, files[SMALL][:1])
    idle = latencies(query)
    with importing(pipeline, files[SMALL]):
        beside = latencies(query)
    print(f"| {name}, one query | p50 {idle[0]:.1f}, p99 {idle[1]:.1f} ms | beside an import p50 {beside[0]:.1f}, p99 {beside[1]:.1f} ms |")
    print(f"| {name}, p99 beside an import / idle p50 | {beside[1] / idle[0]:.1f} | |", flush=True)
    if Modality.TEXT in pipeline.vectorizer.modalities:
        text = latencies(partial(read, pipeline.vectorizer))
        print(f"| {name}, text query of 10 tokens | p50 {text[0]:.1f}, p99 {text[1]:.1f} ms | |", flush=True)


def read(vectorizer: Vectorizer) -> None:
    """One text query."""
    vectorizer.embed([[Input(Modality.TEXT, QUERY)]])


def main() -> None:
    """Run everything once."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=4.0, help="for each rate")
    options = arguments.parse_args()
    print(f"{cores()} cores, load {os.getloadavg()[0]:.1f}; sums of byte products: {'full range' if sums_full_range() else 'pairs, 7-bit weights'}")
    files = {kind: pictures(kind, BATCH if size[0] < 2000 else 8) for kind, (size, _, _) in KINDS.items()}
    print("; ".join(f"{kind}: {np.mean([len(data) for data in some]) / 1e6:.2f} MB" for kind, some in files.items()))
    with tempfile.TemporaryDirectory() as folder:
        add_clip(Path(folder))
        media = PictureReader()
        with modules(Path(folder)) as found:
            measure(found, media, files, options.seconds)
        for model in ("image", "text"):
            made = ModelStore(Path(folder)).find(CLIP).manifest.int8.get(Modality(model))
            print(f"| {CLIP} int8, {model}: neighbours kept | {made.overlap_at_10 if made else 'not made'} | |")
        media.close()


if __name__ == "__main__":
    main()
