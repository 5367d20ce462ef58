"""Read a URL strictly, before anything is looked up or connected to.

A URL that two programs read differently is the beginning of most attacks on servers that fetch for others. So nothing here is mended silently but
characters outside ASCII, which are encoded as browsers do: white space, backslashes, a user's name, or a host that is no plain name or address
are refused. May import `domain` and the standard library only.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from nearimage.domain.errors import InvalidUrl

MAX_CHARACTERS = 8_000
"""The length that RFC 9110 (4.1) asks every recipient to take; signed URLs of object stores have up to 2,000."""

_LOW_PORTS = frozenset({80, 443})
"""Below 1024 other protocols answer (mail, file shares, name servers); a server must not be made to talk to them."""

LONGEST_SCHEME = 32
"""Characters, the colon included."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30}):", re.IGNORECASE)  # RFC 3986, 3.1

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*\.?", re.IGNORECASE)

_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](?::\d*)?", re.IGNORECASE)  # an IPv6 address without a zone: zones are local (RFC 3986, 3.2.2)

_USER = re.compile(r"//[^/?#]*@")

_NEVER = re.compile(r"[\x00-\x20\x7f\\]")

_KEPT = "/%:@!$&'()*+,;=~-._?"  # what may stand in a path and a query as it is; RFC 3986, 3.3 and 3.4

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUrl:
    """An http or https URL, taken apart.

    Attributes:
        host: in ASCII and lower case, without brackets: a name, or an address.
        target: the path and the query, as they go into the request.
        shown: for messages: without the query, which may hold a secret, and not too long.
    """

    scheme: str
    host: str
    port: int
    target: str
    shown: str

    @property
    def authority(self) -> str:
        """What the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _port_of(self.scheme) else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """The whole URL, for what follows from it: the place that a redirect names."""
        return f"{self.scheme}://{self.authority}{self.target}"


def scheme_of(reference: str) -> str | None:
    """The scheme that a text begins with, in lower case; None where it begins with none, as base64 does (it has no colon)."""
    match = _SCHEME.match(reference)
    return match[1].lower() if match else None


def shown(url: str) -> str:
    """A URL as a message may say it: without its query, and without a user's name and password."""
    text = re.sub(r"[\x00-\x1f\x7f]", "?", _USER.sub("//", url).partition("?")[0][: 4 * _SHOWN_CHARACTERS])
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def read_web_url(url: str) -> WebUrl:
    """Take an http or https URL apart.

    Raises:
        InvalidUrl: it is none, or one that could be read in two ways.
    """
    if len(url) > MAX_CHARACTERS:
        raise InvalidUrl(f"the URL has {len(url):,} characters; the limit is {MAX_CHARACTERS:,}", url=shown(url))
    wrong = _NEVER.search(url)
    if wrong:
        raise InvalidUrl(f"character {wrong.start():,} of the URL is {wrong[0]!r}; write it as %{ord(wrong[0]):02X}", url=shown(url))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("ascii" if (parts.hostname or "").isascii() else "idna").decode()
    except ValueError as error:  # also UnicodeError, from a name that has no ASCII form
        raise InvalidUrl(f"{shown(url)} is no URL ({error}); write http://host/path or https://host/path", url=shown(url)) from error
    scheme = parts.scheme.lower()
    _check(parts, scheme, host, url)
    port = _port_of(scheme) if port is None else port
    if port < 1024 and port not in _LOW_PORTS:
        raise InvalidUrl(f"port {port} of {shown(url)} belongs to another protocol; serve pictures on 80, 443, or from 1024 on", url=shown(url))
    target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    return WebUrl(scheme=scheme, host=host.lower(), port=port, target=target, shown=shown(url))


def _check(parts: SplitResult, scheme: str, host: str, url: str) -> None:
    if scheme not in {"http", "https"}:
        raise InvalidUrl(f"a {scheme or 'relative'} URL cannot be fetched; use http or https", url=shown(url))
    if "@" in parts.netloc:
        raise InvalidUrl("a URL with a user's name or password is not fetched; use one that needs none, or send the base64 of the bytes", url=None)
    bracketed = _BRACKETED.fullmatch(parts.netloc)
    if not (_is_address(bracketed[1]) if bracketed else "[" not in parts.netloc and _HOST.fullmatch(host)):
        raise InvalidUrl(f"{shown(url)} names no host; write http://host/path or https://host/path", url=shown(url))


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _port_of(scheme: str) -> int:
    return 443 if scheme == "https" else 80
