"""The settings of a collection that a client did not send, as the clients expect to read them back.

The official clients parse these blocks strictly, so every one is always there. The values are Weaviate's defaults; what a setting changes in this engine
is another question: the index settings change nothing yet, since search is exact.

May import the standard library only.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

INVERTED_INDEX: Json = {
    "bm25": {"b": 0.75, "k1": 1.2},
    "cleanupIntervalSeconds": 60,
    "stopwords": {"additions": None, "preset": "en", "removals": None},
    "usingBlockMaxWAND": True,
}
MULTI_TENANCY: Json = {"autoTenantActivation": False, "autoTenantCreation": False, "enabled": False}
REPLICATION: Json = {"asyncEnabled": False, "deletionStrategy": "TimeBasedResolution", "factor": 1}
SHARDING: Json = {
    "actualCount": 1,
    "actualVirtualCount": 128,
    "desiredCount": 1,
    "desiredVirtualCount": 128,
    "function": "murmur3",
    "key": "_id",
    "strategy": "hash",
    "virtualPerPhysical": 128,
}

_HNSW: Json = {
    "bq": {"enabled": False},
    "cleanupIntervalSeconds": 300,
    "distance": "cosine",
    "dynamicEfFactor": 8,
    "dynamicEfMax": 500,
    "dynamicEfMin": 100,
    "ef": -1,
    "efConstruction": 128,
    "filterStrategy": "acorn",
    "flatSearchCutoff": 40_000,
    "maxConnections": 32,
    "multivector": {
        "aggregation": "maxSim",
        "enabled": False,
        "muvera": {"dprojections": 16, "enabled": False, "ksim": 4, "repetitions": 10},
    },
    "pq": {
        "bitCompression": False,
        "centroids": 256,
        "enabled": False,
        "encoder": {"distribution": "log-normal", "type": "kmeans"},
        "segments": 0,
        "trainingLimit": 100_000,
    },
    "rq": {"bits": 8, "enabled": False, "rescoreLimit": 20},
    "skip": False,
    "skipDefaultQuantization": False,
    "sq": {"enabled": False, "rescoreLimit": 20, "trainingLimit": 100_000},
    "trackDefaultQuantization": False,
    "vectorCacheMaxObjects": 1_000_000_000_000,
}
_FLAT_QUANTIZER: Json = {"cache": False, "enabled": False, "rescoreLimit": -1}
_FLAT: Json = {
    "bq": _FLAT_QUANTIZER,
    "distance": "cosine",
    "pq": _FLAT_QUANTIZER,
    "rq": {"bits": 8, **_FLAT_QUANTIZER},
    "skipDefaultQuantization": False,
    "sq": _FLAT_QUANTIZER,
    "trackDefaultQuantization": False,
    "vectorCacheMaxObjects": 1_000_000_000_000,
}
_DYNAMIC: Json = {"distance": "cosine", "threshold": 10_000, "hnsw": _HNSW, "flat": _FLAT}

_HFRESH: Json = {
    "distance": "cosine",
    "maxPostingSizeKB": 48,
    "replicas": 4,
    "rq": {"bits": 1, "enabled": False, "rescoreLimit": 350},
    "searchProbe": 256,
}

DEFAULT_INDEX = "hnsw"
"""The type of the index where neither a schema nor who runs the server says one."""

_RESCORE_SIGNS = 512
"""Weaviate's `rescoreLimit` of rq with one bit."""

INDEX_SETTINGS: Mapping[str, Json] = {"hnsw": _HNSW, "flat": _FLAT, "dynamic": _DYNAMIC, "hfresh": _HFRESH}
"""The settings of each index type that a schema may name."""


BLOCKS: Mapping[str, Json] = {
    "invertedIndexConfig": INVERTED_INDEX,
    "multiTenancyConfig": MULTI_TENANCY,
    "replicationConfig": REPLICATION,
    "shardingConfig": SHARDING,
}
"""The settings of a collection that ride along, under the names that clients send."""

NO_PROPERTIES: Json = {"properties": []}
"""Rides along where a collection was made with a list of no properties: it is told as such a list, and not as null."""


def index_settings(index_type: str, given: object) -> Json:
    """The settings of an index, completed by its defaults; after a search among signs (rq with one bit) more is measured anew, where nothing else was said."""
    settings = with_defaults(given, INDEX_SETTINGS[index_type])
    graphs = {"hnsw": (given, settings), "dynamic": (_block(given, "hnsw"), settings.get("hnsw"))}
    asked, graph = graphs.get(index_type, (None, None))
    rq = _block(asked, "rq")
    if isinstance(graph, dict) and rq.get("bits") == 1 and rq.get("rescoreLimit") is None:
        graph["rq"] = {**_block(graph, "rq"), "rescoreLimit": _RESCORE_SIGNS}
    return settings


def sharding_settings(given: object) -> Json:
    """What is said of shards; however many were asked for, there is one."""
    settings = with_defaults(given, SHARDING)
    desired, virtual = settings["desiredCount"], settings["virtualPerPhysical"]
    if isinstance(desired, int) and isinstance(virtual, int):
        settings |= {"desiredVirtualCount": desired * virtual, "actualCount": 1, "actualVirtualCount": virtual}
    return settings


def _block(given: object, name: str) -> Json:
    block = given.get(name) if isinstance(given, Mapping) else None
    return dict(block) if isinstance(block, Mapping) else {}


def with_defaults(given: object, defaults: Json) -> Json:
    """What was given, completed by the defaults, block by block; None counts as not given, and what has no default is left out."""
    if not isinstance(given, Mapping):
        return dict(defaults)
    merged = {**defaults, **{key: value for key, value in given.items() if value is not None and key in defaults}}
    for key, default in defaults.items():
        if isinstance(default, dict):
            merged[key] = with_defaults(merged[key], default)
    return merged
