"""What every engine promises about distances and about the figures of its vector indexes; part of `engine_contract`.

May import pytest, numpy, `domain`, `ports` and `testing`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from nearimage.domain.columns import packed_ids
from nearimage.domain.errors import DimensionMismatch, VectorNameUnknown
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, IDS_ONLY, Projection, PropertyValue, Record
from nearimage.domain.schema import Collection, Metric, VectorConfig
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_examples import photo, uid

_MANY = 3000
"""Enough that an engine with an index set to small sizes uses it, and that partitions and chunks are met."""


def words(number: int, parts: Sequence[Sequence[float]], /, **values: PropertyValue) -> Record:
    """A photo with a multi-vector."""
    return replace(photo(number, None, values), vectors={"words": np.array(parts, np.float32)})


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

    def test_ids_asked_for_alone_are_those_of_the_whole_objects(self, shard: Shard) -> None:
        """Rankings are joined by ids alone, and then the objects are read: both must mean the same ones, whether looked at one by one or as a page."""
        shard.put([photo(number, [number, 1], int=number) for number in (7, 3, 5, 1)])
        bare, whole = (
            shard.nearest("clip", np.zeros(2, np.float32), limit=4, offset=1, where=None, max_distance=None, projection=projection).records
            for projection in (IDS_ONLY, EVERYTHING_BUT_BLOBS)
        )
        assert packed_ids(bare) == packed_ids(whole) == [uid(number).bytes for number in (3, 5, 7)]
        assert [(record.id, record.revision, dict(record.properties)) for record in bare[1:]] == [(record.id, record.revision, {}) for record in whole[1:]]

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

    def test_multi_vectors_are_ranked_by_the_nearest_of_their_parts(self, shard: Shard) -> None:
        """MaxSim: for each vector of the query the best one of the object counts, however many it has and in whatever order."""
        shard.put([words(1, [[1, 0], [0, 2]]), words(2, [[0, 3]]), words(3, [[1, 1], [-1, 0], [1, 1]]), photo(4, [1, 0])])
        query = np.array([[2, 0], [0, 1]], np.float32)
        found = shard.nearest("words", query, limit=9, offset=0, where=None, max_distance=None, projection=Projection(vectors=None))
        assert [record.id for record in found.records] == [uid(1), uid(3), uid(2)]
        assert found.distances.tolist() == pytest.approx([-2, -(2**0.5), -1], abs=1e-6)
        assert found.records[1].vectors["words"].tolist() == [[1, 1], [-1, 0], [1, 1]]
        assert list(found.records[0].vectors) == ["words"]

    def test_a_multi_vector_is_searched_as_any_other(self, shard: Shard) -> None:
        """Filters, pages, distance limits and look-ups must not depend on the kind of vector."""
        shard.put([words(number, [[1, number], [number, -1]], int=number) for number in range(1, 9)])
        query = np.array([[1, 3]], np.float32)
        whole = shard.nearest("words", query, limit=9, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
        page = shard.nearest("words", query, limit=2, offset=3, where=None, max_distance=None, projection=IDS_ONLY)
        assert [record.id for record in page.records] == [record.id for record in whole.records][3:5]
        near = shard.nearest("words", query, limit=9, offset=0, where=None, max_distance=float(whole.distances[2]), projection=IDS_ONLY)
        assert len(near.records) == 3
        even = shard.nearest("words", query, limit=9, offset=0, where=Compare("int", Operator.GREATER_THAN, 6), max_distance=None, projection=IDS_ONLY)
        assert {record.id for record in even.records} == {uid(7), uid(8)}
        expected = dict(zip((record.id for record in whole.records), whole.distances.tolist(), strict=True))
        assert shard.distances("words", query, [uid(1), uid(5), uid(99)]) == {uid(1): expected[uid(1)], uid(5): expected[uid(5)]}

    def test_a_multi_vector_survives_a_patch_and_goes_with_its_object(self, shard: Shard) -> None:
        """A caption must not cost the vectors, and a deleted object must not be found by them."""
        shard.put([words(1, [[1, 0], [0, 1]], int=1), words(2, [[1, 0]])])
        stored = shard.get([uid(1)], Projection(vectors=None))[uid(1)]
        shard.put([replace(stored, properties={"int": 2})])
        shard.put([words(2, [[0, 1]])])
        found = shard.get([uid(1), uid(2)], Projection(vectors=("words",)))
        assert {one.int: record.vectors["words"].tolist() for one, record in found.items()} == {1: [[1, 0], [0, 1]], 2: [[0, 1]]}
        shard.delete([uid(1)])
        left = shard.nearest("words", np.ones((1, 2), np.float32), limit=9, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
        assert [record.id for record in left.records] == [uid(2)]
        assert shard.stats().indexes["words"].vectors == 1

    def test_the_parts_of_multi_vectors_have_one_length(self, shard: Shard) -> None:
        """They could not be compared; the error must say what is stored, as for other vectors."""
        (fine,) = shard.put([words(1, [[1, 0]])])
        (refused,) = shard.put([words(2, [[1, 0, 0]])])
        assert fine is None
        assert isinstance(refused, DimensionMismatch)
        assert refused.detail == {"vector": "words", "want": 2, "got": 3}
        with pytest.raises(DimensionMismatch):
            shard.nearest("words", np.ones((1, 3), np.float32), limit=1, offset=0, where=None, max_distance=None, projection=IDS_ONLY)

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
