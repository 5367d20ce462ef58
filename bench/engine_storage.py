"""What storage costs: imports, single writes, many writers, opening after a clean end and after a kill, memory, disk.

    python bench/engine_storage.py [--large] [FOLDER]

Prints a table, as markdown. FOLDER says on which disk (default: a temporary folder). Objects have a vector of 512 random float32 and three properties:
a title of five words, an integer, a number. 10,000 and 100,000 objects; with --large also 1,000,000. Opening is measured in a process of its own, so that
memory is its alone; "after a kill" means that the importing process ended itself with SIGKILL after its last acknowledged batch. No other load; imports also
as CPU time, which is steadier.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy, as the server does

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np

from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import PropertyValue, Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine

DIMS = 512
BATCH = 500
THREADS = 16
PROPERTIES = tuple(Property(name=name, data_type=kind) for name, kind in (("title", DataType.TEXT), ("rank", DataType.INT), ("price", DataType.NUMBER)))
PHOTOS = Collection(name="Photo", properties=PROPERTIES, vectors=(VectorConfig(name="v", index_type="flat"),))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="a million objects, too")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--objects", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?")
    given = parser.parse_args()
    if given.part:
        print(json.dumps(PARTS[given.part](Path(given.folder), given.objects)))
        return
    print("| objects | what | figure |\n|---|---|---|")
    for objects in (10_000, 100_000, 1_000_000)[: 3 if given.large else 2]:
        with tempfile.TemporaryDirectory(dir=given.folder) as place:
            measure(Path(place), objects)


def measure(place: Path, objects: int) -> None:
    """All figures for one size."""
    report(objects, part("fill", place / "clean", objects))
    report(objects, {f"{what}, after a clean end": figure for what, figure in part("reopen", place / "clean", objects).items()})
    if objects <= 100_000:
        report(objects, part("single", place / "clean", objects))
        report(objects, part("threads", place / "clean", objects))
    shutil.rmtree(place / "clean")
    part("fill_and_die", place / "killed", objects)
    report(objects, {f"{what}, after a kill": figure for what, figure in part("reopen", place / "killed", objects).items()})


def part(name: str, folder: Path, objects: int) -> dict[str, str]:
    """A part of the measurement, in a process of its own."""
    command = [sys.executable, __file__, "--part", name, "--objects", str(objects), str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return dict(json.loads(done.stdout)) if done.stdout else {}


def fill(folder: Path, objects: int) -> dict[str, str]:
    """Import all, and close."""
    engine, wall, cpu = imported(folder, objects)
    start = time.perf_counter()
    engine.close()
    closing = time.perf_counter() - start
    bytes_each = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / objects
    return {
        f"batch put of {BATCH}, objects/s": f"{objects / wall:,.0f}",
        f"batch put of {BATCH}, objects a CPU second": f"{objects / cpu:,.0f}",
        "closing, ms": f"{closing * 1e3:.0f}",
        "disk, bytes an object (2,048 of them the vector)": f"{bytes_each:,.0f}",
    }


def fill_and_die(folder: Path, objects: int) -> dict[str, str]:
    """Import all, and end as by kill -9."""
    imported(folder, objects)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def imported(folder: Path, objects: int) -> tuple[EmbeddedEngine, float, float]:
    """The engine, and the seconds and CPU seconds that the puts took."""
    engine = EmbeddedEngine(folder)
    engine.create_collection(PHOTOS)
    shard, wall, cpu = engine.shard("Photo"), 0.0, 0.0
    for batch in batches(objects):
        start, used = time.perf_counter(), time.process_time()
        shard.put(batch)
        wall, cpu = wall + time.perf_counter() - start, cpu + time.process_time() - used
    return engine, wall, cpu


def batches(objects: int) -> Iterator[list[Record]]:
    """All objects; the same for the same number."""
    ids, rng = random.Random(1), np.random.default_rng(1)
    for first in range(0, objects, BATCH):
        matrix = rng.standard_normal((BATCH, DIMS), np.float32)
        yield [photo(ids, first + position, vector) for position, vector in enumerate(matrix)]


def photo(ids: random.Random, number: int, vector: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> Record:
    """One object."""
    values: dict[str, PropertyValue] = {"title": f"a corgi{number % 50} on the beach", "rank": number, "price": number / 7}
    return Record(id=UUID(int=ids.getrandbits(128)), properties=values, vectors={"v": vector}, created_ms=number, updated_ms=number)


def reopen(folder: Path, objects: int) -> dict[str, str]:
    """Until the first answer; then memory."""
    before = memory()
    start = time.perf_counter()
    engine = EmbeddedEngine(folder)
    found = engine.shard("Photo").count(Compare("rank", Operator.LESS_THAN, 100))
    took = time.perf_counter() - start
    after = memory()
    assert found == 100
    assert engine.shard("Photo").count() == objects
    engine.close()
    grown = {what: f"{(after[what] - before[what]) / 1024:,.0f}" for what in after}
    return {"opening to the first answer, ms": f"{took * 1e3:,.0f}", "anonymous memory, MiB": grown["RssAnon"], "mapped memory, MiB": grown["RssFile"]}


def single(folder: Path, _objects: int) -> dict[str, str]:
    """Puts of one object by one caller."""
    engine = EmbeddedEngine(folder)
    shard = engine.shard("Photo")
    new = next(batches(BATCH))
    fresh = random.Random(2)
    records = [Record(id=UUID(int=fresh.getrandbits(128)), properties=one.properties, vectors=one.vectors) for one in new]
    used = time.process_time()
    took = timed(lambda number: shard.put([records[number]]), len(records))
    used = time.process_time() - used
    patched = timed(lambda number: shard.put([Record(id=records[number].id, properties={"rank": 1}, vectors=records[number].vectors)]), len(records))
    engine.close()
    return {
        "durable single put, p50 ms": f"{median(took):.2f}",
        "durable single put, CPU ms": f"{used / len(records) * 1e3:.2f}",
        "durable single put, p99 ms": f"{sorted(took)[-len(took) // 100]:.2f}",
        "durable single put, same vector, other properties, p50 ms": f"{median(patched):.2f}",
    }


def threads(folder: Path, _objects: int) -> dict[str, str]:
    """Puts of one object by many callers at once."""
    engine = EmbeddedEngine(folder)
    shard = engine.shard("Photo")
    vectors = np.random.default_rng(3).standard_normal((THREADS, DIMS), np.float32)
    each = 400

    def write(thread: int) -> None:
        ids = random.Random(thread + 10)
        for number in range(each):
            shard.put([photo(ids, number, vectors[thread])])

    workers = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    start, used = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took, used = time.perf_counter() - start, time.process_time() - used
    engine.close()
    what = f"durable single puts of {THREADS} threads"
    return {f"{what}, puts/s": f"{THREADS * each / took:,.0f}", f"{what}, puts a CPU second": f"{THREADS * each / used:,.0f}"}


def memory() -> dict[str, int]:
    """Resident memory in KiB: of the process's own, and mapped from files."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return {what: int(status[what].split()[0]) for what in ("RssAnon", "RssFile")}


def timed(call: Callable[[int], object], times: int) -> list[float]:
    """The milliseconds each call took."""
    took = []
    for number in range(times):
        start = time.perf_counter()
        call(number)
        took.append((time.perf_counter() - start) * 1e3)
    return took


def report(objects: int, figures: dict[str, str]) -> None:
    """Lines of the table."""
    for what, figure in figures.items():
        print(f"| {objects:,} | {what} | {figure} |", flush=True)


PARTS: dict[str, Callable[[Path, int], dict[str, str]]] = {
    "fill": fill,
    "fill_and_die": fill_and_die,
    "reopen": reopen,
    "single": single,
    "threads": threads,
}


if __name__ == "__main__":
    main()
