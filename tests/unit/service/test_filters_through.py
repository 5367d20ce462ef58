"""Filters through references are answered on the collections behind them; lengths, places and missing values are bound to their types."""

from uuid import UUID

import pytest

from nearimage.domain.errors import CollectionNotFound, InvalidFilter, NotSupported
from nearimage.domain.filters import And, Compare, Filter, GeoRange, Not, Operator, Through
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.values import Reference
from nearimage.engines.memory import MemoryEngine
from nearimage.service.filters import MAX_DEPTH, Target, bind_filter

O = Operator  # noqa: E741 short

DOG = Collection(
    name="Dog",
    properties=(
        Property(name="breed", data_type=DataType.TEXT),
        Property(name="owner", data_type=DataType.REFERENCE, targets=("Person",)),
        Property(name="friends", data_type=DataType.REFERENCE, targets=("Dog", "Person")),
        Property(name="home", data_type=DataType.GEO_COORDINATES),
        Property(name="phone", data_type=DataType.PHONE_NUMBER),
        Property(name="chip", data_type=DataType.OBJECT, nested=(Property(name="maker", data_type=DataType.TEXT),)),
        Property(name="sizes", data_type=DataType.INT_ARRAY),
        Property(name="gone", data_type=DataType.REFERENCE, targets=("Dropped",)),
        Property(name="weight", data_type=DataType.INT),
    ),
)
PERSON = Collection(
    name="Person",
    properties=(Property(name="name", data_type=DataType.TEXT), Property(name="boss", data_type=DataType.REFERENCE, targets=("Person",))),
)
ANN, BEN, CID = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
def engine() -> MemoryEngine:
    made = MemoryEngine()
    for collection in (DOG, PERSON):
        made.create_collection(collection)
    people = [("Ann", ANN, ()), ("Ben", BEN, (Reference("Person", ANN),)), ("Cid", CID, (Reference("Person", BEN),))]
    made.shard("Person").put([Record(id=one, properties={"name": name, "boss": boss}) for name, one, boss in people])
    made.shard("Dog").put([Record(id=UUID(int=10 + one.int), properties={"owner": (Reference("Person", one),)}) for one in (ANN, BEN, CID)])
    return made


def found(engine: MemoryEngine, where: Filter) -> list[int]:
    def target(name: str) -> Target:
        collection = next((c for c in engine.collections() if c.name == name), None)
        if collection is None:
            raise CollectionNotFound(f"there is no {name}")
        return collection, engine.shard(name)

    packed = engine.shard("Dog").passing_ids(bind_filter(where, DOG, targets=target))
    return [packed[start] for start in range(15, len(packed), 16)]


def test_one_hop_and_several(engine: MemoryEngine) -> None:
    """Each collection answers for its own objects, the last one first."""
    named = Compare("name", O.EQUAL, "ann")
    assert found(engine, Through("owner", None, named)) == [11]
    assert found(engine, Through("owner", "Person", Through("boss", None, named))) == [12]
    assert found(engine, Through("owner", "Person", Through("boss", "Person", Through("boss", None, named)))) == [13]
    assert found(engine, Not(Through("owner", None, named))) == [12, 13]
    assert found(engine, Through("owner", None, Not(named))) == [12, 13]
    assert found(engine, And((Through("owner", None, Compare("_id", O.EQUAL, str(BEN))), Compare("owner", O.EQUAL, 1)))) == [12]


def test_several_values_may_be_met_by_several_objects(engine: MemoryEngine) -> None:
    """All of them together by those that one object refers to; none by none of them, which is also so where there are no references."""
    both = (Reference("Person", ANN), Reference("Person", BEN))
    engine.shard("Dog").put([Record(id=UUID(int=20), properties={"owner": both}), Record(id=UUID(int=21))])

    assert found(engine, Through("owner", None, Compare("name", O.CONTAINS_ALL, ("ann", "ben")))) == [20]
    assert found(engine, Through("owner", None, Compare("name", O.CONTAINS_ANY, ("ann", "ben")))) == [11, 12, 20]
    assert found(engine, Through("owner", None, Compare("name", O.CONTAINS_NONE, ("ann", "cid")))) == [12, 21]
    assert found(engine, Through("owner", None, Through("boss", None, Compare("name", O.CONTAINS_NONE, ("ann",))))) == [11, 13, 21]


