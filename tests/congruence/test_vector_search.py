"""Searches by index and distances agree with the memory engine, whatever was written before.

Thresholds are so low that fifty vectors are indexed. An approximate answer may lack a hit; so what is compared is what every answer owes: as many hits as
there are, only what passes, true distances in order, ties by id, and nearly all of the nearest.
"""

import shutil
import tempfile
from pathlib import Path
from uuid import UUID

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, IDS_ONLY, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.ann import Thresholds
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Shard
from nearimage.testing.engine_examples import uid

DIMS = 6
LOW = Thresholds(index_from=50, index_ns=3 * DIMS, delta=8)
NUMBERS = st.integers(0, 149)


class TwoEngines(RuleBasedStateMachine):
    """Both engines, given the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="nearimage-congruence-"))
        self.memory = MemoryEngine()
        self.embedded = EmbeddedEngine(self.folder, thresholds=LOW)

    def teardown(self) -> None:
        self.embedded.close()
        shutil.rmtree(self.folder)

    @initialize(metric=st.sampled_from([Metric.COSINE, Metric.DOT, Metric.L2_SQUARED]))
    def make(self, metric: Metric) -> None:
        properties = (Property(name="n", data_type=DataType.INT),)
        collection = Collection(name="Photo", properties=properties, vectors=(VectorConfig(name="v", metric=metric),))
        for engine in (self.memory, self.embedded):
            engine.create_collection(collection)
        self.put(0, 150, 0)

    @property
    def shards(self) -> tuple[Shard, Shard]:
        return self.memory.shard("Photo"), self.embedded.shard("Photo")

    @rule(first=NUMBERS, count=st.integers(1, 60), seed=st.integers(0, 99))
    def put(self, first: int, count: int, seed: int) -> None:
        vectors = np.random.default_rng(seed).integers(-3, 4, (count, DIMS)).astype(np.float32) + np.float32(0.5)
        batch = [Record(id=uid(number), properties={"n": number}, vectors={"v": vector}) for number, vector in enumerate(vectors, first)]
        for shard in self.shards:
            shard.put(batch)

    @rule(first=NUMBERS, count=st.integers(1, 20))
    def patch(self, first: int, count: int) -> None:
        """Only the number changes: the slot stays, the row is another."""
        for shard in self.shards:
            found = shard.get([uid(number) for number in range(first, first + count)], EVERYTHING_BUT_BLOBS).values()
            shard.put([Record(id=one.id, properties={"n": 3}, vectors=one.vectors) for one in found])

    @rule(first=NUMBERS, count=st.integers(1, 60))
    def delete(self, first: int, count: int) -> None:
        for shard in self.shards:
            shard.delete([uid(number) for number in range(first, first + count)])

    @rule()
    def settle(self) -> None:
        """Let the background catch up; without it, searches meet old indexes and long deltas."""
        assert self.embedded.background.wait(60)
        assert self.embedded.background.failures() == {}

    @rule()
    def restart(self) -> None:
        self.embedded.close()
        self.embedded = EmbeddedEngine(self.folder, thresholds=LOW)

    @rule(seed=st.integers(0, 99), limit=st.integers(1, 30), bound=st.none() | NUMBERS)
    def search(self, seed: int, limit: int, bound: int | None) -> None:
        query = np.random.default_rng(seed).standard_normal(DIMS).astype(np.float32)
        where: Filter | None = None if bound is None else Compare("n", Operator.LESS_THAN, bound)
        expected, got = (shard.nearest("v", query, limit=limit, offset=0, where=where, max_distance=None, projection=IDS_ONLY) for shard in self.shards)
        true = self.memory.shard("Photo").distances("v", query, [uid(number) for number in range(300)])
        ids = [record.id for record in got.records]
        assert len(ids) == len(expected.records)
        assert [true[one] for one in ids] == got.distances.tolist()
        assert list(zip(got.distances.tolist(), ids, strict=True)) == sorted(zip(got.distances.tolist(), ids, strict=True))
        assert where is None or set(ids) <= passing(self.memory.shard("Photo"), where)
        missed = np.count_nonzero(got.distances > (expected.distances[-1] if ids else 0))
        assert missed <= 1 + len(ids) // 10
        assert self.embedded.shard("Photo").distances("v", query, ids) == {one: true[one] for one in ids}


def passing(shard: Shard, where: Filter) -> set[UUID]:
    """The ids of all that pass."""
    return {record.id for record in shard.scan(where=where, after=None, limit=999, offset=0, projection=IDS_ONLY)}


TestTwoEngines = TwoEngines.TestCase
TestTwoEngines.settings = settings(max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
