"""A local HTTP server that plays a model hub, with everything that goes wrong on the way. May import the standard library."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Hub:
    """What it serves and what it was asked.

    Attributes:
        files: content by path.
        cut_after: the next replies end after so many bytes, one entry a reply.
        statuses: the next replies are these, without content.
        tags: whether it names the content's version.
        asked: for each request its path and its Range, if any.
        may_send: not set while the content of every file is held back.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    tags: bool = True
    says_length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    may_send: threading.Event = field(default_factory=threading.Event)

    def tag(self, path: str) -> str:
        """The ETag of a file's content."""
        return f'"{hash(self.files[path]):x}"'


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub on a free port of the loopback."""
    hub = Hub()
    hub.may_send.set()

    class Handler(_Handler):
        state = hub

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    state: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hub = self.state
        wanted = self.headers.get("Range")
        hub.asked.append((self.path, wanted))
        if hub.statuses:
            self._end(hub.statuses.pop(0))
            return
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path not in hub.files:
            self._end(404)
            return
        content, start = hub.files[self.path], 0
        if wanted and hub.tags and self.headers.get("If-Range") == hub.tag(self.path):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self._end(416)
                return
        self._send(content, start)

    def _send(self, content: bytes, start: int) -> None:
        hub = self.state
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if hub.tags:
            self.send_header("ETag", hub.tag(self.path))
        if hub.says_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Connection", "close")
        self.end_headers()
        hub.may_send.wait(60)
        end = start + hub.cut_after.pop(0) if hub.cut_after else len(content)
        self.wfile.write(content[start:end])
        self.close_connection = True

    def _end(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
