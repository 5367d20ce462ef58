"""What a user's first hour costs: cold start, import, nearImage, memory; through the official client, against a server process.

Prints one table. Pictures are crops of the demo's photographs, 640 x 480 JPEGs of about 0.1 MB, fixed seed.

    python bench/first_slice.py [--pictures 1000] [--queries 200]
"""

import argparse
import io
import os
import shutil
import sys
import tempfile
import time
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
warnings.simplefilter("ignore")

from demo.photographs import photographs  # noqa: E402 - after the path
from tests.servers import LiveServer, start_server  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import weaviate
    from weaviate.classes.config import Configure, DataType, Property
    from weaviate.classes.query import MetadataQuery

SIZE = (640, 480)
QUALITY = 90
BATCH = 100
TICKS = os.sysconf("SC_CLK_TCK")


def crops(count: int) -> Iterator[bytes]:
    """Random crops of the photographs as JPEG."""
    rng = np.random.default_rng(1)
    sources = [Image.open(photo.path).convert("RGB") for photo in photographs(Path(".cache/extracted"))]
    for _ in range(count):
        source = sources[rng.integers(len(sources))]
        scale = rng.uniform(0.4, 1.0)
        width, height = int(source.width * scale), int(source.height * scale)
        left, top = int(rng.integers(source.width - width + 1)), int(rng.integers(source.height - height + 1))
        out = io.BytesIO()
        picture = source.crop((left, top, left + width, top + height)).resize(SIZE, Image.Resampling.BICUBIC)
        grain = rng.normal(0, 6, (SIZE[1], SIZE[0], 3))  # a camera's noise, without which upscaled crops compress too well
        Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=QUALITY)
        yield out.getvalue()


def cpu_s(server: LiveServer) -> float:
    """CPU seconds that the server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mib(server: LiveServer) -> tuple[int, int]:
    """Resident memory of the server, all of it and what is anonymous, in MiB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]) // 1024, int(status["RssAnon"].split()[0]) // 1024


@contextmanager
def measured(server: LiveServer, what: str, count: int) -> Iterator[None]:
    """Print rate and server CPU of what happens inside."""
    cpu, wall = cpu_s(server), time.perf_counter()
    yield
    seconds = time.perf_counter() - wall
    print(f"| {what} | {count / seconds:,.0f}/s | {(cpu_s(server) - cpu) / count * 1000:.2f} ms CPU each |")


def memory(server: LiveServer, what: str) -> None:
    """Print the server's memory."""
    total, anonymous = rss_mib(server)
    print(f"| memory, {what} | {total} MiB | {anonymous} MiB anonymous |")


def cold_start(folder: Path) -> tuple[LiveServer, float]:
    """Start a server; seconds until it answers."""
    started = time.perf_counter()
    server = start_server(folder)
    return server, time.perf_counter() - started


def query(dogs: Any, images: list[str], what: str, server: LiveServer) -> None:
    """Time nearImage through the client, one at a time."""
    times = []
    cpu = cpu_s(server)
    for image in images:
        started = time.perf_counter()
        dogs.query.near_image(image, limit=10, return_properties=["name"], return_metadata=MetadataQuery(distance=True))
        times.append((time.perf_counter() - started) * 1000)
    p50, p99 = np.percentile(times, [50, 99])
    print(f"| {what} | p50 {p50:.1f} ms, p99 {p99:.1f} ms | {(cpu_s(server) - cpu) / len(images) * 1000:.2f} ms CPU each |")


def main() -> None:
    """Run everything once."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pictures", type=int, default=1000)
    arguments.add_argument("--queries", type=int, default=200)
    options = arguments.parse_args()
    pictures = [b64encode(data).decode() for data in crops(options.pictures + options.queries)]
    folder = Path(tempfile.mkdtemp(prefix="nearimage-bench-"))
    print(f"{options.pictures} pictures of {np.mean([len(p) for p in pictures]) * 0.75 / 1e6:.2f} MB, {os.cpu_count()} cores\n")
    print("| what | | |\n|---|---|---|")
    starts = []
    for _ in range(5):
        server, seconds = cold_start(folder)
        starts.append(seconds)
        server.stop()
    print(f"| cold start, empty folder | median {np.median(starts):.2f} s | worst {max(starts):.2f} s |")
    server, _ = cold_start(folder)
    time.sleep(0.5)
    memory(server, "idle")
    try:
        run(server, pictures, options.pictures)
        server.stop()
        server, seconds = cold_start(folder)
        print(f"| cold start, {options.pictures} pictures | {seconds:.2f} s | |")
    finally:
        server.stop()
        shutil.rmtree(folder)


def run(server: LiveServer, pictures: list[str], count: int) -> None:
    """Import, query, insert singly."""
    with weaviate.connect_to_local(port=server.http_port, grpc_port=server.grpc_port) as client:
        properties = [Property(name="name", data_type=DataType.TEXT), Property(name="image", data_type=DataType.BLOB)]
        started = time.perf_counter()
        dogs = client.collections.create("Dog", properties=properties, vector_config=Configure.Vectors.img2vec_neural(image_fields=["image"]))
        print(f"| first collection, model converted | {time.perf_counter() - started:.2f} s | |")
        memory(server, "model loaded")
        with measured(server, f"import, insert_many of {BATCH}", count):
            for start in range(0, count, BATCH):
                stored = dogs.data.insert_many([{"name": str(n), "image": pictures[n]} for n in range(start, min(start + BATCH, count))])
                assert not stored.errors
        memory(server, f"{count} pictures")
        query(dogs, pictures[count:], "near_image, limit 10", server)
        vector = dogs.query.fetch_objects(limit=1, include_vector=True).objects[0].vector["default"]
        with measured(server, "near_vector, limit 10", 300):
            for _ in range(300):
                dogs.query.near_vector(vector, limit=10, return_properties=["name"])
        with measured(server, "insert, one picture", 50):
            for image in pictures[:50]:
                dogs.data.insert({"name": "single", "image": image})


if __name__ == "__main__":
    main()
