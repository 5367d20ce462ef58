"""Decide where the server may connect to on a client's behalf.

Whoever can make a server fetch a URL can reach what the server reaches: the machine itself, its neighbours, the cloud's metadata service (server-side
request forgery, CWE-918). The rules, the first that fits counts:

    deny    a name, an address or a network of this list is never connected to
    allow   one of this list is, also where it is private
    only    with `only_listed`, nothing else is
    public  the rest is where its address is public

They judge addresses, not names, and the caller connects to the very address that was judged: a name that leads to another address the next time
(DNS rebinding) gains nothing. An IPv6 address that carries an IPv4 address is judged by both.

Source of the ranges: IANA's special-purpose registries (RFC 6890), by Python's `ipaddress`. May import `domain` and the standard library only.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nearimage.domain.errors import InvalidInput, UrlRefused
from nearimage.media.urls import WebUrl

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that is assigned to the public internet so far (RFC 4291, 2.4)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64: a gateway connects to the IPv4 address in the last 32 bits (RFC 6052)
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # given up, but some stacks still connect to the IPv4 address in it (RFC 4291, 2.5.5.1)


_RESERVED: Sequence[Network] = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv6Network("3fff::/20"))  # Python learnt these later (RFC 6890, 9637)


@dataclass(frozen=True, slots=True)
class Places:
    """A list of names, patterns such as `*.example.org`, addresses and networks."""

    names: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()

    def names_host(self, host: str) -> bool:
        """Whether a host's name is listed; `*.example.org` lists every name below example.org, and not itself."""
        host = host.rstrip(".")
        return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in self.names)

    def has(self, address: Address) -> bool:
        """Whether an address lies in a listed network."""
        return any(address in network for network in self.networks)


def read_places(text: str) -> Places:
    """A list as settings write it, separated by commas.

    Raises:
        InvalidInput: an entry that is none of the four.
    """
    names: list[str] = []
    networks: list[Network] = []
    for entry in filter(None, (part.strip().lower() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            names.append(_name(entry))
    return Places(tuple(names), tuple(networks))


def _name(entry: str) -> str:
    plain = entry.removeprefix("*.").rstrip(".")
    if not plain or set(plain) & set("/:*@ ") or all(part.isdigit() for part in plain.split(".")):
        raise InvalidInput(f"{entry!r} is no name, address or network; write images.example.org, *.example.org, 10.1.2.3 or 10.0.0.0/8", entry=entry)
    return ("*." if entry.startswith("*.") else "") + plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """The rules of one server."""

    allow: Places = field(default_factory=Places)
    deny: Places = field(default_factory=Places)
    only_listed: bool = False

    def check_host(self, url: WebUrl) -> None:
        """Refuse what the name alone decides, so that not even a name server is asked.

        Raises:
            UrlRefused: no address of this host could be allowed.
        """
        if self.deny.names_host(url.host):
            raise _refused(url, "its host is on the list of those never fetched")
        if self.only_listed and not self.allow.networks and not self.allow.names_host(url.host):
            raise _refused(url, "its host is not on the list of those that are fetched")

    def allowed(self, url: WebUrl, addresses: Iterable[str]) -> list[Address]:
        """Those of a host's addresses that may be connected to, in their order.

        Raises:
            UrlRefused: none may. The message does not say what the name leads to: that would be a way to map a network.
        """
        found = [ipaddress.ip_address(text) for text in addresses]
        good = [address for address in found if self._may(url.host, address)]
        if not good:
            raise _refused(url, "its host has no address that may be connected to: private, local and reserved ones are not, unless they are listed")
        return good

    def _may(self, host: str, address: Address) -> bool:
        inner = _inner(address)
        if any(self.deny.has(one) for one in (address, *inner)):
            return False
        if self.allow.names_host(host) or self.allow.has(address) or (inner and all(self.allow.has(one) for one in inner)):
            return True
        return not self.only_listed and is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, and so do the IPv4 addresses that it carries."""
    inner = _inner(address)
    if any(address in network for network in _RESERVED):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    if inner and not all(is_public(one) for one in inner):
        return False
    if address.ipv4_mapped or address in _TRANSLATED:
        return True
    return address in _GLOBAL_UNICAST and address.is_global and address.scope_id is None


def _inner(address: Address) -> Sequence[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to: mapped, compatible, translated, 6to4 (RFC 3056), Teredo (RFC 4380)."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    if address in _TRANSLATED or address in _COMPATIBLE:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return tuple(filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))))


def _refused(url: WebUrl, why: str) -> UrlRefused:
    return UrlRefused(
        f"{url.shown} is not fetched: {why}. Send the base64 of the bytes, or let whoever runs the server list the host (NEARIMAGE_FETCH_ALLOW)", url=url.shown
    )
