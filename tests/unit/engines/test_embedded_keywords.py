"""Postings taken up from arrays rank and filter as those that were appended."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nearimage.domain.filters import Compare, Operator
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.domain.text import like_regex
from nearimage.engines.embedded import vocabulary
from nearimage.engines.embedded.keywords import KeywordSearch
from nearimage.engines.embedded.postings import Postings
from nearimage.engines.embedded.state import State, Table

COLLECTION = Collection(
    name="Book",
    properties=(
        Property(name="title", data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True),
        Property(name="tags", data_type=DataType.TEXT_ARRAY, tokenization=Tokenization.WORD, searchable=True),
    ),
)
TEXTS = st.lists(st.sampled_from(("apple", "pear", "pie", "plum", "é")), max_size=6).map(" ".join)


@st.composite
def books(draw: st.DrawFn, at_most: int) -> list[dict[str, PropertyValue]]:
    """Some books, each with a title, with tags, with both or with neither."""
    some: st.SearchStrategy[PropertyValue] = TEXTS
    several: st.SearchStrategy[PropertyValue] = st.lists(TEXTS, max_size=3).map(tuple)
    return draw(st.lists(st.fixed_dictionaries({}, optional={"title": some, "tags": several}), max_size=at_most))


def append(table: Table, books: Sequence[Mapping[str, PropertyValue]], first: int = 0) -> Table:
    """What is appended later has greater ids, whatever rows were left out before it: equal scores come in the order of ids."""
    for row, book in enumerate(books, first):
        table.index.append(row, (100 * first + row).to_bytes(16, "big"), table.index.convert(book, 0, 0))
    return table


def best(table: Table, live: list[bool], text: str, minimum: int) -> tuple[list[float], list[int]]:
    mask = np.array(live, np.bool_)
    state = State(table=table, revision=1, live=mask, count=int(mask.sum()), slots=0, vectors={})
    rows, scores = KeywordSearch().best(state, COLLECTION, Keywords(text=text, boosts={"title": 2.0, "tags": 1.0}, minimum_match=minimum), None, 99)
    return scores.tolist(), rows.tolist()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(st.data(), TEXTS, st.sampled_from((0, 1, 2)))
def test_postings_of_two_layers_rank_as_one(data: st.DataObject, text: str, minimum: int) -> None:
    """A shard that was opened and written to must score as one that was never closed; also after it was written and opened twice."""
    first, then, last = (data.draw(books(size)) for size in (12, 5, 3))
    keep = data.draw(st.lists(st.booleans(), min_size=len(first), max_size=len(first)))
    kept = [book for book, stays in zip(first, keep, strict=True) if stays]

    once = Table(COLLECTION)
    once.index.restore(append(Table(COLLECTION), first).index.arrays(np.array(keep, np.bool_)))
    append(once, then, len(kept))
    twice = Table(COLLECTION)
    twice.index.restore(once.index.arrays(np.ones(len(kept + then), np.bool_)))
    append(twice, last, len(kept + then))

    live = data.draw(st.lists(st.booleans(), min_size=len(kept + then), max_size=len(kept + then)))
    assert best(once, live, text, minimum) == best(append(Table(COLLECTION), kept + then), live, text, minimum)
    live += [True] * len(last)
    assert best(twice, live, text, minimum) == best(append(Table(COLLECTION), kept + then + last), live, text, minimum)


@pytest.mark.parametrize("pattern", ["*", "a*", "*b", "a*b", "*ab*", "?b*a", "ab", "a?", "**b?", "zz*", "*é*", ""])
def test_a_pattern_finds_in_a_large_vocabulary_what_trying_each_token_finds(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond some tokens the text is searched as a whole, where a part may also stand across the border of two tokens."""
    monkeypatch.setattr(vocabulary, "_FEW", 2)
    tokens = sorted({a + b + c for a in ("", "a", "b", "é") for b in ("", "a", "ab") for c in ("", "b", "ba")} - {""})
    encoded = [vocabulary.encode(token) for token in tokens]
    known = vocabulary.Vocabulary(np.frombuffer(b"".join(encoded), np.uint8), np.cumsum([len(token) for token in encoded], dtype=np.int64))
    regex: re.Pattern[str] = like_regex(pattern)

    assert [tokens[number] for number in known.like(pattern, regex)] == [token for token in tokens if regex.fullmatch(token)]


def test_thousands_of_values_find_what_each_finds_alone() -> None:
    """A client asks for a list of names at once; they are looked up together, in both layers."""
    table, again = append(Table(COLLECTION), [{"title": f"book {number % 700}"} for number in range(1000)]), Table(COLLECTION)
    again.index.restore(table.index.arrays(np.ones(1000, np.bool_)))
    append(again, [{"title": f"book {number % 900}"} for number in range(1000)], 1000)
    values = (*map(str, range(600, 800)), "book 5", "missing")

    expected = np.zeros(2000, np.bool_)
    for value in values:
        expected |= again.index.mask(Compare("title", Operator.EQUAL, value), 2000)
    assert again.index.mask(Compare("title", Operator.CONTAINS_ANY, values), 2000).tolist() == expected.tolist()
    assert expected.sum() == 100 + 200 + 2 + 2


def test_how_often_a_frequent_word_stands_in_each_text_is_known_at_every_length() -> None:
    """It is worked out once and gone on with; a reader of an earlier commit may ask after one of a later."""
    texts = [("apple " * (1 + row % 3)).strip() if row % 5 else "pear" for row in range(400)]
    expected = [(row, text.count("apple")) for row, text in enumerate(texts) if text != "pear"]
    postings = Postings()
    for row, text in enumerate(texts):
        postings.add(row, sorted(set(text.split())))
        if text.count("apple") > 1:
            postings.repeat(row, "apple", text.count("apple"))
        for seen in (row + 1, max(0, row - 90)):
            if row % 37 == 0:
                parts = postings.parts("apple", seen)
                times = [np.ones_like(part.entries) if part.times is None else part.times for part in parts]
                told = [pair for part, often in zip(parts, times, strict=True) for pair in zip(part.entries.tolist(), often.tolist(), strict=True)]
                assert told == [(number, times) for number, times in expected if number < seen]
                assert postings.entries("apple", seen).tolist() == [number for number, _ in told]
