"""Measure decoding: pictures a second and CPU time a picture, nearimage's path against a full decode by Pillow.

    python bench/decode.py

Three ways: `full` is what most scripts do, Pillow's whole picture; `draft` is Pillow scaling while it decodes (JPEG only); `ours` is `PictureReader`.
The scenes are noise with a photograph's spectrum from a fixed seed, so that sizes are exact and nothing is downloaded. CPU time is the steady
figure; pictures a second need an otherwise idle machine. May import nearimage, Pillow, numpy.
"""

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pybase64
import simplejpeg
from PIL import Image

from nearimage.media import PictureReader

SHORT_SIDE = 256  # what the default model shrinks to before its 224 crop

SECONDS = 1.5  # a measurement

JPEG_SIZES = {"0.1 MB": (800, 600), "1 MB": (3000, 2250), "5 MB": (6800, 5100)}
"""Pixels that give about these sizes of file; the table prints the true bytes."""


@dataclass(frozen=True, slots=True)
class Case:
    """One picture file to decode."""

    name: str
    data: bytes


def main() -> None:
    """Print the tables."""
    print(f"{os.cpu_count()} cores; short side {SHORT_SIDE}; {SECONDS:.0f} s a figure")
    print(f"{'picture':<24}{'bytes':>11}{'full/s':>9}{'ours/s':>9}   ms CPU: {'full':>7}{'draft':>8}{'ours':>8}   busy cores, ours")
    reader = PictureReader()
    for case in _cases():
        _row(case, reader)
    reader.close()
    _scales()
    _base64()


def _row(case: Case, reader: PictureReader) -> None:
    """One line of the first table."""
    batch = [case.data] * (2 * (os.cpu_count() or 1))
    full_rate, full_cpu, _ = _rate(lambda: [_full(data) for data in batch], len(batch))
    _, draft_cpu, _ = _rate(lambda: [_draft(data) for data in batch], len(batch))
    rate, cpu, cores = _rate(lambda: reader.decode(batch, short_side=SHORT_SIDE), len(batch))
    print(f"{case.name:<24}{len(case.data):>11,}{full_rate:>9.1f}{rate:>9.1f}           {full_cpu:>7.1f}{draft_cpu:>8.1f}{cpu:>8.1f}{cores:>19.2f}")


def _rate(run: Callable[[], object], pictures: int) -> tuple[float, float, float]:
    """Pictures a second, CPU milliseconds a picture, and how many cores were busy."""
    run()
    gc.collect()
    rounds, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < SECONDS:
        run()
        rounds += 1
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return rounds * pictures / wall, cpu / (rounds * pictures) * 1e3, cpu / wall


def _full(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def _draft(data: bytes) -> npt.NDArray[np.uint8]:
    picture = Image.open(BytesIO(data))
    picture.draft(picture.mode, (2 * SHORT_SIDE, 2 * SHORT_SIDE))
    return np.asarray(picture.convert("RGB"))


def _cases() -> list[Case]:
    cases = [Case(f"JPEG {name}", _encoded(_scene(*size), "JPEG", quality=90)) for name, size in JPEG_SIZES.items()]
    scene = _scene(2400, 1800)
    cases.append(Case("JPEG progressive 1 MB", _encoded(scene, "JPEG", quality=90, progressive=True)))
    cases.append(Case("JPEG CMYK 2400 x 1800", _encoded(scene.convert("CMYK"), "JPEG", quality=90)))
    cases.append(Case("PNG 640 x 480", _encoded(_scene(640, 480), "PNG")))
    cases.append(Case("PNG 2400 x 1800", _encoded(scene, "PNG")))
    cases.append(Case("WebP 640 x 480", _encoded(_scene(640, 480), "WEBP", quality=85)))
    cases.append(Case("WebP 2400 x 1800", _encoded(scene, "WEBP", quality=85)))
    return cases


def _scene(width: int, height: int) -> Image.Image:
    """Noise whose amplitude falls with frequency, as in photographs (Field 1987, "Relations between the statistics of natural images")."""
    rng = np.random.default_rng(20)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    falloff = 1.0 / np.maximum(np.hypot(rows, columns), 1.0 / max(width, height)) ** 1.5
    planes = [np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) * falloff, (height, width)) for _ in range(3)]
    grey = planes[0]
    scene = np.stack([grey + 0.15 * plane for plane in planes], axis=2)
    scene = (scene - scene.mean()) / scene.std() * 50 + 120
    return Image.fromarray(scene.clip(0, 255).astype(np.uint8))


def _encoded(picture: Image.Image, format_name: str, **options: int) -> bytes:
    stream = BytesIO()
    picture.save(stream, format_name, **options)
    return stream.getvalue()


def _scales() -> None:
    """What each DCT scale costs: only the powers of two have SIMD code."""
    data = _encoded(_scene(2400, 1600), "JPEG", quality=90)
    print(f"\nJPEG of 2400 x 1600 decoded at each scale, {len(data):,} bytes, ms CPU")
    for eighths in range(1, 9):
        target = 200 * eighths
        _, cpu, _ = _rate(lambda target=target: simplejpeg.decode_jpeg(data, "RGB", min_height=target, min_width=target), 1)  # type: ignore[misc]
        print(f"  {eighths}/8 {cpu:8.2f}")


def _base64() -> None:
    reader = PictureReader()
    text = pybase64.b64encode(np.random.default_rng(20).bytes(10_000_000)).decode()
    _, cpu, _ = _rate(lambda: reader.read(text), 1)
    print(f"\nbase64 of 10 MB: {cpu:.2f} ms CPU")
    reader.close()


if __name__ == "__main__":
    main()
