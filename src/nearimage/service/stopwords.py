"""Leave stopwords out of filters on text, as keyword search does: a search for "the apple" is one for "apple".

Stored texts keep theirs. Only properties cut into words have stopwords. A value of which nothing is left is refused: it would pass everything. ContainsAny
goes on with its other values.

May import `domain` only.
"""

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import Compare, FilterScalar, Operator
from nearimage.domain.keywords import Cut, stopwords
from nearimage.domain.schema import DataType, KeywordSettings, Property, Tokenization
from nearimage.domain.text import tokenize, tokenize_pattern


def without_stopwords(compare: Compare, prop: Property, settings: KeywordSettings) -> Compare:
    """A bound comparison without the stopwords in its values.

    Raises:
        InvalidFilter: nothing is left of a value, or, of ContainsAny, of all.
    """
    if prop.data_type.element is not DataType.TEXT or compare.operator is Operator.IS_NULL:
        return compare
    cut = Cut.of(prop)
    if not isinstance(compare.value, tuple):
        return Compare(compare.field, compare.operator, _left(compare, compare.value, cut, settings))
    if compare.operator is not Operator.CONTAINS_ANY:
        return Compare(compare.field, compare.operator, tuple(_left(compare, value, cut, settings) for value in compare.value))
    kept, refused = [], None
    for value in compare.value:
        try:
            kept.append(_left(compare, value, cut, settings))
        except InvalidFilter as wrong:
            refused = wrong
    if refused and not kept:
        raise refused
    return Compare(compare.field, compare.operator, tuple(kept))


def _left(compare: Compare, value: object, cut: Cut, settings: KeywordSettings) -> FilterScalar:
    text = str(value)
    how = cut.how
    if how is Tokenization.FIELD:
        return text
    tokens = tokenize_pattern(text, how, cut.fold) if compare.operator is Operator.LIKE else tokenize(text, how, cut.fold)
    ignored = stopwords(settings, cut.stopwords) if how is Tokenization.WORD else frozenset()
    kept = [token for token in tokens if token not in ignored]
    if not kept:
        message = f"filter {compare.operator} on {compare.field!r}: {text!r} holds no word to look for but stopwords; ask for another word"
        raise InvalidFilter(f"{message}, or change invertedIndexConfig.stopwords", property=compare.field)
    return text if len(kept) == len(tokens) else " ".join(kept)
