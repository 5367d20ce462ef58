"""Fetch one URL for a client: slowly trusting, quickly giving up.

    url --urls--> parts --destinations--> may the host be asked for? --name server--> addresses --destinations--> which of them?
        --> connected to that very address --> TLS and Host by name --> status --> redirect: all of it again | body, counted and timed

What protects what:

    the machine and its network   `destinations`, for each redirect anew; no proxy of the environment is used, which would connect by rules of its own
    memory                        the body is counted while it comes, whatever Content-Length says; no coding is undone (gzip of a gigabyte of zeros)
    threads                       one deadline over everything, looked at before each read: a byte now and then keeps nothing alive
    other protocols               http and https only, no ports below 1024 but 80 and 443; the request is one GET without a body, cookies or names

May import `domain` and the standard library only.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urljoin

from nearimage.domain.errors import FetchFailed, NearimageError, PictureTooLarge
from nearimage.media.allowance import Allowance
from nearimage.media.destinations import Address, Destinations
from nearimage.media.urls import WebUrl, read_web_url

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a host, best first, as texts; raises OSError where it has none."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110, 15.4

_ADDRESSES_TRIED = 3  # more only multiply the time that a dead host costs

_CHUNK_BYTES = 64 * 1024

_HEADERS = {
    "Accept": "image/*, audio/*, video/*, */*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "nearimage",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much a fetch may cost.

    Attributes:
        max_bytes: the largest body.
        timeout_s: from the first question to a name server until the last byte, redirects included.
        connect_timeout_s: to reach one address.
        redirects: how many are followed.
    """

    max_bytes: int
    timeout_s: float = 20
    connect_timeout_s: float = 5
    redirects: int = 5


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the operating system, in its order."""
    return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Fetcher:
    """Fetches URLs by the rules of one server.

    Args:
        destinations: where it may connect to.
        resolve: turns a host's name into addresses.
        tls: how certificates are judged; by default, by the system's authorities.
    """

    def __init__(
        self, destinations: Destinations, limits: FetchLimits, *, resolve: Resolver = system_resolver, tls: ssl.SSLContext | None = None, resolvers: int = 4
    ) -> None:
        self._destinations = destinations
        self._limits = limits
        self._resolve = resolve
        self._tls = tls
        self._resolving = ThreadPoolExecutor(resolvers, thread_name_prefix="resolve")  # the system's resolver knows no deadline

    def fetch(self, url: str, allowance: Allowance) -> bytes:
        """The bytes behind a URL.

        Raises:
            InvalidUrl: it cannot be read; nothing was asked.
            UrlRefused: it, or a redirect, leads where the server may not go.
            PictureTooLarge: more bytes than the limit; detail has "limit" and "got".
            FetchFailed: no answer, too late, cut off, or another status than 200.
        """
        place = read_web_url(url)
        ends_at = min(time.monotonic() + self._limits.timeout_s, allowance.ends_at)
        try:
            for _ in range(self._limits.redirects + 1):
                answer = self._ask(place, ends_at, allowance)
                if isinstance(answer, bytes):
                    return answer
                place = read_web_url(urljoin(place.text, answer))
        except TimeoutError as error:
            raise _failed(place, "the answer did not come in time") from error
        except NearimageError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise _failed(place, f"its certificate does not hold ({error.verify_message})") from error
        except (OSError, HTTPException, ValueError) as error:  # ValueError: what http.client makes of a wrong number
            raise _failed(place, _reason(error)) from error
        raise _failed(place, f"it was redirected more than {self._limits.redirects} times")

    def close(self) -> None:
        """Let the threads go; a question to a name server that is under way ends by itself."""
        self._resolving.shutdown(wait=False, cancel_futures=True)

    def _ask(self, place: WebUrl, ends_at: float, allowance: Allowance) -> bytes | str:
        """The body, or where a redirect leads."""
        self._destinations.check_host(place)
        addresses = self._resolving.submit(self._resolve, place.host, place.port).result(_left(ends_at))
        with self._connected(place, self._destinations.allowed(place, addresses), ends_at) as wire:
            connection = HTTPConnection(place.host, place.port)
            connection.sock = _TimedSocket(wire, ends_at)
            connection.request("GET", place.target, headers={"Host": place.authority, **_HEADERS})
            reply = connection.getresponse()
            target = reply.getheader("Location")
            if reply.status in _REDIRECTS and target:
                return target
            return self._body(reply, place, allowance)

    def _connected(self, place: WebUrl, addresses: Sequence[Address], ends_at: float) -> socket.socket:
        """A connection to the first address that answers, secured where the URL asks for it."""
        failure: OSError | None = None
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                wire = socket.create_connection((str(address), place.port), min(_left(ends_at), self._limits.connect_timeout_s))
            except OSError as error:
                failure = error
                continue
            if place.scheme == "http":
                return wire
            return self._secured(wire, place, ends_at)
        raise failure or OSError("it has no address")

    def _secured(self, wire: socket.socket, place: WebUrl, ends_at: float) -> socket.socket:
        self._tls = self._tls or ssl.create_default_context()  # kept: reading the system's authorities takes tens of milliseconds
        try:
            wire.settimeout(_left(ends_at))
            return self._tls.wrap_socket(wire, server_hostname=place.host)
        except BaseException:
            wire.close()
            raise

    def _body(self, reply: HTTPResponse, place: WebUrl, allowance: Allowance) -> bytes:
        if reply.status != 200:
            raise _failed(place, f"its server answered {reply.status} {reply.reason}".rstrip())
        coding = (reply.getheader("Content-Encoding") or "identity").strip().lower()
        if coding != "identity":
            raise _failed(place, f"its server sent it as {coding[:20]!r}, though it was asked for the bytes as they are")
        stated = reply.length  # http.client takes it from Content-Length, and has None for a body in chunks
        self._check_size(stated or 0, place)
        body = bytearray()
        while chunk := reply.read(_CHUNK_BYTES):
            body += chunk
            allowance.take(len(chunk), place.shown)
            self._check_size(len(body), place)
        if stated is not None and len(body) != stated:
            raise _failed(place, f"it was cut off: {len(body):,} of {stated:,} bytes came")
        return bytes(body)

    def _check_size(self, got: int, place: WebUrl) -> None:
        limit = self._limits.max_bytes
        if got > limit:
            raise PictureTooLarge(
                f"{place.shown} has more than {limit:,} bytes, which is the limit; use a smaller one, or raise the limit", limit=limit, got=got
            )


class _TimedSocket:
    """What http.client wants of a socket, with one deadline over all of it instead of one for each read."""

    def __init__(self, wire: socket.socket, ends_at: float) -> None:
        self._wire = wire
        self._ends_at = ends_at

    def sendall(self, data: bytes) -> None:
        self._wire.settimeout(_left(self._ends_at))
        self._wire.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"  # noqa: S101 - all that http.client asks for
        return io.BufferedReader(_TimedReader(self._wire, self._ends_at))

    def close(self) -> None:
        """The owner of the socket closes it, after the body is read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, wire: socket.socket, ends_at: float) -> None:
        super().__init__()
        self._wire = wire
        self._ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview[int]") -> int:  # type: ignore[override]
        self._wire.settimeout(_left(self._ends_at))
        return self._wire.recv_into(buffer)


def _left(ends_at: float) -> float:
    """The seconds until a deadline.

    Raises:
        TimeoutError: there are none.
    """
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _failed(place: WebUrl, why: str) -> FetchFailed:
    return FetchFailed(
        f"{place.shown} could not be fetched: {why}. Check that it opens from the server's machine, or send the base64 of the bytes", url=place.shown
    )
