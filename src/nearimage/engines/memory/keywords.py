"""Keyword search over a list of objects: the formulas of `nearimage.domain.keywords`, object by object.

    Keywords, records --ranked--> (score, record), best first

May import numpy and `domain` only.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from nearimage.domain.keywords import Keywords, length_factors, tokens_by_tokenization
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, Tokenization
from nearimage.domain.text import tokenize


def ranked(query: Keywords, collection: Collection, stored: Sequence[Record], passing: Sequence[Record]) -> list[tuple[np.float32, Record]]:
    """The hits among the objects that pass, best first, equal scores in the order of ids.

    Args:
        stored: every object; what is counted, is counted over these.
        passing: those that may be hits.
    """
    scores: dict[int, np.float32] = {}
    always, by_length = length_factors(collection.keywords)
    for asked, names in tokens_by_tokenization(query, collection):
        cut = {name: [_tokens(record, name, collection) for record in stored] for name in names}
        weights = {token: times * _idf(token, list(cut.values()), len(stored)) for token, times in asked.items()}
        least = query.minimum_match or max(len(asked), 1)
        for name in names:
            lengths = [sum(found.values()) for found in cut[name] if found]
            mean = sum(lengths) / len(lengths) if lengths else 0.0
            for position, record in enumerate(passing):
                found = _tokens(record, name, collection)
                if sum(token in found for token in weights) >= max(least, 1):
                    norm = always + by_length * (sum(found.values()) / mean)
                    score = 0.0
                    for token, weight in weights.items():
                        if token in found:
                            score += weight * (found[token] / (found[token] + norm))
                    scores[position] = scores.get(position, np.float32(0)) + np.float32(query.boosts[name] * score)
    hits = [(score, passing[position]) for position, score in scores.items()]
    return sorted(hits, key=lambda hit: (-hit[0], hit[1].id))


def _idf(token: str, properties: Sequence[Sequence[Mapping[str, int]]], objects: int) -> float:
    counts = [sum(token in found for found in cut) for cut in properties]
    having = [count for count in counts if count]
    mean = sum(having) // len(having) if having else 0
    return math.log(1 + (objects - mean + 0.5) / (mean + 0.5))


def _tokens(record: Record, name: str, collection: Collection) -> Counter[str]:
    value = record.properties.get(name, ())
    prop = collection.property(name)
    how, fold = (prop and prop.tokenization) or Tokenization.WORD, prop.fold if prop else None
    return Counter(token for element in (value if isinstance(value, tuple) else (value,)) for token in tokenize(str(element), how, fold))
