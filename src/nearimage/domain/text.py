"""Cutting text into tokens, the same way on writing and on asking.

May import the standard library and `domain` only.
"""

import re

from nearimage.domain.schema import Tokenization

_WORDS = re.compile(r"[^\W_]+")
_WORDS_AND_WILDCARDS = re.compile(r"[^\W_]*(?:[*?][^\W_]*)+|[^\W_]+")


def tokenize(text: str, how: Tokenization) -> list[str]:
    """The tokens of a text, in order, with repeats.

    word: runs of letters and digits, lower-cased. lowercase: cut at white space, lower-cased. whitespace: cut at white space.
    field: the whole text, trimmed, as one token. trigram: letters and digits joined and lower-cased, then every three that follow one another.
    """
    if how is Tokenization.WORD:
        return _WORDS.findall(text.lower())
    if how is Tokenization.TRIGRAM:
        return _trigrams("".join(_WORDS.findall(text)).lower())
    return _without_alphabet(text, how)


def tokenize_pattern(pattern: str, how: Tokenization) -> list[str]:
    """Like `tokenize`, but `*` and `?` stay in the tokens, for the filter Like."""
    if how is Tokenization.WORD:
        return _WORDS_AND_WILDCARDS.findall(pattern.lower())
    if how is Tokenization.TRIGRAM:
        return _trigrams("".join(_WORDS_AND_WILDCARDS.findall(pattern)).lower())
    return _without_alphabet(pattern, how)


def like_regex(pattern: str) -> re.Pattern[str]:
    """A token pattern as a regular expression: `*` is any run of characters, `?` is one; there is no escape."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _without_alphabet(text: str, how: Tokenization) -> list[str]:
    if how is Tokenization.FIELD:
        trimmed = text.strip()
        return [trimmed] if trimmed else []
    return (text.lower() if how is Tokenization.LOWERCASE else text).split()


def _trigrams(letters: str) -> list[str]:
    return [letters[start : start + 3] for start in range(len(letters) - 2)]
