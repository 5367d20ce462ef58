"""Which settings of a collection as a whole can be, beside its properties and vectors.

The rules are Weaviate's on one node, so that a schema moves both ways, and nobody is promised copies that are not made.

May import `domain` only.
"""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import Collection

DELETION_STRATEGIES = ("NoAutomatedResolution", "DeleteOnConflict", "TimeBasedResolution")
_SHARDING = {"key": "_id", "strategy": "hash", "function": "murmur3"}
"""The one way in which Weaviate spreads objects over shards."""


def check_settings(collection: Collection, known: Collection | None = None) -> None:
    """Refuse settings that cannot be.

    Args:
        known: the collection as it is; what it has already may stay.

    Raises:
        InvalidSchema: detail has "setting".
    """
    if known is None or known.tenancy != collection.tenancy:
        _check_tenancy(collection)
    checks = {"replicationConfig": _check_replication, "invertedIndexConfig": _check_inverted_index}
    if not collection.tenancy.enabled:  # tenants are the shards, and what else is said of shards is not looked at
        checks["shardingConfig"] = _check_sharding
    for key, check in checks.items():
        block = collection.settings.get(key)
        if isinstance(block, Mapping) and (known is None or known.settings.get(key) != block):
            check(block)


def _check_tenancy(collection: Collection) -> None:
    tenancy = collection.tenancy
    wanted = {"autoTenantCreation": tenancy.auto_create, "autoTenantActivation": tenancy.auto_activate}
    wrong = [name for name, on in wanted.items() if on and not tenancy.enabled]
    if wrong:
        message = f"multiTenancyConfig.{wrong[0]} needs multi-tenancy; set multiTenancyConfig.enabled too, or leave it out"
        raise InvalidSchema(message, setting=f"multiTenancyConfig.{wrong[0]}")


def _check_replication(block: Mapping[str, Any]) -> None:
    factor, strategy = _whole(block, "replicationConfig", "factor"), block.get("deletionStrategy")
    if factor is not None and factor > 1:
        message = f"replicationConfig.factor {factor}: this server is one node, which keeps one copy of everything; ask for 1, or leave it out"
        raise InvalidSchema(message, setting="replicationConfig.factor")
    if strategy not in (None, "", *DELETION_STRATEGIES):
        message = f"replicationConfig.deletionStrategy is one of {list(DELETION_STRATEGIES)}, got {strategy!r}"
        raise InvalidSchema(message, setting="replicationConfig.deletionStrategy")


def _check_sharding(block: Mapping[str, Any]) -> None:
    for name in ("desiredCount", "virtualPerPhysical"):
        count = _whole(block, "shardingConfig", name)
        if count is not None and count < 1:
            raise InvalidSchema(f"shardingConfig.{name} must be 1 or more, got {count}", setting=f"shardingConfig.{name}")
    for name, only in _SHARDING.items():
        if block.get(name, only) != only:
            raise InvalidSchema(f"shardingConfig.{name} can be {only!r} only, got {block[name]!r}", setting=f"shardingConfig.{name}")


def _check_inverted_index(block: Mapping[str, Any]) -> None:
    seconds = _whole(block, "invertedIndexConfig", "cleanupIntervalSeconds")
    if seconds is not None and seconds < 0:
        message = f"invertedIndexConfig.cleanupIntervalSeconds must be 0 or more, got {seconds}"
        raise InvalidSchema(message, setting="invertedIndexConfig.cleanupIntervalSeconds")


def _whole(block: Mapping[str, Any], key: str, name: str) -> int | None:
    value = block.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise InvalidSchema(f"{key}.{name} must be a whole number, got {value!r}", setting=f"{key}.{name}")
