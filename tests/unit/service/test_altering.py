"""A collection that has objects is altered as asked, or refused with the name of the setting that may not change."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionNotFound, InvalidSchema
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.query import Search
from nearimage.domain.schema import Collection, DataType, Metric, Property, Tenancy, Tokenization, VectorConfig
from nearimage.service.services import Services
from nearimage.service.targets import target_of
from tests.fakes import World, dogs, image_vector, text

NAMED = dogs(image_vector("clip", "multi2vec-clip"), VectorConfig(name="own", index_settings={"ef": -1, "efConstruction": 128}))


def test_a_new_property_is_filled_and_filtered_at_once() -> None:
    """Objects stored before lack it."""
    services = World().services()
    services.collections.create(dogs())
    services.objects.insert("Dog", Draft(properties={"breed": "corgi"}))
    services.collections.add_property("dog", text("colour"))
    services.objects.insert("Dog", Draft(properties={"breed": "poodle", "colour": "red"}))

    found = services.searches.run(Search(collection="Dog", where=Compare("colour", Operator.EQUAL, "red"))).hits

    assert [hit.record.properties["breed"] for hit in found] == ["poodle"]
    assert [p.name for p in services.collections.get("Dog").properties] == ["breed", "image", "weight", "colour"]


@pytest.mark.parametrize(
    ("prop", "setting"),
    [
        (text("breed"), "properties"),
        (text("BREED"), "properties"),
        (text("id"), "properties.name"),
        (text("not good"), "properties.name"),
        (Property(name="n", data_type=DataType.INT, tokenization=Tokenization.WORD), "tokenization"),
        (Property(name="n", data_type=DataType.INT, searchable=True), "indexSearchable"),
    ],
)
def test_a_property_that_cannot_be_is_not_added(prop: Property, setting: str) -> None:
    """Two that differ in case only would be one in GraphQL."""
    services = World().services()
    services.collections.create(dogs())

    with pytest.raises(InvalidSchema) as caught:
        services.collections.add_property("Dog", prop)

    assert caught.value.detail["setting"] == setting
    assert services.collections.get("Dog").properties == dogs().properties
    with pytest.raises(CollectionNotFound):
        services.collections.add_property("Cat", text("colour"))


def test_properties_added_at_the_same_time_are_all_there() -> None:
    """An import that makes its schema as it goes sends them from many threads; none may be lost."""
    services = World().services()
    services.collections.create(dogs())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: services.collections.add_property("Dog", text(f"p{number}")), range(40)))

    assert len(services.collections.get("Dog").properties) == 43


def test_a_named_vector_is_added_with_its_model() -> None:
    """It is checked and loaded as when the collection is made."""
    services = World().services()
    services.collections.create(NAMED)

    altered = _add_vector(services, image_vector("second"))

    assert (altered.vectors[-1].name, altered.vectors[-1].model) == ("second", "colour")
    assert services.collections.get("Dog") == altered
    for wrong in (image_vector("second"), VectorConfig(name="a b"), VectorConfig(name="v", module="img2vec-martian")):
        with pytest.raises(InvalidSchema):
            _add_vector(services, wrong)


def _add_vector(services: Services, vector: VectorConfig) -> Collection:
    dog = services.collections.get("Dog")
    return services.collections.alter(replace(dog, vectors=(*dog.vectors, vector)))


def test_the_name_of_an_added_vector_may_have_hyphens() -> None:
    """Weaviate checks names more strictly where a collection is made; what was added there has to move over."""
    services = World().services()
    services.collections.create(NAMED)

    assert _add_vector(services, image_vector("second-one")).vectors[-1].name == "second-one"
    with pytest.raises(InvalidSchema):
        services.collections.create(replace(NAMED, name="Other", vectors=(image_vector("second-one"),)))


def test_a_nested_object_may_have_more_and_never_less() -> None:
    """Whatever was stored stays described."""
    services = World().services()
    nested = Property(name="maker", data_type=DataType.OBJECT, nested=(text("name"), text("town")))
    dog = services.collections.create(replace(dogs(), properties=(nested,)))

    more = replace(nested, nested=(*nested.nested, text("id")))
    assert services.collections.alter(replace(dog, properties=(more,))).properties == (more,)
    with pytest.raises(InvalidSchema, match="town"):
        services.collections.alter(replace(dog, properties=(replace(nested, nested=nested.nested[:1]),)))


def test_a_vector_without_a_name_is_meant_also_beside_named_ones() -> None:
    """Programs that name no target work on as before when somebody adds a named vector."""
    services = World().services()
    services.collections.create(dogs())

    altered = _add_vector(services, image_vector("second"))

    assert [vector.name for vector in altered.vectors] == ["default", "second"]
    assert target_of(altered, None).name == "default"


def test_what_may_change_changes_and_the_model_stays() -> None:
    """Clients send the whole definition; what they do not know of must not be lost by it."""
    services = World().services()
    settings = {"shardingConfig": {"desiredCount": 1}, "replicationConfig": {"factor": 1}}
    made = services.collections.create(replace(NAMED, settings=settings, tenancy=Tenancy(enabled=True)))
    own = replace(made.vectors[1], index_settings={"ef": 99, "efConstruction": 128})
    wanted = replace(
        made,
        description="all dogs",
        properties=(replace(made.properties[0], description="which"), *made.properties[1:]),
        vectors=(replace(made.vectors[0], model=""), own),
        settings={"shardingConfig": {"desiredCount": 1}, "invertedIndexConfig": {"bm25": {"b": 0.5}}},
        tenancy=Tenancy(enabled=True, auto_create=True),
    )

    services.collections.alter(wanted)

    assert services.collections.get("Dog") == replace(wanted, vectors=(made.vectors[0], own))


def test_settings_that_were_never_given_may_be_sent_back_as_empty_ones() -> None:
    """Clients read a collection, change a description and send all of it; the module stays without fields, as the auto-schema made it."""
    services = World().services()
    bare = VectorConfig(name="default", module="multi2vec-clip", configured=False)
    services.collections.create(Collection(name="Auto", vectors=(bare,)))

    services.collections.alter(Collection(name="Auto", vectors=(replace(bare, configured=True),), description="hello"))

    (vector,) = services.collections.get("Auto").vectors
    assert (vector.configured, vector.model, services.collections.get("Auto").description) == (False, "colour", "hello")
    services.objects.insert("Auto", Draft())


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [
        (replace(NAMED, properties=NAMED.properties[1:]), "properties"),
        (replace(NAMED, properties=(replace(NAMED.properties[0], filterable=False), *NAMED.properties[1:])), "properties"),
        (replace(NAMED, properties=(*NAMED.properties[:2], Property(name="weight", data_type=DataType.NUMBER))), "properties"),
        (replace(NAMED, vectors=NAMED.vectors[:1]), "vectorConfig"),
        (replace(NAMED, legacy_vector=True), "vectorConfig"),
        (replace(NAMED, vectors=(image_vector("clip"), NAMED.vectors[1])), "vectorizer"),
        (replace(NAMED, vectors=(NAMED.vectors[0], replace(NAMED.vectors[1], metric=Metric.DOT))), "vectorIndexConfig.distance"),
        (replace(NAMED, vectors=(NAMED.vectors[0], replace(NAMED.vectors[1], index_type="flat"))), "vectorIndexType"),
        (replace(NAMED, vectors=(NAMED.vectors[0], replace(NAMED.vectors[1], index_settings={"efConstruction": 9}))), "vectorIndexConfig.efConstruction"),
        (replace(NAMED, tenancy=Tenancy(enabled=True)), "multiTenancyConfig"),
        (replace(NAMED, settings={"shardingConfig": {"desiredCount": 2}}), "shardingConfig"),
        (replace(NAMED, settings={"invertedIndexConfig": {"indexNullState": True}}), "invertedIndexConfig.indexNullState"),
        (replace(NAMED, settings={"invertedIndexConfig": {"indexPropertyLength": True}}), "invertedIndexConfig.indexPropertyLength"),
        (replace(NAMED, settings={"invertedIndexConfig": {"indexNullState": False, "indexTimestamps": True}}), "invertedIndexConfig.indexTimestamps"),
        (replace(NAMED, properties=(*NAMED.properties, text("Weight"))), "properties"),
    ],
)
def test_what_may_not_change_is_refused_by_the_name_of_the_setting(wanted: Collection, setting: str) -> None:
    """And the collection stays as it is."""
    services = World().services()
    made = services.collections.create(NAMED)

    with pytest.raises(InvalidSchema) as caught:
        services.collections.alter(wanted)

    assert caught.value.detail["setting"] == setting
    assert services.collections.get("Dog") == made
