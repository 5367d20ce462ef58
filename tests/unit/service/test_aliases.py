"""Other names for collections."""

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import AliasNotFound, CollectionExists, CollectionNotFound, InvalidSchema
from nearimage.domain.query import Search
from nearimage.domain.schema import Collection, Tenancy, Tenant
from nearimage.service.services import Services
from tests.fakes import World


@pytest.fixture
def services() -> Services:
    services = World().services()
    for name in ("One", "Two"):
        services.collections.create(Collection(name=name))
    return services


def test_an_alias_is_good_wherever_a_name_is(services: Services) -> None:
    """Reading, writing, searching: whoever uses the alias sees the collection behind it, also after it moved on."""
    assert services.aliases.create("both", "one") == ("Both", "One")
    services.objects.insert("Both", Draft())
    assert len(services.searches.run(Search(collection="both")).hits) == 1
    assert services.collections.get("Both").name == "One"

    services.aliases.replace("Both", "Two")

    assert services.searches.run(Search(collection="Both")).hits == ()


def test_dropping_by_an_alias_drops_nothing(services: Services) -> None:
    """Others use the collection by its own name."""
    services.aliases.create("Both", "One")

    assert not services.collections.drop("Both")
    assert services.collections.get("One").name == "One"


def test_tenants_are_not_managed_by_an_alias(services: Services) -> None:
    """For the same reason; they are read by it."""
    services.collections.create(Collection(name="Ten", tenancy=Tenancy(enabled=True)))
    services.aliases.create("Alias", "Ten")
    ann = [Tenant("ann")]
    services.tenants.create("ten", ann)

    for act in (services.tenants.create, services.tenants.update):
        with pytest.raises(CollectionNotFound, match="'Ten'"):
            act("alias", ann)
    with pytest.raises(CollectionNotFound, match="'Ten'"):
        services.tenants.delete("Alias", ["ann"])
    assert services.tenants.exists("Alias", "ann")
    services.objects.insert("Alias", Draft(tenant="ann"))


def test_a_name_means_one_thing(services: Services) -> None:
    """No alias takes a collection's name, and no collection an alias's, whatever the case."""
    services.aliases.create("Both", "One")

    for taken in ("Two", "two", "TWO", "Both", "BOTH"):
        with pytest.raises(CollectionExists):
            services.aliases.create(taken, "One")
    with pytest.raises(CollectionExists):
        services.collections.create(Collection(name="BOTH"))


def test_what_is_not_there_is_named(services: Services) -> None:
    """Each error for what is missing."""
    with pytest.raises(CollectionNotFound):
        services.aliases.create("Both", "Three")
    with pytest.raises(InvalidSchema, match="an alias"):
        services.aliases.create("a b", "One")
    for act in (lambda: services.aliases.get("Both"), lambda: services.aliases.drop("Both"), lambda: services.aliases.replace("Both", "One")):
        with pytest.raises(AliasNotFound):
            act()
    assert services.aliases.all() == {}
