r"""Texts that are no Unicode."""

import json

import pytest

from nearimage.doors.rest.broken_texts import mended
from nearimage.doors.rest.json_body import read_body


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\ude00 \uD83D\uDE00 \ud83d\ud83d\ude00"', "\ufffd \U0001f600 \ufffd\U0001f600"),
        (rb'"a path C:\\ud83d, \u00e9, \ud7ff"', "a path C:\\ud83d, \u00e9, \ud7ff"),
        (b'"caf\xe9"', "caf\ufffd"),
    ],
)
def test_what_is_no_unicode_becomes_a_replacement_character(sent: bytes, meant: str) -> None:
    """A program that cuts a text in the middle of an emoji would lose its whole batch otherwise; Weaviate stores the rest of the text."""
    assert json.loads(mended(sent)) == meant
    assert read_body(b'{"texts": [%b]}' % sent, dict[str, list[str]]) == {"texts": [meant]}
