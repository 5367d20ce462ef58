"""Keyword search: which words, in which properties, and how many of them an object must have.

    Keywords("corgi puppy", {"title": 2.0, "caption": 1.0})    ranked by BM25F, the title counting double

May import the standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

K1 = 1.2
B = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """One keyword query, as an engine gets it.

    Attributes:
        text: cut into tokens by the tokenization of each property.
        boosts: the properties to look in, with the weight of each; all are searchable text.
        minimum_match: how many of the query's distinct tokens an object must contain, over all properties together; 0 means all of them ("and").
    """

    text: str
    boosts: Mapping[str, float]
    minimum_match: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordSettings:
    """How a collection's keyword search is tuned.

    Attributes:
        k1: how soon repeats of a word stop counting, 0 or more.
        b: how much long texts are held back, 0 to 1.
        stopwords: the preset's name, `en` or `none`.
        additions, removals: words added to the preset and taken out of it.
    """

    k1: float = K1
    b: float = B
    stopwords: str = "en"
    additions: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
