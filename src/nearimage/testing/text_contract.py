"""What every engine promises of keyword search; part of `EngineContract`.

Scores are worked out by hand from the formulas in `nearimage.domain.keywords`, with k1 = 1.2 and b = 0.75. For titles of one word the length is the mean, so
the norm is 1.2 and a word that stands once has tf = 1 / 2.2.

May import pytest, numpy, `domain` and `ports`.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from nearimage.domain.errors import PropertyNotSearchable
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import IDS_ONLY, Projection, PropertyValue
from nearimage.domain.schema import AsciiFold, Collection, DataType, KeywordSettings, Property, Tokenization, VectorConfig
from nearimage.ports.engine import Engine, Shard
from nearimage.ports.engine_answers import Ranked
from nearimage.testing.engine_examples import photo, uid


def _text(name: str, how: Tokenization = Tokenization.WORD, data_type: DataType = DataType.TEXT, *, searchable: bool = True) -> Property:
    return Property(name=name, data_type=data_type, tokenization=how, searchable=searchable)


BOOKS = Collection(
    name="Book",
    properties=(
        _text("title"),
        _text("body"),
        _text("code", Tokenization.FIELD),
        _text("spaced", Tokenization.WHITESPACE),
        _text("trigram", Tokenization.TRIGRAM),
        _text("tags", Tokenization.WORD, DataType.TEXT_ARRAY),
        _text("silent", searchable=False),
        Property(name="pages", data_type=DataType.INT),
    ),
    vectors=(VectorConfig(name="v"),),
)
"""A collection with searchable text of several tokenizations."""


def idf(objects: int, having: int) -> float:
    """The weight of a word that stands in so many of the objects."""
    return math.log(1 + (objects - having + 0.5) / (having + 0.5))


def put(shard: Shard, *books: Mapping[str, PropertyValue], first: int = 1) -> None:
    """Store books numbered from `first`."""
    assert set(shard.put([photo(number, None, book) for number, book in enumerate(books, first)])) <= {None}


def match(shard: Shard, text: str, *names: str, minimum: int = 1, where: Compare | None = None, limit: int = 10, offset: int = 0) -> Ranked:
    """Ask for words in properties, each with its boost behind `^`."""
    boosts = {name.partition("^")[0]: float(name.partition("^")[2] or 1) for name in names}
    return shard.match_text(Keywords(text=text, boosts=boosts, minimum_match=minimum), limit=limit, offset=offset, where=where, projection=IDS_ONLY)


def scores(found: Ranked) -> dict[int, float]:
    """The scores by number, in their order."""
    assert found.scores.dtype == "float32"
    return {record.id.int: score for record, score in zip(found.records, found.scores.tolist(), strict=True)}


def near(expected: Mapping[int, float]) -> object:
    """Equal to these scores, but for the rounding of float32."""
    return pytest.approx(dict(expected), rel=1e-6)


class TextContract:
    """Inherited by `EngineContract`."""

    @pytest.fixture
    def books(self, engine: Engine) -> Shard:
        """An empty shard of `BOOKS`."""
        engine.create_collection(BOOKS)
        return engine.shard("Book")

    def test_a_rare_word_counts_more_than_a_frequent_one(self, books: Shard) -> None:
        """That is why words are weighed at all."""
        put(books, {"title": "apple"}, {"title": "apple"}, {"title": "pear"}, {"pages": 1})
        assert scores(match(books, "apple pear", "title")) == near({3: idf(4, 1) / 2.2, 1: idf(4, 2) / 2.2, 2: idf(4, 2) / 2.2})

    def test_repeats_count_less_each_time_and_long_texts_are_held_back(self, books: Shard) -> None:
        """Else a page that says one word a hundred times is always first. The mean length here is 3; stopwords count as length."""
        put(books, {"body": "apple apple"}, {"body": "an apple and a pear"}, {"body": "nothing at"})
        short, long = 1.2 * (0.25 + 0.75 * 2 / 3), 1.2 * (0.25 + 0.75 * 5 / 3)
        assert scores(match(books, "apple", "body")) == near({1: idf(3, 2) * 2 / (2 + short), 2: idf(3, 2) / (1 + long)})

    def test_properties_add_up_by_their_boosts_and_share_the_weight_of_a_word(self, books: Shard) -> None:
        """The weight comes from the mean count over the properties that have the word, rounded down: of 1 and 2 objects, 1; the code has other tokens."""
        put(books, {"title": "apple", "body": "apple"}, {"title": "pear", "body": "apple"}, {"code": "apple pie"})
        assert scores(match(books, "apple", "title^3", "body", "code")) == near({1: idf(3, 1) * 4 / 2.2, 2: idf(3, 1) / 2.2})

    def test_scores_are_single_floats_added_property_by_property(self, books: Shard) -> None:
        """Some doors tell scores as text, so that every digit counts; k1 is a single float as well."""
        put(books, {"title": "red apple", "body": "an apple a day"}, {"title": "apple", "body": "pear"}, {"title": "plum tree", "body": "plum"})
        k1 = float(np.float32(1.2))

        def part(length: int, mean: float) -> np.float32:
            return np.float32(idf(3, 1) / (1 + k1 * (0.25 + 0.75 * length / mean)))

        found = scores(match(books, "apple", "title", "body"))
        assert found[1] == part(2, 5 / 3) + part(4, 2)
        assert found[2] == part(1, 5 / 3)

    def test_the_query_is_cut_as_each_property_is(self, books: Shard) -> None:
        """A code is one token whatever is in it, upper case counts there, and three letters make a trigram."""
        put(books, {"code": "A-3 x"}, {"spaced": "A-3 x"}, {"title": "a-3 X"}, {"trigram": "a 3x!"})
        found = {name: list(scores(match(books, "A-3 x", name))) for name in ("code", "spaced", "title", "trigram")}
        assert found == {"code": [1], "spaced": [2], "title": [3], "trigram": [4]}
        assert scores(match(books, "a-3", "code")) == {}
        assert list(scores(match(books, "a-3 X", "spaced", "title"))) == [3]
        assert scores(match(books, "3x", "trigram")) == {}

    def test_an_array_is_one_text_for_keyword_search(self, books: Shard) -> None:
        """Its elements' words and lengths add up; an empty one has no length that could count in the mean."""
        put(books, {"tags": ("red apple", "apple")}, {"tags": ("pear",)}, {"tags": ()}, {"tags": ("", "!")})
        norm = 1.2 * (0.25 + 0.75 * 3 / 2)
        assert scores(match(books, "apple", "tags")) == near({1: idf(4, 1) * 2 / (2 + norm)})

    def test_a_word_asked_for_twice_counts_twice(self, books: Shard) -> None:
        """People repeat what matters to them; it is still one word where several are demanded."""
        put(books, {"title": "apple"}, {"title": "pear"})
        assert scores(match(books, "apple pear apple", "title")) == near({1: 2 * idf(2, 1) / 2.2, 2: idf(2, 1) / 2.2})
        assert scores(match(books, "apple apple", "title", minimum=2)) == {}

    def test_stopwords_are_left_out_of_the_query(self, books: Shard) -> None:
        """They would find everything. Only where texts are cut into words: a code may be called A."""
        put(books, {"title": "the apple", "code": "a"}, {"title": "the pear"})
        assert list(scores(match(books, "the apple", "title"))) == [1]
        assert scores(match(books, "The", "title")) == {}
        assert list(scores(match(books, "the apple", "title", minimum=0))) == [1]
        assert list(scores(match(books, "a", "code", "title"))) == [1]

    def test_a_collection_has_its_own_stopwords_k1_and_b(self, engine: Engine) -> None:
        """A catalogue of apples finds nothing by the word apple; with b = 0 lengths do not matter, with k1 = 0 repeats do not."""
        settings = KeywordSettings(k1=0.5, b=0.0, additions=("apple",), removals=("the",))
        engine.create_collection(Collection(name="Book", properties=BOOKS.properties, vectors=BOOKS.vectors, keywords=settings))
        shard = engine.shard("Book")
        put(shard, {"title": "the the apple"}, {"title": "pear"})
        assert engine.collections()[0].keywords == settings
        assert scores(match(shard, "the apple", "title")) == near({1: idf(2, 1) * 2 / 2.5})

    def test_a_folded_property_is_found_with_and_without_marks(self, engine: Engine) -> None:
        """By keywords and by filters alike; letters to be ignored keep theirs."""
        bare = replace(_text("bare"), fold=AsciiFold(("é",)))
        engine.create_collection(replace(BOOKS, properties=(_text("plain"), bare)))
        shard = engine.shard("Book")
        put(shard, {"plain": "Ärger", "bare": "Ärger été"})
        assert [list(scores(match(shard, word, "bare"))) for word in ("arger", "ärger", "été", "ete")] == [[1], [1], [1], []]
        assert [list(scores(match(shard, word, "plain"))) for word in ("arger", "ärger")] == [[], [1]]
        for how, word in ((Operator.EQUAL, "arger"), (Operator.LIKE, "Ärg*"), (Operator.LIKE, "arg*")):
            assert shard.count(Compare("bare", how, word)) == 1

    def test_a_property_may_have_stopwords_of_its_own(self, engine: Engine) -> None:
        """In the place of the collection's."""
        own = replace(_text("own"), stopwords="fr")
        engine.create_collection(replace(BOOKS, properties=(_text("plain"), own), keywords=KeywordSettings(presets=(("fr", ("la",)),))))
        shard = engine.shard("Book")
        put(shard, {"plain": "la the", "own": "la the"})
        assert [list(scores(match(shard, word, "own"))) for word in ("la", "the")] == [[], [1]]
        assert [list(scores(match(shard, word, "plain"))) for word in ("la", "the")] == [[1], []]

    def test_minimum_match_counts_distinct_words_in_one_property(self, books: Shard) -> None:
        """So "and" does not take one word from the title and the other from the body; what counts, counts alone."""
        put(books, {"title": "apple", "body": "pie"}, {"title": "apple pie", "body": "apple"}, {"title": "apple pie pear"})
        assert list(scores(match(books, "apple pie", "title", "body", minimum=0))) == [2, 3]
        assert list(scores(match(books, "apple pie pear", "title", "body", minimum=2))) == [3, 2]
        assert list(scores(match(books, "apple pie pear", "title", minimum=0))) == [3]
        assert scores(match(books, "apple zebra", "title", minimum=2)) == {}
        with_body = scores(match(books, "apple pie", "title", "body", minimum=2))[2]
        norm = 1.2 * (0.25 + 0.75 * 2 / 2)
        assert with_body == pytest.approx((idf(3, 2) + idf(3, 1)) / (1 + norm), rel=1e-6)  # apple is in 3 titles and 1 body; pie in 2 and 1

    def test_deleted_and_replaced_objects_leave_no_trace_in_the_scores(self, books: Shard) -> None:
        """Else a collection's answers depend on its past, and change when it is opened anew."""
        put(books, {"title": "apple"}, {"title": "apple apple apple"}, {"title": "pear"})
        put(books, {"title": "pear"}, first=2)
        books.delete([uid(3)])
        assert scores(match(books, "apple", "title")) == near({1: idf(2, 1) / 2.2})
        put(books, {"title": "apple"}, first=2)
        assert scores(match(books, "apple", "title")) == near({1: idf(2, 2) / 2.2, 2: idf(2, 2) / 2.2})

    def test_a_filter_chooses_hits_and_changes_no_score(self, books: Shard) -> None:
        """The same object scores the same on every page of a shop."""
        put(books, *({"title": "apple" if number < 4 else "pear", "pages": number} for number in range(6)))
        where = Compare("pages", Operator.GREATER_THAN, 1)
        assert scores(match(books, "apple", "title", where=where)) == near({3: idf(6, 4) / 2.2, 4: idf(6, 4) / 2.2})
        assert scores(match(books, "apple", "title", where=Compare("pages", Operator.GREATER_THAN, 9))) == {}

    def test_equal_scores_come_in_the_order_of_ids_and_pages_join(self, books: Shard) -> None:
        """A client that pages must meet every hit once."""
        books.put([photo(number, None, title="apple") for number in (9, 2, 7, 5)] + [photo(1, None, title="apple apple")])
        pages = [list(scores(match(books, "apple", "title", limit=2, offset=offset))) for offset in (0, 2, 4, 6)]
        assert pages == [[1, 2], [5, 7], [9], []]
        assert len(match(books, "apple", "title", limit=0).records) == 0

    def test_nothing_is_found_without_a_word(self, books: Shard) -> None:
        """No word, no word of theirs, no object: an empty answer, not an error."""
        assert scores(match(books, "apple", "title")) == {}
        put(books, {"title": "apple"}, {"title": ""})
        for text in ("", "!?", "zebra"):
            assert scores(match(books, text, "title", "body", minimum=0)) == {}

    def test_a_property_that_is_not_searchable_is_refused(self, books: Shard) -> None:
        """An empty answer would hide the mistake."""
        for name in ("silent", "pages", "missing"):
            with pytest.raises(PropertyNotSearchable) as caught:
                match(books, "apple", name)
            assert caught.value.detail == {"property": name}

    def test_matches_come_with_what_was_asked_for(self, books: Shard) -> None:
        """Hits and their properties are of one snapshot."""
        put(books, {"title": "apple", "pages": 3})
        query = Keywords(text="apple", boosts={"title": 1.0})
        (record,) = books.match_text(query, limit=1, offset=0, where=None, projection=Projection(properties=("pages",))).records
        assert record.properties == {"pages": 3}
