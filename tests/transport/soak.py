"""Mixed load on the native transport, with clients that are killed: does the memory stay flat?

    python tests/transport/soak.py [--minutes 60]

The server answers in a process of its own. Beside it run clients with grpc-go (`make interop`) with quick calls, slow calls, deadlines that pass and
uploads of 2 MB, each killed with SIGKILL after some seconds and started again, and connections that are cut at random places of a conversation. Every ten
seconds the server's memory and open files are read; after a third of the time they must not grow any more. Prints a line each time, and a verdict.
"""

import argparse
import asyncio
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import uvloop

from nearimage.doors.grpc.handlers import Handler
from nearimage.doors.grpc.native.door import Allowances
from tests.interop.tools import INSTALLED
from tests.transport.peer import Peer
from tests.transport.served import THREADS, Played, door_of, methods_of

LOADS = (
    ("-method", "/t.T/Quick", "-connections", "4"),
    ("-method", "/t.T/Slow", "-connections", "2", "-streams", "20"),
    ("-method", "/t.T/Wait", "-connections", "2", "-streams", "2", "-deadline", "20ms"),
    ("-method", "/t.T/Discard", "-connections", "1", "-streams", "4", "-request", "UPLOAD"),
)
SAMPLE_S = 10
MOST_GROWTH = 1.05
MOST_GROWTH_MB = 10


async def answer() -> None:
    """Serve until killed."""
    unary, streams = methods_of(Played())
    methods = {**unary, "/t.T/Wait": Handler(lambda message: lambda: _slowly(message))}
    server, port = door_of("native", (methods, streams), ThreadPoolExecutor(THREADS), Allowances()).start("127.0.0.1", 0)
    await server.start()
    print(port, flush=True)
    await asyncio.Event().wait()


def _slowly(message: bytes) -> bytes:
    time.sleep(0.03)
    return message


@contextmanager
def server() -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """A server process and its port."""
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def keep_killing(port: int, options: tuple[str, ...], end: float, seed: int) -> None:
    """Clients one after the other, each killed in the middle of its work."""
    chance = random.Random(seed)  # noqa: S311 - the same every time, on purpose
    command = [str(INSTALLED / "interop"), "-addr", f"127.0.0.1:{port}", "load", "-seconds", "60", *options]
    while time.monotonic() < end:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            time.sleep(chance.uniform(1, 8))
            client.kill()


def keep_dropping(port: int, end: float) -> None:
    """Connections cut anywhere."""
    chance, peer = random.Random(1), Peer()  # noqa: S311
    whole = peer.hello() + peer.call(b"x", "/t.T/Slow") + peer.call(b"y", "/t.T/Wait") + peer.call(path="/t.T/Converse")
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(whole[: chance.randrange(len(whole))])
        time.sleep(0.005)


def sample(pid: int) -> tuple[float, int]:
    """Anonymous memory in MB, and open files."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    return kib / 1e3, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def soak(minutes: float) -> bool:
    """Load for so long; whether the memory stayed flat."""
    with server() as (process, port), tempfile.NamedTemporaryFile() as upload:
        upload.write(bytes(2_000_000))
        upload.flush()
        end = time.monotonic() + minutes * 60
        loads = [tuple(upload.name if option == "UPLOAD" else option for option in options) for options in LOADS]
        threads = [threading.Thread(target=keep_killing, args=(port, options, end, seed)) for seed, options in enumerate(loads)]
        threads.append(threading.Thread(target=keep_dropping, args=(port, end)))
        for thread in threads:
            thread.start()
        seen = []
        while time.monotonic() < end:
            time.sleep(SAMPLE_S)
            seen.append(sample(process.pid))
            print(f"{len(seen) * SAMPLE_S:6} s  {seen[-1][0]:7.1f} MB  {seen[-1][1]} files", flush=True)
        for thread in threads:
            thread.join()
        time.sleep(3)
        at_rest = sample(process.pid)
    return verdict([memory for memory, _ in seen], at_rest)


def verdict(memory: list[float], at_rest: tuple[float, int]) -> bool:
    """Compare the second third of the time with the last."""
    third = len(memory) // 3
    middle, last = statistics.median(memory[third : 2 * third]), statistics.median(memory[2 * third :])
    is_flat = last <= max(middle * MOST_GROWTH, middle + MOST_GROWTH_MB)
    print(f"median of the second third {middle:.1f} MB, of the last {last:.1f} MB: {'flat' if is_flat else 'GROWS'}")
    print(f"at rest {at_rest[0]:.1f} MB, {at_rest[1]} files")
    return is_flat


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(answer())
    else:
        sys.exit(0 if soak(options.minutes) else 1)
