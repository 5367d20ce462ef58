"""The official Python client with places, telephone numbers, nested objects and references: stored, read back, filtered."""

import warnings
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.classes.config import Configure, DataType, Property, ReferenceProperty
    from weaviate.classes.data import GeoCoordinate, PhoneNumber
    from weaviate.classes.query import Filter
    from weaviate.classes.query import GeoCoordinate as Middle
    from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateQueryError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ANN, BEN = UUID(int=101), UUID(int=102)


@pytest.fixture(scope="module")
def places(client: Any) -> Iterator[Any]:
    """Two people, three houses: one stored alone through REST, two through gRPC."""
    named = Property(name="name", data_type=DataType.TEXT)
    people = client.collections.create("Composite_person", properties=[named], vector_config=Configure.Vectors.self_provided())
    people.data.insert({"name": "Ann"}, uuid=ANN)
    people.data.insert({"name": "Ben"}, uuid=BEN)
    inner = [Property(name="colour", data_type=DataType.TEXT), Property(name="sizes", data_type=DataType.INT_ARRAY)]
    houses = client.collections.create(
        "Composite_house",
        properties=[
            named,
            Property(name="where", data_type=DataType.GEO_COORDINATES),
            Property(name="phone", data_type=DataType.PHONE_NUMBER),
            Property(name="door", data_type=DataType.OBJECT, nested_properties=inner),
            Property(name="windows", data_type=DataType.OBJECT_ARRAY, nested_properties=inner),
        ],
        references=[ReferenceProperty(name="owner", target_collection="Composite_person")],
        vector_config=Configure.Vectors.self_provided(),
        inverted_index_config=Configure.inverted_index(index_property_length=True, index_null_state=True),
    )
    phone = PhoneNumber(number="030 1234567", default_country="DE")
    door = {"colour": "red", "sizes": [1, 2]}
    houses.data.insert(
        {"name": "a", "where": GeoCoordinate(latitude=52.52, longitude=13.405), "phone": phone, "door": door, "windows": [door, {"colour": "blue"}]},
        references={"owner": ANN},
        uuid=UUID(int=1),
    )
    with houses.batch.fixed_size(10) as batch:
        batch.add_object(
            {"name": "", "where": GeoCoordinate(latitude=52.4, longitude=13.066), "phone": phone, "door": door, "windows": [door, {"colour": "blue"}]},
            references={"owner": [BEN, ANN]},
            uuid=UUID(int=2),
        )
        batch.add_object({"name": "犬🐶"}, uuid=UUID(int=3))
    assert houses.batch.failed_objects == []
    yield houses
    client.collections.delete(["Composite_house", "Composite_person"])


def found(houses: Any, where: Any) -> set[int]:
    return {one.uuid.int for one in houses.query.fetch_objects(filters=where).objects}


def test_values_come_back_through_both_doors(places: Any) -> None:
    """An object written through REST and one written through gRPC must not differ."""
    for number in (1, 2):
        for got in (places.query.fetch_object_by_id(UUID(int=number)), *places.query.fetch_objects(filters=Filter.by_id().equal(UUID(int=number))).objects):
            values = got.properties
            assert values["where"].latitude == pytest.approx({1: 52.52, 2: 52.4}[number], abs=1e-5)
            assert values["phone"].international_formatted == "+49 30 1234567"
            assert (values["phone"].national, values["phone"].country_code, values["phone"].valid) == (301234567, 49, True)
            assert values["door"] == {"colour": "red", "sizes": [1, 2]}
            assert [window["colour"] for window in values["windows"]] == ["red", "blue"]


def test_filters_on_places_references_lengths_and_gaps(places: Any) -> None:
    """The forms in which the client asks; what they find is tested elsewhere."""
    near = Filter.by_property("where").within_geo_range(coordinate=Middle(latitude=52.52, longitude=13.405), distance=20_000)
    assert found(places, near) == {1}
    assert found(places, Filter.by_ref("owner").by_property("name").equal("ann")) == {1, 2}
    assert found(places, Filter.by_ref("owner").by_id().equal(BEN)) == {2}
    assert found(places, Filter.by_ref_multi_target("owner", target_collection="Composite_person").by_property("name").like("b*")) == {2}
    assert found(places, Filter.by_ref_count("owner").greater_than(1)) == {2}
    assert found(places, Filter.by_ref_count("owner").equal(0)) == {3}
    assert found(places, Filter.by_property("name", length=True).equal(2)) == {3}
    assert found(places, Filter.by_property("name").is_none(True)) == {2}
    assert found(places, Filter.by_property("where").is_none(True)) == {3}


def test_the_schema_comes_back_with_its_nested_properties_and_references(places: Any) -> None:
    """The client parses it strictly."""
    config = places.config.get()
    door = next(p for p in config.properties if p.name == "door")
    assert [inner.name for inner in door.nested_properties] == ["colour", "sizes"]
    assert config.references[0].target_collections == ["Composite_person"]


def test_what_is_wrong_is_refused_by_name(places: Any) -> None:
    """A client's error must say which part of the object it means."""
    with pytest.raises(UnexpectedStatusCodeError, match=r"door\.sizes"):
        places.data.insert({"door": {"sizes": ["x"]}})
    with pytest.raises(UnexpectedStatusCodeError, match="phone"):
        places.data.insert({"phone": PhoneNumber(number="hello", default_country="DE")})
    with pytest.raises(WeaviateQueryError, match="phone"):
        places.query.fetch_objects(filters=Filter.by_property("phone").equal("1"))
