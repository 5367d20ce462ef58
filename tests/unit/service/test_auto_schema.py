"""The schema follows the objects."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionNotFound, InvalidValue, NearimageError, ObjectNotFound
from nearimage.domain.schema import DataType
from nearimage.service.services import Services
from tests.fakes import World

ID = UUID(int=7)


@pytest.fixture
def services() -> Services:
    return World().services(auto_schema=True)


def types(services: Services, name: str = "Auto") -> dict[str, str]:
    return {prop.name: str(prop.data_type) for prop in services.collections.get(name).properties}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("words", "text"),
        ("2024-01-01T00:00:00Z", "date"),
        ("2024-01-01", "text"),
        (str(ID), "uuid"),
        (1, "number"),
        (1.5, "number"),
        (True, "boolean"),
        (["a"], "text[]"),
        ([], "text[]"),
        ([1], "number[]"),
        ([True], "boolean[]"),
        ([str(ID)], "uuid[]"),
        (["2024-01-01T00:00:00Z"], "date[]"),
        ({"latitude": 1, "longitude": 2}, "geoCoordinates"),
        ({"input": "+49 30 901820"}, "phoneNumber"),
        ({"input": "030 901820", "defaultCountry": "DE"}, "phoneNumber"),
        ({"latitude": 1, "longitude": 2, "name": "x"}, "object"),
        ([{"a": 1}], "object[]"),
    ],
    ids=repr,
)
def test_a_property_is_what_its_first_value_is(services: Services, value: object, kind: str) -> None:
    """The rules are Weaviate's: who moves over finds the same schema."""
    services.objects.insert("auto", Draft(properties={"p": value}))

    assert types(services) == {"p": kind}


def test_an_empty_object_says_nothing_and_null_is_a_text_that_is_missing(services: Services) -> None:
    """Nobody knows what such an object may hold; of null Weaviate thinks that it does, also in an object."""
    with pytest.raises(InvalidValue):
        services.objects.insert("Auto", Draft(properties={"p": {}}))
    services.objects.insert("Auto", Draft(properties={"q": None, "r": {"s": None}}))

    assert types(services) == {"q": "text", "r": "object"}
    assert services.collections.get("Auto").properties[1].nested[0].data_type is DataType.TEXT


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2024-01-01T00:00:00Z", "x"], "text[]"),
        ([str(UUID(int=1)), "2024-01-01T00:00:00Z"], "text[]"),
        ([{"latitude": 1, "longitude": 2}], "object[]"),
        ([1, 2.5], "number[]"),
        ([], "text[]"),
        (["x", 1], None),
        ([True, "x"], None),
        ([None], None),
        ([["x"]], None),
    ],
)
def test_a_list_is_of_what_all_its_entries_are(services: Services, values: list[object], kind: str | None) -> None:
    """Texts of any kind go together; of a list whose entries are not alike no property is made."""
    if kind is None:
        with pytest.raises(InvalidValue):
            services.objects.insert("Auto", Draft(properties={"p": values}))
    else:
        services.objects.insert("Auto", Draft(properties={"p": values}))

    assert types(services) == ({"p": kind} if kind else {})


def test_objects_in_objects_are_described(services: Services) -> None:
    """All the way down, and of a list by all of its entries."""
    services.objects.insert("Auto", Draft(properties={"p": [{"a": 1}, {"b": {"c": ["x"]}}]}))

    (prop,) = services.collections.get("Auto").properties
    assert [(inner.name, inner.data_type) for inner in prop.nested] == [("a", DataType.NUMBER), ("b", DataType.OBJECT)]
    assert [(inner.name, inner.data_type) for inner in prop.nested[1].nested] == [("c", DataType.TEXT_ARRAY)]


def test_objects_grow_with_what_later_ones_hold(services: Services) -> None:
    """At any depth, in one batch or over many; what an object had keeps its type."""
    drafts = [Draft(properties={"p": {"a": 1, "in": [{"x": 1}, {"y": {"z": "w"}}]}}), Draft(properties={"p": {"a": 2, "b": True}})]
    assert not any(isinstance(outcome, NearimageError) for outcome in services.objects.put_many("Auto", drafts))
    services.objects.insert("Auto", Draft(properties={"p": {"in": [{"y": {"more": 1, "id": "own"}}]}}))

    (prop,) = services.collections.get("Auto").properties
    assert [(inner.name, str(inner.data_type)) for inner in prop.nested] == [("a", "number"), ("in", "object[]"), ("b", "boolean")]
    x, y = prop.nested[1].nested
    assert (x.name, y.name) == ("x", "y")
    assert [(inner.name, str(inner.data_type)) for inner in y.nested] == [("z", "text"), ("more", "number"), ("id", "text")]


def test_an_object_that_holds_another_type_than_before_is_refused(services: Services) -> None:
    """What is stored stays readable."""
    services.objects.insert("Auto", Draft(properties={"p": {"a": 1}}))
    with pytest.raises(InvalidValue, match=r"p\.a"):
        services.objects.insert("Auto", Draft(properties={"p": {"a": "one", "b": 2}}))


def test_a_beacon_makes_a_reference(services: Services) -> None:
    """To the collection that it names, if that is there."""
    services.objects.insert("Person", Draft(id=ID))
    services.objects.insert("Auto", Draft(properties={"owner": [{"beacon": f"weaviate://localhost/Person/{ID}"}]}))

    (prop,) = services.collections.get("Auto").properties
    assert (prop.data_type, prop.targets) == (DataType.REFERENCE, ("Person",))


def test_a_batch_teaches_every_property_it_has(services: Services) -> None:
    """Each from the first object that has it; an object that does not fit fails alone."""
    drafts = [Draft(properties={"a": 1}), Draft(properties={"a": "x", "b": "y"}), Draft(properties={"c d": 1}), Draft(properties={"b": "z"})]

    outcomes = services.objects.put_many("Auto", drafts)

    assert [isinstance(outcome, NearimageError) for outcome in outcomes] == [False, True, True, False]
    assert types(services) == {"a": "number", "b": "text"}


def test_writers_that_meet_the_same_unknown_property_end_with_one(services: Services) -> None:
    """Both objects are stored, whoever made the property."""
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda n: services.objects.insert("Auto", Draft(properties={"a": n, f"b{n % 3}": n})), range(40)))

    assert len(stored) == 40
    assert sorted(types(services)) == ["a", "b0", "b1", "b2"]


@pytest.mark.parametrize("properties", [{"fresh": 1}, {"p": [1]}])
def test_a_change_of_what_is_not_there_makes_nothing(services: Services, properties: dict[str, object]) -> None:
    """Neither a collection nor a property; and before anything else it is told that there is none."""
    services.objects.insert("Auto", Draft(properties={"p": 1}))
    change = Draft(properties=properties)

    for refused in (services.objects.merge, services.objects.replace):
        with pytest.raises(ObjectNotFound):
            refused("Auto", UUID(int=9), change)
        with pytest.raises(CollectionNotFound):
            refused("Other", UUID(int=9), change)
    assert types(services) == {"p": "number"}
    assert [known.name for known in services.collections.all()] == ["Auto"]


def test_switched_off_it_makes_nothing() -> None:
    """A typing error is then found, not stored."""
    services = World().services(auto_schema=False)

    with pytest.raises(CollectionNotFound):
        services.objects.insert("Auto", Draft(properties={"p": 1}))
    assert services.collections.all() == ()
