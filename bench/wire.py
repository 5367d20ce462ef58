"""A server under load through the wire: what a request costs the server, how many it answers, how long they take.

    python bench/wire.py [EMBEDDINGS.npz] [--rows 28000] [--seconds 3] [--only near,get] [--distance cosine]

EMBEDDINGS.npz as for bench/engine_ann.py; without it the vectors are synthetic clusters. The load comes from a compiled program in a process of its own
(bench/load, Go, its standard library only): a client in Python would take more of the two cores than the server. CPU is the server's, all threads, a
request; it is the figure to compare, the rest depends on what else the machine does. On a machine shared with others even CPU time stretches, so before and
after the table stands how long a million additions in Python take: some 50 ms where nobody else computes. Every commit is fsynced. Prints a table.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine_ann import clusters, pictures
from bench.first_slice import crops
from bench.load.questions import SCHEMA, Ask, Questions, Recorded, batches, near_images, write
from nearimage.domain.objects import Matrix
from tests.servers import LiveServer, start_server

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = (1, 4, 16)
IDLE = 1000
Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """One server and who loads it."""

    server: LiveServer
    generator: Path
    folder: Path
    seconds: float

    def load(self, requests: Iterator[Recorded], connections: int, *, once: bool = False, grpc: bool = True) -> Told:
        """Send requests; the server's CPU comes with what the generator tells."""
        with self.started(requests, connections, once=once, grpc=grpc) as running:
            cpu = self.cpu_s()
            told: Told = json.loads(running.communicate()[0])
        return told | {"cpu_us": (self.cpu_s() - cpu) / told["requests"] * 1e6}

    def started(self, requests: Iterator[Recorded], connections: int, *, once: bool = False, grpc: bool = True) -> "subprocess.Popen[str]":
        """The same without waiting."""
        file = write(Path(tempfile.mkstemp(dir=self.folder)[1]), requests)
        port = self.server.grpc_port if grpc else self.server.http_port
        command = [str(self.generator), "-address", f"127.0.0.1:{port}", "-requests", str(file), "-connections", str(connections)]
        command += ["-once"] if once else ["-seconds", str(self.seconds)]
        return subprocess.Popen([*command, "-grpc"] if grpc else command, stdout=subprocess.PIPE, text=True)

    def cpu_s(self) -> float:
        """CPU seconds that the server has used."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """The server's anonymous memory."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.server.process.pid}/status").read_text().splitlines())
        return int(status["RssAnon"].split()[0]) / 1e3

    def settle(self) -> float:
        """Wait until the server is at rest; the seconds that took."""
        started = time.perf_counter()
        while True:
            cpu = self.cpu_s()
            time.sleep(0.5)
            if self.cpu_s() - cpu < 0.03:
                return time.perf_counter() - started - 0.5

    def rest(self, method: str, path: str, body: object) -> None:
        """One request that has to succeed."""
        httpx.request(method, self.server.url + path, json=body).raise_for_status()


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("embeddings", nargs="?")
    arguments.add_argument("--rows", type=int, default=28_000)
    arguments.add_argument("--seconds", type=float, default=3)
    arguments.add_argument("--only", default="", help="parts of the names of rows, with commas")
    arguments.add_argument("--distance", default="cosine", help="of the vectors; manhattan and hamming are scanned exactly")
    options = arguments.parse_args()
    if not shutil.which("go"):
        print("Go is not on this machine: no load generator, nothing measured")
        return
    vectors, queries = pictures(Path(options.embeddings), options.rows) if options.embeddings else clusters(options.rows)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="nearimage-wire-")))
        subprocess.run(["go", "build", "-o", str(folder / "load"), "."], cwd=HERE / "load", check=True)  # noqa: S607
        server = start_server(folder / "data")
        ending.callback(server.stop)
        print(f"a million additions take {additions_ms():.0f} ms")
        measure(Bench(server, folder / "load", folder, options.seconds), vectors, queries, options)
        print(f"\na million additions take {additions_ms():.0f} ms")


def additions_ms() -> float:
    """How fast the machine is at the moment: CPU of a million additions, the least of five times."""
    return min(_additions_s() for _ in range(5)) * 1e3


def _additions_s() -> float:
    total, began = 0, time.process_time()
    for number in range(1_000_000):
        total += number
    return time.process_time() - began


