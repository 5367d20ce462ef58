"""Keyword search: objects whose text has the words, best first.

    "corgi puppy" in ["title^3", "caption"]  -->  Keywords(boosts={"title": 3.0, "caption": 1.0})  --engine-->  hits

May import `domain` and `ports` only.
"""

import math
from collections.abc import Mapping, Sequence

from nearimage.domain.columns import HitColumns, packed_ids
from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import And, Compare, Filter, Operator, Or
from nearimage.domain.keywords import Cut, Keywords, tokens_by_tokenization
from nearimage.domain.objects import IDS_ONLY, Hit, Projection, Record
from nearimage.domain.query import Words
from nearimage.domain.schema import Collection, Property
from nearimage.domain.text import tokenize
from nearimage.ports.engine_answers import Ranked
from nearimage.service.question import Question


def word_hits(question: Question, words: Words) -> Sequence[Hit]:
    """One page, best first.

    Raises:
        InvalidInput: a property that is not there or not searchable, a weight that is no number.
    """
    found = _match(question, words, question.limit, question.offset, question.projection)
    explanations = _explanations(question, words, found.records) if question.explains else None
    return HitColumns(found.records, scores=found.scores.tolist(), explanations=explanations)


def word_ranking(question: Question, words: Words) -> dict[bytes, float]:
    """The best ids, packed, with their scores, `question.depth` of them."""
    found = _match(question, words, question.depth, 0, IDS_ONLY)
    scores: list[float] = found.scores.tolist()
    return dict(zip(packed_ids(found.records), scores, strict=True))


def _match(question: Question, words: Words, limit: int, offset: int, projection: Projection) -> Ranked:
    if not words.text:
        raise InvalidInput("a keyword search needs words; got an empty query")
    keywords = _keywords(question.collection, words)
    where = question.where
    if words.across and (ways := _every_word(keywords, question.collection)):
        where = ways if where is None else And((where, ways))
    return question.shard.match_text(keywords, limit=limit, offset=offset, where=where, projection=projection)


def _keywords(collection: Collection, words: Words) -> Keywords:
    return Keywords(text=words.text, boosts=boosts_of(collection, words.properties), minimum_match=1 if words.across else words.minimum_match)


def _explanations(question: Question, words: Words, records: Sequence[Record]) -> list[str]:
    """For each of the query's words how often it stands in the last of the properties that have it, and how many words there are; as clients know it."""
    collection, shard = question.collection, question.shard
    keywords = _keywords(collection, words)
    asked = {name: tokens for tokens, names in tokens_by_tokenization(keywords, collection) for name in names}
    properties = {name: prop for name in keywords.boosts if (prop := collection.property(name))}
    texts = shard.get([record.id for record in records], Projection(properties=tuple(properties), vectors=()))
    return [_explanation(texts[record.id], properties, asked) if record.id in texts else "" for record in records]


def _explanation(record: Record, properties: Mapping[str, Property], asked: Mapping[str, Mapping[str, int]]) -> str:
    found: dict[str, tuple[int, int]] = {}
    for name, prop in properties.items():
        value, cut = record.properties.get(name), Cut.of(prop)
        texts = value if isinstance(value, tuple) else (value,)
        tokens = [token for text in texts if isinstance(text, str) for token in tokenize(text, cut.how, cut.fold)]
        found |= {token: (times, len(tokens)) for token in asked[name] if (times := tokens.count(token))}
    return "".join(f", BM25F_{token}_frequency:{times}, BM25F_{token}_propLength:{length}" for token, (times, length) in found.items())


def _every_word(keywords: Keywords, collection: Collection) -> Filter | None:
    """Objects in which each word is in some property, as one way of cutting cuts them; None for no words."""
    ways = [
        And(tuple(Or(tuple(Compare(name, Operator.EQUAL, token) for name in names)) for token in tokens))
        for tokens, names in tokens_by_tokenization(keywords, collection)
        if tokens
    ]
    return Or(tuple(ways)) if ways else None


def boosts_of(collection: Collection, asked: tuple[str, ...]) -> dict[str, float]:
    """The properties to look in, with their weights; one that is named twice has both of them.

    Raises:
        InvalidInput: a property that is not there or not searchable, a weight that is no number.
    """
    searchable = [p.name for p in collection.properties if p.searchable]
    if not searchable:
        raise InvalidInput(f"collection {collection.name!r} has no property that can be searched by words")
    boosts: dict[str, float] = {}
    for entry in asked or searchable:
        name, *weights = entry.split("^")
        name = name if name in searchable else name[:1].lower() + name[1:]
        if name not in searchable:
            raise InvalidInput(f"property {name!r} cannot be searched by words; of {collection.name!r} these can: {searchable}", property=name)
        boosts[name] = boosts.get(name, 0.0) + (_weight(weights[0], name) if weights else 1.0)
    return boosts


def _weight(text: str, name: str) -> float:
    """What stands behind the ^; Weaviate takes whole numbers only, and anything else for 0 without a word."""
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise InvalidInput(f"property {name!r}: the weight after ^ must be a number, got {text!r}", property=name)
    return weight
