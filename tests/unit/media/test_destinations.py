"""Where the server may connect to for others: public places, and what the settings list."""

import ipaddress

import pytest

from nearimage.domain.errors import InvalidInput, UrlRefused
from nearimage.media.destinations import Destinations, is_public, read_places
from nearimage.media.urls import read_web_url

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - nothing listens here
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.170",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "224.0.1.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001:0:7f00:1::",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_public(text: str) -> None:
    """A rule that refuses everything protects nobody's work."""
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_no_other_address_is(text: str) -> None:
    """Each of these is this machine, a neighbour, a metadata service, a group, or nobody; in every disguise."""
    assert not is_public(ipaddress.ip_address(text))


def allowed(rules: Destinations, host: str, *addresses: str) -> list[str]:
    """Which addresses of a host are allowed; none where it is refused."""
    url = read_web_url(f"http://{host}/picture.jpg")
    try:
        rules.check_host(url)
        return [str(address) for address in rules.allowed(url, addresses)]
    except UrlRefused:
        return []


def test_a_name_with_public_and_private_addresses_gives_the_public_ones() -> None:
    """Only what was judged may be connected to."""
    assert allowed(Destinations(), "mixed.example", "10.0.0.1", "93.184.216.34", "::1") == ["93.184.216.34"]
    assert allowed(Destinations(), "private.example", "10.0.0.1") == []


def test_a_refusal_does_not_say_what_a_name_leads_to() -> None:
    """Or anybody could map the network behind the server, name by name."""
    with pytest.raises(UrlRefused) as caught:
        Destinations().allowed(read_web_url("http://intranet.example/"), ["10.20.30.40"])

    assert "10.20.30.40" not in caught.value.message + str(caught.value.detail)


def test_the_list_of_allowed_places_opens_private_ones() -> None:
    """A company's pictures lie in its own network."""
    rules = Destinations(allow=read_places("10.1.0.0/16, pictures.internal, *.shop.example, ::1"))

    assert allowed(rules, "a.example", "10.1.2.3") == ["10.1.2.3"]
    assert allowed(rules, "a.example", "::ffff:10.1.2.3") == [str(ipaddress.ip_address("::ffff:10.1.2.3"))]  # written in another way by another Python
    assert allowed(rules, "a.example", "10.2.0.1") == []
    assert allowed(rules, "pictures.internal", "192.168.0.5") == ["192.168.0.5"]
    assert allowed(rules, "PICTURES.internal.", "192.168.0.5") == ["192.168.0.5"]
    assert allowed(rules, "eu.shop.example", "192.168.0.5") == ["192.168.0.5"]
    assert allowed(rules, "shop.example", "192.168.0.5") == []
    assert allowed(rules, "evilshop.example", "192.168.0.5") == []
    assert allowed(rules, "[::1]", "::1") == ["::1"]
    assert allowed(rules, "a.example", "93.184.216.34") == ["93.184.216.34"]


def test_denied_places_stay_denied() -> None:
    """Deny wins, or a wide allow-list could not be narrowed."""
    rules = Destinations(allow=read_places("10.0.0.0/8,*.example"), deny=read_places("10.0.0.1,bad.example,93.184.216.0/24,169.254.169.254"))

    assert allowed(rules, "a.example", "10.0.0.1", "10.0.0.2") == ["10.0.0.2"]
    assert allowed(rules, "a.example", "::ffff:10.0.0.1") == []
    assert allowed(rules, "bad.example", "1.1.1.1") == []
    assert allowed(rules, "b.example", "93.184.216.34") == []
    assert allowed(rules, "c.example", "169.254.169.254") == []


def test_only_listed_places_where_that_is_asked() -> None:
    """Some servers may talk to one store and nobody else."""
    rules = Destinations(allow=read_places("store.example"), only_listed=True)

    assert allowed(rules, "store.example", "93.184.216.34") == ["93.184.216.34"]
    assert allowed(rules, "other.example", "93.184.216.34") == []
    by_address = Destinations(allow=read_places("93.184.216.0/24"), only_listed=True)
    assert allowed(by_address, "other.example", "93.184.216.34", "1.1.1.1") == ["93.184.216.34"]


@pytest.mark.parametrize("text", ["http://a.example", "10.0.0", "*", "*.", "a b", "a.example:80", "10.0.0.0/40", "me@a.example"])
def test_an_entry_that_means_nothing_is_refused(text: str) -> None:
    """A rule that was misread protects nothing."""
    with pytest.raises(InvalidInput):
        read_places(text)
