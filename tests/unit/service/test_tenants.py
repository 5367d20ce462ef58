"""Tenants are made, listed, changed and dropped as asked; requests reach the tenant they name and no other."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import (
    CollectionNotFound,
    InvalidTenant,
    NearimageError,
    ObjectNotFound,
    TenantNotActive,
    TenantNotAllowed,
    TenantNotFound,
    TenantRequired,
)
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, Record
from nearimage.domain.query import NearObject, NearVector, Search
from nearimage.domain.schema import Tenancy, Tenant, TenantState
from nearimage.service.services import Services
from tests.fakes import RED, World, dogs

ACTIVE, INACTIVE = TenantState.ACTIVE, TenantState.INACTIVE
ID, OTHER = UUID(int=1), UUID(int=2)


def world(**tenancy: bool) -> Services:
    """A database with the collection Dog, which has tenants anna and bert, and Cat, which has none."""
    services = World().services()
    services.collections.create(replace(dogs(), tenancy=Tenancy(enabled=True, **tenancy)))
    services.collections.create(dogs(name="Cat"))
    services.tenants.create("dog", [Tenant("bert"), Tenant("anna")])
    return services


def test_tenants_are_listed_with_their_states() -> None:
    """By either spelling of the collection's name, as everywhere."""
    services = world()
    services.tenants.create("Dog", [Tenant("cold", INACTIVE), Tenant("anna", INACTIVE)])
    services.tenants.update("dog", [Tenant("bert", INACTIVE)])

    assert list(services.tenants.all("dog").items()) == [("anna", ACTIVE), ("bert", INACTIVE), ("cold", INACTIVE)]
    assert (services.tenants.find("Dog", "bert"), services.tenants.find("Dog", "zoe")) == (INACTIVE, None)
    assert (services.tenants.exists("Dog", "anna"), services.tenants.exists("Dog", "Anna")) == (True, False)
    services.tenants.delete("dog", ["anna", "zoe"])
    assert list(services.tenants.all("Dog")) == ["bert", "cold"]


@pytest.mark.parametrize("name", ["", "a b", "é", "a/b", "a" * 65])
def test_a_name_that_cannot_be_is_refused_with_its_place(name: str) -> None:
    """A request may name thousands; none of them is made."""
    services = world()

    with pytest.raises(InvalidTenant, match="index 1") as caught:
        services.tenants.create("Dog", [Tenant("carl"), Tenant(name)])

    assert caught.value.detail == {"tenant": name}
    assert not services.tenants.exists("Dog", "carl")


@pytest.mark.parametrize(
    ("tenants", "error"),
    [
        ([Tenant("anna"), Tenant("anna", INACTIVE)], InvalidTenant),
        ([Tenant("anna", TenantState.OFFLOADED)], InvalidTenant),
        ([Tenant("anna", INACTIVE), Tenant("zoe", INACTIVE)], TenantNotFound),
    ],
)
def test_a_change_that_cannot_be_made_whole_is_not_made(tenants: list[Tenant], error: type[NearimageError]) -> None:
    """Which of two states was meant, nobody knows; offloading needs a place that this server does not have."""
    services = world()

    with pytest.raises(error):
        services.tenants.update("Dog", tenants)

    assert services.tenants.all("Dog") == {"anna": ACTIVE, "bert": ACTIVE}


def test_only_collections_with_tenants_have_any() -> None:
    """The error says what to change: the collection, or its name."""
    services = world()
    for name, error in (("Cat", TenantNotAllowed), ("Bird", CollectionNotFound)):
        with pytest.raises(error):
            services.tenants.create(name, [Tenant("anna")])
        with pytest.raises(error):
            services.tenants.all(name)


