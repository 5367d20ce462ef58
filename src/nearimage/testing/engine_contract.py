"""What every engine promises, as tests: the conformance suite of `nearimage.ports.engine`.

    class TestMyEngine(EngineContract):
        def open_engine(self, folder: Path) -> Engine:
            return MyEngine(folder)

An engine inherits the class and may add tests; it may not override one. Each test states one promise in its name and in its docstring why it matters.
The values a filter must find are written out by hand here; random ones are compared between engines by tests/congruence.

May import pytest, numpy, `domain` and `ports`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from nearimage.domain.errors import (
    Busy,
    CollectionExists,
    CollectionNotFound,
    DimensionMismatch,
    NearimageError,
    ObjectChanged,
    ObjectExists,
    VectorNameUnknown,
)
from nearimage.domain.filters import And, Compare, Filter, FilterValue, Not, Operator, Or
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, IDS_ONLY, Projection, PropertyValue, Record
from nearimage.domain.schema import Collection, DataType, Metric, VectorConfig
from nearimage.ports.engine import Engine, Shard
from nearimage.ports.engine_answers import Nearest
from nearimage.testing.aggregates_contract import AggregatesContract
from nearimage.testing.aliases_contract import AliasesContract
from nearimage.testing.altering_contract import AlteringContract
from nearimage.testing.deleting_contract import DeletingContract
from nearimage.testing.engine_examples import CASES, FILTERED, PHOTOS, photo, uid
from nearimage.testing.filters_contract import FiltersContract
from nearimage.testing.patching_contract import PatchingContract
from nearimage.testing.sorting_contract import SortingContract
from nearimage.testing.tenants_contract import TenantsContract
from nearimage.testing.text_contract import TextContract
from nearimage.testing.vectors_contract import VectorsContract, words
from nearimage.testing.writers_contract import WritersContract

_ALL = Projection(properties=tuple(DataType), vectors=None)

O = Operator  # noqa: E741 short, because it stands in every line


class EngineContract(
    AliasesContract,
    TenantsContract,
    AlteringContract,
    FiltersContract,
    TextContract,
    SortingContract,
    AggregatesContract,
    DeletingContract,
    PatchingContract,
    VectorsContract,
    WritersContract,
):
    """Inherit it, say how to open the engine, and its promises are tested."""

    reopens: ClassVar[bool] = True
    """Whether a folder opened again has what was stored."""

    def open_engine(self, folder: Path) -> Engine:
        """An engine over this folder, which may be new."""
        raise NotImplementedError

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        """An empty database."""
        engine = self.open_engine(tmp_path / "data")
        yield engine
        engine.close()

    @pytest.fixture
    def shard(self, engine: Engine) -> Shard:
        """An empty shard of `PHOTOS`."""
        engine.create_collection(PHOTOS)
        return engine.shard("Photo")

    # collections

    def test_collections_come_in_the_order_of_names_and_case_counts(self, engine: Engine) -> None:
        """Clients list them; a file system that ignores case must not merge two, nor a long name fail."""
        names = ["photo", "Photo", "P" * 255, "PHOTO"]
        for name in names:
            engine.create_collection(Collection(name=name, vectors=(VectorConfig(name="v"),)))
        engine.shard("photo").put([photo(1)])

        assert [c.name for c in engine.collections()] == sorted(names)
        assert [engine.shard(name).count() for name in names] == [1, 0, 0, 0]
        assert [found.name for name in names if (found := engine.find_collection(name))] == names
        assert engine.find_collection("pHOTO") is None

    def test_a_collection_comes_back_as_it_was_made(self, engine: Engine) -> None:
        """Settings ride along for clients that ask for them again."""
        made = Collection(name="A", properties=PHOTOS.properties, vectors=PHOTOS.vectors, description="é", settings={"a": {"b": [1, 2.5, None]}})
        engine.create_collection(made)
        assert engine.collections() == (made,)

    def test_a_taken_name_and_an_unknown_name_are_told_apart(self, engine: Engine) -> None:
        """Each has its own status on the wire."""
        engine.create_collection(PHOTOS)
        with pytest.raises(CollectionExists):
            engine.create_collection(PHOTOS)
        for call in (engine.shard, engine.drop_collection):
            with pytest.raises(CollectionNotFound):
                call("Missing")

    def test_a_dropped_collection_leaves_nothing_to_its_successor(self, engine: Engine, shard: Shard) -> None:
        """The same name made anew must not find old objects."""
        shard.put([photo(1, [1, 0])])
        engine.drop_collection("Photo")
        assert engine.collections() == ()
        with pytest.raises(CollectionNotFound):
            shard.count()
        engine.create_collection(PHOTOS)
        assert engine.shard("Photo").count() == 0
        assert engine.shard("Photo").put([photo(1, [1, 0, 0])]) == (None,)

    def test_after_close_every_call_is_refused_and_closing_twice_is_fine(self, engine: Engine, shard: Shard) -> None:
        """A server that shuts down gets calls until the last moment."""
        engine.close()
        engine.close()
        calls = (engine.collections, lambda: engine.shard("Photo"), lambda: engine.create_collection(PHOTOS), lambda: engine.drop_collection("Photo"))
        for call in (*calls, shard.count, shard.stats, lambda: shard.put([]), lambda: shard.get([], IDS_ONLY), lambda: engine.capabilities):
            with pytest.raises(Busy):
                call()

    def test_reopening_keeps_everything(self, engine: Engine, shard: Shard, tmp_path: Path) -> None:
        """That is what a database is for."""
        if not self.reopens:
            pytest.skip("this engine keeps nothing")
        shard.put([photo(number, [number, 1], {"int[]": (1, 2), "number": 1.0, "int": 1, "blob": b"\0\xff"}) for number in range(1, 6)])
        shard.put([photo(2, None, text="changed"), photo(4, [4, 1], text="patched"), words(6, [[1, 2], [3, 4]])])
        shard.delete([uid(5)])
        before = shard.get([uid(n) for n in range(7)], _ALL)
        stats = shard.stats()
        engine.close()

        again = self.open_engine(tmp_path / "data")
        try:
            after = again.shard("Photo").get([uid(n) for n in range(7)], _ALL)
            assert_same(tuple(before.values()), tuple(after.values()))
            assert again.shard("Photo").stats().dimensions == stats.dimensions
            assert ids(find(again.shard("Photo"), [1, 1])) == [1, 3, 4]
            assert count(again.shard("Photo"), Compare("text", O.EQUAL, "patched")) == 1
            with pytest.raises(ObjectExists):
                again.shard("Photo").put_if(photo(1), 0)
        finally:
            again.close()

    # writing

    def test_put_replaces_an_object_whole(self, shard: Shard) -> None:
        """What the new version lacks must not shine through from the old one."""
        shard.put([photo(1, [1, 0], text="old", int=1, blob=b"x")])
        shard.put([photo(1, None, text="new")])
        (found,) = shard.get([uid(1)], _ALL).values()
        assert found.properties == {"text": "new"}
        assert found.vectors == {}
        assert shard.count() == 1
        assert count(shard, Compare("int", O.EQUAL, 1)) == 0

    def test_the_last_record_of_an_id_wins_in_a_batch(self, shard: Shard) -> None:
        """Clients send an object twice when it changes while they collect a batch."""
        assert shard.put([photo(1, int=1), photo(2, int=2), photo(1, int=3)]) == (None, None, None)
        assert shard.get([uid(1)], Projection())[uid(1)].properties == {"int": 3}
        assert shard.count() == 2

    def test_a_record_that_fails_leaves_the_others_stored(self, shard: Shard) -> None:
        """A batch of 1,000 must not fail for one; the first vector of the call sets the length."""
        outcomes = shard.put([photo(1, [1, 0]), photo(2, [1, 0, 0]), photo(3, [0, 1])])
        assert [type(outcome) for outcome in outcomes] == [type(None), DimensionMismatch, type(None)]
        assert isinstance(outcomes[1], NearimageError)
        assert outcomes[1].detail == {"vector": "clip", "want": 2, "got": 3}
        assert ids(shard.scan(where=None, after=None, limit=9, offset=0, projection=IDS_ONLY)) == [1, 3]

    def test_a_refused_record_keeps_the_version_before(self, shard: Shard) -> None:
        """A write that failed changed nothing, be it in a batch or alone."""
        shard.put([photo(1, [1, 0], int=1)])
        shard.put([photo(1, [1, 0, 0], int=2)])
        with pytest.raises(DimensionMismatch):
            shard.put_if(photo(1, [1], int=3), shard.get([uid(1)], IDS_ONLY)[uid(1)].revision)
        assert shard.get([uid(1)], Projection())[uid(1)].properties == {"int": 1}

    def test_a_vector_the_collection_does_not_have_is_refused(self, shard: Shard) -> None:
        """Storing it would hide a misspelt name for ever."""
        assert isinstance(shard.put([photo(1, [1, 0], name="clop")])[0], VectorNameUnknown)
        with pytest.raises(VectorNameUnknown):
            find(shard, [1, 0], name="clop")

    def test_put_if_compares_revisions(self, shard: Shard) -> None:
        """Two callers who change one object must not overwrite each other unseen."""
        shard.put_if(photo(1, int=1), 0)
        with pytest.raises(ObjectExists):
            shard.put_if(photo(1, int=2), 0)
        revision = shard.get([uid(1)], IDS_ONLY)[uid(1)].revision
        shard.put_if(photo(1, int=3), revision)
        with pytest.raises(ObjectChanged):
            shard.put_if(photo(1, int=4), revision)
        with pytest.raises(ObjectChanged):
            shard.put_if(photo(2), revision)
        assert shard.get([uid(1)], Projection())[uid(1)].properties == {"int": 3}

    def test_revisions_change_with_every_write_and_are_not_given_twice(self, shard: Shard) -> None:
        """An object deleted and made again is not the one a caller has read."""
        seen = set()
        for _ in range(3):
            shard.put([photo(1, [1, 0])])
            seen.add(shard.get([uid(1)], IDS_ONLY)[uid(1)].revision)
            shard.delete([uid(1)])
        assert len(seen) == 3
        assert 0 not in seen

    def test_delete_counts_what_was_there(self, shard: Shard) -> None:
        """Clients report the number."""
        shard.put([photo(1, [1, 0]), photo(2, [1, 0])])
        assert shard.delete([uid(1), uid(9), uid(1)]) == 1
        assert shard.delete([]) == 0
        assert shard.count() == 1
        assert ids(find(shard, [1, 0])) == [2]
        assert list(shard.get([uid(1), uid(2)], IDS_ONLY)) == [uid(2)]

    def test_a_property_can_change_while_vectors_stay(self, shard: Shard) -> None:
        """The commonest update there is; engines may take a shortcut, searches must not notice."""
        shard.put([photo(1, [1, 0], int=1), photo(2, [0, 1], int=1)])
        shard.put([photo(1, [1, 0], int=2)])
        assert ids(find(shard, [1, 0], where=Compare("int", O.EQUAL, 2))) == [1]
        assert ids(find(shard, [1, 0], where=Compare("int", O.EQUAL, 1))) == [2]

    def test_stored_records_do_not_share_the_callers_memory(self, shard: Shard) -> None:
        """A caller reuses its arrays; a caller may also scribble on what it got."""
        record = photo(1, [1, 0])
        shard.put([record])
        record.vectors["clip"][:] = 7
        got = shard.get([uid(1)], EVERYTHING_BUT_BLOBS)[uid(1)]
        got.vectors["clip"][:] = 9
        assert shard.get([uid(1)], EVERYTHING_BUT_BLOBS)[uid(1)].vectors["clip"].tolist() == [1, 0]

    # reading

    def test_values_come_back_with_their_types(self, shard: Shard) -> None:
        """1 and 1.0 are different answers to a typed client; bytes and unicode must survive."""
        values: dict[str, PropertyValue] = {
            "int": 2**63 - 1, "number": 1.0, "text": "null é\0\U0001f436", "blob": bytes(range(256)), "int[]": (1, 2), "text[]": (), "boolean": True,
        }  # fmt: skip
        shard.put([photo(1, [0.1, -0.0], values)])
        found = shard.get([uid(1)], _ALL)[uid(1)]
        assert found.properties == values
        assert {name: type(value) for name, value in found.properties.items()} == {name: type(value) for name, value in values.items()}
        assert found.vectors["clip"].tobytes() == np.array([0.1, -0.0], np.float32).tobytes()
        assert (found.created_ms, found.updated_ms) == (1, 10)

    def test_a_projection_gives_what_was_asked_for(self, shard: Shard) -> None:
        """Pictures are large and come only when named; unknown names give nothing."""
        shard.put([Record(id=uid(1), properties={"int": 1, "blob": b"x"}, vectors={n: np.ones(2, np.float32) for n in ("clip", "Clip")})])

        def got(projection: Projection) -> tuple[set[str], set[str]]:
            found = shard.get([uid(1)], projection)[uid(1)]
            return set(found.properties), set(found.vectors)

        assert got(Projection()) == ({"int"}, set())
        assert got(Projection(properties=())) == (set(), set())
        assert got(Projection(properties=("blob", "nothing"), vectors=("Clip", "nothing"))) == ({"blob"}, {"Clip"})
        assert got(Projection(properties=("int",), vectors=None)) == ({"int"}, {"clip", "Clip"})

    def test_scan_walks_ids_in_order_page_by_page(self, shard: Shard) -> None:
        """A cursor must meet every object once; ids are compared as 16 bytes, not as text or signed numbers."""
        numbers = sorted({0, 1, 255, 256, 1 << 63, 1 << 64, (1 << 64) + 1, (1 << 128) - 1})
        shard.put([Record(id=uid(number), properties={"int": 1}) for number in reversed(numbers)])
        for where in (None, Compare("int", O.EQUAL, 1)):
            seen: list[int] = []
            while page := shard.scan(where=where, after=uid(seen[-1]) if seen else None, limit=3, offset=0, projection=IDS_ONLY):
                seen += ids(page)
            assert seen == numbers
            assert ids(shard.scan(where=where, after=uid(1), limit=2, offset=1, projection=IDS_ONLY)) == numbers[3:5]
            assert shard.scan(where=where, after=None, limit=0, offset=0, projection=IDS_ONLY) == ()

    @pytest.mark.parametrize(("field", "operator", "value", "expected"), CASES)
    def test_a_filter_finds(self, shard: Shard, field: str, operator: Operator, value: FilterValue, expected: set[int]) -> None:
        """Every operator on every data type, with missing values and arrays, as `domain.filters` defines them."""
        shard.put([photo(number, [number, 1], properties) for number, properties in enumerate(FILTERED, 1)])
        where = Compare(field, operator, value)
        assert set(ids(shard.scan(where=where, after=None, limit=9, offset=0, projection=IDS_ONLY))) == expected
        assert set(ids(find(shard, [1, 1], where=where))) == expected
        assert count(shard, where) == len(expected)
        assert count(shard, Not(where)) == 5 - len(expected)

    def test_and_or_and_not_nest(self, shard: Shard) -> None:
        """Joined conditions are what people write."""
        shard.put([photo(number, int=number) for number in range(1, 9)])
        odd = Or(tuple(Compare("int", O.EQUAL, number) for number in (1, 3, 5, 7)))
        where = And((odd, Not(And((Compare("int", O.GREATER_THAN, 2), Compare("int", O.LESS_THAN, 6))))))
        assert ids(shard.scan(where=where, after=None, limit=9, offset=0, projection=IDS_ONLY)) == [1, 7]

    # searching

    def test_nearest_comes_first_and_equals_come_by_id(self, shard: Shard) -> None:
        """Without a rule for ties pages overlap."""
        shard.put([photo(number, [1, 0] if number % 2 else [0, 1]) for number in (5, 2, 3, 4, 1)])
        found = find(shard, [1, 0])
        assert ids(found) == [1, 3, 5, 2, 4]
        assert found.distances.dtype == np.float32
        assert found.distances.tolist() == [0, 0, 0, 1, 1]

    def test_equal_vectors_have_equal_distances_wherever_they_lie(self, shard: Shard) -> None:
        """A matrix product rounds by position; two copies of a picture must tie all the same."""
        vector = np.random.default_rng(5).standard_normal(33).astype(np.float32)
        shard.put([photo(number, vector.tolist()) for number in range(40, 0, -1)])
        found = find(shard, np.roll(vector, 1).tolist(), limit=40)
        assert ids(found) == list(range(1, 41))
        assert len(set(found.distances.tolist())) == 1

    def test_pages_of_a_search_fit_together(self, shard: Shard) -> None:
        """Offset and limit cut one ranking, they do not make another."""
        vectors = np.random.default_rng(6).integers(-2, 3, (50, 3))
        shard.put([photo(number, [*row, 1]) for number, row in enumerate(vectors.tolist())])
        whole = ids(find(shard, [1, 1, 1, 1], limit=50))
        assert [one for start in range(0, 60, 7) for one in ids(find(shard, [1, 1, 1, 1], limit=7, offset=start))] == whole
        assert ids(find(shard, [1, 1, 1, 1], limit=0)) == []

    def test_a_distance_limit_is_inclusive(self, shard: Shard) -> None:
        """A user copies a distance from a result and expects that object again."""
        shard.put([photo(1, [1, 0]), photo(2, [1, 1]), photo(3, [0, 1])])
        second = float(find(shard, [1, 0]).distances[1])
        assert ids(find(shard, [1, 0], max_distance=second)) == [1, 2]
        assert ids(find(shard, [1, 0], max_distance=second, offset=1)) == [2]
        assert ids(find(shard, [1, 0], max_distance=-0.5)) == []

    @pytest.mark.parametrize(
        ("metric", "expected"),
        [
            (Metric.COSINE, [2, 0.2, 0.0]),
            (Metric.DOT, [5, -4, -10]),
            (Metric.L2_SQUARED, [20, 2, 5]),
            (Metric.MANHATTAN, [6, 2, 3]),
            (Metric.HAMMING, [2, 2, 2]),
        ],
    )
    def test_distances_are_those_of_the_metric(self, engine: Engine, metric: Metric, expected: list[float]) -> None:
        """Users compare them with thresholds they have from Weaviate."""
        engine.create_collection(Collection(name="Photo", vectors=(VectorConfig(name="clip", metric=metric),)))
        shard = engine.shard("Photo")
        shard.put([photo(1, [-1, -2]), photo(2, [2, 1]), photo(3, [2, 4])])
        found = find(shard, [1, 2])
        distances = dict(zip(ids(found), found.distances.tolist(), strict=True))
        assert [distances[number] for number in (1, 2, 3)] == pytest.approx(expected, abs=1e-6)
        assert sorted(found.distances.tolist()) == found.distances.tolist()

    def test_objects_without_the_vector_do_not_count(self, shard: Shard) -> None:
        """They have no distance; with several named vectors each has its own objects, length and metric."""
        assert ids(find(shard, [1, 0])) == []
        shard.put([photo(1), photo(2, [1, 0]), photo(3, [1, 0, 0], name="Clip"), photo(4, [0, 1])])
        assert ids(find(shard, [1, 0])) == [2, 4]
        assert ids(find(shard, [1, 0, 0], name="Clip")) == [3]
        assert shard.stats().dimensions == {"clip": 2, "Clip": 3}
        with pytest.raises(DimensionMismatch):
            find(shard, [1, 0, 0])


def find(
    shard: Shard, query: list[float], *, name: str = "clip", limit: int = 10, offset: int = 0, where: Filter | None = None, max_distance: float | None = None
) -> Nearest:
    """`nearest` with defaults."""
    vector = np.array(query, np.float32)
    return shard.nearest(name, vector, limit=limit, offset=offset, where=where, max_distance=max_distance, projection=IDS_ONLY)


def ids(found: Nearest | Sequence[Record]) -> list[int]:
    """The numbers of the ids found, in order."""
    records = found.records if isinstance(found, Nearest) else found
    return [record.id.int for record in records]


def count(shard: Shard, where: Filter) -> int:
    """How many objects pass."""
    return shard.count(where)


def assert_same(left: Sequence[Record], right: Sequence[Record], *, revisions: bool = True) -> None:
    """Records are equal to the last bit of their vectors, in the same order; revisions too, unless two engines are compared."""

    def told(record: Record) -> tuple[object, ...]:
        vectors = {name: vector.tobytes() for name, vector in record.vectors.items()}
        types = {name: type(value) for name, value in record.properties.items()}
        return record.id, record.properties, types, vectors, record.created_ms, record.updated_ms, record.revision if revisions else 0

    assert [told(record) for record in left] == [told(record) for record in right]
