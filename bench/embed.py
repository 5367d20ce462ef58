"""Measure the vectorizers: pictures a second, text queries a second, memory, and how well the starter model finds photographs.

    python bench/embed.py

Pictures are generated at the sizes that a 0.1 MB JPEG decodes to; the content makes no difference to the speed. The starter model's part needs its
weights (`make` installs them) and, for its photographs, scikit-image; what is missing is said and left out. May import nearimage, numpy.
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import ModelMissing
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.ports.vectorizer import Vectorizer
from nearimage.testing.vectorizer_contract import rows_of
from nearimage.vectorizers import Choices, Modules, modules
from nearimage.vectorizers.efficientnet_lite.crop import centre
from nearimage.vectorizers.runtime.runner import cores

SECONDS = 5.0  # a measurement

QUERY = "a photograph of a small cat sleeping on a chair"  # 10 words, 12 word pieces with the two at the ends

PHOTOGRAPHS = {
    "astronaut": ("an astronaut", "woman in a space suit", "person smiling"),
    "brick": ("brick wall", "stone wall"),
    "camera": ("photographer", "man with a camera on a tripod"),
    "cat": ("cat", "a kitten", "tabby cat face", "pet animal"),
    "coffee": ("cup of coffee", "espresso", "a hot drink", "breakfast table"),
    "coins": ("coins", "old money"),
    "grass": ("grass", "lawn"),
    "gravel": ("gravel", "small stones"),
    "hubble_deep_field": ("galaxies", "stars in the night sky"),
    "moon": ("the moon", "lunar craters"),
    "page": ("page of a book", "printed text"),
    "rocket": ("rocket launch", "spacecraft", "missile on a launch pad"),
    "immunohistochemistry": ("tissue stained for pathology",),
    "cell": ("cell under a microscope",),
    "clock": ("clock", "a watch showing the time"),
    "retina": ("retina of an eye",),
    "horse": ("horse", "silhouette of an animal"),
}
"""Names in skimage.data, and what someone might type to find each."""


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, modules(Path(folder), Choices(clip_model="starter")) as found:
        started = time.perf_counter()
        neural = opened(found, "img2vec-neural")
        print(f"{cores()} cores; img2vec-neural converted and loaded in {time.perf_counter() - started:.1f} s")
        measure_pictures(neural)
        started = time.perf_counter()
        try:
            starter = opened(found, "multi2vec-clip")
        except ModelMissing as missing:
            print(f"starter: {missing.message}")
            return
        print(f"starter converted and loaded in {time.perf_counter() - started:.1f} s")
        measure_texts(starter)
        measure_recall(starter)


def opened(found: Modules, name: str) -> Vectorizer:
    """A module's vectorizer."""
    (module,) = (module for module in found.all if module.name == name)
    return module.open(module.check({"imageFields": ["photo"]}))


def measure_pictures(neural: Vectorizer) -> None:
    """Embed, and only crop, pictures of two sizes."""
    noise = np.random.default_rng(1)
    for width, height in ((640, 480), (1024, 768)):
        pictures = [noise.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(32)]
        report(f"img2vec-neural, {width} x {height}", "pictures", 32, partial(rows_of, neural, Modality.IMAGE, pictures))
        report(f"  shrinking only, one thread, {width} x {height}", "pictures", 32, partial(shrink, pictures))


def shrink(pictures: list[Pixels]) -> list[Pixels]:
    """Only what comes before the model."""
    return [centre(picture, 224, 256) for picture in pictures]


def measure_texts(starter: Vectorizer) -> None:
    """Embed one query at a time, then texts in batches."""
    report("starter, one text query", "texts", 1, lambda: rows_of(starter, Modality.TEXT, [QUERY]))
    report("starter, texts in batches of 64", "texts", 64, lambda: rows_of(starter, Modality.TEXT, [QUERY] * 64))


def report(what: str, unit: str, count: int, call: Callable[[], object]) -> None:
    """Repeat a call for some seconds and print its speed, its CPU time, and the largest memory so far."""
    call()
    times: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    done = count * len(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    per = (time.process_time() - cpu) / done * 1e3
    print(f"{what:50} {done / sum(times):7.1f} {unit}/s  median {np.median(times) * 1e3:7.1f} ms a call  {per:6.2f} ms CPU each  peak {peak:.0f} MiB")


def measure_recall(starter: Vectorizer) -> None:
    """Search photographs by words: how often the right one is first, and among the first five."""
    try:
        from skimage import data  # noqa: PLC0415 - only for this part
    except ImportError:
        print("starter, recall: left out, scikit-image is not installed")
        return
    names = list(PHOTOGRAPHS)
    pictures = [coloured(np.asarray(getattr(data, name)())) for name in names]
    queries = [(query, names.index(name)) for name in names for query in PHOTOGRAPHS[name]]
    similarities = rows_of(starter, Modality.TEXT, [query for query, _ in queries]) @ rows_of(starter, Modality.IMAGE, pictures).T
    ranks = [(row > row[right]).sum() for row, (_, right) in zip(similarities, queries, strict=True)]
    first, five = (np.mean([rank < limit for rank in ranks]) for limit in (1, 5))
    print(f"starter, recall: {len(queries)} queries over {len(names)} photographs: first {first:.2f}, among five {five:.2f}")


def coloured(picture: npt.NDArray[Any]) -> Pixels:
    """Any of scikit-image's arrays as RGB."""
    if picture.dtype == bool:
        picture = picture * np.uint8(255)
    return np.ascontiguousarray(np.stack([picture] * 3, axis=-1) if picture.ndim == 2 else picture[..., :3]).astype(np.uint8)


if __name__ == "__main__":
    print(json.dumps({"load average": os.getloadavg()}))
    main()
