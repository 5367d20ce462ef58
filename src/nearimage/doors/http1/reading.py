"""Requests out of bytes that are cut anywhere, without I/O. What a byte means is llhttp's to say (httptools), the parser of Node.js.

    bytes --feed--> requests: complete ones, in the order in which they came, each with its exchange

What is refused comes out as a request too, with the response already there, so that it has its turn behind those before it. The rest of its body is thrown
away; after a mistake in the protocol itself nothing can be read any more, and that request is the last one.

    nothing wanted        the bytes                      why
    400                   are no HTTP, or name no host   RFC 9112, 3.2
    417, 501, 505         want what is not offered       RFC 9110, 10.1.1 and 15.6; RFC 9112, 6.1
    431                   a head without end             it would wait in memory, and be looked at for long

A client that offers to go on in another protocol (`Upgrade: h2c`, as Java's does with its first request) is answered in this one, as RFC 9110 section 7.8 has
it. llhttp stops there: the head is then read again by a new parser, without the offer, and the bytes behind it after that.

May import httptools and this package only.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httptools

from nearimage.doors.http1.exchange import Exchange, Head, Response, Work
from nearimage.doors.http1.refusals import internal, refusal

_FIELDS = 256
"""Of a head; clients send ten, Apache takes 100. Those of one name are put together, each time anew."""

SMALL_BYTES = 64 * 1024
"""Bodies up to here are read whatever else there is in memory; as much as one connection of gRPC may send unasked."""

_FRAMING = 16
"""Bytes that may come with each byte of a chunked body to say where its pieces end: of a piece of one byte six, and perhaps an extension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may have.

    Attributes:
        head_bytes: from its first byte to its body; four times what most proxies let through, half of what Go's servers do.
        body_bytes: of its body; the exchange gets the piece that goes beyond it, and refuses.
    """

    head_bytes: int = 64 * 1024
    body_bytes: int


@dataclass(slots=True)
class Asked:
    """A request that is complete, or refused.

    Attributes:
        exchange: what answers, or the answer.
        is_last: whether nothing comes behind it.
        is_head: whether it wants the head of the answer only.
    """

    exchange: Exchange | Response
    is_last: bool
    is_head: bool

    def begin(self) -> Response | Work:
        """The answer, or the work that makes it."""
        if isinstance(self.exchange, Response):
            return self.exchange
        return self.exchange.begin()


class _Refused(Exception):
    """The protocol itself was broken."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = refusal(status, code, message)


