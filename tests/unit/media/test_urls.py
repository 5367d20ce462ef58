"""URLs are read strictly or not at all."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import InvalidUrl
from nearimage.media.urls import read_web_url, scheme_of


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://example.org", "example.org", "/"),
        ("HTTP://EXAMPLE.org:80/Dog.jpg#tail", "example.org", "/Dog.jpg"),
        ("https://example.org:8443/a%20b?x=1&y=%2F", "example.org:8443", "/a%20b?x=1&y=%2F"),
        ("https://example.org/größe.jpg?ä", "example.org", "/gr%C3%B6%C3%9Fe.jpg?%C3%A4"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/"),
        ("http://[2001:DB8::1]:8080/a", "[2001:db8::1]:8080", "/a"),
        ("http://127.1/", "127.1", "/"),
        ("http://my_bucket.example/", "my_bucket.example", "/"),
        ("http://localhost.:8000/", "localhost.:8000", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, authority: str, target: str) -> None:
    """What goes into the request must be what the person wrote, in ASCII."""
    read = read_web_url(url)

    assert (read.authority, read.target) == (authority, target)
    assert read_web_url(read.text) == read or read.shown != read.text


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///path",
        "http:example.org",
        "http://user@example.org/",
        "http://user:secret@example.org/",
        "http://public.example\\@127.0.0.1/",
        "http://example.org/a b",
        "http://example.org/\r\nHost: other",
        "http://exa\tmple.org/",
        "http://example.org\0.evil/",
        "http://[::1/",
        "http://[v1.x]/",
        "http://[fe80::1%25eth0]extra/",
        "http://::1/",
        "http://%31%32%37.0.0.1/",
        "http://example.org:port/",
        "http://example.org:70000/",
        "http://example.org:25/",
        "http://example.org:22/",
        "http://a..b/",
        "http://-a.example/?" + "x" * 8_000,
        "ftp://example.org/a",
        "gopher://example.org/",
        "//example.org/a",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(url: str) -> None:
    """The check must not read another host than the connection."""
    with pytest.raises(InvalidUrl):
        read_web_url(url)


def test_messages_keep_secrets() -> None:
    """Signed URLs open private pictures; neither logs nor error lists may hand them on."""
    assert "signature" not in read_web_url("https://example.org/a?signature=abc").shown
    for url in ("https://me:secret@example.org/", "https://me:secret@example.org/a b", "ftp://me:secret@example.org/"):
        with pytest.raises(InvalidUrl) as caught:
            read_web_url(url)
        assert "secret" not in str(caught.value.detail) + caught.value.message


@given(st.binary(max_size=80))
def test_base64_never_begins_with_a_scheme(data: bytes) -> None:
    """A picture's base64 must never be taken for a URL."""
    assert scheme_of(b64encode(data).decode()) is None


@given(st.text(max_size=80))
def test_any_text_behind_a_scheme_is_read_or_refused(text: str) -> None:
    """The parser of the standard library raises several kinds of errors; a client may see one."""
    with suppress(InvalidUrl):
        read = read_web_url("http://" + text)
        assert (read.authority + read.target).isascii()
