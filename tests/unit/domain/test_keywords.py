"""What a keyword query asks for."""

import msgspec

from nearimage.domain.keywords import Cut, query_tokens, stopwords
from nearimage.domain.schema import Collection, KeywordSettings, Tokenization


def test_a_query_has_each_token_once_and_knows_how_often_it_was_said() -> None:
    """A word said twice counts twice; stopwords count nothing, but only among words."""
    text = "The corgi, the other Corgi"
    assert query_tokens(text, Cut(Tokenization.WORD), KeywordSettings()) == {"corgi": 2, "other": 1}
    assert query_tokens(text, Cut(Tokenization.LOWERCASE), KeywordSettings()) == {"the": 2, "corgi,": 1, "other": 1, "corgi": 1}


def test_stopwords_are_the_preset_with_additions_and_without_removals() -> None:
    """A collection of songs by The Who wants its own."""
    assert len(stopwords(KeywordSettings())) == 33
    assert stopwords(KeywordSettings(additions=("song",), removals=("the",))) == (stopwords(KeywordSettings()) | {"song"}) - {"the"}
    assert stopwords(KeywordSettings(stopwords="none", additions=("song",))) == {"song"}


def test_a_collection_stored_before_there_was_keyword_search_has_the_defaults() -> None:
    """An upgrade must open old data."""
    assert msgspec.json.decode(b'{"name":"Old"}', type=Collection).keywords == KeywordSettings()
