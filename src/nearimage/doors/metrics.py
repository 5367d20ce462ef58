"""Figures for Prometheus: `GET /metrics` beside REST, and on a port of their own where that is switched on.

    nearimage_objects{collection}                       nearimage_disk_bytes{collection}
    nearimage_vectors{collection,vector,index}          live vectors, by the kind of index that is searched at present
    nearimage_vectors_unindexed{collection,vector}      of those the index does not cover yet: they are measured exactly
    nearimage_vector_recall{collection,vector}          recall@10 measured at the last build
    nearimage_background_work{collection}               pieces of background work at the moment, waiting ones too
    nearimage_background_task{collection,task}          1 for each of them: an index, columns, log, compact, check, backup
    nearimage_background_failures{collection,task}      1 for each that failed when it was last tried
    nearimage_tenants{collection,state}                 of collections with tenants; their shards are not opened for this

and what the process takes. Figures are read when they are asked for. May import prometheus_client, `domain`, `service` and `doors` only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from nearimage.domain.errors import NearimageError
from nearimage.domain.schema import Collection
from nearimage.doors.http1.exchange import Bodiless, Endpoint, Response
from nearimage.service.services import Services

_GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "nearimage_objects": ("Objects stored", ("collection",)),
    "nearimage_disk_bytes": ("Bytes on disk", ("collection",)),
    "nearimage_vectors": ("Live vectors", ("collection", "vector", "index")),
    "nearimage_vectors_unindexed": ("Vectors that the index does not cover yet", ("collection", "vector")),
    "nearimage_vector_recall": ("Recall@10 by distance, measured at the last build of the index", ("collection", "vector")),
    "nearimage_background_work": ("Pieces of background work at the moment, waiting ones too", ("collection",)),
    "nearimage_background_task": ("1 for each piece of background work", ("collection", "task")),
    "nearimage_background_failures": ("1 for each piece of background work that failed when it was last tried", ("collection", "task")),
    "nearimage_tenants": ("Tenants", ("collection", "state")),
}


@dataclass(frozen=True, eq=False)  # a registry tells its collectors apart by identity
class ServiceCollector(Collector):
    """Reads the figures of every collection; one that cannot be read is left out, for the others' sake."""

    services: Services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges, as the registry asks for them."""
        gauges = {name: GaugeMetricFamily(name, about, labels=labels) for name, (about, labels) in _GAUGES.items()}
        for collection in self.services.collections.all():
            try:
                self._read(collection, gauges)
            except NearimageError:
                continue
        yield from gauges.values()

    def _read(self, collection: Collection, gauges: Mapping[str, GaugeMetricFamily]) -> None:
        if collection.tenancy.enabled:
            states = list(self.services.tenants.all(collection.name).values())
            for state in dict.fromkeys(states):
                gauges["nearimage_tenants"].add_metric([collection.name, state], states.count(state))
            return
        stats = self.services.objects.shards.reading(collection, "").stats()
        gauges["nearimage_objects"].add_metric([collection.name], stats.objects)
        gauges["nearimage_disk_bytes"].add_metric([collection.name], stats.disk_bytes)
        gauges["nearimage_background_work"].add_metric([collection.name], len(stats.background))
        for name, tasks in (("nearimage_background_task", stats.background), ("nearimage_background_failures", tuple(stats.failures))):
            for task in tasks:
                gauges[name].add_metric([collection.name, task], 1)
        for name, index in stats.indexes.items():
            gauges["nearimage_vectors"].add_metric([collection.name, name, index.kind], index.vectors)
            if index.recall is not None:
                gauges["nearimage_vector_recall"].add_metric([collection.name, name], index.recall)
                gauges["nearimage_vectors_unindexed"].add_metric([collection.name, name], index.vectors - index.indexed)


def registry_of(services: Services) -> CollectorRegistry:
    """What the figures of one database are read from."""
    registry = CollectorRegistry()
    registry.register(ServiceCollector(services))
    ProcessCollector(registry=registry)
    return registry


def metrics_endpoints(registry: CollectorRegistry) -> tuple[Endpoint, ...]:
    """`GET /metrics`; the figures are read in a thread, because that may open a collection."""

    def open_exchange(*_: object) -> Bodiless:
        return Bodiless(partial(_answer, registry))

    return tuple(Endpoint(method, "/metrics", open_exchange) for method in ("GET", "HEAD"))


def _answer(registry: CollectorRegistry) -> Response:
    return Response(200, generate_latest(registry), CONTENT_TYPE_LATEST)
