"""A real server process for tests: started on free ports, stopped by SIGTERM, its folder kept."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

READY = re.compile(r"answers at http://127\.0\.0\.1:(\d+)(?: \(gRPC (\d+)\))?")
START_S = 30
"""Far more than a start takes, for a machine that is busy with other tests."""


@dataclass(frozen=True)
class LiveServer:
    """A running `nearimage serve`, or `nearimage inference-server`, which has no gRPC."""

    process: "subprocess.Popen[str]"
    data: Path
    http_port: int
    grpc_port: int
    log: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(START_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def start_server(data: Path, *options: str, environment: Mapping[str, str] | None = None) -> LiveServer:
    """Start `nearimage serve` on free ports and wait until it says that it answers."""
    return _start(data, ("serve", "--grpc-port", "0", *options), environment)


def start_inference_server(data: Path, module: str, *options: str) -> LiveServer:
    """Start `nearimage inference-server` on a free port and wait until it says that it answers."""
    return _start(data, ("inference-server", module, *options), None)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on, for a program that cannot choose for itself."""
    with ExitStack() as held:
        lines = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(line.getsockname()[1]) for line in lines]


def _start(data: Path, arguments: Sequence[str], environment: Mapping[str, str] | None) -> LiveServer:
    command = [sys.executable, "-m", "nearimage", *arguments, "--data", str(data), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    log: list[str] = []
    Thread(target=_collect, args=(process, log), daemon=True).start()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = next((match for line in list(log) if (match := READY.search(line))), None)
        if found:
            return LiveServer(process, data, int(found[1]), int(found[2] or 0), log)
        if process.poll() is not None:
            break
        time.sleep(0.01)
    process.kill()
    process.wait()
    raise AssertionError("the server did not start:\n" + "".join(log))


def _collect(process: "subprocess.Popen[str]", log: list[str]) -> None:
    """Keep reading, or a full pipe would stop the server."""
    assert process.stderr is not None
    with suppress(ValueError):  # closed by `stop`
        log.extend(iter(process.stderr.readline, ""))
