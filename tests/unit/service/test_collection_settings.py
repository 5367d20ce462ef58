"""The settings of a collection as a whole can be kept by one node, or are refused by their name."""

from dataclasses import replace
from typing import Any

import pytest

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import Collection, DataType, Property, Tenancy
from tests.fakes import World


def collection(tenancy: Tenancy | None = None, **settings: Any) -> Collection:
    """A collection with these settings."""
    return Collection(name="Set", settings=settings, tenancy=tenancy or Tenancy())


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        (collection(replicationConfig={"factor": 2}), "replicationConfig.factor"),
        (collection(replicationConfig={"factor": "all"}), "replicationConfig.factor"),
        (collection(replicationConfig={"deletionStrategy": "Hope"}), "replicationConfig.deletionStrategy"),
        (collection(shardingConfig={"key": "breed"}), "shardingConfig.key"),
        (collection(shardingConfig={"function": "crc32"}), "shardingConfig.function"),
        (collection(shardingConfig={"strategy": "range"}), "shardingConfig.strategy"),
        (collection(shardingConfig={"desiredCount": 0}), "shardingConfig.desiredCount"),
        (collection(shardingConfig={"desiredCount": True}), "shardingConfig.desiredCount"),
        (collection(invertedIndexConfig={"cleanupIntervalSeconds": -1}), "invertedIndexConfig.cleanupIntervalSeconds"),
        (collection(Tenancy(auto_create=True)), "multiTenancyConfig.autoTenantCreation"),
        (collection(Tenancy(auto_activate=True)), "multiTenancyConfig.autoTenantActivation"),
    ],
)
def test_what_one_node_cannot_keep_is_refused(wrong: Collection, setting: str) -> None:
    """Who asked for two copies and was told so would count on them."""
    services = World().services()

    with pytest.raises(InvalidSchema) as caught:
        services.collections.create(wrong)

    assert caught.value.detail["setting"] == setting
    assert services.collections.all() == ()


@pytest.mark.parametrize(
    "right",
    [
        collection(replicationConfig={"factor": 1, "deletionStrategy": "DeleteOnConflict"}, shardingConfig={"desiredCount": 3, "key": "_id"}),
        collection(Tenancy(enabled=True, auto_create=True), shardingConfig={"desiredCount": 0, "key": "", "function": "", "strategy": ""}),
    ],
)
def test_what_clients_send_back_is_taken(right: Collection) -> None:
    """More shards than one are only asked for; and Weaviate tells emptiness of the shards where tenants are the shards."""
    World().services().collections.create(right)


def test_settings_of_an_earlier_version_may_stay_but_not_come() -> None:
    """It took everything; such a collection must not be locked."""
    world = World()
    old = collection(Tenancy(auto_create=True), replicationConfig={"factor": 3})
    world.engine.create_collection(old)
    services = world.services()

    services.collections.alter(replace(old, description="still here"))
    with pytest.raises(InvalidSchema):
        services.collections.alter(replace(old, settings={"replicationConfig": {"factor": 2}}))

    assert services.collections.get("Set").settings["replicationConfig"] == {"factor": 3}


@pytest.mark.parametrize("kind", [DataType.TEXT, DataType.BOOLEAN, DataType.INT_ARRAY, DataType.UUID])
def test_ranges_are_of_numbers_and_dates(kind: DataType) -> None:
    """Weaviate has the index for no other, at no depth."""
    services = World().services()
    ranged = Property(name="p", data_type=kind, range_filters=True)
    nested = Property(name="o", data_type=DataType.OBJECT, nested=(ranged,))

    for prop in (ranged, nested):
        with pytest.raises(InvalidSchema) as caught:
            services.collections.create(Collection(name="Set", properties=(prop,)))
        assert caught.value.detail["setting"] == "indexRangeFilters"
    services.collections.create(Collection(name="Set", properties=(replace(ranged, data_type=DataType.DATE),)))
