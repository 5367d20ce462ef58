"""Eight client processes write, search, delete and change the schema at once; what was acknowledged must be readable, findable and counted, and memory flat.

    python bench/mixed_load.py [SECONDS]      60 by default; the official client against a server of its own

Each process owns its objects, so it knows at any moment which of them the server has acknowledged. While the load runs, each search for an object's own vector
must bring that object, and each object read must be as it was written last. In the end everything is counted, and many objects of each process are looked up.
"""

import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
import weaviate
from weaviate.classes.config import Configure, DataType, Property
from weaviate.classes.data import DataObject
from weaviate.classes.query import MetadataQuery

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.servers import start_server

PROCESSES = 8
DIMS = 64
BATCH = 20
CHECKED_AT_END = 200


@dataclass
class Report:
    """What one process did and saw."""

    alive: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)


@contextmanager
def connected(http: int, grpc: int) -> Iterator[weaviate.WeaviateClient]:
    """A client of the server under load."""
    with weaviate.connect_to_local(port=http, grpc_port=grpc) as client:
        yield client


def work(number: int, http: int, grpc: int, until: float) -> Report:
    """One process's share: mostly searches and reads, then writes, deletions, and now and then another schema."""
    warnings.simplefilter("ignore")
    rng, report = random.Random(number), Report()
    vectors = np.random.default_rng(number)
    alive: dict[UUID, tuple[int, list[float]]] = {}
    with connected(http, grpc) as client:
        load = client.collections.use("Load")
        while time.time() < until:
            report.calls += 1
            kind = rng.random()
            if kind < 0.3 or not alive:
                fresh = {UUID(int=rng.getrandbits(128)): (rng.randrange(1000), vectors.standard_normal(DIMS).tolist()) for _ in range(BATCH)}
                objects = [DataObject(uuid=one, properties={"n": n, "owner": number}, vector=vector) for one, (n, vector) in fresh.items()]
                if load.data.insert_many(objects).has_errors:
                    report.wrong.append("an import had errors")
                alive |= fresh
            elif kind < 0.4:
                one = rng.choice(list(alive))
                alive[one] = (rng.randrange(1000), alive[one][1])
                load.data.update(uuid=one, properties={"n": alive[one][0]})
            elif kind < 0.5:
                gone = rng.sample(list(alive), min(len(alive), 5))
                for one in gone:
                    load.data.delete_by_id(one)
                    del alive[one]
            elif kind < 0.51:
                name = f"Side{number}"
                client.collections.create(name, properties=[Property(name="x", data_type=DataType.INT)])
                client.collections.delete(name)
            else:
                check(load, rng.choice(list(alive)), alive, report)
        for one in rng.sample(list(alive), min(len(alive), CHECKED_AT_END)):
            check(load, one, alive, report)
    report.alive = len(alive)
    return report


def check(load: "weaviate.collections.Collection", one: UUID, alive: dict[UUID, tuple[int, list[float]]], report: Report) -> None:
    """An acknowledged object is there as it was written last, and is what is nearest to its own vector."""
    n, vector = alive[one]
    started = time.perf_counter()
    found = load.query.near_vector(vector, limit=1, return_metadata=MetadataQuery(distance=True)).objects
    report.search_ms.append((time.perf_counter() - started) * 1000)
    if not found or found[0].uuid != one:
        report.wrong.append(f"object {one} is not what is nearest to its own vector")
    read = load.query.fetch_object_by_id(one)
    if read is None or read.properties["n"] != n:
        report.wrong.append(f"object {one} was written with n {n}, and reads {read and read.properties}")


def resident_mib(process: int) -> float:
    """The memory of the server."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


def main() -> int:
    """Returns 1 where an invariant was broken."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory(prefix="nearimage-load-") as folder:
        server = start_server(Path(folder) / "data", environment={"AUTOSCHEMA_ENABLED": "false"})
        ports = server.http_port, server.grpc_port
        with connected(*ports) as client:
            properties = [Property(name="n", data_type=DataType.INT), Property(name="owner", data_type=DataType.INT)]
            client.collections.create("Load", properties=properties, vector_config=Configure.Vectors.self_provided())
        until = time.time() + seconds
        memory = []
        with ProcessPoolExecutor(PROCESSES) as pool:
            running = [pool.submit(work, number, *ports, until) for number in range(PROCESSES)]
            while time.time() < until:
                time.sleep(max(1, seconds / 12))
                memory.append(resident_mib(server.process.pid))
            reports = [one.result() for one in running]
        with connected(*ports) as client:
            counted = len(client.collections.use("Load"))
        server.stop()
    expected, wrong = sum(report.alive for report in reports), [line for report in reports for line in report.wrong]
    if counted != expected:
        wrong.append(f"{expected} objects were acknowledged, {counted} are counted")
    times = sorted(one for report in reports for one in report.search_ms)
    print(f"{sum(report.calls for report in reports)} calls in {seconds} s by {PROCESSES} processes, {counted} objects in the end")
    print(f"searches, p50 and p99 in ms, clients beside: {statistics.median(times):.1f} {times[int(len(times) * 0.99)]:.1f}")
    print("resident memory, MiB:", *(f"{one:.0f}" for one in memory))
    print(*(wrong[:20] or ["every invariant held"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
