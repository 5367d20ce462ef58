"""A filter reaches the engine only if every part of it means something."""

from dataclasses import replace

import pytest

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, And, Compare, Filter, FilterValue, Not, Operator, Or
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.filters import MAX_DEPTH, bind_filter

COLLECTION = Collection(
    name="C",
    properties=(
        *(Property(name=str(kind).removesuffix("[]") + ("s" if kind.is_array else ""), data_type=kind) for kind in DataType),
        Property(name="hidden", data_type=DataType.INT, filterable=False),
    ),
)
UUID_TEXT = "36ddd591-2dee-4e7e-a3cc-eb86d30a4303"


def bound(field: str, operator: Operator, value: FilterValue) -> FilterValue:
    made = bind_filter(Compare(field, operator, value), COLLECTION)
    assert isinstance(made, Compare)
    return made.value


@pytest.mark.parametrize(
    ("field", "operator", "value", "meant"),
    [
        ("int", Operator.EQUAL, 4.0, 4),
        ("number", Operator.LESS_THAN, 2**60 + 1, 2**60 + 1),
        ("ints", Operator.CONTAINS_ANY, (1, 2.0), (1, 2)),
        ("text", Operator.CONTAINS_ALL, "one", ("one",)),
        ("text", Operator.IS_NULL, True, True),
        ("uuid", Operator.EQUAL, UUID_TEXT.upper(), UUID_TEXT),
        (CREATED_FIELD, Operator.GREATER_THAN, "1970-01-01T00:00:01Z", 1000),
        (CREATED_FIELD, Operator.GREATER_THAN, "1000", 1000),
    ],
)
def test_values_are_read_as_the_type_of_their_property(field: str, operator: Operator, value: FilterValue, meant: FilterValue) -> None:
    """The clients send numbers as whatever their language has."""
    assert bound(field, operator, value) == meant


def test_id_is_a_field_under_both_of_its_names() -> None:
    """Weaviate's users know both."""
    assert {bind_filter(Compare(name, Operator.EQUAL, UUID_TEXT), COLLECTION) for name in ("id", "_id")} == {Compare(ID_FIELD, Operator.EQUAL, UUID_TEXT)}


@pytest.mark.parametrize(
    ("operator", "given", "sought"),
    [(Operator.EQUAL, "nope", "nope"), (Operator.LIKE, "36dd*", "36dd*"), (Operator.EQUAL, UUID_TEXT.upper(), UUID_TEXT.upper())],
)
def test_an_id_is_compared_as_text(operator: Operator, given: str, sought: str) -> None:
    """What is no id equals none, which is an answer and no mistake; nor does an id in capitals, for ids are written small."""
    assert bind_filter(Compare("id", operator, given), COLLECTION) == Compare(ID_FIELD, operator, sought)


@pytest.mark.parametrize(
    "where",
    [
        Compare("zzz", Operator.EQUAL, 1),
        Compare("blob", Operator.EQUAL, "x"),
        Compare("hidden", Operator.EQUAL, 1),
        Compare("int", Operator.EQUAL, "7"),
        Compare("int", Operator.EQUAL, 7.5),
        Compare("int", Operator.GREATER_THAN, 7.5),
        Compare("number", Operator.EQUAL, "7"),
        Compare("ints", Operator.CONTAINS_ANY, ()),
        Compare("ints", Operator.CONTAINS_ANY, ("7",)),
        Compare("date", Operator.EQUAL, "2026-01-31T12:00:00z"),
        Compare("_id", Operator.IS_NULL, False),
        Compare(CREATED_FIELD, Operator.IS_NULL, True),
        Compare("int", Operator.EQUAL, True),
        Compare("int", Operator.LIKE, "7*"),
        Compare("boolean", Operator.EQUAL, "perhaps"),
        Compare("date", Operator.EQUAL, "soon"),
        Compare("text", Operator.EQUAL, ("a", "b")),
        Compare("text", Operator.IS_NULL, "yes"),
        Compare("_id", Operator.EQUAL, 7),
        Compare("len(id)", Operator.EQUAL, 36),
        Compare(CREATED_FIELD, Operator.EQUAL, "soon"),
        And(()),
        Or((Compare("int", Operator.EQUAL, 1), Not(Compare("zzz", Operator.EQUAL, 1)))),
    ],
)
def test_a_filter_that_means_nothing_is_refused(where: Filter) -> None:
    """Silently matching nothing would look like an empty collection."""
    with pytest.raises(InvalidFilter):
        bind_filter(where, COLLECTION)


@pytest.mark.parametrize(
    ("flag", "where"),
    [
        ("indexNullState", Compare("text", Operator.IS_NULL, True)),
        ("indexPropertyLength", Compare("len(text)", Operator.EQUAL, 3)),
        ("indexTimestamps", Compare(CREATED_FIELD, Operator.GREATER_THAN, 1000)),
    ],
)
def test_what_a_collection_does_not_index_is_not_filtered_by(flag: str, where: Compare) -> None:
    """It said so when it was made; one that was made without a word of it, as programs in this process do, may be asked anything."""
    for indexes in ({}, {flag: False}):
        with pytest.raises(InvalidFilter, match=flag):
            bind_filter(where, replace(COLLECTION, settings={"invertedIndexConfig": indexes}))
    assert bind_filter(where, replace(COLLECTION, settings={"invertedIndexConfig": {flag: True}})) == bind_filter(where, COLLECTION) == where


def test_a_filter_nested_beyond_reason_is_refused_before_it_exhausts_the_stack() -> None:
    """A request must not be able to crash the server."""
    where: Filter = Compare("int", Operator.EQUAL, 1)
    for _ in range(MAX_DEPTH + 1):
        where = Not(where)

    with pytest.raises(InvalidFilter, match="levels deep"):
        bind_filter(where, COLLECTION)
