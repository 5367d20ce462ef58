"""A batch is checked by column, one object by itself: nobody can tell which way an object was read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import InvalidInput
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.values import ValueReader
from tests.fakes import RED, FakeMedia

NESTED = (Property(name="inner", data_type=DataType.TEXT), Property(name="raw", data_type=DataType.BLOB))
KINDS = {f"p{n}": kind for n, kind in enumerate(DataType)}
PHOTO = Collection(
    name="Photo",
    properties=tuple(
        Property(name=name, data_type=kind, nested=NESTED if kind.element is DataType.OBJECT else (), targets=("Dog",) if kind is DataType.REFERENCE else ())
        for name, kind in KINDS.items()
    ),
)
READER = ValueReader(media=FakeMedia())
IDS = (
    "36ddd591-2dee-4e7e-a3cc-eb86d30a4303",
    "36DDD5912DEE4E7EA3CCEB86D30A4303",
    "{36ddd591-2dee-4e7e-a3cc-eb86d30a4303}",
    "36ddd591-2dee-4e7e-a3cc-eb86d30a430",
)
DATES = ("2026-01-31T12:00:00Z", "2026-01-31T13:00:00.120+01:00", "2026-01-31t12:00:00Z", "2026-02-31T12:00:00Z", "2026-01-31T12:00:00")
GOOD: dict[DataType, st.SearchStrategy[Any]] = {
    DataType.TEXT: st.text(max_size=3),
    DataType.INT: st.integers(-(2**63) - 1, 2**63) | st.integers(-9, 9).map(float),
    DataType.NUMBER: st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    DataType.BOOLEAN: st.booleans(),
    DataType.DATE: st.sampled_from(DATES[:2]),
    DataType.UUID: st.sampled_from(IDS[:3]),
    DataType.BLOB: st.just(RED),
    DataType.BLOB_HASH: st.just(RED),
    DataType.GEO_COORDINATES: st.just({"latitude": 1, "longitude": 2.5}),
    DataType.PHONE_NUMBER: st.just({"input": "+49 171 1234567"}),
    DataType.OBJECT: st.just({"inner": "text", "raw": RED}),
    DataType.REFERENCE: st.just({"beacon": f"weaviate://localhost/Dog/{IDS[0]}"}),
}
PLAIN = (DataType.TEXT, DataType.INT, DataType.NUMBER, DataType.BOOLEAN, DataType.DATE, DataType.UUID)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2) | st.sampled_from((*IDS, *DATES, 10**400)) | st.just({"latitude": 91})
NAMES = st.sampled_from([*KINDS, *(name.capitalize() for name in KINDS), "unknown"])


def values_of(name: str, *, tidy: bool) -> st.SearchStrategy[Any]:
    """What fits, so that whole columns do, or anything; lists as JSON and as gRPC bring them."""
    kind = KINDS.get(name.lower(), DataType.TEXT)
    good = GOOD[kind.element]
    if kind.is_array or kind is DataType.REFERENCE:
        good = st.lists(good, max_size=3) | st.lists(good, max_size=3).map(tuple)
    return good if tidy else st.one_of(good, good, ANYTHING, st.lists(ANYTHING, max_size=2))


def objects_named(names: list[str], *, tidy: bool, optional: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    fields = {name: values_of(name, tidy=tidy) for name in names}
    one = st.fixed_dictionaries({}, optional=fields) if optional else st.fixed_dictionaries(fields)
    return st.lists(one, min_size=4, max_size=9)


BATCHES = st.tuples(st.lists(NAMES, max_size=4, unique=True), st.booleans(), st.booleans()).flatmap(
    lambda drawn: objects_named(drawn[0], tidy=drawn[1], optional=drawn[2])
)


def nearly(kind: DataType) -> st.SearchStrategy[list[Any]]:
    """Values of a property of which some just do not fit."""
    edges: dict[DataType, st.SearchStrategy[Any]] = {
        DataType.INT: st.sampled_from((2.0**63, 0.5, float("nan"), True)),
        DataType.NUMBER: st.sampled_from((float("inf"), float("nan"), 10**400, False)),
        DataType.UUID: st.sampled_from(IDS),
        DataType.DATE: st.sampled_from(DATES),
    }
    value = GOOD[kind.element] | edges.get(kind.element, st.nothing())
    return st.lists(st.lists(value, max_size=3) if kind.is_array else value, min_size=4, max_size=6)


def told(outcome: dict[str, Any] | InvalidInput) -> object:
    """All there is to see: values, their types and order, or the error."""
    return (type(outcome), outcome.message, outcome.detail) if isinstance(outcome, InvalidInput) else repr(outcome)


def one_by_one(properties: dict[str, Any]) -> object:
    try:
        return told(READER.read(PHOTO, properties))
    except InvalidInput as wrong:
        return told(wrong)


@given(BATCHES)
def test_each_object_of_a_batch_is_read_as_if_it_were_alone(objects: list[dict[str, Any]]) -> None:
    """An import must store what single writes store, and blame the object that is at fault, in the same words."""
    assert [told(outcome) for outcome in READER.read_many(PHOTO, objects)] == [one_by_one(properties) for properties in objects]


@pytest.mark.parametrize("kind", [kind for kind in DataType if kind.element in PLAIN], ids=str)
@given(st.data())
def test_a_column_with_a_value_at_the_edge_of_its_type_is_read_as_its_values_are(kind: DataType, data: st.DataObject) -> None:
    """Whole columns are let through by a look at their types, their sum, their extremes; none of these may let through what is refused alone."""
    (name,) = (name for name, one in KINDS.items() if one is kind)
    objects = [{name: value} for value in data.draw(nearly(kind))]
    assert [told(outcome) for outcome in READER.read_many(PHOTO, objects)] == [one_by_one(properties) for properties in objects]


def test_a_column_of_one_wrong_value_costs_its_neighbours_nothing() -> None:
    """One bad object in five hundred is the usual mistake, and must not refuse a batch."""
    objects: list[dict[str, object]] = [{"p0": f"text {n}", "p1": float(n)} for n in range(20)]
    objects[7]["p1"] = 7.5

    outcomes = READER.read_many(PHOTO, objects)

    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, InvalidInput)] == [7]
    assert outcomes[8] == {"p0": "text 8", "p1": 8}
