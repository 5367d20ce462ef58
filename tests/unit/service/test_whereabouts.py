"""Objects are found by their ids alone; references reach what they can lead to and nothing else."""

from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput, ObjectNotFound
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, Tenant, TenantState
from nearimage.domain.values import PropertyValue, Reference
from nearimage.service.references import Source
from nearimage.service.services import Services
from tests.fakes import World

ANN, REX, FELIX, NOBODY = (UUID(int=n) for n in range(1, 5))
KEPT, APART = "Kept", "Apart"
"""Collections with tenants."""


@pytest.fixture
def services() -> Services:
    made = World().services(auto_schema=True)
    for name in ("Cat", "Dog"):
        made.collections.create(Collection(name=name))
    for name in (KEPT, APART):
        made.collections.create(Collection(name=name, tenancy=Tenancy(enabled=True), properties=(pets(KEPT, "Dog", "Cat"),)))
        made.tenants.create(name, [Tenant("ann"), Tenant("ben"), Tenant("cold", TenantState.INACTIVE)])
    made.collections.create(Collection(name="Person", properties=(pets("Dog", "Cat", KEPT), pets("Dog", name="only"))))
    for name, object_id in (("Dog", REX), ("Cat", FELIX), ("Person", ANN)):
        made.objects.insert(name, Draft(id=object_id))
    return made


def pets(*targets: str, name: str = "pets") -> Property:
    return Property(name=name, data_type=DataType.REFERENCE, targets=targets)


def beacon(object_id: UUID, collection: str = "") -> str:
    return f"weaviate://localhost/{collection}{'/' if collection else ''}{object_id}"


def source(collection: str = "Person", tenant: str = "", name: str = "pets") -> Source:
    return Source(collection=collection, id=ANN, property=name, tenant=tenant)


def stored(services: Services, collection: str = "Person", tenant: str = "", name: str = "pets") -> PropertyValue | None:
    return services.objects.get(collection, ANN, EVERYTHING_BUT_BLOBS, tenant).properties.get(name)


def test_an_object_has_as_many_homes_as_collections_have_its_id(services: Services) -> None:
    """Nothing keeps two collections from using one id; with a tenant only its own objects count, without one only those of nobody's."""
    services.objects.insert("Cat", Draft(id=REX))
    services.objects.insert(KEPT, Draft(id=REX, tenant="ann"))

    assert list(services.whereabouts.homes(REX)) == ["Cat", "Dog"]
    assert (list(services.whereabouts.homes(REX, "ann")), list(services.whereabouts.homes(REX, "ben"))) == ([KEPT], [])
    assert list(services.whereabouts.homes(REX, "cold")) == list(services.whereabouts.homes(REX, "zoe")) == []
    assert services.whereabouts.home(REX) == "Cat"
    with pytest.raises(ObjectNotFound):
        services.whereabouts.home(NOBODY)


def test_a_beacon_without_a_collection_leads_to_where_its_object_is(services: Services) -> None:
    """Older programs write such beacons; with several targets, only the object says which is meant."""
    services.references.add(source(), beacon(FELIX))
    assert services.references.add_many([(source(), beacon(REX)), (source(), beacon(NOBODY))]).keys() == {1}
    assert stored(services) == (Reference("Cat", FELIX), Reference("Dog", REX))

    services.references.replace(source(), [beacon(REX)])
    assert stored(services) == (Reference("Dog", REX),)

    services.objects.merge("Person", ANN, Draft(properties={"Pets": [{"beacon": beacon(FELIX)}]}))
    services.objects.replace("Person", ANN, Draft(properties={"pets": [{"beacon": beacon(FELIX)}, {"beacon": beacon(REX, "Dog")}]}))
    assert stored(services) == (Reference("Cat", FELIX), Reference("Dog", REX))


def test_a_beacon_without_a_collection_that_leads_nowhere_is_refused(services: Services) -> None:
    """Which collection is meant cannot be guessed; where only one can be, it need not."""
    for properties in ({"pets": [{"beacon": beacon(NOBODY)}]}, {"pets": [7]}, {"pets": "felix"}, {"pets": [{"beacon": 7}]}):
        with pytest.raises(InvalidInput, match="pets"):
            services.objects.insert("Person", Draft(properties=properties))
    services.references.add(source(name="only"), beacon(NOBODY))
    assert stored(services, name="only") == (Reference("Dog", NOBODY),)


def test_a_reference_is_taken_away_by_its_id_alone(services: Services) -> None:
    """Also when its object is long gone."""
    services.references.replace(source(), [beacon(REX), beacon(FELIX)])
    services.objects.delete("Cat", FELIX)

    services.references.delete(source(), beacon(FELIX))
    assert stored(services) == (Reference("Dog", REX),)
    services.references.delete(source(), beacon(REX, "Dog"))
    assert stored(services) == ()
    with pytest.raises(InvalidInput, match="no reference property"):
        services.references.delete(source(name="age"), beacon(REX))


def test_references_stay_within_a_tenant(services: Services) -> None:
    """Nobody could follow one that leads out of it; to what has no tenants, everybody may."""
    services.objects.insert(APART, Draft(id=ANN, tenant="ann"))
    services.objects.insert(KEPT, Draft(id=REX, tenant="ann"))
    services.objects.insert(KEPT, Draft(id=FELIX, tenant="ben"))
    from_ann = source(APART, "ann")

    failed = services.references.add_many([(from_ann, beacon(one, KEPT)) for one in (REX, FELIX)] + [(from_ann, beacon(NOBODY, "Dog"))])

    assert {place: type(wrong) for place, wrong in failed.items()} == {1: InvalidInput}
    assert stored(services, APART, "ann") == (Reference(KEPT, REX), Reference("Dog", NOBODY))
    services.references.replace(from_ann, [beacon(REX), beacon(FELIX)])
    assert stored(services, APART, "ann") == (Reference(KEPT, REX), Reference("Cat", FELIX))
    with pytest.raises(InvalidInput, match="has no tenants"):
        services.references.add(source(), beacon(REX, KEPT))


def test_the_auto_schema_looks_where_beacons_lead(services: Services) -> None:
    """To as many collections as have the objects; a beacon to nowhere teaches nothing."""
    services.objects.insert("Auto", Draft(id=ANN, properties={"pets": [{"beacon": beacon(one)} for one in (REX, FELIX)]}))

    assert services.collections.get("Auto").properties[0].targets == ("Dog", "Cat")
    assert stored(services, "Auto") == (Reference("Dog", REX), Reference("Cat", FELIX))
    with pytest.raises(InvalidInput, match="nowhere"):
        services.objects.insert("Auto", Draft(properties={"nowhere": [{"beacon": beacon(NOBODY)}]}))
