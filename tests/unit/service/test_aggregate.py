"""Questions about many objects are checked against the collection and answered by the engine."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

import pytest

from nearimage.domain.aggregates import GROUPED, MAX_GROUPS, AggregateQuery, Aggregation, Group, NumberSummary, ReferenceSummary, TextSummary
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionNotFound, InvalidFilter, InvalidInput
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.aggregate import bind_aggregation
from nearimage.service.services import Services
from tests.fakes import World, dogs

EVERY_TYPE = Collection(name="Every", properties=tuple(Property(name=f"a_{kind.name}", data_type=kind) for kind in DataType))


@pytest.fixture
def services() -> Services:
    made = World().services()
    reference = Property(name="owner", data_type=DataType.REFERENCE, targets=("Dog",))
    collection = dogs()
    made.collections.create(replace(collection, properties=(*collection.properties, reference)))
    made.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"breed": f"b{n % 2}", "weight": n * 10}) for n in (1, 2, 3)])
    return made


def ask(
    services: Services, properties: Mapping[str, int], *, where: Compare | None = None, collection: str = "Dog", group_by: str | None = None
) -> list[Group]:
    aggregation = Aggregation(properties=properties, group_by=group_by)
    return list(services.aggregates.run(AggregateQuery(collection=collection, aggregation=aggregation, where=where)))


def refused(aggregation: Aggregation) -> object:
    """The property that is refused, or None."""
    try:
        bind_aggregation(aggregation, EVERY_TYPE)
    except InvalidInput as wrong:
        return wrong.detail["property"]
    return None


def test_a_question_is_answered_for_all_objects_or_those_that_pass(services: Services) -> None:
    """How many, how much, which most often."""
    heavy = Compare("weight", Operator.GREATER_THAN, 15)
    for where, objects, total, top in ((None, 3, 60, (("b1", 2),)), (heavy, 2, 50, (("b0", 1),))):
        (group,) = ask(services, {"weight": 0, "breed": 1}, where=where)
        weight = group.summaries["weight"]
        assert isinstance(weight, NumberSummary)
        assert (group.objects, weight.sum) == (objects, total)
        assert group.summaries["breed"] == TextSummary(count=objects, top=top)


def test_groups_are_summarised_apart(services: Services) -> None:
    """The largest group first."""
    assert [(group.value, group.objects) for group in ask(services, {}, group_by="breed")] == [("b1", 2), ("b0", 1)]


def test_a_reference_says_where_it_may_lead(services: Services) -> None:
    """That is a fact of the collection, the same for every group."""
    for group in (*ask(services, {"owner": 0}), *ask(services, {"owner": 0}, group_by="breed")):
        assert group.summaries == {"owner": ReferenceSummary(pointing_to=("Dog",))}


def test_what_is_not_there_is_refused_by_name(services: Services) -> None:
    """A misspelt property must not answer 0."""
    for properties, group_by in (({"wieght": 0}, None), ({}, "wieght")):
        with pytest.raises(InvalidInput) as caught:
            ask(services, properties, group_by=group_by)
        assert caught.value.detail == {"property": "wieght"}
    with pytest.raises(InvalidFilter):
        ask(services, {}, where=Compare("wieght", Operator.EQUAL, 1))
    with pytest.raises(CollectionNotFound):
        ask(services, {}, collection="Cat")


def test_types_with_a_summary_are_told_from_those_without() -> None:
    """A picture has no mean; nothing is grouped by places."""
    summarised = {prop.name: refused(Aggregation(properties={prop.name: 1})) for prop in EVERY_TYPE.properties}
    grouped = {prop.name: refused(Aggregation(group_by=prop.name)) for prop in EVERY_TYPE.properties}
    can_be_grouped = {prop.name for prop in EVERY_TYPE.properties if prop.data_type.element in GROUPED}
    assert grouped == {name: None if name in can_be_grouped else name for name in grouped}
    assert summarised == grouped


def test_groups_are_limited_unless_the_caller_says_how_many() -> None:
    """A property with a million values must not answer with a million groups by accident."""
    assert bind_aggregation(Aggregation(), EVERY_TYPE).groups == MAX_GROUPS
    assert bind_aggregation(Aggregation(groups=7), EVERY_TYPE).groups == 7
    for wrong in (Aggregation(groups=-1), Aggregation(properties={"a_TEXT": -1})):
        with pytest.raises(InvalidInput, match="negative"):
            bind_aggregation(wrong, EVERY_TYPE)
