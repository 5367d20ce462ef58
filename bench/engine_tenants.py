"""What ten thousand tenants cost: making them, opening each in turn, memory, files, restart, backup.

python bench/engine_tenants.py [--tenants 10000] [--open 5000]

Times are CPU seconds of this process, with seconds on the clock beside them, because most of the time goes into waiting for the disk.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np

from nearimage.domain.objects import IDS_ONLY, Record
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, TenantState, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine

COLLECTION = Collection(
    name="Shared", properties=(Property(name="n", data_type=DataType.INT),), vectors=(VectorConfig(name="v"),), tenancy=Tenancy(enabled=True)
)
DIMS = 64


def resident_mib() -> float:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured(what: str, work: Callable[[], object], count: int) -> None:
    """Do it and print a row."""
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    files = len(os.listdir("/proc/self/fd"))
    each = f"{cpu / count * 1000:.2f} / {clock / count * 1000:.2f}"
    print(f"| {what} | {cpu:.2f} | {clock:.2f} | {each} | {files} | {resident_mib():.0f} |", flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument(
        "--open", type=int, help="shards that stay open; half of the tenants by default, so that each that is visited in turn has been put to rest"
    )
    options = parser.parse_args()
    tenants, open_shards = options.tenants, options.open or options.tenants // 2
    folder = Path(tempfile.mkdtemp(prefix="nearimage-bench-"))
    names = [f"tenant-{number}" for number in range(tenants)]
    rng = np.random.default_rng(1)
    engine = EmbeddedEngine(folder / "data", open_shards=open_shards)
    engine.create_collection(COLLECTION)

    def put_and_search_all() -> None:
        for name in names:
            vectors = rng.standard_normal((5, DIMS), np.float32)
            shard = engine.shard("Shared", name)
            shard.put([Record(id=UUID(int=number), properties={"n": number}, vectors={"v": vector}) for number, vector in enumerate(vectors)])
            assert len(shard.nearest("v", vectors[0], limit=3, offset=0, where=None, max_distance=None, projection=IDS_ONLY).records) == 3

    def restart() -> None:
        nonlocal engine
        engine.close()
        engine = EmbeddedEngine(folder / "data", open_shards=open_shards)

    try:
        print("| what | CPU s | clock s | ms each, CPU / clock | open files | resident MiB |\n|---|---|---|---|---|---|")
        measured(f"{tenants:,} tenants made in one call", lambda: engine.create_tenants("Shared", dict.fromkeys(names, TenantState.ACTIVE)), tenants)
        measured("each opened for the first time, five objects put, one search", put_and_search_all, tenants)
        measured("each opened again, in turn, and counted", lambda: [engine.shard("Shared", name).count() for name in names], tenants)
        measured("the last 100 again, which are open", lambda: [engine.shard("Shared", name).count() for name in names[-100:]], 100)
        measured("altered: a new property", lambda: engine.alter_collection(COLLECTION), 1)
        measured("restart", restart, 1)
        measured("backup", lambda: engine.snapshot(folder / "backup"), tenants)
        measured("all made inactive", lambda: engine.set_tenants("Shared", dict.fromkeys(names, TenantState.INACTIVE)), tenants)
        measured("all dropped", lambda: engine.drop_tenants("Shared", names), tenants)
    finally:
        engine.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
