"""The official Python client, unmodified, over each gRPC transport: everything that it sends over gRPC, once."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.servers import start_server
from tests.transport.served import KINDS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import weaviate
    from weaviate.classes.config import Configure, DataType, Property
    from weaviate.classes.query import Filter
    from weaviate.exceptions import WeaviateQueryError

COUNT = 300
RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(COUNT, 512)).astype(np.float32)


def imported(client: Any) -> Any:
    """A collection, filled over a streaming import and an ordinary one."""
    properties = [Property(name="name", data_type=DataType.TEXT), Property(name="weight", data_type=DataType.INT)]
    made = client.collections.create("Thing", properties=properties, vector_config=Configure.Vectors.self_provided())
    with client.batch.stream() if hasattr(client.batch, "stream") else client.batch.dynamic() as batch:
        for n in range(COUNT - 1):
            batch.add_object("Thing", {"name": f"thing {n}", "weight": n}, vector=VECTORS[n].tolist())
    assert client.batch.failed_objects == []
    made.data.insert_many([weaviate.classes.data.DataObject({"name": "the last", "weight": COUNT}, vector=VECTORS[-1].tolist())])
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_client_notices_no_difference(tmp_path: Path, kind: str) -> None:
    """The setting is for whoever runs the server; nobody's program may depend on it."""
    server = start_server(tmp_path / "data", environment={"NEARIMAGE_GRPC_TRANSPORT": kind})
    try:
        with weaviate.connect_to_local(port=server.http_port, grpc_port=server.grpc_port) as client:
            things = imported(client)
            assert things.aggregate.over_all(total_count=True).total_count == COUNT
            near = things.query.near_vector(VECTORS[7].tolist(), limit=3, include_vector=True).objects
            assert near[0].properties["name"] == "thing 7"
            assert len(near[0].vector["default"]) == 512
            assert [one.properties["name"] for one in things.query.bm25("last").objects] == ["the last"]
            assert len(things.query.fetch_objects(limit=COUNT).objects) == COUNT
            with pytest.raises(WeaviateQueryError, match="nothing"):
                things.query.fetch_objects(filters=Filter.by_property("nothing").equal(1))
            assert things.data.delete_many(where=Filter.by_property("weight").less_than(100)).successful == 100
            assert len(things) == COUNT - 100
    finally:
        assert server.stop() == 0
