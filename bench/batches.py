"""What an object of a BatchObjects request costs the thread that stores it, from the bytes to the commit, in one process.

    python bench/batches.py [--batches 40]

Two kinds of imports, 500 objects a batch: three properties and a vector of 512 numbers; nineteen properties of eight types and no vector. The database lies in
memory (/dev/shm), so that no disk is waited for. CPU of the calling thread, us an object: least and median of the batches; the index is built by another one,
which takes caches and memory from this one. Prints a table. To compare two trees run them in turns, each from its own folder.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load.questions import BATCH, COLLECTION, SCHEMA, Recorded, batches, call, id_of
from nearimage.app import open_database
from nearimage.config.settings import Settings
from nearimage.doors.grpc.handlers import handlers
from nearimage.doors.rest.schema import ClassBody, read_class
from nearimage.doors.wire.messages import BatchObjectsRequest

SIZE = 500
WORDS = ("red", "green", "blue", "small", "large", "old", "new", "cat", "dog", "house", "tree", "car", "lake", "hill", "river", "sun", "moon", "star")
KINDS = {**{f"text{n}": "text" for n in range(6)}, **{f"int{n}": "int" for n in range(4)}, **{f"number{n}": "number" for n in range(4)}}
KINDS |= {"ok": "boolean", "made": "date", "other": "uuid", "tags": "text[]", "counts": "int[]"}
WIDE = {**SCHEMA, "properties": [{"name": name, "dataType": [kind]} for name, kind in KINDS.items()]}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--batches", type=int, default=40)
    count = arguments.parse_args().batches
    vectors = np.random.default_rng(0).standard_normal((count * SIZE, 512)).astype(np.float32)
    print("| objects with | least, us | median, us |\n|---|---|---|")
    for name, schema, requests in (("3 properties, a vector", SCHEMA, batches(vectors, SIZE)), ("19 properties", WIDE, wide(count))):
        took = stored(schema, requests)
        print(f"| {name} | {min(took):.1f} | {median(took):.1f} |", flush=True)


def stored(schema: object, requests: Iterator[Recorded]) -> list[float]:
    """Import into a database of its own; us an object of each batch."""
    took = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, open_database(Settings(data=folder)) as database:
        database.services.collections.create(read_class(msgspec.convert(schema, ClassBody)))
        handler = handlers(database.services)[BATCH]
        for request in requests:
            began = time.thread_time()
            handler(request.body)
            took.append((time.thread_time() - began) / SIZE * 1e6)
    return took[2:]  # the first ones make files and find everything cold


def wide(count: int) -> Iterator[Recorded]:
    """Objects with many properties."""
    random = np.random.default_rng(2)
    for first in range(0, count * SIZE, SIZE):
        request = BatchObjectsRequest()
        for number in range(first, first + SIZE):
            entry = request.objects.add(uuid=str(id_of(number)), collection=COLLECTION)
            fields = entry.properties.non_ref_properties
            for n in range(6):
                fields[f"text{n}"] = " ".join(random.choice(WORDS, 5))
            for n in range(4):
                fields[f"int{n}"], fields[f"number{n}"] = int(random.integers(100_000)), float(random.random())
            fields["ok"], fields["made"], fields["other"] = bool(number % 2), f"2024-01-{1 + number % 28:02d}T12:00:00Z", str(id_of(number + 7))
            entry.properties.text_array_properties.add(prop_name="tags", values=random.choice(WORDS, 3).tolist())
            entry.properties.int_array_properties.add(prop_name="counts", values=random.integers(100, size=3).tolist())
        yield call(BATCH, request)


if __name__ == "__main__":
    main()
