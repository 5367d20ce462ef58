"""What the engine does in the background, and how well its indexes find, as an operator sees it: in the status of shards, of nodes, and in the metrics."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection, Tenancy, Tenant, VectorConfig
from nearimage.doors.metrics import metrics_endpoints, registry_of
from nearimage.doors.rest.call import About
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.ann import Thresholds
from nearimage.engines.embedded.background import shard_prefix
from nearimage.service.services import Parts, Services, build_services
from nearimage.testing.engine_examples import uid
from tests.doors.test_metrics import told
from tests.fakes import FakeClock, FakeMedia
from tests.http_doors import asked, rest_site

MANY = 300


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    """An index is made from a few hundred vectors on."""
    engine = EmbeddedEngine(tmp_path / "data", thresholds=Thresholds(index_from=MANY, index_ns=1, delta=MANY))
    yield engine
    engine.close()


@pytest.fixture
def services(engine: EmbeddedEngine) -> Services:
    """One collection, with an index."""
    services = build_services(Parts(engine=engine, media=FakeMedia(), modules=(), clock=FakeClock()))
    services.collections.create(Collection(name="Dog", vectors=(VectorConfig(name="v"),)))
    vectors = np.random.default_rng(1).standard_normal((MANY, 16)).astype(np.float32)
    services.objects.put_many("Dog", [Draft(id=uid(n), vectors={"v": vectors[n]}) for n in range(MANY)])
    assert engine.background.wait(60)
    return services


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    """REST, with the metrics beside it."""
    about = About(version="1.39.2", hostname="here", max_message_bytes=100_000)
    with ThreadPoolExecutor(2) as executor, asked(rest_site(services, about, metrics_endpoints(registry_of(services))), executor) as client:
        yield client


def shards(client: httpx.Client) -> list[dict[str, object]]:
    """The shard as a collection's, and as a node's."""
    of_node = client.get("/v1/nodes/Dog?output=verbose").json()["nodes"][0]["shards"][0]
    return [client.get("/v1/schema/Dog/shards").json()[0], of_node]


def test_work_that_goes_on_is_shown_and_goes_when_it_ends(client: httpx.Client, engine: EmbeddedEngine, tmp_path: Path) -> None:
    """An operator asks why the machine is busy; at rest a shard looks as every client expects it."""
    name, may_end = shard_prefix(tmp_path / "data/collections/c000001"), threading.Event()

    def wait(_: object) -> None:
        assert may_end.wait(60)

    for thread, task in ((engine.background, "columns"), (engine._checkpoints, "log")):
        thread.submit(f"{name}{task}", wait)
    try:
        assert [shard["background"] for shard in shards(client)] == 2 * [["columns", "log"]]
        found = told(client.get("/metrics").text)
    finally:
        may_end.set()
    assert found["nearimage_background_work", "Dog"] == 2
    assert [found["nearimage_background_task", "Dog", task] for task in ("columns", "log")] == [1, 1]
    assert engine.background.wait(60)
    assert engine._checkpoints.wait(60)
    assert not any({"background", "backgroundFailures"} & shard.keys() for shard in shards(client))
    assert told(client.get("/metrics").text)["nearimage_background_work", "Dog"] == 0


def test_work_that_failed_is_shown_with_its_reason(client: httpx.Client, engine: EmbeddedEngine, tmp_path: Path) -> None:
    """It is tried again some time; until then somebody may want to make room on the disk."""

    def fail(_: object) -> None:
        raise ValueError("no room")

    engine.background.submit(f"{shard_prefix(tmp_path / 'data/collections/c000001')}columns", fail)
    assert engine.background.wait(60)

    assert [shard["backgroundFailures"] for shard in shards(client)] == 2 * [{"columns": "ValueError: no room"}]
    assert told(client.get("/metrics").text)["nearimage_background_failures", "Dog", "columns"] == 1


def test_an_index_tells_how_much_of_what_is_stored_it_finds(client: httpx.Client) -> None:
    """The recall was measured on the user's own vectors; nobody should have to measure it again to know it."""
    for shard in shards(client):
        index = shard["vectorIndexes"]["v"]  # type: ignore[index]
        assert index == {"kind": index["kind"], "vectors": MANY, "indexed": MANY, "recall": index["recall"], "state": "ready"}
        assert 0.99 <= index["recall"] <= 1


def test_looking_at_tenants_opens_none_of_them(services: Services, client: httpx.Client, engine: EmbeddedEngine) -> None:
    """There may be ten thousand, and an operator looks every minute; what is not open is told as such."""
    services.collections.create(Collection(name="Ten", vectors=(VectorConfig(name="v"),), tenancy=Tenancy(enabled=True)))
    services.tenants.create("Ten", [Tenant("ann"), Tenant("ben")])
    services.objects.insert("Ten", Draft(tenant="ann"))

    node = client.get("/v1/nodes/Ten?output=verbose").json()["nodes"][0]

    assert [(shard["name"], shard["loaded"], shard["objectCount"]) for shard in node["shards"]] == [("ann", True, 1), ("ben", False, 0)]
    assert [shard["status"] for shard in client.get("/v1/schema/Ten/shards").json()] == ["READY", "READY"]
    assert not engine.is_at_hand("Ten", "ben")
