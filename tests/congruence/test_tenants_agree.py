"""Tenants, alterations, backups and restarts: the embedded engine answers as the memory engine does, in whatever order they come.

More tenants than shards may be open, so that shards are closed and opened all the time; shards that are held across drops and rests answer alike too.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nearimage.domain.errors import NearimageError
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Projection
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, TenantState, Tokenization, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_contract import assert_same
from nearimage.testing.strategies import IDS, records
from tests.congruence.engines import EXAMPLES
from tests.congruence.test_engines_agree import told

NAMES = tuple(f"t{number}" for number in range(11))
FIRST = Collection(name="Shared", properties=(Property(name="p0", data_type=DataType.INT),), vectors=(VectorConfig(name="v0"),), tenancy=Tenancy(enabled=True))
TYPES = (DataType.INT, DataType.TEXT, DataType.BLOB, DataType.INT_ARRAY, DataType.BOOLEAN, DataType.DATE)

names = st.sampled_from(NAMES)
states = st.dictionaries(names, st.sampled_from((*TenantState, TenantState.ACTIVE, TenantState.ACTIVE)), max_size=6)


Asked = TypeVar("Asked", Engine, Shard)


class TwoEngines(RuleBasedStateMachine):
    """Both engines, given the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="nearimage-tenants-"))
        self.generation = 0
        self.memory = MemoryEngine()
        self.embedded = EmbeddedEngine(self.folder / "data0", open_shards=8)
        self.collection = FIRST
        self.held: list[tuple[Shard, Shard]] = []
        self.both(lambda engine: engine.create_collection(FIRST))
        self.both(lambda engine: engine.create_tenants("Shared", dict.fromkeys(NAMES[:9], TenantState.ACTIVE)))

    def teardown(self) -> None:
        self.embedded.close()
        shutil.rmtree(self.folder)

    def both(self, attempt: Callable[[Engine], object]) -> object:
        """Do the same to both; what one raises, the other must raise."""
        expected, got = (_outcome(attempt, engine) for engine in (self.memory, self.embedded))
        assert got == expected
        return expected

    @rule(tenants=states)
    def create_tenants(self, tenants: dict[str, TenantState]) -> None:
        self.both(lambda engine: engine.create_tenants("Shared", tenants))

    @rule(tenants=states)
    def set_tenants(self, tenants: dict[str, TenantState]) -> None:
        self.both(lambda engine: engine.set_tenants("Shared", tenants))

    @rule(tenants=st.lists(names, max_size=3))
    def drop_tenants(self, tenants: list[str]) -> None:
        self.both(lambda engine: engine.drop_tenants("Shared", tenants))

    @rule(data=st.data(), name=names)
    def put(self, data: st.DataObject, name: str) -> None:
        batch = data.draw(st.lists(records(self.collection, 3), max_size=4))
        self.both(lambda engine: [told(outcome) for outcome in engine.shard("Shared", name).put(batch)])

    @rule(name=names, ids=st.lists(IDS, max_size=4))
    def delete(self, name: str, ids: list[UUID]) -> None:
        self.both(lambda engine: engine.shard("Shared", name).delete(ids))

    @precondition(lambda self: len(self.collection.properties) < 8)
    @rule(data_type=st.sampled_from(TYPES), vector=st.booleans(), auto_create=st.booleans())
    def alter(self, data_type: DataType, *, vector: bool, auto_create: bool) -> None:
        tokenization = Tokenization.WORD if data_type is DataType.TEXT else None
        new = Property(name=f"p{len(self.collection.properties)}", data_type=data_type, tokenization=tokenization)
        vectors = (VectorConfig(name=f"v{len(self.collection.vectors)}"),) if vector else ()
        self.collection = replace(
            self.collection,
            properties=(*self.collection.properties, new),
            vectors=(*self.collection.vectors, *vectors),
            tenancy=Tenancy(enabled=True, auto_create=auto_create),
        )
        self.both(lambda engine: engine.alter_collection(self.collection))

    @rule(name=names)
    def hold(self, name: str) -> None:
        if self.memory.tenants("Shared").get(name) is TenantState.ACTIVE:
            self.held.append((self.memory.shard("Shared", name), self.embedded.shard("Shared", name)))

    @rule()
    def ask_those_held(self) -> None:
        for pair in self.held:
            expected, got = (_outcome(_count, shard) for shard in pair)
            assert got == expected

    @rule()
    def restart(self) -> None:
        self.held.clear()
        self.embedded.close()
        self.embedded = EmbeddedEngine(self.folder / f"data{self.generation}", open_shards=8)

    @rule()
    def go_on_from_a_backup(self) -> None:
        """Copied while it is open, thrown away, and brought back."""
        backup = self.folder / f"backup{self.generation}"
        self.held.clear()
        self.embedded.snapshot(backup)
        self.embedded.close()
        self.generation += 1
        self.embedded = EmbeddedEngine(self.folder / f"data{self.generation}", open_shards=8)
        self.embedded.restore(backup)

    @rule(name=names, data=st.data())
    def ask(self, name: str, data: st.DataObject) -> None:
        prop = data.draw(st.sampled_from(self.collection.properties))
        where = Compare(prop.name, Operator.IS_NULL, data.draw(st.booleans()))
        self.both(lambda engine: engine.shard("Shared", name).count(where))

    @invariant()
    def everything_is_the_same(self) -> None:
        self.both(lambda engine: engine.collections())
        self.both(lambda engine: list(engine.tenants("Shared").items()))
        whole = Projection(properties=tuple(p.name for p in self.collection.properties), vectors=None)
        for name, state in self.memory.tenants("Shared").items():
            if state is TenantState.ACTIVE:
                shards = (self.memory.shard("Shared", name), self.embedded.shard("Shared", name))
                pages = [shard.scan(where=None, after=None, limit=99, offset=0, projection=whole) for shard in shards]
                assert_same(pages[0], pages[1], revisions=False)


def _count(shard: Shard) -> int:
    return len(shard.scan(where=None, after=None, limit=99, offset=0, projection=IDS_ONLY))


def _outcome(attempt: Callable[[Asked], object], asked: Asked) -> object:
    try:
        return attempt(asked)
    except NearimageError as refused:
        return told(refused)


TwoEngines.TestCase.settings = settings(
    max_examples=max(8, EXAMPLES // 6),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(0 if EXAMPLES > 60 else 120)
class TestTenants(TwoEngines.TestCase):  # type: ignore[misc, valid-type] # made by Hypothesis
    """Run by pytest."""
