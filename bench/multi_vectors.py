"""Search of multi-vectors: what the first search costs, which reads them, what later ones cost, and what is kept in memory.

    python bench/multi_vectors.py [--shapes 20000x4x128/3,5000x64x128/32,1000x1030x128/20]

A shape is objects x vectors each x dims / vectors of the query: captions by a few vectors, passages by one a word, pages by one a patch. Vectors are synthetic:
each object's lie around a centre of its own, queries around those of stored objects. CPU of the searching thread, least of five. Prints a table.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nearimage.domain.objects import IDS_ONLY, Matrix, Record
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine

COLLECTION = Collection(name="Page", vectors=(VectorConfig(name="patches", is_multi=True),))


def anonymous_mb() -> float:
    """Anonymous memory of this process."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) / 1e3


def matrix(draw: np.random.Generator, centre: Matrix, count: int) -> Matrix:
    """Vectors around a centre."""
    return np.asarray(centre + draw.standard_normal((count, len(centre))) * 0.7, np.float32)


def measure(objects: int, each: int, dims: int, asked: int) -> str:
    """One row of the table."""
    draw = np.random.default_rng(1)
    centres = draw.standard_normal((objects, dims)).astype(np.float32)
    queries = [matrix(draw, centres[number * 7 % objects], asked) for number in range(6)]
    with tempfile.TemporaryDirectory() as folder, closing(EmbeddedEngine(Path(folder))) as engine:
        engine.create_collection(COLLECTION)
        shard = engine.shard("Page")
        at_once = max(1, 20_000 // each)
        for start in range(0, objects, at_once):
            numbers = range(start, min(start + at_once, objects))
            shard.put([Record(id=UUID(int=number), vectors={"patches": matrix(draw, centres[number], each)}) for number in numbers])

        def search(query: Matrix) -> float:
            began = time.thread_time()
            shard.nearest("patches", query, limit=10, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
            return (time.thread_time() - began) * 1e3

        before = anonymous_mb()
        first = search(queries[0])
        kept, least = anonymous_mb() - before, min(map(search, queries[1:]))
    return f"| {objects:,} x {each:,} x {dims} / {asked} | {first:,.0f} | {least:.1f} | {kept:,.0f} |"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shapes", default="20000x4x128/3,5000x64x128/32,1000x1030x128/20")
    print(f"{os.cpu_count()} cores\n| objects x vectors x dims / query | first search, ms | later ones, ms | kept, MB |\n|---|---|---|---|")
    for shape in arguments.parse_args().shapes.split(","):
        print(measure(*map(int, shape.replace("/", "x").split("x"))), flush=True)


if __name__ == "__main__":
    main()
