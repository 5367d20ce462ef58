"""What a door that speaks HTTP and the server that carries it say to each other.

    head --open--> Exchange --take, take, ...--> begin --> Response, or Work for a thread that makes it
             `---> Response                                  what is answered before the body is read: no such path, no key

`open` and `begin` are called on the event loop and must be quick; nothing here raises. May import the standard library only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """A request before its body.

    Attributes:
        path: without what is behind the question mark, its percent signs read.
        query: what is behind it, as it came.
        headers: by their names in small letters; one that came several times is one list with commas.
    """

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]

    def header(self, name: bytes) -> str | None:
        """A header of the request, by its name in small letters."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; its length, the date and what concerns the connection are the server's to say."""

    status: int = 200
    body: bytes = b""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Work = Callable[[], Response]
"""Blocks, so it is for a thread; does not raise."""


class Exchange(Protocol):
    """One request on its way to its answer."""

    def take(self, piece: bytes) -> None:
        """The next piece of the body."""
        ...

    def begin(self) -> Response | Work:
        """Answer: the body is complete, or longer than the server takes, which is then the mistake to name."""
        ...


Open = Callable[[Head, Mapping[str, str], str], Exchange | Response]
"""Begins an exchange: the head, what stands in the path for each name, and who asks (empty for anybody)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method of a path, and who answers it.

    Attributes:
        path: `{name}` stands for any one segment.
        asks: whether it changes nothing, though its method does not say so.
    """

    method: str
    path: str
    open: Open
    asks: bool = False

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.asks or self.method in ("GET", "HEAD")


@dataclass(slots=True, kw_only=True)
class Gathering:
    """What exchanges have in common that need the whole body.

    Attributes:
        size: of it, in bytes.
        pieces: of it, in order.
    """

    size: int = 0
    pieces: list[bytes] = field(default_factory=list)

    def take(self, piece: bytes) -> None:
        """See `Exchange`."""
        self.size += len(piece)
        self.pieces.append(piece)


@dataclass(frozen=True, slots=True)
class Bodiless:
    """An exchange for which the request's body is of no interest."""

    work: Work

    def take(self, piece: bytes) -> None:
        """Nobody looks at it."""

    def begin(self) -> Work:
        """See `Exchange`."""
        return self.work
