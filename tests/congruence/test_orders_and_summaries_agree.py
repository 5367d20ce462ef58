"""The embedded engine orders, summarises and deletes by filter as the memory engine does, whatever was written before.

Figures are compared with ==, types too: both engines promise the exact arithmetic, rounded once.
"""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from nearimage.domain.aggregates import GROUPED, SUMMARISED, Aggregation
from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD, Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Record
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.testing.strategies import IDS, collections, filters, records
from tests.congruence.engines import EXAMPLES, BothEngines


class TwoEngines(BothEngines):
    """Both engines, given the same."""

    @initialize(collection=collections())
    def make(self, collection: Collection) -> None:
        self.fields = [p.name for p in collection.properties if p.data_type.element in SUMMARISED]
        self.grouped = [p.name for p in collection.properties if p.data_type.element in GROUPED]
        self.create(collection)

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        batch = data.draw(st.lists(records(self.collection), min_size=1, max_size=5))
        for shard in self.shards:
            shard.put(batch)

    @rule(ids=st.lists(IDS, max_size=2))
    def delete(self, ids: list[UUID]) -> None:
        for shard in self.shards:
            shard.delete(ids)

    @rule(data=st.data())
    def delete_where(self, data: st.DataObject) -> None:
        where, limit = data.draw(filters(self.collection)), data.draw(st.none() | st.integers(0, 2))
        expected, got = (shard.delete_where(where, limit=limit) for shard in self.shards)
        assert got == expected

    @rule()
    def restart(self) -> None:
        self.embedded.close()
        self.embedded = EmbeddedEngine(self.folder)

    @rule(data=st.data())
    def order(self, data: st.DataObject) -> None:
        fields = st.sampled_from([*self.fields, ID_FIELD, CREATED_FIELD, UPDATED_FIELD])
        sort = data.draw(st.lists(st.builds(SortBy, fields, st.booleans()), min_size=1, max_size=3))
        where, after = data.draw(st.none() | filters(self.collection)), data.draw(st.none() | IDS)
        limit, offset = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 3))
        expected, got = (shard.scan(where=where, after=after, limit=limit, offset=offset, projection=IDS_ONLY, sort=sort) for shard in self.shards)
        assert [one.id for one in got] == [one.id for one in expected]

    @rule(data=st.data())
    def summarise(self, data: st.DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(self.fields), max_size=3, unique=True)) if self.fields else []
        group_by = data.draw(st.none() | st.sampled_from(self.grouped)) if self.grouped else None
        groups, top = data.draw(st.none() | st.integers(0, 3)), data.draw(st.integers(0, 3))
        where, ids = data.draw(st.none() | filters(self.collection)), data.draw(st.none() | st.lists(IDS, max_size=5))
        spec = Aggregation(properties=dict.fromkeys(names, top), group_by=group_by, groups=groups)
        expected, got = (shard.aggregate(spec, where=where, ids=ids) for shard in self.shards)
        assert repr([told(group) for group in got]) == repr([told(group) for group in expected])


def told(group: object) -> object:
    """A group with -0.0, which equals 0.0 and stands for it in either engine, written as 0.0."""
    if isinstance(group, float):
        return group + 0.0
    if isinstance(group, tuple):
        return tuple(told(part) for part in group)
    if isinstance(group, dict):
        return {name: told(part) for name, part in group.items()}
    slots = getattr(type(group), "__slots__", ())
    return (type(group), [told(getattr(group, name)) for name in slots]) if slots else group


TwoEngines.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.timeout(0 if EXAMPLES > 60 else 120)
class TestTwoEngines(TwoEngines.TestCase):  # type: ignore[misc, valid-type] # made by Hypothesis
    """Run by pytest."""


@pytest.mark.parametrize("is_indexed", [True, False])
def test_large_orders_and_summaries_agree_too(tmp_path: Path, is_indexed: bool) -> None:
    """Thousands of rows take the paths that few never do: samples, ties across the bound, ranks for ties, many groups, dead rows."""
    rng = np.random.default_rng(3)
    types = {"few": DataType.INT, "number": DataType.NUMBER, "date": DataType.DATE, "text": DataType.TEXT, "tags": DataType.TEXT_ARRAY}
    collection = Collection(name="Photo", properties=tuple(Property(name=name, data_type=kind, filterable=is_indexed) for name, kind in types.items()))
    batch = [
        Record(
            id=UUID(int=int(rng.integers(1 << 62)) << 64),
            properties={
                "few": int(rng.integers(3)),
                "number": float(np.round(rng.normal(), 2)) * 10.0 ** int(rng.integers(-3, 20)),
                "date": f"20{int(rng.integers(10, 99))}-01-01T00:00:00.{int(rng.integers(3))}Z",
                "text": f"caption {int(rng.integers(1800))}",
                "tags": tuple(f"t{int(tag)}" for tag in rng.integers(50, size=int(rng.integers(4)))),
            },
        )
        for _ in range(2500)
    ]
    embedded, memory = EmbeddedEngine(tmp_path), MemoryEngine()
    shards = (memory, embedded)
    for engine in shards:
        engine.create_collection(collection)
        engine.shard("Photo").put(batch)
    for dead in (False, True):
        if dead:
            for engine in shards:
                engine.shard("Photo").delete([record.id for record in batch[::7]])
        for where in (None, Compare(CREATED_FIELD, Operator.EQUAL, 0), Compare(ID_FIELD, Operator.LESS_THAN, "4")):
            for keys in (["few", "number"], ["number"], ["date", "text"], ["tags"], ["text"]):
                sort = [SortBy(key, rng.random() < 0.5) for key in keys]
                whole, *pages = (
                    [one.id for one in engine.shard("Photo").scan(where=where, after=None, limit=limit, offset=offset, projection=IDS_ONLY, sort=sort)]
                    for engine, limit, offset in ((memory, 9000, 0), (embedded, 9000, 0), (embedded, 10, 0), (embedded, 30, 700))
                )
                assert pages == [whole, whole[:10], whole[700:730]]
            for group_by in (None, *types):
                spec = Aggregation(properties=dict.fromkeys(types, 5), group_by=group_by, groups=20)
                expected, got = (engine.shard("Photo").aggregate(spec, where=where) for engine in shards)
                assert repr([told(group) for group in got]) == repr([told(group) for group in expected])
    embedded.close()
