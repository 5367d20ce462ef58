"""Text in pieces: wherever it is cut, it is the same text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain import long_text
from nearimage.domain.long_text import LongText

ASCII = st.text(st.characters(max_codepoint=127), max_size=60)
CUTS = st.lists(st.integers(0, 60), max_size=6)


def cut(text: str, cuts: list[int]) -> LongText:
    """In pieces, none of them empty."""
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in cuts)})
    return LongText(tuple(text[first:last].encode() for first, last in pairwise(places)))


@given(ASCII, CUTS, CUTS, st.integers(0, 70))
def test_a_text_in_pieces_is_the_text(text: str, cuts: list[int], others: list[int], most: int) -> None:
    """The network cuts where it likes, and nobody may notice."""
    found = cut(text, cuts)
    assert (str(found), len(found)) == (text, len(text))
    assert (found.beginning(most), found.ending(most)) == (text[:most], text[max(0, len(text) - most) :])
    assert found == cut(text, others)
    assert hash(found) == hash(cut(text, others))
    assert found != cut(text + "!", cuts)


@given(ASCII, CUTS, st.integers(0, 70), st.integers(1, 5), st.integers(1, 20))
def test_groups_are_whole_and_nothing_is_lost(text: str, cuts: list[int], start: int, size: int, least: int) -> None:
    """Base64 is read four characters at a time; one lost between two pieces moves all that follow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_text, "GROUP_BYTES", least)
        groups = [bytes(group) for group in cut(text, cuts).in_groups(start, size)]
    assert b"".join(groups).decode() == text[start:]
    assert all(groups)
    assert not any(len(group) % size for group in groups[:-1])
