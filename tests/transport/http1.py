"""A door made for tests of HTTP/1.1, and a connection to it as bytes."""

import socket
import threading
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

from nearimage.domain.cancellation import current_cancellation
from nearimage.doors.http1.exchange import Bodiless, Exchange, Head, Response, Work
from tests.http_doors import Served

LONG_S = 20
MOST_BODY = 1_000_000


@dataclass
class Played:
    """A door made for tests: /quick answers on the loop, /wait in a thread when the test says so, /large/N with N bytes.

    Attributes:
        begun: what has begun in a thread.
        gate: what waits goes on when it is set.
        told: set when what waits learns that nobody waits for it.
        opened: paths, in the order in which their heads came.
    """

    begun: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)
    opened: list[str] = field(default_factory=list)

    def open(self, head: Head) -> Exchange | Response:
        self.opened.append(head.path)
        if head.path == "/refused":
            return Response(401, b"who are you?", "text/plain", {"WWW-Authenticate": "Bearer"})
        if head.path == "/nothing":
            return Response(204)
        if head.path.startswith("/large/"):
            return Response(200, bytes(int(head.path.rpartition("/")[2])))
        if head.path.startswith("/wait"):
            return Bodiless(lambda: self._wait(head.path))
        return Quick(head.path)

    def _wait(self, path: str) -> Response:
        self.begun.append(path)
        token = current_cancellation()
        with token.on_cancel(self.told.set) if token else nullcontext():
            self.gate.wait(LONG_S)
        if path == "/wait/broken":
            raise ValueError("a mistake of the door")
        return Response(200, path.encode())


@dataclass
class Quick:
    """Answers with what it was sent, or its path."""

    path: str
    pieces: list[bytes] = field(default_factory=list)

    def take(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def begin(self) -> Response | Work:
        if self.path == "/broken":
            raise ValueError("a mistake of the door")
        body = b"".join(self.pieces)
        return Response(422 if len(body) > MOST_BODY else 200, body[:100] or self.path.encode(), "text/plain")


class Line:
    """A connection, as bytes."""

    def __init__(self, running: Served) -> None:
        self.socket = socket.create_connection(("127.0.0.1", running.port), LONG_S)
        self._got = bytearray()

    def send(self, data: bytes) -> "Line":
        self.socket.sendall(data)
        return self

    def ask(self, path: str, method: str = "GET", more: str = "", body: bytes = b"") -> "Line":
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return self.send(f"{method} {path} HTTP/1.1\r\nHost: here\r\n{more}{length}\r\n".encode() + body)

    def answer(self, *, has_body: bool = True) -> tuple[int, Mapping[str, str], bytes]:
        """The next one: status, headers by small letters, body."""
        head = self.until(b"\r\n\r\n").decode()
        status, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = self.exactly(int(headers.get("content-length", "0"))) if has_body else b""
        return int(status.split()[1]), headers, body

    def until(self, end: bytes) -> bytes:
        while end not in self._got:
            self._more()
        found, _, self._got = self._got.partition(end)
        return bytes(found)

    def exactly(self, count: int) -> bytes:
        while len(self._got) < count:
            self._more()
        found = bytes(self._got[:count])
        del self._got[:count]
        return found

    def rest(self) -> bytes:
        """What comes until the server closes."""
        with suppress(ConnectionResetError):
            while piece := self.socket.recv(65_536):
                self._got += piece
        return bytes(self._got)

    def _more(self) -> None:
        piece = self.socket.recv(65_536)
        assert piece, f"closed after {self._got!r}"
        self._got += piece
