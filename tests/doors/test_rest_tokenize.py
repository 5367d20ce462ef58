"""How a text is cut, over REST."""

from typing import Any

import httpx
import pytest


@pytest.mark.parametrize(
    ("settings", "query"),
    [
        ({}, ["quick", "école"]),
        ({"analyzerConfig": {"stopwordPreset": "none"}}, ["the", "quick", "école"]),
        ({"analyzerConfig": {"asciiFold": True}}, ["quick", "ecole"]),
        ({"stopwords": {"additions": ["quick"]}}, ["école"]),
        ({"stopwords": {"preset": "en", "removals": ["the"]}}, ["the", "quick", "école"]),
        ({"stopwordPresets": {"own": ["quick"]}, "analyzerConfig": {"stopwordPreset": "own"}}, ["the", "école"]),
    ],
)
def test_a_text_is_cut_as_the_settings_say(http: httpx.Client, settings: dict[str, Any], query: list[str]) -> None:
    """Before anybody makes a collection with them."""
    assert http.post("/v1/tokenize", json={"text": "The quick école", "tokenization": "word", **settings}).json()["query"] == query


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "x"}, 400),
        ({"tokenization": "word"}, 400),
        ({"text": "x", "tokenization": "syllable"}, 422),
        ({"text": "x", "tokenization": "word", "analyzerConfig": {"stopwordPreset": "fr"}}, 422),
        ({"text": "x", "tokenization": "word", "analyzerConfig": {"asciiFoldIgnore": ["x"]}}, 422),
        ({"text": "x", "tokenization": "word", "stopwords": {}, "stopwordPresets": {}}, 422),
    ],
)
def test_settings_that_cannot_be_are_refused(http: httpx.Client, body: dict[str, Any], status: int) -> None:
    """With what is wrong about them."""
    assert http.post("/v1/tokenize", json=body).status_code == status


def test_an_analyzer_comes_back_as_it_was_sent_and_does_what_it_says(http: httpx.Client) -> None:
    """The property's own route cuts as the property does."""
    analyzer = {"asciiFold": True, "asciiFoldIgnore": ["é"], "stopwordPreset": "fr"}
    body = {
        "class": "Texts",
        "invertedIndexConfig": {"stopwordPresets": {"fr": ["la"]}},
        "properties": [{"name": "t", "dataType": ["text"], "textAnalyzer": analyzer}, {"name": "n", "dataType": ["int"]}],
    }

    made = http.post("/v1/schema", json=body).json()

    assert made["properties"][0]["textAnalyzer"] == analyzer
    assert made["invertedIndexConfig"]["stopwordPresets"] == {"fr": ["la"]}
    path = "/v1/schema/Texts/properties/{}/tokenize"
    assert http.post(path.format("t"), json={"text": "La clé ä"}).json() == {"indexed": ["la", "clé", "a"], "query": ["clé", "a"]}
    assert [http.post(path.format(name), json={"text": "x"}).status_code for name in ("n", "zzz")] == [422, 422]
    made["invertedIndexConfig"]["stopwordPresets"] = {}
    assert http.put("/v1/schema/Texts", json=made).status_code == 422
