"""References of a batch: many objects change together, and each addition fares by itself."""

from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.objects import Projection
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.values import Reference
from nearimage.service.references import Source
from nearimage.service.services import Services
from tests.fakes import World

MISSING = UUID(int=99)


@pytest.fixture
def services() -> Services:
    made = World().services()
    made.collections.create(Collection(name="Owner", properties=()))
    links = tuple(Property(name=name, data_type=DataType.REFERENCE, targets=("Owner",)) for name in ("owner", "friend"))
    made.collections.create(Collection(name="Dog", properties=links))
    made.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={}) for n in range(1, 601)])
    return made


def source(number: int, name: str = "owner") -> Source:
    return Source(collection="Dog", id=UUID(int=number), property=name)


def beacon(number: int) -> str:
    return f"weaviate://localhost/Owner/{UUID(int=number)}"


def links(services: Services, number: int) -> dict[str, list[int]]:
    found = services.objects.get("Dog", UUID(int=number), Projection()).properties
    return {name: [one.id.int for one in value if isinstance(one, Reference)] for name, value in found.items() if isinstance(value, tuple)}


def test_each_addition_fares_by_itself(services: Services) -> None:
    """More objects than one write takes, two properties of one object, and one object twice; those that are wrong are told by their places."""
    many = [(source(number), beacon(number)) for number in range(1, 601)]
    others = [(source(1), beacon(7)), (source(1, "friend"), beacon(8)), (source(MISSING.int + 1000), beacon(1)), (source(2), "no beacon")]
    errors = services.references.add_many([*many, *others])

    assert errors.keys() == {602, 603}
    assert links(services, 1) == {"owner": [1, 7], "friend": [8]}
    assert links(services, 600) == {"owner": [600]}


def test_an_object_to_which_nothing_can_be_added_stays_as_it_is(services: Services) -> None:
    """Not even an empty list stands there afterwards, which clients would be told."""
    assert services.references.add_many([(source(3), "no beacon")]).keys() == {0}
    assert links(services, 3) == {}
