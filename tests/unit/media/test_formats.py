"""Recognising formats by their first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.media.formats import READABLE, describe, recognise
from tests.unit.media.pictures import FORMATS, encoded, quarters


@pytest.mark.parametrize("format_name", READABLE)
def test_every_readable_format_is_recognised(format_name: str) -> None:
    """A format that is promised and not recognised could never be read."""
    assert recognise(encoded(quarters(), format_name)) == format_name
    assert set(FORMATS) == set(READABLE)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing at all"),
        (b"%PDF-1.7", "a PDF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<svg/>", "SVG"),
        (b"  <!DOCTYPE HTML><html>", "an HTML page"),
        (b'{"error": 404}', "JSON"),
        (b"just words\n", "text"),
        (b"/9j/4AAQSkZJRg==", "base64 of a JPEG: the picture was encoded twice"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "an MP4 or QuickTime video"),
        (b"RIFF\0\0\0\0WAVE", "an AVI or WAV file"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\x00\x01\x02\x03\x99", "nothing known"),
    ],
)
def test_other_bytes_are_named(data: bytes, words: str) -> None:
    """Most wrong uploads are one of a few things; naming it saves the person a search."""
    assert recognise(data) is None
    assert describe(data) == words


@given(st.binary(max_size=64))
def test_any_bytes_can_be_described(data: bytes) -> None:
    """The description goes into an error message and must never be an error itself."""
    assert recognise(data) in {None, *READABLE}
    assert describe(data)