def test_references_are_counted_and_lengths_compared() -> None:
    """A number on a reference is how many there are; len() is the same for texts and arrays."""
    for value in (2, 2.0):
        for field, meant in (("owner", "len(owner)"), ("len(owner)", "len(owner)"), ("len(breed)", "len(breed)"), ("len(sizes)", "len(sizes)")):
            assert bind_filter(Compare(field, O.LESS_THAN, value), DOG) == Compare(meant, O.LESS_THAN, 2)
    assert bind_filter(Compare("owner", O.IS_NULL, value=True), DOG) == Compare("owner", O.IS_NULL, value=True)
    circle = Compare("home", O.WITHIN_GEO_RANGE, GeoRange(1, 2, 3))
    assert bind_filter(circle, DOG) == circle


@pytest.mark.parametrize(
    "where",
    [
        Compare("len(weight)", O.EQUAL, 1),
        Compare("len(nothing)", O.EQUAL, 1),
        Compare("len(breed)", O.EQUAL, -1),
        Compare("len(breed)", O.EQUAL, 1.5),
        Compare("len(breed)", O.EQUAL, True),
        Compare("len(breed)", O.EQUAL, "many"),
        Compare("len(breed)", O.LIKE, "1*"),
        Compare("len(breed)", O.CONTAINS_ANY, (1, 2)),
        Compare("owner", O.EQUAL, str(ANN)),
        Compare("owner", O.CONTAINS_ANY, (str(ANN),)),
        Compare("home", O.EQUAL, "here"),
        Compare("home", O.EQUAL, GeoRange(1, 2, 3)),
        Compare("home", O.WITHIN_GEO_RANGE, 5),
        Compare("weight", O.WITHIN_GEO_RANGE, GeoRange(1, 2, 3)),
        Compare("weight", O.EQUAL, GeoRange(1, 2, 3)),
        Compare("home", O.WITHIN_GEO_RANGE, GeoRange(91, 2, 3)),
        Compare("home", O.WITHIN_GEO_RANGE, GeoRange(1, 2, -3)),
        Compare("home", O.WITHIN_GEO_RANGE, GeoRange(1, 2, float("nan"))),
        Compare("phone", O.EQUAL, "+49"),
        Compare("phone", O.IS_NULL, value=True),
        Through("breed", None, Compare("name", O.EQUAL, "x")),
        Through("nothing", None, Compare("name", O.EQUAL, "x")),
        Through("friends", None, Compare("name", O.EQUAL, "x")),
        Through("owner", "Dog", Compare("breed", O.EQUAL, "x")),
        Through("owner", "Person", Compare("breed", O.EQUAL, "x")),
    ],
)
def test_what_means_nothing_is_refused(engine: MemoryEngine, where: Filter) -> None:
    """An engine would find nothing, and its user believe it."""
    with pytest.raises(InvalidFilter):
        found(engine, where)


@pytest.mark.parametrize("where", [Compare("chip", O.EQUAL, "x"), Compare("chip.maker", O.EQUAL, "x")])
def test_nested_objects_are_no_field_of_a_filter(where: Filter) -> None:
    """Weaviate has this as a preview only; refused by name, so that nobody looks for a misspelling."""
    with pytest.raises(NotSupported):
        bind_filter(where, DOG)


def test_an_endless_path_and_a_collection_that_is_gone_are_refused(engine: MemoryEngine) -> None:
    """The first would end Python, the second the request."""
    where: Filter = Compare("name", O.EQUAL, "x")
    for _ in range(MAX_DEPTH + 1):
        where = Through("boss", None, where)
    with pytest.raises(InvalidFilter):
        found(engine, Through("owner", None, where))
    with pytest.raises(CollectionNotFound):
        found(engine, Through("gone", None, Compare("name", O.EQUAL, "x")))
    with pytest.raises(NotSupported):
        bind_filter(Through("owner", None, Compare("name", O.EQUAL, "x")), DOG)
