"""HTTP/1.1 step by step: what a request costs the server from the bare socket to a door.

    python bench/http1.py [--seconds 2] [--rounds 2]

Each step answers in a process of its own with a constant reply of 3 KB, the last with an empty one; the load comes from the program in Go that bench/wire.py
uses, over 1, 4 and 16 connections with one request at a time. CPU is the server's, user and system, a request, the least of the rounds. `uvicorn` is measured
where it is installed: it carried the doors before (docs/design/http.md). Prints a table.
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httptools
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load.questions import Recorded, write
from nearimage.doors.http1.exchange import Bodiless, Exchange, Head, Response
from nearimage.doors.http1.reading import Limits
from nearimage.doors.http1.server import Allowances, HttpServer
from nearimage.doors.rest.call import About
from nearimage.doors.rest.door import RestDoor
from nearimage.doors.site import Site
from tests.fakes import World

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = (1, 4, 16)
BODY = b"0.123456," * 333
REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
STEPS = ("sockets", "parser", "uvicorn", "server", "thread", "doors")


class Sockets(asyncio.Protocol):
    """Answers every piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport: Any = transport

    def data_received(self, _: bytes) -> None:
        """See asyncio."""
        self._transport.write(REPLY)


class Parser(Sockets):
    """Answers every request that httptools finds."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        super().connection_made(transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""

    def on_message_complete(self) -> None:
        """See httptools."""
        self._transport.write(REPLY)


class Constant:
    """Answers on the loop."""

    def take(self, piece: bytes) -> None:
        """See `Exchange`."""

    def begin(self) -> Response:
        """See `Exchange`."""
        return Response(200, BODY, "application/json")


async def asgi(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """The same as an ASGI application."""
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(BODY))]})
        await send({"type": "http.response.body", "body": BODY})


def opened(step: str) -> Callable[[Head], Exchange | Response]:
    """Who answers behind our server."""
    if step == "doors":
        return Site(RestDoor(World().services(), About(version="1", hostname="bench", max_message_bytes=1_000_000)).endpoints()).open
    return lambda _: Constant() if step == "server" else Bodiless(Constant().begin)


async def answer(step: str) -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    if step == "uvicorn":
        import uvicorn  # noqa: PLC0415 - perhaps not there

        await uvicorn.Server(uvicorn.Config(asgi, log_config=None, proxy_headers=False, lifespan="off")).serve(sockets=[listener])
    elif step in ("sockets", "parser"):
        await asyncio.get_running_loop().create_server(Parser if step == "parser" else Sockets, sock=listener)
    else:
        HttpServer(opened(step), listener, ThreadPoolExecutor(8), Allowances(limits=Limits(body_bytes=1_000_000))).start()
    await asyncio.Event().wait()


def measure(step: str, generator: Path, requests: Path, seconds: float) -> list[tuple[float, float]]:
    """CPU a request in us, and requests a second, for each number of connections."""
    server = subprocess.Popen([sys.executable, __file__, "--answer", step], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port, found = server.stdout.readline().strip(), []
        for connections in CONNECTIONS:
            before = cpu_s(server.pid)
            command = [str(generator), "-address", f"127.0.0.1:{port}", "-requests", str(requests), "-connections", str(connections)]
            told = json.loads(subprocess.run([*command, "-seconds", str(seconds)], check=True, capture_output=True).stdout)
            assert not told["failed"], told
            found.append(((cpu_s(server.pid) - before) / told["requests"] * 1e6, told["per_s"]))
        return found
    finally:
        server.kill()
        server.wait()


def cpu_s(process: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=2)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--answer", default="", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.answer:
        uvloop.run(answer(options.answer))
    if not shutil.which("go"):
        print("Go is not on this machine: no load generator, nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="nearimage-http-") as name:
        generator, requests = Path(name) / "load", Path(name) / "requests"
        subprocess.run(["go", "build", "-o", str(generator), "."], cwd=HERE / "load", check=True)  # noqa: S607
        write(requests, iter([Recorded("GET", "/v1/.well-known/live")]))
        steps = [step for step in STEPS if step != "uvicorn" or find_spec("uvicorn")]
        rounds = [{step: measure(step, generator, requests, options.seconds) for step in steps} for _ in range(options.rounds)]
    print("| answered by | " + " | ".join(f"{count}: CPU us, requests/s" for count in CONNECTIONS) + " |")
    print("|---|" + "---|" * len(CONNECTIONS))
    for step in steps:
        best = [min(one[step][at] for one in rounds) for at in range(len(CONNECTIONS))]
        print(f"| {step} | " + " | ".join(f"{cpu:,.0f}, {rate:,.0f}" for cpu, rate in best) + " |")


if __name__ == "__main__":
    main()
