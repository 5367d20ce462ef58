"""Routes that show how a text is cut into tokens. The base of all paths is /v1.

May import msgspec, `domain`, `service` and `doors` only.
"""

from nearimage.domain.errors import InvalidInput
from nearimage.domain.keywords import Cut
from nearimage.domain.schema import KeywordSettings
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.collection_blocks import StopwordsBody
from nearimage.doors.rest.json_body import json_response, read_body
from nearimage.doors.rest.schema import AnalyzerBody, read_fold, read_tokenization
from nearimage.doors.rest.sent import Sent
from nearimage.service.tokenizing import Tokens, tokens


class TextBody(Sent):
    """A text."""

    text: str


class TokenizeBody(TextBody, rename="camel"):
    """A text, and how to cut it."""

    tokenization: str
    analyzer_config: AnalyzerBody | None = None
    stopwords: StopwordsBody | None = None
    stopword_presets: dict[str, list[str]] | None = None


def tokenize(call: Call) -> Response:
    """Cut a text as a property with these settings would."""
    body = read_body(call.body, TokenizeBody)
    if body.stopwords is not None and body.stopword_presets is not None:
        raise InvalidInput("stopwords and stopwordPresets exclude each other; send one of them")
    analyzer, words = body.analyzer_config or AnalyzerBody(), body.stopwords or StopwordsBody()
    settings = KeywordSettings(
        stopwords=words.preset or "en",
        additions=tuple(words.additions or ()),
        removals=tuple(words.removals or ()),
        presets=tuple((name, tuple(listed)) for name, listed in (body.stopword_presets or {}).items()),
    )
    cut = Cut(read_tokenization(body.tokenization), read_fold(analyzer), analyzer.stopword_preset or "")
    return _answer(tokens(body.text, cut, settings))


def tokenize_property(call: Call) -> Response:
    """Cut a text as a property does."""
    body = read_body(call.body, TextBody)
    return _answer(call.services.tokenizing.by_property(call.collection, call.path["property"], body.text))


def _answer(found: Tokens) -> Response:
    return json_response({"indexed": found.stored, "query": found.sought})


ROUTES = (
    Route(method="POST", path="/v1/tokenize", endpoint=tokenize, body=TokenizeBody, asks=True),
    Route(method="POST", path="/v1/schema/{collection}/properties/{property}/tokenize", endpoint=tokenize_property, body=TextBody, asks=True),
)