def test_every_request_reaches_the_tenant_that_it_names() -> None:
    """Insert, read, replace, merge, delete, search and list: the same id is another object in another tenant."""
    services = world()
    for tenant, breed in (("anna", "corgi"), ("bert", "poodle")):
        services.objects.insert("Dog", Draft(id=ID, properties={"breed": breed, "image": RED}, tenant=tenant))
    services.objects.merge("Dog", ID, Draft(properties={"weight": 7}, tenant="anna"))
    services.objects.replace("Dog", ID, Draft(properties={"breed": "beagle", "image": RED}, tenant="bert"))

    assert _breed(services, "anna") == {"breed": "corgi", "weight": 7}
    assert _breed(services, "bert") == {"breed": "beagle"}
    near = (NearObject(id=ID), NearVector(vectors=(np.ones(3, np.float32),)))
    for query in near:
        (hit,) = services.searches.run(Search(collection="Dog", by=query, tenant="anna")).hits
        assert hit.record.properties["breed"] == "corgi"
    assert len(services.searches.run(Search(collection="Dog", tenant="bert")).hits) == 1
    assert services.pictures.get("Dog", ID, "image", tenant="bert").data
    assert services.objects.delete("Dog", ID, "anna")
    with pytest.raises(ObjectNotFound):
        services.objects.get("Dog", ID, EVERYTHING_BUT_BLOBS, "anna")
    assert _breed(services, "bert") == {"breed": "beagle"}


def test_a_batch_may_hold_objects_of_several_tenants() -> None:
    """Each is stored with its own, or says why not; the others are not held up by an unknown tenant."""
    services = world()
    services.tenants.create("Dog", [Tenant("cold", INACTIVE)])
    names = ["anna", "zoe", "bert", "cold", "", "anna"]
    drafts = [Draft(properties={"breed": name}, tenant=name) for name in names]
    drafts.append(Draft(properties={"breed": 7}, tenant="anna"))

    outcomes = services.objects.put_many("Dog", drafts)

    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["Record", "TenantNotFound", "Record", "TenantNotActive", "TenantRequired", "Record", "InvalidValue"]
    assert [record.properties["breed"] for record in outcomes if isinstance(record, Record)] == ["anna", "bert", "anna"]
    assert [len(services.searches.run(Search(collection="Dog", tenant=name)).hits) for name in ("anna", "bert")] == [2, 1]


@pytest.mark.parametrize(
    ("collection", "tenant", "error"),
    [("Dog", "", TenantRequired), ("Dog", "zoe", TenantNotFound), ("Dog", "bert", TenantNotActive), ("Cat", "anna", TenantNotAllowed)],
)
def test_a_request_that_names_the_wrong_tenant_is_refused(collection: str, tenant: str, error: type[NearimageError]) -> None:
    """Reading and writing alike."""
    services = world()
    services.tenants.update("Dog", [Tenant("bert", INACTIVE)])
    calls = (
        lambda: services.objects.insert(collection, Draft(id=ID, tenant=tenant)),
        lambda: services.objects.get(collection, ID, EVERYTHING_BUT_BLOBS, tenant),
        lambda: services.objects.delete(collection, ID, tenant),
        lambda: services.searches.run(Search(collection=collection, tenant=tenant)),
    )
    for call in calls:
        with pytest.raises(error):
            call()


def test_tenants_come_by_themselves_only_where_the_collection_says_so() -> None:
    """A read of a tenant that is not there makes none; a name that cannot be makes none either."""
    services = world(auto_create=True)
    services.objects.insert("Dog", Draft(id=ID, tenant="zoe"))
    assert services.tenants.all("Dog")["zoe"] is ACTIVE
    with pytest.raises(TenantNotFound):
        services.searches.run(Search(collection="Dog", tenant="yan"))
    with pytest.raises(InvalidTenant):
        services.objects.insert("Dog", Draft(tenant="not good"))
    assert list(services.tenants.all("Dog")) == ["anna", "bert", "zoe"]


def test_tenants_wake_by_themselves_only_where_the_collection_says_so() -> None:
    """On the first read or write, and they stay awake."""
    services = world(auto_activate=True)
    services.tenants.update("Dog", [Tenant("anna", INACTIVE), Tenant("bert", INACTIVE)])
    assert services.searches.run(Search(collection="Dog", tenant="anna")).hits == ()
    assert services.tenants.all("Dog") == {"anna": ACTIVE, "bert": INACTIVE}
    services.objects.put_many("Dog", [Draft(id=OTHER, tenant="bert")])
    assert services.tenants.all("Dog") == {"anna": ACTIVE, "bert": ACTIVE}


def test_warming_up_opens_no_tenants(caplog: pytest.LogCaptureFixture) -> None:
    """There may be ten thousand of them."""
    services = world()
    services.warm_up()
    assert "Dog" not in caplog.text


def _breed(services: Services, tenant: str) -> dict[str, object]:
    return dict(services.objects.get("Dog", ID, EVERYTHING_BUT_BLOBS, tenant).properties)
