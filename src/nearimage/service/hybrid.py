"""Hybrid search: keywords and vectors, each ranks, the rankings are fused.

    words   --.
                                            fuse (fusion.py) --> hits
    vector  --engine--> ids, distances   --'     a distance counts as the score 1 - distance

Each leg looks deeper than the page, for what is 30th in both may be first in the sum. A leg without a share (alpha 0 or 1) does not run, so a collection
without a vectorizer can be searched with alpha 0; nor does the keyword leg run without words. A largest distance counts for both legs: what is farther is no
hit, whatever its words.

May import `domain` and `ports` only.
"""

from itertools import islice

from nearimage.domain.errors import InvalidInput, NoVectorizer
from nearimage.domain.query import Hybrid, NearText
from nearimage.service.fusion import Leg, fuse
from nearimage.service.near import NearSearches, deepened
from nearimage.service.question import Question, Ranked
from nearimage.service.targets import targets_of
from nearimage.service.words import word_ranking

_KEYWORDS = "keyword,bm25"
"""What explanations call the leg of the words."""

LEG_DEPTH = 100
"""How many hits each leg brings at least (Weaviate's QUERY_HYBRID_MAXIMUM_RESULTS)."""


def hybrid_ranking(question: Question, hybrid: Hybrid, near_searches: NearSearches) -> list[Ranked]:
    """The best hits of both legs, as many as the page needs, best first; one that the words found has no distance, as in Weaviate.

    Raises:
        InvalidInput: alpha out of range, and whatever is wrong with a leg.
        NoVectorizer: the text has to be embedded and no module does.
        VectorNameAmbiguous: there are several vectors, and none is named.
    """
    deeper = deepened(question, question.offset + max(question.limit, LEG_DEPTH))
    legs, distances = _legs(deeper, hybrid, near_searches)
    words = next((leg.scores for leg in legs if leg.name == _KEYWORDS), {})
    fused = fuse(legs, hybrid.fusion, question.depth)
    return [Ranked(one.id, None if one.id in words else distances.get(one.id), one.score, one.explanation if question.explains else "") for one in fused]


def found_by_any_leg(question: Question, hybrid: Hybrid, near_searches: NearSearches) -> list[bytes]:
    """The best of each leg, as many as the page has: packed ids, each once.

    Raises:
        InvalidInput, NoVectorizer, VectorNameAmbiguous: as for `hybrid_ranking`.
    """
    legs, _ = _legs(question, hybrid, near_searches)
    return list(dict.fromkeys(one for leg in legs for one in islice(leg.scores, question.limit)))


def _legs(question: Question, hybrid: Hybrid, near_searches: NearSearches) -> tuple[list[Leg], dict[bytes, float]]:
    """The legs that have a share, the vector's first, and the distances in that."""
    if not 0 <= hybrid.alpha <= 1:
        raise InvalidInput(f"alpha is the vector's share, between 0 and 1; got {hybrid.alpha}", setting="alpha")
    if question.collection.vectors:
        targets_of(question.collection, hybrid.near.targets if hybrid.near else hybrid.targets)
    legs, distances = list[Leg](), dict[bytes, float]()
    if hybrid.alpha > 0:
        distances = _near_ranking(question, hybrid, near_searches)
        name = "vector,nearText" if isinstance(hybrid.near, NearText) else "vector,hybridVector"
        legs.append(Leg(name=name, weight=hybrid.alpha, scores={one: 1 - distance for one, distance in distances.items()}))
    if hybrid.alpha < 1 and hybrid.words.text:
        scores = word_ranking(question, hybrid.words)
        if hybrid.alpha > 0 and hybrid.max_distance is not None:
            scores = {one: score for one, score in scores.items() if one in distances}
        legs.append(Leg(name=_KEYWORDS, weight=1 - hybrid.alpha, scores=scores))
    return legs, distances


def _near_ranking(deeper: Question, hybrid: Hybrid, near_searches: NearSearches) -> dict[bytes, float]:
    """The vector leg; where it brings nothing of its own, it is near the words."""
    if hybrid.near:
        return near_searches.ranking(deeper, hybrid.near)
    words = NearText(concepts=(hybrid.words.text,), targets=hybrid.targets, max_distance=hybrid.max_distance)
    try:
        return near_searches.ranking(deeper, words)
    except NoVectorizer as refused:
        message = f"hybrid searches by its words as nearText does, unless it brings a vector or has alpha 0: {refused.message}"
        raise NoVectorizer(message, **{**refused.detail, "operator": "hybrid"}) from refused
