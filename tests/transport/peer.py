"""A client's end of HTTP/2 for tests, written by hand so that it can also do what no decent client does.

It shares nothing with what is tested but `hpack` and the numbers of the frame types.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
Fields = Sequence[tuple[str, str]]

CALL = ((":method", "POST"), (":scheme", "http"), (":path", "/t.T/Quick"), (":authority", "here"), ("te", "trailers"), ("content-type", "application/grpc"))


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """One frame, right or wrong."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def number(value: int) -> bytes:
    """32 bits."""
    return value.to_bytes(4, "big")


def setting(name: int, value: int) -> bytes:
    """One entry of a SETTINGS frame."""
    return name.to_bytes(2, "big") + number(value)


def message(data: bytes, flag: int = 0) -> bytes:
    """A gRPC message."""
    return bytes([flag]) + number(len(data)) + data


@dataclass(frozen=True)
class Frame:
    """A frame that came."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """The error of a RST_STREAM or GOAWAY."""
        return int.from_bytes(self.payload[4:8] if self.kind == GOAWAY else self.payload[:4], "big")


@dataclass
class Peer:
    """Builds requests and reads replies.

    Attributes:
        got: every frame that came.
    """

    got: list[Frame] = field(default_factory=list)
    _unread: bytes = b""
    _encoder: Encoder = field(default_factory=Encoder)
    _decoder: Decoder = field(default_factory=Decoder)
    _next: int = 1

    def hello(self, *settings: tuple[int, int]) -> bytes:
        """What a connection begins with."""
        return PREFACE + frame(SETTINGS, 0, 0, b"".join(setting(*one) for one in settings))

    def stream(self) -> int:
        """The next number."""
        self._next += 2
        return self._next - 2

    def block(self, fields: Fields) -> bytes:
        """A header block; changes the table, so it must be sent."""
        return self._encoder.encode(fields)

    def call(self, data: bytes | None = None, path: str = "/t.T/Quick", *, more: Fields = (), stream: int | None = None, end: bool = True) -> bytes:
        """A call; without data, its beginning only."""
        number_of = stream or self.stream()
        fields = [(name, path if name == ":path" else value) for name, value in CALL]
        begin = frame(HEADERS, END_HEADERS, number_of, self.block([*fields, *more]))
        return begin if data is None else begin + frame(DATA, END_STREAM if end else 0, number_of, message(data))

    def read(self, data: bytes) -> list[Frame]:
        """The frames in what came."""
        new = list(self._frames(data))
        self.got += new
        return new

    def _frames(self, data: bytes) -> Iterator[Frame]:
        self._unread += data
        while len(self._unread) >= 9 and len(self._unread) >= (end := 9 + int.from_bytes(self._unread[:3], "big")):
            whole, self._unread = self._unread[:end], self._unread[end:]
            yield Frame(whole[3], whole[4], int.from_bytes(whole[5:9], "big"), whole[9:])

    def of(self, stream: int, kind: int) -> list[Frame]:
        """The frames of a kind on a stream."""
        return [one for one in self.got if one.stream == stream and one.kind == kind]

    def body(self, stream: int) -> bytes:
        """The DATA of a reply so far."""
        return b"".join(one.payload for one in self.of(stream, DATA))

    def replies(self) -> dict[int, dict[str, str]]:
        """All header fields and trailers, by stream. Ask once: decoding changes the table."""
        found: dict[int, dict[str, str]] = {}
        for one in self.got:
            if one.kind == HEADERS:
                found.setdefault(one.stream, {}).update((str(name), str(value)) for name, value in self._decoder.decode(one.payload))
        return found
