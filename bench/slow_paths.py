"""What each of some 300 everyday operations costs the server, to find those that grow with the collection and need not.

    python bench/slow_paths.py EMBEDDINGS.npz [--rows 100000] [--dims 128] [--only words,sort] [--above 0]

EMBEDDINGS.npz as for bench/engine_ann.py. A server is started with an empty folder and takes the collections of bench/load/everyday.py; every operation is
asked over one connection for a third of a second, three times. CPU is the server's, all threads, a request, the least of the three. Writes are sent once each.
Prints a table, the dearest first.
"""

import argparse
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import grpc
import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine_ann import pictures, unit
from bench.load.everyday import TENANTS, imports, schemas
from bench.load.operations import Operation, changing, reading
from bench.load.questions import SERVICE, Recorded
from nearimage.domain.objects import Matrix
from tests.servers import start_server

TICKS = os.sysconf("SC_CLK_TCK")
TURN_S = 0.33
TURNS = 3


class Asked:
    """A server and one connection of each kind to it."""

    def __init__(self, pid: int, http_port: int, grpc_port: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._url = f"http://127.0.0.1:{http_port}"
        self._http = http.client.HTTPConnection("127.0.0.1", http_port)
        self._grpc = grpc.insecure_channel(f"127.0.0.1:{grpc_port}", [("grpc.max_receive_message_length", -1)])

    def send(self, request: Recorded) -> None:
        """One request; one that is refused is an error, one that finds nothing is none."""
        if request.path.startswith(SERVICE):
            self._grpc.unary_unary(request.path)(request.body)
            return
        self._http.request(request.method, request.path, request.body or None, {"Content-Type": "application/json"})
        reply = self._http.getresponse()
        content = reply.read()
        if reply.status not in (200, 204, 404) or content.startswith(b'{"errors"'):
            raise ValueError(f"{request.method} {request.path}: {reply.status} {content[:300]!r}")

    def fill(self, vectors: Matrix) -> None:
        """Make the collections, the tenants and the objects."""
        for schema in schemas():
            httpx.post(f"{self._url}/v1/schema", json=schema).raise_for_status()
        for start in range(0, TENANTS, 100):
            body = [{"name": f"t{n}"} for n in range(start, start + 100)]
            httpx.post(f"{self._url}/v1/schema/Parted/tenants", json=body, timeout=60).raise_for_status()
        for request in imports(vectors):
            self.send(request)

    def settle(self) -> None:
        """Wait until the server is at rest."""
        before = -1.0
        while self.cpu_s() - before > 0.03:
            before = self.cpu_s()
            time.sleep(0.5)

    def cpu_s(self) -> float:
        """CPU seconds that the server has used."""
        fields = self._stat.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def costs_us(self, requests: Iterable[Recorded]) -> float:
        """CPU a request, of requests sent one after the other."""
        self._http.close()  # an idle one may have been closed by the server; the next request opens it
        before, sent = self.cpu_s(), 0
        for request in requests:
            self.send(request)
            sent += 1
        return (self.cpu_s() - before) / sent * 1e6


def for_a_while(operation: Operation) -> Iterable[Recorded]:
    """Its requests over and over, each at least once."""
    until = time.perf_counter() + TURN_S
    for number, request in enumerate(cycle(operation.requests)):
        if number and time.perf_counter() > until:
            return
        yield request


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("embeddings", type=Path)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--dims", type=int, default=128)
    arguments.add_argument("--only", default="", help="parts of the names of operations, with commas")
    arguments.add_argument("--above", type=float, default=0, help="leave out what takes fewer us")
    options = arguments.parse_args()
    vectors, queries = (unit(found[:, : options.dims]) for found in pictures(options.embeddings, options.rows))
    with ExitStack() as ending:
        server = start_server(Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="nearimage-slow-"))))
        ending.callback(server.stop)
        asked = Asked(server.process.pid, server.http_port, server.grpc_port)
        asked.fill(vectors)
        asked.settle()
        found = list(measured(asked, vectors, queries, options.only.split(",")))
    print("| operation | CPU us |\n|---|---|")
    for cost, name in sorted(found, reverse=True):
        if cost > options.above:
            print(f"| {name} | {cost:,.0f} |")


def measured(asked: Asked, vectors: Matrix, queries: Matrix, parts: list[str]) -> Iterable[tuple[float, str]]:
    """Every operation that is asked for, with its cost."""
    for operation in reading(queries, len(vectors)):
        if any(part in operation.name for part in parts):
            yield min(asked.costs_us(for_a_while(operation)) for _ in range(TURNS)), operation.name
    for operation in changing(vectors, len(vectors)):
        if any(part in operation.name for part in parts):
            yield asked.costs_us(operation.requests), operation.name


if __name__ == "__main__":
    main()
