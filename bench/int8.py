"""Measure what EfficientNet-Lite0 in 8-bit integers keeps of the float model's neighbours, and what it costs beside it.

    python bench/int8.py [--ways]

Neighbours are those among crops of the demo's photographs; the model is calibrated with generated scenes, as the product does it, so it has seen none of
them. Float and 8 bits run in turns, and "CPU" is the best of each: others use the machine too.
With --ways also the quantiser's own rounding, and each half of ours.
May import nearimage, the demo's photographs, numpy and Pillow.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.photographs import photographs
from nearimage.vectorizers.efficientnet_lite.crop import centre
from nearimage.vectorizers.efficientnet_lite.model import LITE0, converted_file, int8_of
from nearimage.vectorizers.runtime import rounding
from nearimage.vectorizers.runtime.int8 import overlap, quantize, sums_full_range
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.store.quantizing import CALIBRATION
from nearimage.vectorizers.store.scenes import scene

CROPS = 6  # of each photograph
TURNS, RUNS = 6, 12
Inputs = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float32]


def crops(folder: Path) -> Inputs:
    """Squares out of photographs, of random size and place, as the model sees them."""
    rng = np.random.default_rng(1)
    found = []
    for photograph in photographs(folder):
        image = Image.open(photograph.path).convert("RGB")
        image.thumbnail((1200, 1200))
        pixels = np.asarray(image)
        short = min(pixels.shape[:2])
        for _ in range(CROPS):
            side = int(short * rng.uniform(0.45, 0.95))
            top, left = (int(rng.integers(0, length - side + 1)) for length in pixels.shape[:2])
            found.append(centre(np.ascontiguousarray(pixels[top : top + side, left : left + side]), LITE0.side, LITE0.short_side))
    return np.stack(found)


def rows(session: Session, inputs: Inputs) -> Rows:
    """Each input's embedding, in a run of its own."""
    return np.concatenate([session.run(("embedding",), {"pixels": inputs[n : n + 1]})[0] for n in range(len(inputs))])


def cpu_ms(session: Session, inputs: Inputs) -> float:
    """CPU time of a run."""
    begun = time.process_time()
    for n in range(RUNS):
        session.run(("embedding",), {"pixels": inputs[n : n + 1]})
    return (time.process_time() - begun) / RUNS * 1e3


def report(name: str, exact: Session, rounded: Session, inputs: Inputs) -> None:
    """One row of the table."""
    want, got = rows(exact, inputs), rows(rounded, inputs)
    cosine = (want * got).sum(axis=1) / np.linalg.norm(want, axis=1) / np.linalg.norm(got, axis=1)
    turns = [(cpu_ms(exact, inputs), cpu_ms(rounded, inputs)) for _ in range(TURNS)]
    slow, quick = (min(column) for column in zip(*turns, strict=True))
    kept = f"{overlap(want, got):.3f} | {cosine.mean():.4f}, {cosine.min():.3f}"
    print(f"| {name:34} | {kept} | {slow:.1f} / {quick:.1f} ms | {slow / quick:.2f} |", flush=True)


@contextmanager
def nearest_weights() -> Iterator[None]:
    """Each weight by itself to its nearest step; biases still make up for the mean."""
    round_rows = rounding.round_rows
    with patch.object(rounding, "round_rows", lambda weights, _, levels: round_rows(weights, None, levels)):
        yield


@contextmanager
def no_rounding() -> Iterator[None]:
    """The quantiser's own rounding, biases as they are."""
    with patch.object(rounding, "_observed", lambda *_: {}):
        yield


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--ways", action="store_true", help="also without our rounding, and with half of it")
    ways = arguments.parse_args().ways
    inputs = crops(Path(__file__).resolve().parent.parent / ".cache" / "extracted")
    print(f"{len(inputs)} crops; sums of byte products: {'full range' if sums_full_range() else 'pairs, 7-bit weights'}")
    print("| EfficientNet-Lite0 | neighbours kept | cosine to float: mean, least | CPU float / int8 | float / int8 |")
    with tempfile.TemporaryDirectory() as folder:
        made = int8_of(Path(folder), LITE0)
        source = converted_file(Path(folder), LITE0)
        exact = Session(source)
        report("int8, as the product makes it", exact, Session(made), inputs)
        scenes = [centre(scene(number), LITE0.side, LITE0.short_side)[None] for number in range(CALIBRATION)]
        for name, way in (("weights to the nearest, biases", nearest_weights), ("the quantiser's own", no_rounding)) if ways else ():
            with way():
                quantize(source, Path(folder) / "other.onnx", [{"pixels": pixels} for pixels in scenes])
            report(name, exact, Session(Path(folder) / "other.onnx"), inputs)


if __name__ == "__main__":
    main()
