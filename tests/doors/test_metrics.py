"""Figures for monitoring: of every collection, without opening tenants, also where one collection is damaged."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection, Tenancy, Tenant, TenantState, VectorConfig
from nearimage.doors.metrics import metrics_endpoints, registry_of
from nearimage.doors.site import Site
from nearimage.service.services import Services
from tests.fakes import World
from tests.http_doors import asked
from tests.servers import start_server


def told(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and labels."""
    return {(sample.name, *sample.labels.values()): sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def filled() -> Services:
    """Two objects, and a collection with tenants."""
    services = World().services()
    services.collections.create(Collection(name="Dog", vectors=(VectorConfig(name="v"),)))
    services.objects.put_many("Dog", [Draft(id=UUID(int=n), vectors={"v": np.ones(3, np.float32)}) for n in (1, 2)])
    services.collections.create(Collection(name="Ten", vectors=(VectorConfig(name="v"),), tenancy=Tenancy(enabled=True)))
    services.tenants.create("Ten", [Tenant(name="anna"), Tenant(name="bert"), Tenant(name="carl", state=TenantState.INACTIVE)])
    return services


def test_the_figures_are_those_of_the_collections() -> None:
    """Prometheus itself reads them without complaint."""
    with ThreadPoolExecutor(1) as executor, asked(Site(metrics_endpoints(registry_of(filled()))), executor) as client:
        reply = client.get("/metrics")
    found = told(reply.text)
    assert reply.headers["content-type"].startswith("text/plain")
    assert found["nearimage_objects", "Dog"] == 2
    assert found["nearimage_tenants", "Ten", "ACTIVE"] == 2
    assert found["nearimage_tenants", "Ten", "INACTIVE"] == 1
    assert ("nearimage_objects", "Ten") not in found
    assert found["process_resident_memory_bytes",] > 0


def test_a_running_server_answers_beside_rest_and_on_a_port_of_its_own_if_asked(data_folder: Path) -> None:
    """Monitoring that knows Weaviate looks on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"PROMETHEUS_MONITORING_ENABLED": "true", "PROMETHEUS_MONITORING_PORT": str(port)}
    server = start_server(data_folder, environment=environment)
    try:
        for url in (f"{server.url}/metrics", f"http://127.0.0.1:{port}/metrics"):
            assert ("process_resident_memory_bytes",) in told(httpx.get(url).text)
    finally:
        assert server.stop() == 0
