"""Cutting text into tokens, the same way on writing and on asking.

May import the standard library and `domain` only.
"""

import re
import unicodedata
from collections.abc import Sequence

from nearimage.domain.schema import AsciiFold, Tokenization

_WORDS = re.compile(r"[^\W_]+")
_WORDS_AND_WILDCARDS = re.compile(r"[^\W_]*(?:[*?][^\W_]*)+|[^\W_]+")

_ASCII_WORDS = "".join(chr(code) if chr(code).isalnum() else " " for code in range(128))
"""What each character of ASCII is to words: itself, or space between them."""

_WITHOUT_MARKS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
"""Letters that Unicode does not take apart into a letter and a mark, and how they are written without."""


def tokenize(text: str, how: Tokenization, fold: AsciiFold | None = None) -> list[str]:
    """The tokens of a text, in order, with repeats; folded first, if the property says so.

    word: runs of letters and digits, lower-cased. lowercase: cut at white space, lower-cased. whitespace: cut at white space.
    field: the whole text, trimmed, as one token, be it empty. trigram: letters and digits joined and lower-cased, then every three that follow one another.
    """
    text = folded(text, fold) if fold else text
    if how is Tokenization.WORD:
        return _words(text.lower())
    if how is Tokenization.TRIGRAM:
        return _trigrams("".join(_WORDS.findall(text)).lower())
    return _without_alphabet(text, how)


def tokenize_all(texts: Sequence[str], how: Tokenization, fold: AsciiFold | None = None) -> list[list[str]]:
    """The tokens of many texts; which way to cut them is asked once."""
    if how is Tokenization.WORD and not fold:
        return [_words(text.lower()) for text in texts]
    return [tokenize(text, how, fold) for text in texts]


def tokenize_pattern(pattern: str, how: Tokenization, fold: AsciiFold | None = None) -> list[str]:
    """Like `tokenize`, but `*` and `?` stay in the tokens, for the filter Like."""
    pattern = folded(pattern, fold) if fold else pattern
    if how is Tokenization.WORD:
        return _WORDS_AND_WILDCARDS.findall(pattern.lower())
    if how is Tokenization.TRIGRAM:
        return _trigrams("".join(_WORDS_AND_WILDCARDS.findall(pattern)).lower())
    return _without_alphabet(pattern, how)


def folded(text: str, fold: AsciiFold) -> str:
    """The text with its letters' marks taken off. Folding twice is folding once."""
    if text.isascii():
        return text
    kept = {case for letter in fold.ignore for case in (letter, letter.lower(), letter.upper())}
    return "".join(letter if letter in kept else _without_marks(letter) for letter in unicodedata.normalize("NFC", text))


def _without_marks(letter: str) -> str:
    plain = _WITHOUT_MARKS.get(letter.lower())
    if plain is not None:
        return plain if letter.islower() else plain.upper()
    return "".join(part for part in unicodedata.normalize("NFD", letter) if unicodedata.category(part) != "Mn")


def like_regex(pattern: str) -> re.Pattern[str]:
    """A token pattern as a regular expression: `*` is any run of characters, `?` is one; there is no escape."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _words(text: str) -> list[str]:
    """Runs of letters and digits; of ASCII in a third of the time that the regular expression takes."""
    return text.translate(_ASCII_WORDS).split() if text.isascii() else _WORDS.findall(text)


def _without_alphabet(text: str, how: Tokenization) -> list[str]:
    if how is Tokenization.FIELD:
        return [text.strip()]
    return (text.lower() if how is Tokenization.LOWERCASE else text).split()


def _trigrams(letters: str) -> list[str]:
    return [letters[start : start + 3] for start in range(len(letters) - 2)]
