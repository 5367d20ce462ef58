"""Listings come in the order that was asked for, or the request is refused with the property's name."""

from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD, Compare, Operator
from nearimage.domain.query import Search, SortBy
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.services import Services
from nearimage.service.sorting import bind_sort
from tests.fakes import World, dogs

EVERY_TYPE = Collection(name="Every", properties=tuple(Property(name=f"a_{kind.name}", data_type=kind) for kind in DataType))


@pytest.fixture
def services() -> Services:
    made = World().services()
    made.collections.create(dogs())
    weights = {1: 30, 2: 10, 3: 20}
    made.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"breed": f"b{n % 2}", "weight": weight}) for n, weight in weights.items()])
    return made


def numbers(services: Services, *sort: SortBy, **more: object) -> list[int]:
    found = services.searches.run(Search(collection="Dog", sort=sort, **more))  # type: ignore[arg-type] # the fields of Search
    return [hit.record.id.int for hit in found.hits]


def refused(key: SortBy) -> object:
    """The property that is refused, or None."""
    try:
        assert bind_sort([key], EVERY_TYPE) == (key,)
    except InvalidInput as wrong:
        return wrong.detail["property"]
    return None


def test_a_listing_comes_in_the_order_asked_for(services: Services) -> None:
    """The keys count from the first to the last; limit and offset cut that order."""
    assert numbers(services) == [1, 2, 3]
    assert numbers(services, SortBy("weight")) == [2, 3, 1]
    assert numbers(services, SortBy("breed"), SortBy("weight", descending=True)) == [2, 1, 3]
    assert numbers(services, SortBy("weight"), limit=1, offset=1) == [3]
    assert numbers(services, SortBy("id", descending=True)) == [3, 2, 1]


def test_what_passes_a_filter_is_listed_by_age(services: Services) -> None:
    """The first of many that pass are the oldest, as users of Weaviate know it, and stay so when they are changed; without a filter a cursor goes on by ids."""
    where = Compare("weight", Operator.GREATER_THAN, 0)
    services.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"weight": n}) for n in (9, 0, 7)])
    services.objects.merge("Dog", UUID(int=9), Draft(properties={"weight": 90}))

    assert numbers(services, where=where) == [1, 2, 3, 9, 7]
    assert numbers(services, where=where, limit=2, offset=3) == [9, 7]
    assert numbers(services) == [0, 1, 2, 3, 7, 9]


def test_a_cursor_and_an_order_exclude_each_other(services: Services) -> None:
    """A cursor says where to go on in the order of ids, which is another one."""
    with pytest.raises(InvalidInput, match="cursor"):
        numbers(services, SortBy("weight"), after=UUID(int=1))


def test_an_unknown_property_is_named(services: Services) -> None:
    """A misspelt key must not leave the order to chance."""
    with pytest.raises(InvalidInput) as caught:
        numbers(services, SortBy("wieght"))
    assert caught.value.detail == {"property": "wieght"}


def test_types_with_an_order_are_told_from_those_without() -> None:
    """Nobody can say which of two pictures, uuids or references is the smaller one."""
    ordered = {DataType.TEXT, DataType.INT, DataType.NUMBER, DataType.BOOLEAN, DataType.DATE, DataType.GEO_COORDINATES, DataType.PHONE_NUMBER}
    expected = {prop.name: None if prop.data_type.element in ordered else prop.name for prop in EVERY_TYPE.properties}
    assert {prop.name: refused(SortBy(prop.name)) for prop in EVERY_TYPE.properties} == expected


def test_an_objects_own_fields_have_an_order() -> None:
    """People ask for the newest first."""
    keys = [SortBy("id"), SortBy(CREATED_FIELD, descending=True), SortBy(UPDATED_FIELD)]
    assert bind_sort(keys, EVERY_TYPE) == (SortBy(ID_FIELD), *keys[1:])
