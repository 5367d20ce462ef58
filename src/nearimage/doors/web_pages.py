"""Which web pages may ask: a browser lets a page read what a server of another origin answers only where that server says so.

    OPTIONS, Origin: http://localhost:3000     may a page of yours ask?        200, Access-Control-Allow-Origin: http://localhost:3000
    GET,     Origin: http://localhost:3000     the question itself             the answer, with the same header

Where everybody needs a key, any page may ask, as with Weaviate: it has to have the key. Where nobody needs one, only pages that this machine serves itself may,
unless a setting says otherwise: else whatever its owner visits could read, and delete, all pictures of a server that nobody but this machine reaches.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol. May import the standard library and `doors.http1.exchange` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from nearimage.doors.http1.exchange import Exchange, Response, Work

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPages:
    """Tells browsers whose pages may ask.

    Attributes:
        origins: such as `https://pictures.example`, or `*` for any; None stands for those of this machine, on any port.
        methods: what they may ask by; `*` is all.
        headers: what they may send along; `*` is all but Authorization.
    """

    origins: frozenset[str] | None = None
    methods: str = ANY
    headers: str = f"{ANY}, Authorization"

    def permission(self, origin: str | None) -> Mapping[str, str]:
        """The headers that let pages of an origin read an answer; without the one that counts where they may not.

        Args:
            origin: as the request has it; None where it comes from no page.
        """
        told = {"Access-Control-Allow-Methods": self.methods, "Access-Control-Allow-Headers": self.headers}
        if self.origins is not None and ANY in self.origins:
            return {"Access-Control-Allow-Origin": ANY} | told
        if origin is None or not (_is_of_this_machine(origin) if self.origins is None else origin in self.origins):
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} | told


@dataclass(frozen=True, slots=True)
class Permitted:
    """An exchange whose answer says who may read it."""

    exchange: Exchange
    headers: Mapping[str, str]

    def take(self, piece: bytes) -> None:
        """See `Exchange`."""
        self.exchange.take(piece)

    def begin(self) -> Response | Work:
        """See `Exchange`."""
        answer = self.exchange.begin()
        return permitted(answer, self.headers) if isinstance(answer, Response) else lambda: permitted(answer(), self.headers)


def permitted(answer: Response, headers: Mapping[str, str]) -> Response:
    """An answer with these headers beside its own."""
    both = {**answer.headers, **headers}
    if "Vary" in answer.headers and "Vary" in headers:
        both["Vary"] = f"{answer.headers['Vary']}, {headers['Vary']}"
    return replace(answer, headers=both)


def _is_of_this_machine(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
