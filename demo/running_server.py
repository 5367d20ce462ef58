"""Run `nearimage serve` as a user would, on free ports, and stop it again whatever happens.

May import the standard library only.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_TIMEOUT_S = 60  # 2 s on any machine that is not busy with something else
_STOP_TIMEOUT_S = 20  # the server gives running requests 10

_READY = re.compile(r"answers at http://[^ ]*:(\d+) \(gRPC (\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """Where it answers, and how long it took to."""

    http_port: int
    grpc_port: int
    start_s: float


@contextmanager
def running_server(data: Path, *options: str) -> Iterator[RunningServer]:
    """A server on a data folder, for as long as the `with` block lasts.

    Raises:
        RuntimeError: it did not start; the message has its last words.
    """
    with tempfile.NamedTemporaryFile("w") as log:
        started = time.monotonic()
        command = [sys.executable, "-m", "nearimage", "serve", "--data", str(data), "--port", "0", "--grpc-port", "0", *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            ready = _wait(process, Path(log.name))
            yield RunningServer(http_port=int(ready[1]), grpc_port=int(ready[2]), start_s=time.monotonic() - started)
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> re.Match[str]:
    said, deadline = "", time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said = log.read_text("utf-8", "replace")
        if ready := _READY.search(said):
            return ready
        if ended:
            raise RuntimeError(f"The server ended at once. It said:\n{said}")
        time.sleep(0.02)
    raise RuntimeError(f"The server was not ready within {_START_TIMEOUT_S} s. It said:\n{log.read_text('utf-8', 'replace')}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
