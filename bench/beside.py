"""nearimage and a Weaviate on the same machine, in turns: what a request costs each, and how many each answers.

    python bench/beside.py EMBEDDINGS.npz WEAVIATE [--rows 28000] [--turns 7] [--seconds 1] [--only near,get]

EMBEDDINGS.npz as for bench/engine_ann.py; WEAVIATE is its server, a program (`go build ./cmd/weaviate-server` in its source). Both are started with empty
folders, take the same import, and answer the same requests over four connections, a second each in turns, so that a machine whose speed changes from minute to
minute changes for both. Of CPU (all threads of the server, a request) and of requests/s the medians are printed, and the median of the ratios within a turn:
above 1 nearimage is the cheaper one, and the quicker one. The filtered property has Weaviate's range index, its faster way. Weaviate's commits are not fsynced.
The load comes from bench/load, in Go. Prints a table.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import grpc
import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine_ann import pictures
from bench.load.questions import SCHEMA, SEARCH, Questions, Recorded, batches, id_of
from bench.wire import Bench, Told, additions_ms, changing, reading
from nearimage.domain.objects import Matrix
from nearimage.doors.wire.messages import SearchReply
from tests.servers import LiveServer, free_ports, start_server

HERE = Path(__file__).resolve().parent
CONNECTIONS = 4
STARTED_S = 60.0
RANGE_INDEX = {"name": "rank", "dataType": ["int"], "indexRangeFilters": True}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("embeddings", type=Path)
    arguments.add_argument("weaviate", type=Path)
    arguments.add_argument("--rows", type=int, default=28_000)
    arguments.add_argument("--turns", type=int, default=7)
    arguments.add_argument("--seconds", type=float, default=1)
    arguments.add_argument("--only", default="", help="parts of the names of rows, with commas")
    options = arguments.parse_args()
    vectors, queries = pictures(options.embeddings, options.rows)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="nearimage-beside-")))
        subprocess.run(["go", "build", "-o", str(folder / "load"), "."], cwd=HERE / "load", check=True)  # noqa: S607
        servers = start_server(folder / "ours"), start_weaviate(options.weaviate.resolve(), folder / "theirs")
        for server in servers:
            ending.callback(server.stop)
        both = [Bench(server, folder / "load", folder, options.seconds) for server in servers]
        print(f"a million additions take {additions_ms():.0f} ms")
        for name, bench in zip(("nearimage", "Weaviate"), both, strict=True):
            imported(name, bench, vectors)
        for name, bench in zip(("nearimage", "Weaviate"), both, strict=True):
            print(f"{name}: recall {recall(bench, vectors, queries[:500]):.4f}, counted by id")
        print("\n| request | CPU us: nearimage | Weaviate | ratio | requests/s: nearimage | Weaviate | ratio |\n|---|---|---|---|---|---|---|")
        compare(both, queries, options)
        print(f"\na million additions take {additions_ms():.0f} ms")


def start_weaviate(program: Path, folder: Path) -> LiveServer:
    """A Weaviate without modules, alone, on free ports of the loopback."""
    http, grpc_port, *others = free_ports(7)
    named = ("CLUSTER_GOSSIP_BIND_PORT", "CLUSTER_DATA_BIND_PORT", "RAFT_PORT", "RAFT_INTERNAL_RPC_PORT", "GO_PROFILING_PORT")
    environment = {
        "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true",
        "PERSISTENCE_DATA_PATH": str(folder),
        "DEFAULT_VECTORIZER_MODULE": "none",
        "CLUSTER_HOSTNAME": "node1",
        "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
        "RAFT_BOOTSTRAP_EXPECT": "1",
        "DISABLE_TELEMETRY": "true",
        "LOG_LEVEL": "error",
        "GRPC_PORT": str(grpc_port),
        **dict(zip(named, map(str, others), strict=True)),
    }
    command = [str(program), "--host", "127.0.0.1", "--port", str(http), "--scheme", "http"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, **environment})
    server, deadline = LiveServer(process, folder, http, grpc_port, []), time.monotonic() + STARTED_S
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{server.url}/v1/.well-known/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return server
    process.kill()
    raise SystemExit(f"{program} did not answer within {STARTED_S:.0f} s")


def imported(name: str, bench: Bench, vectors: Matrix) -> None:
    """Put everything in and wait for the index."""
    bench.rest("POST", "/v1/schema", {**SCHEMA, "properties": [one if one["name"] != "rank" else RANGE_INDEX for one in SCHEMA["properties"]]})
    told = bench.load(batches(vectors, 500), 2, once=True)
    per_object = told["cpu_us"] * told["requests"] / len(vectors)
    print(f"{name}: {len(vectors):,} objects; import {told['per_s'] * 500:,.0f}/s, {per_object:.0f} us CPU each, failed {told['failed']};", end=" ")
    print(f"at rest {bench.settle():.1f} s later; {bench.memory_mb():.0f} MB anonymous")


def recall(bench: Bench, vectors: Matrix, queries: Matrix) -> float:
    """Of the ten nearest."""
    numbers = {str(id_of(number)): number for number in range(len(vectors))}
    with grpc.insecure_channel(f"127.0.0.1:{bench.server.grpc_port}") as channel:
        ask = channel.unary_unary(SEARCH)
        replies = [SearchReply.FromString(ask(request.body)) for request in Questions(queries, len(vectors)).near()]
    nearest = np.argpartition(-(queries @ vectors.T), 10, axis=1)[:, :10]
    found = [[numbers[hit.metadata.id] for hit in reply.results] for reply in replies]
    return float(np.mean([len(set(one) & set(true.tolist())) / 10 for one, true in zip(found, nearest, strict=True)]))


def compare(both: list[Bench], queries: Matrix, options: argparse.Namespace) -> None:
    """Every row that is asked for."""
    chosen = [part for part in options.only.split(",") if part]
    ask = Questions(queries[:500], options.rows)
    for name, is_grpc, requests in reading(ask):
        if not chosen or any(part in name for part in chosen):
            turns = [[bench.load(requests(), CONNECTIONS, grpc=is_grpc) for bench in both] for _ in range(options.turns)]
            tell(name, turns)
    for name, is_grpc, requests in changing(Questions(queries, options.rows), options.rows):
        if not chosen or any(part in name for part in chosen):
            tell(name, list(written(both, list(requests()), is_grpc=is_grpc)))


def written(both: list[Bench], requests: list[Recorded], *, is_grpc: bool) -> Iterator[list[Told]]:
    """Turns of a hundred writes, each of them once, one after the other."""
    for start in range(0, len(requests), 100):
        yield [bench.load(iter(requests[start : start + 100]), 1, once=True, grpc=is_grpc) for bench in both]


def tell(name: str, turns: list[list[Told]]) -> None:
    """One row."""
    failed = [sum(told["failed"] for told in column) for column in zip(*turns, strict=True)]
    wrong = f" **failed: {failed}**" if any(failed) else ""
    cells = []
    for figure, is_cost in (("cpu_us", True), ("per_s", False)):
        ours, theirs = ([told[figure] for told in column] for column in zip(*turns, strict=True))
        ratios = [(b / a if is_cost else a / b) for a, b in zip(ours, theirs, strict=True)]
        cells.append(f"{median(ours):,.0f} | {median(theirs):,.0f} | {median(ratios):.2f}")
    print(f"| {name}{wrong} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
