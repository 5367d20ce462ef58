"""Text is cut the same way on writing and on asking."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.schema import Tokenization
from nearimage.domain.text import like_regex, tokenize, tokenize_pattern

TEXT = " Old-English Sheepdog_2 (naïve) "


@pytest.mark.parametrize(
    ("how", "tokens"),
    [
        (Tokenization.WORD, ["old", "english", "sheepdog", "2", "naïve"]),
        (Tokenization.LOWERCASE, ["old-english", "sheepdog_2", "(naïve)"]),
        (Tokenization.WHITESPACE, ["Old-English", "Sheepdog_2", "(naïve)"]),
        (Tokenization.FIELD, ["Old-English Sheepdog_2 (naïve)"]),
    ],
)
def test_each_tokenization_on_one_text(how: Tokenization, tokens: list[str]) -> None:
    """The rules are Weaviate's."""
    assert tokenize(TEXT, how) == tokens


def test_the_field_of_an_empty_text_is_empty() -> None:
    """It is a value like any other: who asks for it finds it, and who asks for anything finds it too."""
    assert tokenize(" ", Tokenization.FIELD) == tokenize_pattern("", Tokenization.FIELD) == [""]
    assert tokenize(" ", Tokenization.WORD) == []


def test_trigrams_are_every_three_letters_and_digits_that_follow_one_another() -> None:
    """So parts of words are found, and texts without spaces; two letters make none."""
    assert tokenize(" A-bc, d2!", Tokenization.TRIGRAM) == ["abc", "bcd", "cd2"]
    assert tokenize("ab", Tokenization.TRIGRAM) == []
    assert tokenize_pattern("a*b c", Tokenization.TRIGRAM) == ["a*b", "*bc"]


def test_wildcards_stay_in_the_tokens_of_a_pattern() -> None:
    """`*in* p?ar` is two patterns, each for one token."""
    assert tokenize_pattern("*In* p?ar", Tokenization.WORD) == ["*in*", "p?ar"]
    assert tokenize_pattern("a.b*", Tokenization.FIELD) == ["a.b*"]


@given(st.text(max_size=30), st.sampled_from(Tokenization))
def test_a_pattern_without_wildcards_is_the_text_itself(text: str, how: Tokenization) -> None:
    """Like without a wildcard must find what Equal finds."""
    plain = text.replace("*", "").replace("?", "")

    assert tokenize_pattern(plain, how) == tokenize(plain, how)


@given(st.text(max_size=20))
def test_every_token_is_like_itself_and_like_a_star(token: str) -> None:
    """No character but the two wildcards means anything."""
    plain = token.replace("*", "+").replace("?", "+")

    assert like_regex(plain).fullmatch(plain)
    assert like_regex("*").fullmatch(token)
    assert like_regex("?" * len(token)).fullmatch(token)


@given(st.text(st.characters(max_codepoint=300), max_size=30))
def test_words_are_runs_of_letters_and_digits_however_they_are_found(text: str) -> None:
    """ASCII is cut another way than the rest of the world, and a token must be the same on both."""
    assert tokenize(text, Tokenization.WORD) == re.findall(r"[^\W_]+", text.lower())
