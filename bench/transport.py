"""The two gRPC transports side by side: what a call costs the server when the handler costs nothing.

    python bench/transport.py [--seconds 3] [--reply 1000]

Each transport answers in a process of its own with a constant reply of --reply bytes: once on the event loop, once through a thread of the pool. The load
comes from a program in Go (`tests/interop/grpcgo`, with grpc-go); 4x8 means four connections with eight calls at once on each. CPU is the server's, user
and system, a call: the figure to compare, since calls a second and latencies depend on what else the machine does. `sockets` is a server that reads
whatever comes and writes as many bytes back, one piece for one piece: what no transport on this event loop can get below. Prints a table, what an upload
does to small calls, and what a thousand idle connections take.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from nearimage.doors.grpc.handlers import Handler
from nearimage.doors.grpc.native.door import NativeDoor
from nearimage.doors.grpc.server import GrpcDoor

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
LOADS = ((1, 1), (4, 1), (16, 1), (4, 8))
"""Connections, and calls at once on each."""

IDLE = 1_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
THREADS = 8
UPLOAD_BYTES = 100_000_000


async def answer(kind: str, size: int) -> None:
    """Serve until killed."""
    reply = bytes(size)
    methods = {"/bench.B/Loop": Handler(lambda _: reply), "/bench.B/Pool": Handler(lambda _: lambda: reply)}
    executor = ThreadPoolExecutor(THREADS)
    door: GrpcDoor | NativeDoor
    if kind == "grpcio":
        door = GrpcDoor(methods=methods, streams={}, executor=executor)
    else:
        door = NativeDoor(methods=methods, streams={}, executor=executor, threads=THREADS, max_message_bytes=10**8)
    server, port = door.start("127.0.0.1", 0)
    await server.start()
    print(port, flush=True)
    await asyncio.Event().wait()


class Sockets(asyncio.Protocol):
    """Answers every piece with one."""

    reply = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport: Any = transport

    def data_received(self, _: bytes) -> None:
        """See asyncio."""
        self._transport.write(self.reply)


async def answer_sockets(size: int) -> None:
    """Serve until killed."""
    Sockets.reply = bytes(size + 80)
    server = await asyncio.get_running_loop().create_server(Sockets, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Server:
    """A server process."""

    process: "subprocess.Popen[str]"
    port: int

    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """Anonymous memory."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return int(status["RssAnon"].split()[0]) / 1e3


def started(kind: str, size: int, ending: ExitStack) -> Server:
    """A server that answers."""
    process = subprocess.Popen([sys.executable, __file__, "--serve", kind, "--reply", str(size)], stdout=subprocess.PIPE, text=True)
    ending.callback(process.wait)
    ending.callback(process.kill)
    assert process.stdout is not None
    return Server(process, int(process.stdout.readline()))


def load(server: Server, generator: Path, method: str, shape: tuple[int, int], seconds: float) -> dict[str, Any]:
    """What the generator tells, with the server's CPU for a call."""
    options = ["-connections", str(shape[0]), "-streams", str(shape[1]), "-seconds", str(seconds), "-method", f"/bench.B/{method}"]
    cpu = server.cpu_s()
    told: dict[str, Any] = json.loads(subprocess.check_output([generator, "-addr", f"127.0.0.1:{server.port}", "load", *options], text=True))
    assert not told["failed"]
    return told | {"cpu_us": (server.cpu_s() - cpu) / told["requests"] * 1e6}


def load_sockets(server: Server, connections: int, seconds: float) -> dict[str, Any]:
    """As many pieces back and forth as fit into the time."""
    with ExitStack() as open_ones:
        lines = [open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(connections)]
        cpu, begin, done = server.cpu_s(), time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            for line in lines:
                line.sendall(bytes(70))
            for line in lines:
                line.recv(65_536)
            done += connections
        return {"cpu_us": (server.cpu_s() - cpu) / done * 1e6, "per_s": done / (time.perf_counter() - begin)}


def idle_mb(server: Server) -> float:
    """What a thousand connections take that have said hello, and nothing else."""
    before = server.memory_mb()
    with ExitStack() as open_ones:
        for _ in range(IDLE):
            line = open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            line.sendall(PREFACE)
            line.recv(9)
        time.sleep(1)
        return server.memory_mb() - before


def beside_upload(server: Server, generator: Path, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Small calls on four connections, alone and beside a client that uploads 100 MB again and again."""
    alone = load(server, generator, "Loop", (4, 1), seconds)
    with tempfile.NamedTemporaryFile() as upload:
        upload.truncate(UPLOAD_BYTES)
        options = ["-method", "/bench.B/Pool", "-seconds", str(seconds + 2), "-request", upload.name]
        with subprocess.Popen([generator, "-addr", f"127.0.0.1:{server.port}", "load", *options], stdout=subprocess.DEVNULL):
            time.sleep(1)
            return alone, load(server, generator, "Loop", (4, 1), seconds)


def measure(generator: Path, size: int, seconds: float) -> None:
    """All rows, the transports in turns."""
    with ExitStack() as ending:
        servers = {kind: started(kind, size, ending) for kind in ("sockets", "grpcio", "native")}
        shapes = " | ".join(f"{connections}x{calls}" for connections, calls in LOADS)
        print(f"| answered | transport | CPU us: {shapes} | calls/s: {shapes} | p99 ms: {shapes} |")
        print("|---|---" + "|---" * 3 * len(LOADS) + "|")
        row("", "sockets", [load_sockets(servers["sockets"], connections * calls, seconds) for connections, calls in LOADS])
        for method in ("Loop", "Pool"):
            told: dict[str, list[dict[str, Any]]] = {"grpcio": [], "native": []}
            for shape in LOADS:
                for kind, runs in told.items():
                    runs.append(load(servers[kind], generator, method, shape, seconds))
            for kind, runs in told.items():
                row("on the loop" if method == "Loop" else "in the pool", kind, runs)
        for kind in ("native", "grpcio"):
            alone, beside = beside_upload(servers[kind], generator, seconds)
            print(f"\nbeside an upload of 100 MB, {kind}: p99 {alone['p99_ms']:.2f} ms alone, {beside['p99_ms']:.2f} beside", end="")
            print(f"; p50 {alone['p50_ms']:.2f} and {beside['p50_ms']:.2f}", end="")
        print(f"\n\n{IDLE:,} idle connections: " + ", ".join(f"{kind} {idle_mb(servers[kind]):.1f} MB" for kind in ("native", "grpcio")))


def row(where: str, kind: str, runs: list[dict[str, Any]]) -> None:
    """One line of the table."""
    cells = [f"{run['cpu_us']:.0f}" for run in runs] + [f"{run['per_s']:,.0f}" for run in runs]
    cells += [f"{run['p99_ms']:.2f}" if "p99_ms" in run else "" for run in runs]
    print(f"| {where} | {kind} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Measure, or serve for a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--reply", type=int, default=1_000)
    parser.add_argument("--serve", choices=("native", "grpcio", "sockets"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(answer_sockets(options.reply) if options.serve == "sockets" else answer(options.serve, options.reply))
        return
    if not shutil.which("go"):
        print("Go is not on this machine: no load generator, nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        generator = Path(folder) / "interop"
        subprocess.run(["go", "build", "-o", str(generator), "."], cwd=ROOT / "tests" / "interop" / "grpcgo", check=True)  # noqa: S607
        measure(generator, options.reply, options.seconds)


if __name__ == "__main__":
    main()
