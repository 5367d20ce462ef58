"""What the embedded engine's first tier costs: durable writes, exact searches, reopening.

    python bench/engine_first_tier.py [FOLDER]

Prints a table, as markdown. FOLDER says on which disk (default: a temporary folder). Vectors are 1280 random float32, the size the default picture model
makes: their values do not matter to an exact scan. Medians; one thread, no other load.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads on one matrix product cost more than they bring beside a server

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np

from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.objects import IDS_ONLY, Projection, PropertyValue, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.shard import EmbeddedShard

DIMS = 1280
BATCH = 500
PROPERTIES = tuple(Property(name=name, data_type=kind) for name, kind in (("caption", DataType.TEXT), ("n", DataType.INT), ("score", DataType.NUMBER)))


def main() -> None:
    """Measure and print."""
    random.seed(1)
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        engine = EmbeddedEngine(Path(folder))
        print("| what | figure |\n|---|---|")
        for metric in (Metric.COSINE, Metric.L2_SQUARED):
            engine.create_collection(Collection(name=metric.name, properties=PROPERTIES, vectors=(VectorConfig(name="v", metric=metric),)))
        shard = engine.shard("COSINE")
        writes(shard)
        searches(shard, "10k x 1280 cosine")
        shard.delete(
            [record.id for record in shard.scan(where=Compare("n", Operator.GREATER_THAN_EQUAL, 1000), after=None, limit=10**6, offset=0, projection=IDS_ONLY)]
        )
        searches(shard, "1k live of 10k x 1280 cosine")
        fill(engine.shard("L2_SQUARED"), 10_000)
        searches(engine.shard("L2_SQUARED"), "10k x 1280 l2-squared")
        engine.close()
        reopen(Path(folder))
    print(f"| peak memory of the process, MB | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} |")


def writes(shard: EmbeddedShard) -> None:
    """Batches, then single puts, with and without a vector, then a changed property."""
    report(f"batch put of {BATCH}, objects/s", f"{10_000 / fill(shard, 10_000):,.0f}")
    with_vector = [photo(number) for number in range(200)]
    report("durable single put with its vector, p50 ms", timed(lambda i: shard.put([with_vector[i]]), 200))
    report("durable single put, same vector, other properties, p50 ms", timed(lambda i: shard.put([changed(with_vector[i])]), 200))
    without = [Record(id=UUID(int=random.getrandbits(128)), properties={"n": number}) for number in range(200)]
    report("durable single put without a vector, p50 ms", timed(lambda i: shard.put([without[i]]), 200))
    shard.delete([record.id for record in (*with_vector, *without)])


def searches(shard: EmbeddedShard, what: str) -> None:
    """Exact searches for ten, without a filter and with filters of several widths."""
    query = np.random.default_rng(2).standard_normal(DIMS, np.float32)
    filters: dict[str, Filter | None] = {
        "": None,
        ", int < 100": Compare("n", Operator.LESS_THAN, 100),
        ", int < 1,000": Compare("n", Operator.LESS_THAN, 1000),
        ", int < 5,000": Compare("n", Operator.LESS_THAN, 5000),
        ", word in text (1 in 50)": Compare("caption", Operator.EQUAL, "corgi7"),
    }

    def search(where: Filter | None) -> Callable[[int], object]:
        return lambda _: shard.nearest("v", query, limit=10, offset=0, where=where, max_distance=None, projection=Projection())

    for name, where in filters.items():
        report(f"nearest 10, {what}{name}, p50 ms", timed(search(where), 50))


def reopen(folder: Path) -> None:
    """Opening the database, and the first use of a collection of 10,000."""
    start = time.perf_counter()
    engine = EmbeddedEngine(folder)
    opened = time.perf_counter()
    engine.shard("L2_SQUARED")
    report("opening the database, ms", f"{(opened - start) * 1e3:.1f}")
    report("opening a shard of 10k x 1280, checked, ms", f"{(time.perf_counter() - opened) * 1e3:.0f}")
    engine.close()


def fill(shard: EmbeddedShard, objects: int) -> float:
    """Put so many in batches; the seconds it took."""
    records = [photo(number) for number in range(objects)]
    start = time.perf_counter()
    for first in range(0, objects, BATCH):
        shard.put(records[first : first + BATCH])
    return time.perf_counter() - start


def photo(number: int) -> Record:
    """One object."""
    vector = np.random.default_rng(number).standard_normal(DIMS, np.float32)
    values: dict[str, PropertyValue] = {"caption": f"a corgi{number % 50} on the beach", "n": number, "score": number / 7}
    return Record(id=UUID(int=random.getrandbits(128)), properties=values, vectors={"v": vector})


def changed(record: Record) -> Record:
    """The same with another caption."""
    return Record(id=record.id, properties={"caption": "patched"}, vectors=record.vectors)


def timed(call: Callable[[int], object], times: int) -> str:
    """The median time of a call in milliseconds."""
    took = []
    for number in range(times):
        start = time.perf_counter()
        call(number)
        took.append(time.perf_counter() - start)
    return f"{median(took) * 1e3:.2f}"


def report(what: str, figure: str) -> None:
    """A line of the table."""
    print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
