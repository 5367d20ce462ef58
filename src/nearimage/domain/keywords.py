"""Keyword search: which words, in which properties, how they are weighed, and which words carry no meaning.

    Keywords("corgi puppy", {"title": 2.0, "caption": 1.0})    ranked by BM25, the title counting double

What every engine computes, as a running Weaviate does it (`tests/congruence/test_keywords_recorded.py` compares to four digits):

    tokens        the query is cut by each property's tokenization; of word properties the stopwords are left out, in the query only: texts keep
                  theirs, and their lengths count them. Distinct tokens, each with the number of times the query says it.
    n(t)          in how many objects of the shard a property has t; over the properties of one tokenization in which some object has t, their mean,
                  rounded down. A filter changes nothing in it.
    idf(t)        ln(1 + (N - n + 0.5) / (n + 0.5)) x (times the query says t); N is the number of objects, with or without the property
    tf(t, p)      f / (f + k1 x (1 - b + b x length / mean)): f how often t stands in the object's property, length all its tokens (of an array: of
                  all elements together), mean the mean length over the objects whose property has a token
    score         the sum over properties of boost x the sum over tokens of idf x tf; k1, b, and each property's part are single floats, and so are
                  their sums, in the order of `_ORDER`: clients see every digit

A property counts for an object only if it has `minimum_match` distinct tokens of the query (so "and" asks for all words in one property). An object
is a hit if some property counts.

Source:
    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; the choices where it leaves them open: recorded answers.

May import the standard library and `domain` only.
"""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from nearimage.domain.errors import PropertyNotSearchable
from nearimage.domain.schema import AsciiFold, Collection, KeywordSettings, Property, Tokenization
from nearimage.domain.text import tokenize

STOPWORD_PRESETS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        (
            *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of", "on", "or", "such"),
            *("that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with"),
        )
    ),
    "none": frozenset(),
}
"""The words of each preset that a schema may name; those of Weaviate."""

_ORDER = tuple(Tokenization)
"""In which the parts of a score are added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """One keyword query, as an engine gets it.

    Attributes:
        text: cut into tokens by the tokenization of each property.
        boosts: the properties to look in, with the weight of each, 0 or more; all are searchable text.
        minimum_match: how many of the query's distinct tokens one property of an object must have; 0 means all of them ("and").
    """

    text: str
    boosts: Mapping[str, float]
    minimum_match: int = 1


@lru_cache(maxsize=1000)
def length_factors(settings: KeywordSettings) -> tuple[float, float]:
    """What k1 x (1 - b + b x length / mean) is made of: the part of every text, and the part of a text of mean length."""
    k1, b = struct.unpack("2f", struct.pack("2f", settings.k1, settings.b))
    return k1 * (1 - b), k1 * b


@lru_cache(maxsize=1000)
def stopwords(settings: KeywordSettings, preset: str = "") -> frozenset[str]:
    """The words that queries and filters on `word` properties leave out.

    Args:
        preset: what the property says in the place of the collection's stopwords.
    """
    own = {name: frozenset(words) for name, words in settings.presets}
    if preset:
        return own[preset] if preset in own else STOPWORD_PRESETS[preset]
    words = own[settings.stopwords] if settings.stopwords in own else STOPWORD_PRESETS[settings.stopwords]
    return (words | frozenset(settings.additions)) - frozenset(settings.removals)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a property's text becomes tokens, and which of them queries leave out."""

    how: Tokenization
    fold: AsciiFold | None = None
    stopwords: str = ""

    @classmethod
    def of(cls, prop: Property) -> Self:
        """That of a text property."""
        return cls(prop.tokenization or Tokenization.WORD, prop.fold, prop.stopwords)


def query_tokens(text: str, cut: Cut, settings: KeywordSettings) -> dict[str, int]:
    """The distinct tokens that a query asks for in properties cut so, in its order, and how often it says each."""
    found = Counter(tokenize(text, cut.how, cut.fold))
    ignored = stopwords(settings, cut.stopwords) if cut.how is Tokenization.WORD else frozenset()
    return {token: times for token, times in found.items() if token not in ignored}


def tokens_by_tokenization(query: Keywords, collection: Collection) -> tuple[tuple[dict[str, int], list[str]], ...]:
    """For each way of cutting text among the query's properties: its tokens, and the names of those properties, both in the query's order.

    The ways are in the order of `_ORDER`.

    Raises:
        PropertyNotSearchable: a property is no searchable text of the collection.
    """
    names: dict[Cut, list[str]] = {}
    for name in query.boosts:
        prop = collection.property(name)
        if prop is None or not prop.searchable:
            have = [p.name for p in collection.properties if p.searchable]
            raise PropertyNotSearchable(f"property {name!r} is not searchable by keywords; {collection.name!r} has {have}", property=name)
        names.setdefault(Cut.of(prop), []).append(name)
    ordered = sorted(names.items(), key=lambda pair: _ORDER.index(pair[0].how))
    return tuple((query_tokens(query.text, cut, collection.keywords), members) for cut, members in ordered)
