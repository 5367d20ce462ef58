"""How long searches and writes wait beside background work: training and building an index, writing columns, compacting, copying for a backup.

    python bench/engine_blocking.py [EMBEDDINGS.npz] [SIZE]      e.g. embeddings.npz 30000

EMBEDDINGS.npz as for bench/engine_ann.py; without it the vectors are synthetic clusters. One thread searches for ten every 4 ms, another puts one object every
20 ms, while each kind of work runs on its own for at least five seconds, again and again. Wall-clock milliseconds: beside other programs on the same cores
only the difference to the line "nothing" says something of this one.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads on one matrix product cost more than they bring beside a server
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine import BATCH, COLLECTION, record
from bench.engine_ann import clusters, pictures
from nearimage.domain.objects import IDS_ONLY, Matrix
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.ann import VectorIndex, build, save
from nearimage.engines.embedded.shard import EmbeddedShard

SECONDS = 5.0
SEARCH_EVERY_S, PUT_EVERY_S = 0.004, 0.02
Times = list[float]


def main() -> None:
    """Measure and print."""
    path = next((one for one in sys.argv[1:] if one.endswith(".npz")), "")
    size = next((int(one) for one in sys.argv[1:] if one.isdigit()), 28_000)
    vectors, queries = pictures(Path(path), size) if path else clusters(size)
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder) / "data")
        engine.create_collection(COLLECTION)
        shard = engine.shard("Ann")
        for first in range(0, size, BATCH):
            shard.put([record(number, vectors[number], number) for number in range(first, min(first + BATCH, size))])
        engine.background.wait(600)
        works: dict[str, Callable[[], object]] = {
            "nothing": lambda: time.sleep(0.5),
            "an index is built": lambda: rebuild(engine, shard),
            "columns are written": lambda: shard._upkeep.write_columns(lambda: False),  # noqa: SLF001 otherwise only after many writes
            "a backup is copied": lambda: copy(shard, Path(folder) / "copy"),
            "half is deleted, and compacted": lambda: thin(engine, shard, size),
        }
        print("| while ... | search p50 | p99 | p99.9 | max | put p50 | p99 | max |\n|---|---|---|---|---|---|---|---|")
        for what, work in works.items():
            print(f"| {what} | " + " | ".join(f"{figure:.1f}" for figure in beside(work, shard, vectors, queries)) + " |", flush=True)
        engine.close()


def beside(work: Callable[[], object], shard: EmbeddedShard, vectors: Matrix, queries: Matrix) -> Iterator[float]:
    """Percentiles of searches and of puts, in ms, while the work is done again and again."""
    with asking(lambda turn: search(shard, queries, turn), SEARCH_EVERY_S) as searches, asking(lambda turn: put(shard, vectors, turn), PUT_EVERY_S) as puts:
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            work()
    yield from np.percentile(np.array(searches) * 1e3, [50, 99, 99.9, 100]).tolist()
    yield from np.percentile(np.array(puts) * 1e3, [50, 99, 100]).tolist()


@contextmanager
def asking(call: Callable[[int], object], every_s: float) -> Iterator[Times]:
    """Call it every so often in a thread until the end of the block; how long each call took."""
    took: Times = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(every_s):
            started = time.perf_counter()
            call(len(took))
            took.append(time.perf_counter() - started)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()


def search(shard: EmbeddedShard, queries: Matrix, turn: int) -> object:
    """For ten, without reading rows' values."""
    return shard.nearest("v", queries[turn % len(queries)], limit=10, offset=0, where=None, max_distance=None, projection=IDS_ONLY)


def put(shard: EmbeddedShard, vectors: Matrix, turn: int) -> object:
    """One object, over one that was put so before."""
    return shard.put([record(len(vectors) + turn % 500, vectors[turn % len(vectors)], turn)])


def rebuild(engine: EmbeddedEngine, shard: EmbeddedShard) -> None:
    """Another index from nothing, in the background thread; searches go on with the old one."""
    source = shard._indexes._source("v")[0]  # noqa: SLF001 as if the data had doubled
    engine.background.submit("built for the bench", lambda stop: save_built(build(source, 0.998, stop), shard))
    engine.background.wait(600)


def save_built(index: VectorIndex | None, shard: EmbeddedShard) -> None:
    """Write it as the engine does."""
    if index:
        save(index, shard._folder / "bench.index")  # noqa: SLF001 beside the true one


def copy(shard: EmbeddedShard, target: Path) -> None:
    """As a backup does."""
    shutil.rmtree(target, ignore_errors=True)
    shard.copy(target, lambda _bytes: None)


def thin(engine: EmbeddedEngine, shard: EmbeddedShard, size: int) -> None:
    """Delete the first half; what is left moves."""
    shard.delete([UUID(int=(1 << 127) | number) for number in range(size // 2)])
    shard._upkeep.compact(lambda: False)  # noqa: SLF001 otherwise only when much is dead
    engine.background.wait(600)


if __name__ == "__main__":
    main()
