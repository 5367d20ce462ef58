"""The settings of a collection as a whole, which come in blocks: what clients send, and as they are told back.

    {"invertedIndexConfig": {"bm25": {"k1": 1.5}}}   ->   {"bm25": {"k1": 1.5}, "cleanupIntervalSeconds": 60, "stopwords": {...}, "usingBlockMaxWAND": true}

A block that is sent is taken as it is: of a `bm25` with `k1` only, `b` is 0. Zeros of it, and flags that are off, are not told. Keys that no server reads
are not kept. May import msgspec and `domain` only.
"""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.keywords import STOPWORD_PRESETS
from nearimage.domain.schema import Expiry, KeywordSettings, Tenancy
from nearimage.doors.rest.sent import Sent
from nearimage.service.collection_defaults import INVERTED_INDEX, MULTI_TENANCY, REPLICATION, SHARDING, Json, sharding_settings

_OBJECT_TIMES = ("_creationTimeUnix", "_lastUpdateTimeUnix")


class Bm25Body(Sent):
    """How keyword search weighs words, as clients send it."""

    k1: float | None = None
    b: float | None = None


class StopwordsBody(Sent):
    """The stopwords of a collection, as clients send them."""

    preset: str | None = None
    additions: tuple[str, ...] | None = None
    removals: tuple[str, ...] | None = None


class InvertedIndexBody(Sent, rename="camel"):
    """What filters and keyword search go by, as clients send it."""

    bm25: Bm25Body | None = None
    cleanup_interval_seconds: int | None = None
    index_null_state: bool | None = None
    index_property_length: bool | None = None
    index_timestamps: bool | None = None
    stopwords: StopwordsBody | None = None
    stopword_presets: dict[str, tuple[str, ...]] | None = None
    tokenizer_user_dict: list[dict[str, Any]] | None = None


class TenancyBody(Sent, rename="camel"):
    """Whether there are tenants, as clients send it."""

    enabled: bool | None = None
    auto_tenant_creation: bool | None = None
    auto_tenant_activation: bool | None = None


class TtlBody(Sent, rename="camel"):
    """For how long objects live, as clients send it."""

    enabled: bool | None = None
    delete_on: str | None = None
    default_ttl: int | None = None
    filter_expired_objects: bool | None = None


class ReplicationBody(Sent, rename="camel"):
    """How many copies there are, as clients send it."""

    factor: int | None = None
    deletion_strategy: str | None = None
    async_enabled: bool | None = None
    async_config: dict[str, Any] | None = None


def inverted_index(body: InvertedIndexBody | None, expiry: Expiry | None = None) -> Json:
    """What is told of filters and keyword search.

    Args:
        expiry: of the objects; where it goes by a time of theirs, these times are indexed.
    """
    body = body or InvertedIndexBody()
    block: Json = {"bm25": INVERTED_INDEX["bm25"] if body.bm25 is None else _without_zeros(body.bm25)}
    block["cleanupIntervalSeconds"] = body.cleanup_interval_seconds or INVERTED_INDEX["cleanupIntervalSeconds"]
    block["stopwords"] = _stopwords(body)
    block["usingBlockMaxWAND"] = INVERTED_INDEX["usingBlockMaxWAND"]
    flags = {"indexNullState": body.index_null_state, "indexPropertyLength": body.index_property_length, "indexTimestamps": body.index_timestamps}
    flags["indexTimestamps"] = flags["indexTimestamps"] or (expiry is not None and expiry.field in _OBJECT_TIMES)
    block |= {name: True for name, on in flags.items() if on}
    more = {"stopwordPresets": body.stopword_presets, "tokenizerUserDict": body.tokenizer_user_dict}
    return block | {name: value for name, value in more.items() if value}


def _without_zeros(bm25: Bm25Body) -> Json:
    return {name: value for name, value in (("b", bm25.b), ("k1", bm25.k1)) if value}


def _stopwords(body: InvertedIndexBody) -> Json:
    """Words that the preset has already are no additions."""
    words = body.stopwords or StopwordsBody()
    preset, additions = words.preset or "en", words.additions
    own = (body.stopword_presets or {}).get(preset)
    known = STOPWORD_PRESETS.get(preset, frozenset()) if own is None else frozenset(own)
    if additions and known.intersection(additions):
        additions = tuple(word for word in additions if word not in known) or None
    return {"additions": additions and list(additions), "preset": preset, "removals": words.removals and list(words.removals)}


