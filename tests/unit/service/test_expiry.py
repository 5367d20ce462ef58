"""Objects that live for a time only."""

from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidSchema
from nearimage.domain.filters import CREATED_FIELD, UPDATED_FIELD, Compare, Operator
from nearimage.domain.query import Search
from nearimage.domain.schema import Collection, DataType, Expiry, Property, Tenancy, Tenant, TenantState
from nearimage.service.services import Services
from tests.fakes import FakeClock, World

UNTIL = Property(name="until", data_type=DataType.DATE)


def database(expiry: Expiry, clock: FakeClock, tenancy: Tenancy = Tenancy()) -> Services:  # noqa: B008 frozen
    services = World(clock=clock).services()
    services.collections.create(Collection(name="Brief", properties=(UNTIL,), expiry=expiry, tenancy=tenancy))
    return services


def left(services: Services, **query: object) -> int:
    return len(services.searches.run(Search(collection="Brief", **query)).hits)  # type: ignore[arg-type] # the caller's words


@pytest.mark.parametrize("field", [CREATED_FIELD, UPDATED_FIELD])
def test_what_has_expired_is_deleted_and_the_rest_stays(field: str) -> None:
    """By the time that the collection says: of creation, or of the last change."""
    clock = FakeClock()
    services = database(Expiry(field, 60), clock)
    services.objects.insert("Brief", Draft(id=UUID(int=1)))
    clock.now += 50_000
    services.objects.insert("Brief", Draft(id=UUID(int=2)))
    services.objects.merge("Brief", UUID(int=1), Draft())
    assert services.expiries.sweep() == 0

    clock.now += 30_000

    assert services.expiries.sweep() == (1 if field == CREATED_FIELD else 0)
    assert left(services) == (1 if field == CREATED_FIELD else 2)


def test_a_date_of_the_object_counts_if_it_has_one() -> None:
    """Plus the time to live, which may be negative; an object without the date lives on."""
    clock = FakeClock(now=1_704_067_200_000)  # 2024-01-01T00:00:00Z
    services = database(Expiry("until", -3600), clock)
    for date in ("2024-01-01T00:30:00Z", "2024-01-01T02:00:00Z", None):
        services.objects.insert("Brief", Draft(properties={"until": date}))

    assert services.expiries.sweep() == 1
    assert left(services) == 2


def test_expired_objects_are_hidden_from_searches_if_the_collection_says_so() -> None:
    """Before they are deleted, with and without a filter of the caller's."""
    for hide, wanted in ((True, 0), (False, 1)):
        clock = FakeClock()
        services = database(Expiry(CREATED_FIELD, 60, hide), clock)
        services.objects.insert("Brief", Draft())
        assert left(services) == 1
        clock.now += 90_000
        assert left(services) == wanted
        assert left(services, where=Compare(CREATED_FIELD, Operator.GREATER_THAN, 0)) == wanted


def test_tenants_at_rest_and_shards_that_are_read_only_keep_theirs_for_the_next_time() -> None:
    """A sweep wakes nobody, and writes nowhere where nobody may."""
    clock = FakeClock()
    services = database(Expiry(CREATED_FIELD, 60), clock, Tenancy(enabled=True))
    services.tenants.create("Brief", [Tenant(name) for name in ("anna", "bert", "carl")])
    for name in ("anna", "bert", "carl"):
        services.objects.insert("Brief", Draft(tenant=name))
    services.tenants.update("Brief", [Tenant("bert", TenantState.INACTIVE)])
    services.cluster.set_state("Brief", "carl", "READONLY")
    clock.now += 90_000

    assert services.expiries.sweep() == 1

    services.tenants.update("Brief", [Tenant("bert")])
    services.cluster.set_state("Brief", "carl", "READY")
    assert services.expiries.sweep() == 2


@pytest.mark.parametrize("expiry", [Expiry(CREATED_FIELD, 0), Expiry("zzz", 1), Expiry("text", 1), Expiry("bare", 1)])
def test_a_time_to_live_that_cannot_be_is_refused(expiry: Expiry) -> None:
    """It would delete everything, or nothing, and be noticed late."""
    properties = (Property(name="text", data_type=DataType.UUID), Property(name="bare", data_type=DataType.DATE, filterable=False))
    with pytest.raises(InvalidSchema):
        World().services().collections.create(Collection(name="Brief", properties=properties, expiry=expiry))
