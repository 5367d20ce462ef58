"""A shard as clients see it, in the forms that Weaviate gives it, and what only this server can tell of it.

`vectorIndexes` is there as soon as a vector has an approximate index or gets one, `background` while something goes on, `backgroundFailures` after something
went wrong: a small shard at rest looks as Weaviate's.

May import `ports`, `service` and `doors` only.
"""

from nearimage.doors.rest.json_body import Json
from nearimage.ports.engine_stats import VectorIndexStats
from nearimage.service.cluster import ShardFigures


def of_node(one: ShardFigures) -> Json:
    """As one of the shards of a node."""
    return {
        "class": one.collection,
        "name": one.name,
        "objectCount": one.objects,
        "vectorIndexingStatus": one.state,
        "vectorQueueLength": one.waiting,
        "compressed": one.compressed,
        "loaded": one.loaded,
        "numberOfReplicas": 1,
        "replicationFactor": 1,
        "asyncReplicationStatus": [],
    } | _beyond(one)


def of_collection(one: ShardFigures, node: str) -> Json:
    """As one of the shards of a collection."""
    return {"name": one.name, "status": one.state, "vectorQueueSize": one.waiting, "per_node_status": {node: one.state}} | _beyond(one)


def _beyond(one: ShardFigures) -> Json:
    beyond = {
        "vectorIndexes": {name: _index(index) for name, index in one.indexes.items()},
        "background": list(one.background),
        "backgroundFailures": dict(one.failures),
    }
    return {name: found for name, found in beyond.items() if found}


def _index(index: VectorIndexStats) -> Json:
    return {"kind": index.kind, "vectors": index.vectors, "indexed": index.indexed, "recall": index.recall, "state": index.state}
