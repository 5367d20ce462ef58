"""What every engine promises about distances and about the figures of its vector indexes; part of `engine_contract`.

May import pytest, numpy, `domain`, `ports` and `testing`.
"""

import numpy as np
import pytest

from nearimage.domain.errors import DimensionMismatch, VectorNameUnknown
from nearimage.domain.objects import IDS_ONLY, Record
from nearimage.domain.schema import Collection, Metric, VectorConfig
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_examples import photo, uid

_MANY = 3000
"""Enough that an engine with an index set to small sizes uses it, and that partitions and chunks are met."""


class VectorsContract:
    """See `EngineContract`."""

    def test_distances_of_objects_named_are_those_that_a_search_gives(self, shard: Shard) -> None:
        """A search over several vectors asks one vector for the distances of what another found; they must fit together."""
        vectors = np.random.default_rng(4).standard_normal((20, 7)).astype(np.float32)
        shard.put([photo(number, vector.tolist()) for number, vector in enumerate(vectors)])
        shard.put([photo(3, vectors[3].tolist(), int=1), photo(4, vectors[5].tolist())])
        found = shard.nearest("clip", vectors[0], limit=20, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
        expected = dict(zip((record.id for record in found.records), found.distances.tolist(), strict=True))
        assert shard.distances("clip", vectors[0], [uid(number) for number in range(20)]) == expected

    def test_an_object_without_the_vector_has_no_distance(self, shard: Shard) -> None:
        """A made-up distance would rank it."""
        assert shard.distances("clip", np.ones(2, np.float32), [uid(1)]) == {}
        shard.put([photo(1, [1, 0]), photo(2), photo(3, [1, 0, 0], name="Clip"), photo(4, [0, 1])])
        shard.delete([uid(4)])
        assert shard.distances("clip", np.array([1, 0], np.float32), [uid(number) for number in (3, 1, 2, 4, 9, 1)]) == {uid(1): 0}
        assert shard.distances("clip", np.array([1, 0], np.float32), []) == {}

    def test_distances_refuse_what_a_search_refuses(self, shard: Shard) -> None:
        """Else a query would fail on one path and pass on the other."""
        shard.put([photo(1, [1, 0])])
        with pytest.raises(DimensionMismatch):
            shard.distances("clip", np.ones(3, np.float32), [uid(1)])
        with pytest.raises(VectorNameUnknown):
            shard.distances("clop", np.ones(2, np.float32), [uid(1)])

    def test_stats_tell_how_each_vector_is_searched(self, shard: Shard) -> None:
        """An operator wants to know whether a search is exact, and how many vectors there are."""
        shard.put([photo(1, [1, 0]), photo(2), photo(3, [1, 0, 0], name="Clip"), photo(4, [0, 1])])
        shard.delete([uid(4)])
        found = shard.stats().indexes
        assert {name: (index.kind, index.vectors, index.recall, index.state) for name, index in found.items()} == {
            "clip": ("exact", 1, None, "ready"),
            "Clip": ("exact", 1, None, "ready"),
        }

    @pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT, Metric.L2_SQUARED])
    def test_every_hit_of_a_large_search_has_its_exact_distance(self, engine: Engine, metric: Metric) -> None:
        """Whatever an index proposes, users compare distances with thresholds and with each other."""
        engine.create_collection(Collection(name="Many", vectors=(VectorConfig(name="v", metric=metric),)))
        shard = engine.shard("Many")
        vectors = np.random.default_rng(8).standard_normal((_MANY, 12)).astype(np.float32)
        shard.put([Record(id=uid(number), vectors={"v": vector}) for number, vector in enumerate(vectors)])
        found = shard.nearest("v", vectors[0] + 1, limit=50, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
        assert len(found.records) == 50
        assert found.distances.tolist() == sorted(found.distances.tolist())
        ids = [record.id for record in found.records]
        assert dict(zip(ids, found.distances.tolist(), strict=True)) == shard.distances("v", vectors[0] + 1, ids)
