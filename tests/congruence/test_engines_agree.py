"""The embedded engine answers as the memory engine does, whatever was written and asked in whatever order.

Random collections, writes, restarts and questions go to both; every answer is compared to the last bit. The memory engine is short enough to be right
by reading, so a difference is nearly always the embedded engine's bug, and Hypothesis shrinks it to a few lines.

`NEARIMAGE_CONGRUENCE_EXAMPLES=2000 pytest tests/congruence` looks longer.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from nearimage.domain.errors import NearimageError
from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.objects import IDS_ONLY, Projection, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Shard
from nearimage.testing.engine_contract import assert_same
from nearimage.testing.engine_examples import patch
from nearimage.testing.strategies import IDS, any_vectors, collections, filters, records
from tests.congruence.engines import EXAMPLES, BothEngines

DIMS = 3


class TwoEngines(BothEngines):
    """Both engines, given the same."""

    @initialize(collection=collections())
    def make(self, collection: Collection) -> None:
        self.create(collection)

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        batch = data.draw(st.lists(records(self.collection, DIMS), max_size=5))
        expected, got = (shard.put(batch) for shard in self.shards)
        assert [told(outcome) for outcome in got] == [told(outcome) for outcome in expected]

    @rule(data=st.data(), fresh=st.booleans())
    def put_if(self, data: st.DataObject, *, fresh: bool) -> None:
        record = data.draw(records(self.collection, DIMS))

        def attempt(shard: Shard) -> None:
            stored = shard.get([record.id], IDS_ONLY).get(record.id)
            shard.put_if(record, stored.revision if stored and fresh else 0)

        expected, got = (outcome_of(attempt, shard) for shard in self.shards)
        assert got == expected

    @rule(data=st.data())
    def patch(self, data: st.DataObject) -> None:
        """Other properties, the same vectors: the path on which a slot is kept."""
        everything = Projection(properties=tuple(p.name for p in self.collection.properties), vectors=None)
        other = data.draw(records(self.collection, DIMS))
        for shard in self.shards:
            for stored in shard.get([other.id], everything).values():
                changed = Record(id=stored.id, properties=other.properties, vectors=stored.vectors, created_ms=stored.created_ms, updated_ms=other.updated_ms)
                assert shard.put([changed]) == (None,)

    @rule(data=st.data())
    def patch_properties(self, data: st.DataObject) -> None:
        """Other properties, and what the record does not bring stays."""
        blobs = {p.name for p in self.collection.properties if p.data_type is DataType.BLOB}
        drawn = data.draw(records(self.collection, DIMS))
        fresh = {name: value for name, value in drawn.properties.items() if name not in blobs}

        def change(old: Record) -> Record:
            kept = sorted(old.properties)[:1]
            return replace(old, properties={**fresh, **{name: old.properties[name] for name in kept}}, updated_ms=drawn.updated_ms)

        expected, got = (outcome_of(lambda shard: patch(shard, drawn.id, change), shard) for shard in self.shards)
        assert got == expected

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[UUID]) -> None:
        expected, got = (shard.delete(ids) for shard in self.shards)
        assert got == expected

    @rule()
    def restart(self) -> None:
        self.embedded.close()
        self.embedded = EmbeddedEngine(self.folder)

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        where = data.draw(filters(self.collection))
        expected, got = (shard.count(where) for shard in self.shards)
        assert got == expected
        after, limit, offset = data.draw(st.none() | IDS), data.draw(st.integers(0, 5)), data.draw(st.integers(0, 3))
        pages = [shard.scan(where=where, after=after, limit=limit, offset=offset, projection=Projection(vectors=None)) for shard in self.shards]
        assert_same(pages[0], pages[1], revisions=False)

    @rule(data=st.data())
    def search(self, data: st.DataObject) -> None:
        config = data.draw(st.sampled_from(self.collection.vectors))
        name, query = config.name, data.draw(any_vectors(config, data.draw(st.sampled_from((DIMS, DIMS, DIMS, DIMS + 1)))))
        where: Filter | None = data.draw(st.none() | filters(self.collection))
        limit, offset = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 3))
        max_distance = data.draw(st.none() | st.sampled_from((0.0, 0.5, 1.0, 4.0)))

        def attempt(shard: Shard) -> tuple[object, ...]:
            found = shard.nearest(name, query, limit=limit, offset=offset, where=where, max_distance=max_distance, projection=IDS_ONLY)
            return [record.id for record in found.records], found.distances.tolist(), found.distances.dtype

        expected, got = (outcome_of(attempt, shard) for shard in self.shards)
        assert got == expected

    @precondition(lambda self: hasattr(self, "collection"))
    @invariant()
    def everything_is_the_same(self) -> None:
        names = tuple(p.name for p in self.collection.properties)
        whole = [shard.scan(where=None, after=None, limit=99, offset=0, projection=Projection(properties=names, vectors=None)) for shard in self.shards]
        assert_same(whole[0], whole[1], revisions=False)
        assert self.shards[0].count() == self.shards[1].count()
        assert self.shards[0].stats().dimensions == self.shards[1].stats().dimensions


def outcome_of(attempt: Callable[[Shard], object], shard: Shard) -> object:
    """What it returns, or the error it raises."""
    try:
        return attempt(shard)
    except NearimageError as refused:
        return told(refused)


def told(error: NearimageError | None) -> object:
    """An error's class and detail."""
    return error and (type(error), error.detail)


TwoEngines.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.timeout(0 if EXAMPLES > 60 else 120)
class TestTwoEngines(TwoEngines.TestCase):  # type: ignore[misc, valid-type] # made by Hypothesis
    """Run by pytest."""


@pytest.mark.parametrize("metric", Metric)
def test_large_searches_agree_too(metric: Metric, tmp_path: Path) -> None:
    """Thousands of rows take the paths that few never do: gathering, partition, several chunks, dead slots."""
    rng = np.random.default_rng(11)
    collection = Collection(name="Photo", properties=(Property(name="n", data_type=DataType.INT),), vectors=(VectorConfig(name="v", metric=metric),))
    matrix = rng.integers(-3, 4, (3000, 400)).astype(np.float32) + rng.choice([0, 0.1], (3000, 1)).astype(np.float32)
    matrix[1000:2000] = matrix[:1000]  # ties
    batch = [Record(id=UUID(int=int(rng.integers(1 << 60))), properties={"n": number}, vectors={"v": row}) for number, row in enumerate(matrix)]
    embedded, memory = EmbeddedEngine(tmp_path), MemoryEngine()
    for engine in (embedded, memory):
        engine.create_collection(collection)
        engine.shard("Photo").put(batch)
        engine.shard("Photo").delete([record.id for record in batch[::7]])
    for where in (None, Compare("n", Operator.LESS_THAN, 1500), Compare("n", Operator.LESS_THAN, 200)):
        for limit in (1, 10, 250):
            expected, got = (
                engine.shard("Photo").nearest("v", matrix[3] + 0.25, limit=limit, offset=3, where=where, max_distance=None, projection=IDS_ONLY)
                for engine in (memory, embedded)
            )
            assert [record.id for record in got.records] == [record.id for record in expected.records]
            assert got.distances.tolist() == expected.distances.tolist()
    embedded.close()
