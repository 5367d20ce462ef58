"""What every engine promises about altering a collection; part of `engine_contract`.

May import pytest, numpy, `domain`, `ports` and `testing`.
"""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from nearimage.domain.errors import CollectionNotFound, VectorNameUnknown
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Projection
from nearimage.domain.schema import Collection, DataType, Metric, Property, Tenancy, TenantState, Tokenization, VectorConfig
from nearimage.ports.engine import Engine
from nearimage.testing.engine_examples import photo, uid

SMALL = Collection(name="Photo", properties=(Property(name="int", data_type=DataType.INT),), vectors=(VectorConfig(name="clip"),))

LARGER = replace(
    SMALL,
    properties=(
        *SMALL.properties,
        Property(name="text", data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True),
        Property(name="int[]", data_type=DataType.INT_ARRAY),
        Property(name="blob", data_type=DataType.BLOB),
        Property(name="plain", data_type=DataType.NUMBER, filterable=False),
    ),
    vectors=(*SMALL.vectors, VectorConfig(name="Clip", metric=Metric.L2_SQUARED)),
    description="larger",
    settings={"a": {"b": 1}},
)
"""`SMALL` with properties of several kinds and a named vector more."""


class AlteringContract:
    """See `EngineContract`."""

    reopens: ClassVar[bool] = True

    def open_engine(self, folder: Path) -> Engine:
        """An engine over this folder, which may be new."""
        raise NotImplementedError

    def test_an_altered_collection_comes_back_as_it_was_altered(self, engine: Engine) -> None:
        """Clients read back what they asked for."""
        engine.create_collection(SMALL)
        engine.alter_collection(LARGER)
        assert engine.collections() == (LARGER,)
        with pytest.raises(CollectionNotFound):
            engine.alter_collection(replace(LARGER, name="Missing"))
        assert engine.collections() == (LARGER,)

    def test_objects_stored_before_simply_lack_a_new_property(self, engine: Engine) -> None:
        """They can be filtered by it at once, and so can those that come, through a shard that was held all the time."""
        engine.create_collection(SMALL)
        shard = engine.shard("Photo")
        shard.put([photo(1, [1, 0], int=1), photo(2, [0, 1], int=2)])
        engine.alter_collection(LARGER)
        assert shard.count(Compare("text", Operator.IS_NULL, True)) == 2
        assert shard.count(Compare("text", Operator.EQUAL, "corgi")) == 0
        shard.put([photo(2, [0, 1], int=2, text="a corgi", blob=b"\0", plain=1.5), photo(3, None, {"text": "corgi", "int[]": (1, 5)})])
        assert _found(engine, Compare("text", Operator.EQUAL, "corgi")) == {2, 3}
        assert _found(engine, Compare("int[]", Operator.GREATER_THAN, 4)) == {3}
        assert _found(engine, Compare("blob", Operator.IS_NULL, False)) == {2}
        assert _found(engine, Compare("int", Operator.LESS_THAN, 2)) == {1}
        blob = Projection(properties=("blob", "plain", "text"))
        assert shard.get([uid(2)], blob)[uid(2)].properties == {"text": "a corgi", "blob": b"\0", "plain": 1.5}

    def test_a_new_named_vector_can_be_stored_and_searched_at_once(self, engine: Engine) -> None:
        """Objects stored before lack it, as if it had been left out."""
        engine.create_collection(SMALL)
        shard = engine.shard("Photo")
        shard.put([photo(1, [1, 0])])
        with pytest.raises(VectorNameUnknown):
            _nearest(engine, "Clip", [1, 0, 0])
        assert isinstance(shard.put([photo(2, [1, 0, 0], name="Clip")])[0], VectorNameUnknown)
        engine.alter_collection(LARGER)
        assert _nearest(engine, "Clip", [1, 0, 0]) == []
        assert shard.put([photo(2, [1, 0, 0], name="Clip"), photo(3, [0, 0, 1], name="Clip")]) == (None, None)
        assert _nearest(engine, "Clip", [0, 0, 2]) == [3, 2]
        assert _nearest(engine, "clip", [1, 0]) == [1]

    def test_every_tenant_takes_the_new_definition(self, engine: Engine) -> None:
        """Those in use, those at rest, and those that come later."""
        active, inactive = TenantState.ACTIVE, TenantState.INACTIVE
        engine.create_collection(replace(SMALL, tenancy=Tenancy(enabled=True)))
        engine.create_tenants("Photo", {"anna": active, "bert": active})
        held = engine.shard("Photo", "anna")
        engine.shard("Photo", "bert").put([photo(1)])
        engine.set_tenants("Photo", {"bert": inactive})
        engine.alter_collection(replace(LARGER, tenancy=Tenancy(enabled=True, auto_create=True)))
        engine.set_tenants("Photo", {"bert": active})
        engine.create_tenants("Photo", {"carl": active})
        for shard in (held, engine.shard("Photo", "bert"), engine.shard("Photo", "carl")):
            assert shard.put([photo(2, [1, 0, 0], name="Clip", text="corgi")]) == (None,)
            assert shard.count(Compare("text", Operator.EQUAL, "corgi")) == 1

    def test_an_index_of_a_property_can_be_given_up(self, engine: Engine, tmp_path: Path) -> None:
        """What is stored stays, the other properties are found as before, and writing goes on, also after reopening."""
        engine.create_collection(LARGER)
        engine.shard("Photo").put([photo(1, [1, 0], int=1, text="corgi")])
        bare = tuple(replace(prop, filterable=False, searchable=False) if prop.name == "text" else prop for prop in LARGER.properties)
        engine.alter_collection(replace(LARGER, properties=bare))
        for step in range(2 if self.reopens else 1):
            shard = engine.shard("Photo")
            shard.put([photo(step + 2, [1, 0], int=step + 2, text="a corgi")])
            assert _found(engine, Compare("int", Operator.GREATER_THAN, 0)) == set(range(1, step + 3))
            assert shard.get([uid(1)], Projection(properties=("text",)))[uid(1)].properties == {"text": "corgi"}
            if self.reopens:
                engine.close()
                engine = self.open_engine(tmp_path / "data")
        engine.close()

    def test_an_alteration_outlives_the_process(self, engine: Engine, tmp_path: Path) -> None:
        """With what was stored before and after it."""
        if not self.reopens:
            pytest.skip("this engine keeps nothing")
        engine.create_collection(SMALL)
        engine.shard("Photo").put([photo(1, [1, 0], int=1)])
        engine.alter_collection(LARGER)
        engine.shard("Photo").put([photo(2, [1, 0, 0], name="Clip", text="corgi")])
        engine.close()

        again = self.open_engine(tmp_path / "data")
        try:
            assert again.collections() == (LARGER,)
            assert _found(again, Compare("text", Operator.EQUAL, "corgi")) == {2}
            assert _found(again, Compare("text", Operator.IS_NULL, True)) == {1}
            assert (_nearest(again, "clip", [1, 0]), _nearest(again, "Clip", [1, 0, 0])) == ([1], [2])
        finally:
            again.close()


def _found(engine: Engine, where: Compare) -> set[int]:
    found = engine.shard("Photo").scan(where=where, after=None, limit=99, offset=0, projection=IDS_ONLY)
    return {record.id.int for record in found}


def _nearest(engine: Engine, name: str, query: list[float]) -> list[int]:
    vector = np.array(query, np.float32)
    found = engine.shard("Photo").nearest(name, vector, limit=9, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
    return [record.id.int for record in found.records]
