"""Hits that share a value stand together."""

from uuid import UUID

import pytest

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Hit, PropertyValue, Record
from nearimage.domain.query import GroupBy
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.values import GeoCoordinates, Reference
from nearimage.service.grouping import check_group_by, grouped

DOGS = Collection(name="Dog", properties=(Property(name="breed", data_type=DataType.TEXT), Property(name="image", data_type=DataType.BLOB)))


def hits(*breeds: PropertyValue | None) -> list[Hit]:
    return [
        Hit(record=Record(id=UUID(int=number), properties={} if breed is None else {"breed": breed}), distance=number / 10)
        for number, breed in enumerate(breeds)
    ]


def told(groups: int, per_group: int, *breeds: PropertyValue | None) -> list[tuple[object, list[int]]]:
    found = grouped(hits(*breeds), GroupBy(property="breed", groups=groups, per_group=per_group))
    return [(group.value, [hit.record.id.int for hit in group.hits]) for group in found]


def test_groups_come_in_the_order_of_their_best_hits() -> None:
    """The best hit of all is at the top, whatever its group."""
    assert told(9, 9, "corgi", "pug", "corgi", "husky", "pug") == [("corgi", [0, 2]), ("pug", [1, 4]), ("husky", [3])]


def test_groups_and_their_members_are_limited() -> None:
    """A later hit still joins an open group; it opens none beyond the limit."""
    assert told(2, 2, "corgi", "pug", "husky", "corgi", "corgi", "pug") == [("corgi", [0, 3]), ("pug", [1, 5])]


def test_an_array_puts_its_object_into_each_of_its_groups() -> None:
    """A picture of two dogs belongs to both."""
    assert told(9, 9, ("corgi", "pug", "corgi"), "pug", ()) == [("corgi", [0]), ("pug", [0, 1]), (None, [2])]


def test_a_value_without_a_group_ends_the_walk_through_an_array() -> None:
    """So it is where clients come from: what stands behind it in the array joins no group, not even one that is open."""
    assert told(2, 9, "corgi", "pug", ("corgi", "husky", "pug")) == [("corgi", [0, 2]), ("pug", [1])]


@pytest.mark.parametrize(("groups", "per_group"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_no_groups_are_no_groups(groups: int, per_group: int) -> None:
    """Clients are not told of a mistake either where they learned to ask."""
    assert told(groups, per_group, "corgi", "pug") == []


def test_places_are_named_by_their_degrees() -> None:
    """The name is what clients see of a group."""
    assert told(9, 9, GeoCoordinates(52.5, 4.0)) == [('{"latitude":52.5,"longitude":4}', [0])]


def test_references_are_grouped_by_their_beacons() -> None:
    """Clients know what is referred to by its beacon, and by nothing else."""
    author, beacon = Reference("Person", UUID(int=7)), f"weaviate://localhost/Person/{UUID(int=7)}"
    assert told(9, 9, (author,), None, (author, Reference("Person", UUID(int=8)))) == [
        (beacon, [0, 2]),
        (None, [1]),
        (f"weaviate://localhost/Person/{UUID(int=8)}", [2]),
    ]


def test_objects_without_the_property_share_a_group() -> None:
    """They are hits all the same."""
    assert told(9, 9, None, "pug", None, "") == [(None, [0, 2, 3]), ("pug", [1])]


def test_hits_that_words_found_are_grouped_by_texts_only() -> None:
    """Weaviate's two ways of grouping differ; clients see groups of texts, and none without, as far as the best hit of each."""
    by = GroupBy(property="breed", groups=9, per_group=9)
    found = grouped(hits("corgi", None, 3, True, ("pug", "corgi"), (), "", (Reference("Dog", UUID(int=1)),)), by, by_texts=True)
    assert [(group.value, [hit.record.id.int for hit in group.hits]) for group in found] == [("corgi", [0, 4]), ("pug", [4]), (None, [6])]
    assert [(group.nearest, group.farthest) for group in found] == [(0.0, 0.0), (0.4, 0.4), (0.6, 0.6)]


@pytest.mark.parametrize(
    "group_by",
    [GroupBy(property="bred", groups=1, per_group=1), GroupBy(property="image", groups=1, per_group=1)],
)
def test_what_cannot_be_grouped_is_refused(group_by: GroupBy) -> None:
    """An empty answer would hide the mistake."""
    with pytest.raises(InvalidInput):
        check_group_by(group_by, DOGS)
