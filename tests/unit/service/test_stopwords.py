"""Filters on text leave stopwords out, as keyword search does."""

import pytest

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import Compare, FilterValue, Operator
from nearimage.domain.schema import Collection, DataType, KeywordSettings, Property, Tokenization
from nearimage.service.filters import bind_filter

COLLECTION = Collection(
    name="C",
    properties=(
        Property(name="text", data_type=DataType.TEXT, tokenization=Tokenization.WORD),
        Property(name="tags", data_type=DataType.TEXT_ARRAY, tokenization=Tokenization.WORD),
        Property(name="lower", data_type=DataType.TEXT, tokenization=Tokenization.LOWERCASE),
        Property(name="field", data_type=DataType.TEXT, tokenization=Tokenization.FIELD),
    ),
    keywords=KeywordSettings(additions=("photo",)),
)


@pytest.mark.parametrize(
    ("field", "operator", "value", "meant"),
    [
        ("text", Operator.EQUAL, "The Apple", "apple"),
        ("text", Operator.NOT_EQUAL, "the apple", "apple"),
        ("text", Operator.GREATER_THAN, "a photo of Apples", "apples"),
        ("text", Operator.EQUAL, "Red Apple", "Red Apple"),
        ("text", Operator.LIKE, "the* the app?e", "the* app?e"),
        ("tags", Operator.CONTAINS_ANY, ("the", "apple and pear", "!"), ("apple pear",)),
        ("tags", Operator.CONTAINS_ALL, ("the apple", "pear"), ("apple", "pear")),
        ("lower", Operator.EQUAL, "the", "the"),
        ("field", Operator.EQUAL, "the", "the"),
        ("field", Operator.EQUAL, "", ""),
        ("text", Operator.IS_NULL, True, True),
    ],
)
def test_stopwords_are_left_out_where_texts_are_cut_into_words(field: str, operator: Operator, value: FilterValue, meant: FilterValue) -> None:
    """A title without "the" is as good a match; elsewhere "the" is part of a code or a name."""
    assert bind_filter(Compare(field, operator, value), COLLECTION) == Compare(field, operator, meant)


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("text", Operator.EQUAL, "to be"),
        ("text", Operator.EQUAL, ""),
        ("text", Operator.LIKE, "the"),
        ("lower", Operator.EQUAL, "  "),
        ("tags", Operator.CONTAINS_ANY, ("the", "a photo")),
        ("tags", Operator.CONTAINS_ALL, ("the", "apple")),
        ("tags", Operator.CONTAINS_NONE, ("the", "apple")),
    ],
)
def test_a_filter_of_stopwords_alone_is_refused(field: str, operator: Operator, value: FilterValue) -> None:
    """It would pass every object, which nobody who writes a filter means."""
    with pytest.raises(InvalidFilter) as caught:
        bind_filter(Compare(field, operator, value), COLLECTION)
    assert caught.value.detail == {"property": field}