def keyword_settings(body: InvertedIndexBody | None) -> KeywordSettings:
    """How keyword search is tuned.

    Raises:
        InvalidSchema: it cannot be; detail has "setting".
    """
    body = body or InvertedIndexBody()
    k1, b = (KeywordSettings().k1, KeywordSettings().b) if body.bm25 is None else (body.bm25.k1 or 0.0, body.bm25.b or 0.0)
    words = body.stopwords or StopwordsBody()
    if k1 < 0 or not 0 <= b <= 1:
        raise InvalidSchema(f"bm25 needs k1 of 0 or more and b from 0 to 1, got k1 {k1} and b {b}", setting="invertedIndexConfig.bm25")
    preset, additions, removals = words.preset or "en", words.additions or (), words.removals or ()
    if not all(word.strip() for word in additions + removals):
        raise InvalidSchema("a stopword cannot be empty; leave empty texts out", setting="invertedIndexConfig.stopwords")
    if both := sorted(set(additions) & set(removals)):
        raise InvalidSchema(f"{both} cannot be stopwords and none; name each in additions or in removals", setting="invertedIndexConfig.stopwords")
    presets = tuple((body.stopword_presets or {}).items())
    return KeywordSettings(k1=k1, b=b, stopwords=preset, additions=additions, removals=removals, presets=presets)


def tenancy(body: TenancyBody | None) -> Tenancy:
    """Whether there are tenants, and come by themselves."""
    body = body or TenancyBody()
    return Tenancy(enabled=bool(body.enabled), auto_create=bool(body.auto_tenant_creation), auto_activate=bool(body.auto_tenant_activation))


def multi_tenancy(tenants: Tenancy) -> Json:
    """What is told of tenants."""
    return MULTI_TENANCY | {"enabled": tenants.enabled, "autoTenantCreation": tenants.auto_create, "autoTenantActivation": tenants.auto_activate}


def replication(body: ReplicationBody | None) -> Json:
    """What is told of copies: fewer than one are one, as in Weaviate; and one has nobody to catch up with."""
    body = body or ReplicationBody()
    factor = max(body.factor or 0, 1)
    block = REPLICATION | {"factor": factor, "asyncEnabled": bool(body.async_enabled) and factor > 1}
    if body.deletion_strategy:
        block["deletionStrategy"] = body.deletion_strategy
    return block | ({"asyncConfig": body.async_config} if body.async_config else {})


def sharding(given: object) -> Json:
    """What is told of shards.

    Raises:
        InvalidSchema: it is no object; detail has "setting".
    """
    if not isinstance(given, Mapping | None):
        raise InvalidSchema(f"shardingConfig must be an object, got {type(given).__name__}", setting="shardingConfig")
    return sharding_settings(given)


NO_SHARDS: Json = {name: "" if isinstance(value, str) else 0 for name, value in SHARDING.items()}
"""What is told of shards where there are tenants: they are the shards, and come and go."""


def time_to_live(known: TtlBody | None, changes: TtlBody | None) -> Json | None:
    """The Python client sends changes under a key of its own, spelt otherwise, beside what it has read; what they leave out stays."""
    if known is None and changes is None:
        return None
    given = [body for body in (changes, known) if body is not None]

    def said(name: str, default: Any) -> Any:
        return next((value for body in given if (value := getattr(body, name)) is not None), default)

    times = {"deleteOn": said("delete_on", ""), "defaultTtl": said("default_ttl", 0)}
    return {"enabled": said("enabled", False), **times, "filterExpiredObjects": said("filter_expired_objects", False)}


def expiry_of(ttl: Json | None) -> Expiry | None:
    """When objects expire, if they do.

    Raises:
        InvalidSchema: it does not say of which time.
    """
    if ttl is None or not ttl["enabled"]:
        return None
    if not ttl["deleteOn"]:
        raise InvalidSchema("objectTtlConfig needs deleteOn: a time of the object, or a date property", setting="objectTtlConfig")
    return Expiry(ttl["deleteOn"], ttl["defaultTtl"], ttl["filterExpiredObjects"])