def measure(bench: Bench, vectors: Matrix, queries: Matrix, options: argparse.Namespace) -> None:
    """Import, then every row that is asked for."""
    chosen = [part for part in options.only.split(",") if part]
    bench.rest("POST", "/v1/schema", {**SCHEMA, "vectorIndexConfig": {"distance": options.distance}})
    imported = bench.load(batches(vectors, 500), 2, once=True)
    per_object = imported["cpu_us"] * imported["requests"] / len(vectors)
    print(f"{len(vectors):,} objects; import {imported['per_s'] * 500:,.0f}/s, {per_object:.0f} us CPU each, failed {imported['failed']};", end=" ")
    print(f"at rest {bench.settle():.1f} s later; {bench.memory_mb():.0f} MB anonymous\n")
    print("| request | CPU us | 1 connection: requests/s, p50, p99 ms | 4: requests/s, p50, p99 ms | 16: requests/s, p50, p99 ms | KB |")
    print("|---|---|---|---|---|---|")
    for name, grpc, ask in reading(Questions(queries[:500], len(vectors))):
        if not chosen or any(part in name for part in chosen):
            tell(name, [bench.load(ask(), connections, grpc=grpc) for connections in CONNECTIONS])
    for name, grpc, ask in changing(Questions(queries, len(vectors)), len(vectors)):
        if not chosen or any(part in name for part in chosen):
            tell(name, [bench.load(ask(), 1, once=True, grpc=grpc)])
    for extra in (beside_import, idle, by_picture):
        if not chosen or extra.__name__ in chosen:
            extra(bench, vectors, queries)


def tell(name: str, runs: list[Told]) -> None:
    """One row; the CPU is that of the run with the least, for other programs' work only ever adds."""
    cells = [f"{run['per_s']:,.0f}, {run['p50_ms']:.2f}, {run['p99_ms']:.2f}" for run in runs] + [""] * (len(CONNECTIONS) - len(runs))
    failed = sum(run["failed"] for run in runs)
    wrong = f" **{failed} failed: {next(run['mistake'] for run in runs if run['failed'])}**" if failed else ""
    print(f"| {name}{wrong} | {min(run['cpu_us'] for run in runs):,.0f} | {' | '.join(cells)} | {runs[0]['bytes_each'] / 1e3:.1f} |", flush=True)


def reading(ask: Questions) -> list[tuple[str, bool, Ask]]:
    """The rows that change nothing: name, whether over gRPC, requests."""
    filters = [(f"near_vector 10, filter {100 * share:g} %", True, partial(ask.near, share)) for share in (0.5, 0.1, 0.01, 0.001)]
    return [
        ("health: the transport alone", True, ask.health),
        ("near_vector 10", True, ask.near),
        *filters,
        ("near_vector 100 with vectors", True, partial(ask.near, limit=100, vectors=True)),
        ("near_vector in groups", True, ask.grouped),
        ("bm25", True, ask.words),
        ("hybrid", True, ask.hybrid),
        ("filter only", True, ask.filtered),
        ("sort, 10 of all", True, ask.sorted),
        ("cursor page of 1,000", True, ask.pages),
        ("aggregate over half", True, ask.summaries),
        ("REST live: HTTP alone", False, ask.live),
        ("REST get with vector", False, ask.gets),
        ("GraphQL nearVector 10", False, ask.graphql),
    ]


def changing(ask: Questions, rows: int) -> list[tuple[str, bool, Ask]]:
    """The rows that write, each request once."""
    return [
        ("insert, one object", True, partial(ask.inserts, 500, 2 * rows)),
        ("REST patch", False, partial(ask.patches, 500)),
        ("REST delete", False, partial(ask.deletes, 500)),
    ]


def beside_import(bench: Bench, vectors: Matrix, queries: Matrix) -> None:
    """64 connections that search while another imports."""
    with bench.started(batches(vectors, 500, 4 * len(vectors)), 1) as importing:
        told = bench.load(Questions(queries[:500], len(vectors)).near(), 64)
        imported = json.loads(importing.communicate()[0])
    rate, failed = f"{imported['per_s'] * 500:,.0f} objects/s", told["failed"] + imported["failed"]
    print(f"\n64 connections searching beside an import: {told['per_s']:,.0f} searches/s, p50 {told['p50_ms']:.1f} ms, p99 {told['p99_ms']:.1f}, ", end="")
    print(f"worst {told['worst_ms']:.0f}; {rate} imported meanwhile; {failed} failed")


def idle(bench: Bench, _vectors: Matrix, _queries: Matrix) -> None:
    """Connections that say nothing, half of them on each port."""
    before = bench.memory_mb()
    with ExitStack() as open_ones:
        for number in range(IDLE):
            port = bench.server.grpc_port if number % 2 else bench.server.http_port
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" if number % 2 else b"GET /v1/.well-known/live HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(9)
        time.sleep(1)
        print(f"\n{IDLE:,} idle connections: {bench.memory_mb() - before:.0f} MB more")


def by_picture(bench: Bench, _vectors: Matrix, _queries: Matrix) -> None:
    """near_image of JPEGs of 0.1 MB among a hundred of them."""
    shown = [b64encode(data).decode() for data in crops(200)]
    properties = [{"name": "image", "dataType": ["blob"]}]
    settings = {"img2vec-neural": {"imageFields": ["image"]}}
    bench.rest("POST", "/v1/schema", {"class": "Photo", "vectorizer": "img2vec-neural", "moduleConfig": settings, "properties": properties})
    for picture in shown[:100]:
        bench.rest("POST", "/v1/objects", {"class": "Photo", "properties": {"image": picture}})
    tell("near_image, 0.1 MB", [bench.load(near_images(shown[100:], "Photo"), connections) for connections in CONNECTIONS])


Extra = Callable[[Bench, Matrix, Matrix], None]

if __name__ == "__main__":
    main()
