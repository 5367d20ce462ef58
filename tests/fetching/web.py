"""A web server on this machine that answers as it is told, also as no web server should."""

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from types import TracebackType

Answer = Callable[[socket.socket], None]


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> Answer:
    """A plain answer; underscores in the names of headers are hyphens."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    return lambda wire: wire.sendall(head.encode() + body)


def redirect(target: str, status: str = "302 Found") -> Answer:
    """An answer that leads elsewhere."""
    return reply(status=status, Location=target)


class Web:
    """Serves answers by path on 127.0.0.1 until it is left.

    Attributes:
        requests: what came, head by head.
    """

    def __init__(self, answers: Mapping[str, Answer], wrap: Callable[[socket.socket], socket.socket] | None = None) -> None:
        self.requests: list[str] = []
        self._answers = answers
        self._wrap = wrap
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Where an answer is found."""
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> "Web":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for wire in self._open:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                wire, _ = self._listening.accept()
                self._open.append(wire)
                thread = Thread(target=self._answer, args=(wire,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _answer(self, wire: socket.socket) -> None:
        with suppress(OSError), wire:
            spoken = self._wrap(wire) if self._wrap else wire
            self._open.append(spoken)
            with spoken:
                head = b""
                while b"\r\n\r\n" not in head:
                    got = spoken.recv(4096)
                    if not got:
                        return
                    head += got
                self.requests.append(head.decode("latin-1"))
                path = head.split(b" ")[1].partition(b"?")[0].decode()
                self._answers.get(path, reply(status="404 Not Found"))(spoken)
