"""Show what becomes of a text: the tokens that are stored, and those that a query looks for.

May import `domain` and `ports` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nearimage.domain.errors import InvalidInput
from nearimage.domain.keywords import Cut, stopwords
from nearimage.domain.schema import DataType, KeywordSettings, Tokenization
from nearimage.domain.text import tokenize
from nearimage.service.collections import Collections
from nearimage.service.properties import check_preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A text's tokens.

    Attributes:
        stored: what filters and keyword search find it by.
        sought: what a query with this text looks for.
    """

    stored: Sequence[str]
    sought: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizing:
    """Cuts texts as the collections of one database do."""

    collections: Collections

    def by_property(self, collection: str, name: str, text: str) -> Tokens:
        """As a property of a collection does.

        Raises:
            CollectionNotFound: there is no such collection.
            InvalidInput: it has no such property, or that is no text.
        """
        schema = self.collections.get(collection)
        prop = schema.property(name)
        if prop is None or prop.data_type.element is not DataType.TEXT:
            have = [p.name for p in schema.properties if p.data_type.element is DataType.TEXT]
            raise InvalidInput(f"collection {schema.name!r} has no text property {name!r}; it has {have}", property=name)
        return tokens(text, Cut.of(prop), schema.keywords)


def tokens(text: str, cut: Cut, settings: KeywordSettings) -> Tokens:
    """The tokens of a text.

    Raises:
        InvalidSchema: there is no such preset of stopwords; detail has "setting".
    """
    for preset in (settings.stopwords, cut.stopwords):
        check_preset(preset, settings)
    stored = tokenize(text, cut.how, cut.fold)
    ignored = stopwords(settings, cut.stopwords) if cut.how is Tokenization.WORD else frozenset()
    return Tokens(stored=stored, sought=[token for token in stored if token not in ignored])
