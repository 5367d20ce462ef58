"""Asking for one URL within small limits, for the tests of fetching."""

import ssl
import time

import pytest

from nearimage.domain.errors import InvalidInput
from nearimage.media.allowance import Allowance
from nearimage.media.destinations import Destinations, read_places
from nearimage.media.fetching import Fetcher, FetchLimits, Resolver, system_resolver

BODY = b"\xff\xd8\xff the bytes of a picture"
LIMIT = 100_000
HERE = Destinations(allow=read_places("127.0.0.1"))


def leads_to(*addresses: str) -> Resolver:
    """A name server that knows one answer."""

    def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def fetch(
    url: str, rules: Destinations = HERE, *, resolve: Resolver = system_resolver, tls: ssl.SSLContext | None = None, timeout_s: float = 5, redirects: int = 3
) -> bytes:
    """Fetch one URL within small limits."""
    fetcher = Fetcher(rules, FetchLimits(max_bytes=LIMIT, timeout_s=timeout_s, connect_timeout_s=1, redirects=redirects), resolve=resolve, tls=tls)
    try:
        return fetcher.fetch(url, Allowance(10 * LIMIT, time.monotonic() + 60))
    finally:
        fetcher.close()


def refusal(url: str, rules: Destinations = HERE, *, resolve: Resolver = system_resolver, timeout_s: float = 5) -> InvalidInput:
    """Why a URL is not fetched."""
    with pytest.raises(InvalidInput) as caught:
        fetch(url, rules, resolve=resolve, timeout_s=timeout_s)
    return caught.value