class Reader:
    """Reads the requests of one connection.

    Attributes:
        requests: for whoever answers, who takes them from the left.
        begun: how many requests have begun; tells one that does not go on from one after the other.
        body_bytes: of the request that is being read.
        is_between: whether nothing of a request has come yet, and it is understood where the next one would begin.
        is_in_head: whether a head has begun and is not complete.
        is_over: whether whatever else comes is thrown away.
        wants_continue: whether the client waits to be told that its body is welcome.
        wanted_bytes: what the body that is being read may yet come to, if that is more than is read unasked; else 0.
    """

    __slots__ = (
        "_asked", "_fields", "_headers", "_limits", "_open", "_other_bytes", "_parser", "_piece_bytes", "_url",
        "begun", "body_bytes", "is_between", "is_in_head", "is_over", "requests", "wanted_bytes", "wants_continue",
    )  # fmt: skip

    def __init__(self, open_exchange: Callable[[Head], Exchange | Response], limits: Limits) -> None:
        self.requests: deque[Asked] = deque()
        self.begun = self.body_bytes = self.wanted_bytes = self._fields = self._other_bytes = self._piece_bytes = 0
        self.is_between = True
        self.is_in_head = self.is_over = self.wants_continue = False
        self._open = open_exchange
        self._limits = limits
        self._asked: Asked | None = None
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._parser = httptools.HttpRequestParser(self)

    @property
    def is_answered(self) -> bool:
        """Whether the request that is being read has its answer already, and the rest of it is thrown away."""
        return self._asked is None and not self.is_between and not self.is_in_head

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        rest: bytes | memoryview = data
        try:
            while rest and not self.is_over:
                rest = self._feed(rest)
        except _Refused as refused:
            self._break_off(refused.response)
        except httptools.HttpParserCallbackError as failed:
            cause = failed.__context__
            self._break_off(cause.response if isinstance(cause, _Refused) else internal(cause or failed))
        except httptools.HttpParserError as wrong:
            if not self.is_over:  # else it complains of what is behind the last request
                self._break_off(refusal(400, "malformed-request", f"this is no HTTP/1.1 request: {wrong}"))

    def on_message_begin(self) -> None:
        """Called by the parser, as what follows."""
        self.begun += 1
        self.is_between = False
        self.is_in_head = True
        self._url = b""
        self._headers = {}
        self.body_bytes = self._fields = self._other_bytes = 0

    def on_url(self, piece: bytes) -> None:
        """A piece of the request's target."""
        self._url += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field, of the head or behind the body; what is there is of no use to anybody."""
        if self.is_in_head:
            name, headers = name.lower(), self._headers
            headers[name] = value if name not in headers else headers[name] + b", " + value
            self._fields += 1
            if self._fields > _FIELDS:
                raise _Refused(431, "head-too-long", f"the request has more than {_FIELDS} header fields; send less of them")

    def on_headers_complete(self) -> None:
        """The head is there."""
        if self._parser.should_upgrade():
            return  # it is read again, without that
        is_last = self._check()
        method = self._parser.get_method().decode("ascii")
        self._asked = asked = Asked(self._open(self._head(method)), is_last, method == "HEAD")
        self.is_in_head = False
        waits = b"expect" in self._headers
        if isinstance(asked.exchange, Response):
            asked.is_last |= waits  # it may send the body or not, and nobody knows what the next bytes are
            self._finish(asked)
        else:
            self.wants_continue = waits
            self._want(int(self._headers.get(b"content-length", b"0")))

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self.body_bytes += len(piece)
        if self._asked is None:  # it is answered already
            self.is_over = self.is_over or self.body_bytes > 2 * self._limits.body_bytes
        elif not isinstance(self._asked.exchange, Response):
            self._asked.exchange.take(piece)
            if not self.wanted_bytes and self.body_bytes > SMALL_BYTES:  # in chunks: nobody knows how much it will be
                self._want(self._limits.body_bytes)
            if self.body_bytes > self._limits.body_bytes:
                self._finish(self._asked)

    def on_message_complete(self) -> None:
        """The request is there."""
        if self._parser.should_upgrade():
            return
        self.is_between = True
        self.wants_continue = False
        if self._asked is not None:
            self._finish(self._asked)

    def _feed(self, data: bytes | memoryview) -> bytes | memoryview:
        """Let the parser read; returns what it has not read."""
        alone, body_bytes = (self.begun + 1, 0) if self.is_between else (self.begun, self.body_bytes)
        self._piece_bytes = len(data)
        offered_at: int | None = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            offered_at = offered.args[0]
        if offered_at is not None:  # not while the exception is handled: it would become the context of what goes wrong now
            declined = self._without_offer()
            self._parser = httptools.HttpRequestParser(self)
            self._parser.feed_data(declined)
            return memoryview(data)[offered_at:]
        if self.begun == alone and not self.is_between:  # else it brought others too, and is no longer than what the network brings at once
            self._other_bytes += len(data) - (self.body_bytes - body_bytes)
            self._check_length()
        return b""

    def _without_offer(self) -> bytes:
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise _Refused(501, "not-supported", "this server is no proxy; ask it for a path")
        fields = b"".join(b"%b: %b\r\n" % field for field in self._headers.items() if field[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self._url, self._parser.get_http_version().encode(), fields)

    def _check(self) -> bool:
        """Whether a head that is complete is the last one.

        Raises:
            _Refused: it is none that can be answered.
        """
        headers, version = self._headers, self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise _Refused(505, "not-supported", f"this server speaks HTTP/1.1, not HTTP/{version}")
        if version == "1.1" and b"host" not in headers:
            raise _Refused(400, "malformed-request", "the request has no header Host, which HTTP/1.1 asks for")
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise _Refused(501, "not-supported", "of the transfer encodings this server knows chunked; send the body chunked, or with its length")
        if headers.get(b"expect", b"100-continue").lower() != b"100-continue":
            raise _Refused(417, "not-supported", "of the expectations this server knows 100-continue; leave the header Expect out")
        if self._piece_bytes > self._limits.head_bytes:
            self._other_bytes = len(self._url) + sum(len(name) + len(value) for name, value in headers.items())
            self._check_length()
        return version == "1.0" or not self._parser.should_keep_alive()

    def _check_length(self) -> None:
        """Everything but the body is bounded."""
        most = self._limits.head_bytes
        if self._other_bytes > most + (0 if self.is_in_head else most + _FRAMING * self.body_bytes):
            raise _Refused(431, "head-too-long", f"the request has more than {most} bytes beside its body; send less in its path and headers")

    def _head(self, method: str) -> Head:
        target = self._url
        if not target.startswith(b"/") or b"#" in target:
            try:
                parts = urlsplit(target)
            except ValueError as wrong:
                raise _Refused(400, "malformed-request", f"the request's target is no path and no URL: {wrong}") from wrong
            raw, query = parts.path or b"/", parts.query
        else:
            raw, _, query = target.partition(b"?")
        path = raw.decode("latin-1")
        return Head(method, unquote(path) if "%" in path else path, query, self._headers)

    def _want(self, size: int) -> None:
        self.wanted_bytes = min(size, self._limits.body_bytes) if size > SMALL_BYTES else 0

    def _finish(self, asked: Asked) -> None:
        self._asked = None
        self.wanted_bytes = 0
        self.is_over = self.is_over or asked.is_last
        self.requests.append(asked)

    def _break_off(self, response: Response) -> None:
        """Nothing more can be read; where a request has its answer already, it gets no other."""
        if not self.is_answered:
            self._finish(Asked(response, is_last=True, is_head=False))
        self.is_over, self.is_between = True, False
