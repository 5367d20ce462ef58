"""An inference container for tests: speaks the three contracts, and misbehaves as it is told.

A text's vector is the sum of its words', a file's is made of its bytes and its kind, so that whatever is mixed up shows in the numbers.
"""

import base64
import binascii
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nearimage.domain.vectorizing import Modality
from nearimage.testing.vectorizer_contract import UNREADABLE
from nearimage.vectorizers.remote.contracts import BIND

DIMENSIONS = 8

Numbers = npt.NDArray[np.float32]

Behaviour = Callable[[BaseHTTPRequestHandler], None]
"""What happens in the place of an answer."""


def file_vector(modality: Modality, data: bytes) -> Numbers:
    """The vector of a file."""
    digest = hashlib.sha256(modality.encode() + data).digest()
    return np.asarray(np.frombuffer(digest, np.uint8)[:DIMENSIONS] / 128 - 1, np.float32)


def text_vector(text: str) -> Numbers:
    """The vector of a text."""
    return np.asarray(np.sum([file_vector(Modality.TEXT, word.encode()) for word in text.split() or [""]], axis=0), np.float32)


class FakeContainer:
    """The container; a context manager.

    Args:
        delay_s: before each answer.
        port: 0 takes any free one.

    Attributes:
        requests: the bodies that came, in order.
        behaviours: what happens to the next requests in the place of an answer, first one first.
    """

    def __init__(self, delay_s: float = 0.0, port: int = 0) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.behaviours: list[Behaviour] = []
        self.delay_s = delay_s
        self.at_once = self.most_at_once = 0
        self.ready = True
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one POST."""
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        with self._lock:
            self.requests.append(body)
            behaviour = self.behaviours.pop(0) if self.behaviours else None
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.delay_s)
            if behaviour:
                behaviour(request)
            else:
                send(request, *_vectors(request.path, body))
        finally:
            with self._lock:
                self.at_once -= 1

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def send(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    """Send an answer."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def answering(status: int, body: bytes) -> Behaviour:
    """This answer, whatever was asked."""
    return lambda request: send(request, status, body)


def breaking(request: BaseHTTPRequestHandler) -> None:
    """The connection closed without a word."""
    request.close_connection = True
    request.connection.close()


def hanging(seconds: float) -> Behaviour:
    """Nothing for a while, then a broken connection."""

    def hang(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        request.close_connection = True

    return hang


def _handler(container: FakeContainer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/meta":
                send(self, 200, b'{"model": "fake"}')
            else:
                send(self, 204 if container.ready else 503, b"")

        def do_POST(self) -> None:
            container.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the standard library
            pass

    return Handler


def _vectors(path: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
    try:
        if path == "/vectors":
            vector = _of_file(Modality.IMAGE, body["image"])
            return 200, json.dumps({"id": body["id"], "vector": vector, "dim": DIMENSIONS}).encode()
        return 200, json.dumps(_mixed(body)).encode()
    except (ValueError, binascii.Error) as wrong:
        return 500, json.dumps({"error": str(wrong)}).encode()


def _mixed(body: Mapping[str, Any]) -> dict[str, list[list[float]]]:
    answer = {}
    for modality, (asked, given) in BIND.lists.items():
        entries = body.get(asked, [])
        assert asked not in body or entries, "empty lists are left out"
        answer[given] = [text_vector(entry).tolist() if modality is Modality.TEXT else _of_file(modality, entry) for entry in entries]
    return answer


def _of_file(modality: Modality, text: str) -> list[float]:
    data = base64.b64decode(text, validate=True)
    if data == UNREADABLE:
        raise ValueError("cannot identify file")
    return file_vector(modality, data).tolist()  # type: ignore[no-any-return] # numpy says Any
