"""Prove that what users install works: build the wheel, install it into an empty environment, start the server, put a picture in, stop it.

An editable install hides missing files and undeclared dependencies; this does not. May import the standard library only.
"""

import base64
import json
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent

_READY_TIMEOUT_S = 60.0  # the first start of an empty environment compiles every module; 2 s are usual later

_REQUEST_TIMEOUT_S = 120.0  # the first picture converts the model

_STOP_TIMEOUT_S = 30.0

_CLASS = {
    "class": "Wheel",
    "properties": [{"name": "image", "dataType": ["blob"]}],
    "vectorizer": "img2vec-neural",
    "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}},
}

_ID = "00000000-0000-4000-8000-000000000001"


def main() -> int:
    """Run the check; 0 if the wheel works."""
    with tempfile.TemporaryDirectory(prefix="nearimage-wheel-") as name:
        folder = Path(name)
        nearimage = _install(_build(folder), folder)
        http_port, grpc_port = _free_ports(2)
        command = [str(nearimage), "serve", "--data", str(folder / "data"), "--host", "127.0.0.1", "--port", str(http_port), "--grpc-port", str(grpc_port)]
        with (folder / "log").open("w+") as log:
            server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
            try:
                _use(f"http://127.0.0.1:{http_port}/v1", server)
                code = _stop(server)
            except Exception:
                log.seek(0)
                sys.stderr.write(log.read())
                raise
            finally:
                server.kill()
    print(f"wheel: installs into an empty environment, starts, embeds and stores a picture, stops with exit code {code}")
    return code


def _build(folder: Path) -> Path:
    _run(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(_ROOT))
    (wheel,) = folder.glob("nearimage-*.whl")
    return wheel


def _install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into an empty environment; returns its command."""
    environment = folder / "environment"
    _run(sys.executable, "-m", "venv", str(environment))
    _run(str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", str(wheel))
    return environment / "bin" / "nearimage"


def _use(api: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until the server is ready, make a collection, insert a picture and read its vector."""
    _wait_ready(api, server)
    if not _call("GET", f"{api}/meta")["version"]:
        raise RuntimeError("GET /v1/meta names no version")
    _call("POST", f"{api}/schema", _CLASS)
    _call("POST", f"{api}/objects", {"class": "Wheel", "id": _ID, "properties": {"image": base64.b64encode(_picture()).decode()}})
    vector = _call("GET", f"{api}/objects/Wheel/{_ID}?include=vector")["vector"]
    if not any(vector):
        raise RuntimeError("the stored object has no vector")


def _wait_ready(api: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended at once, with exit code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{api}/.well-known/ready", timeout=_REQUEST_TIMEOUT_S):  # noqa: S310 our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"the server was not ready after {_READY_TIMEOUT_S:.0f} s")


def _call(method: str, url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})  # noqa: S310 our own address
    try:
        with urllib.request.urlopen(request, timeout=_REQUEST_TIMEOUT_S) as response:  # noqa: S310
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error


def _stop(server: "subprocess.Popen[bytes]") -> int:
    server.send_signal(signal.SIGTERM)
    code = server.wait(_STOP_TIMEOUT_S)
    if code != 0:
        raise RuntimeError(f"SIGTERM ended the server with exit code {code}, not 0")
    return code


def _picture() -> bytes:
    """A red PNG of 8 x 8 pixels, made by hand: the standard library has no encoder."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + b"\xff\0\0" * 8) * 8
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _free_ports(count: int) -> list[int]:
    """Ports that are free now; all are held until the last is known, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
