"""What every engine promises about changing the properties of an object that is there.

May import numpy, pytest, `domain`, `ports` and the rest of this package.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Projection, PropertyValue, Record
from nearimage.ports.engine import Shard
from nearimage.testing.engine_examples import patch, photo, uid
from nearimage.testing.vectors_contract import words

_WHOLE = Projection(properties=("int", "text", "blob"), vectors=None)


def _saying(**properties: PropertyValue) -> Callable[[Record], Record]:
    return lambda old: replace(old, properties=properties, updated_ms=7)


class PatchingContract:
    """Promises of `Shard.patch`; part of `EngineContract`."""

    def test_a_patch_replaces_properties_and_times_only(self, shard: Shard) -> None:
        """A new caption must cost neither the picture nor its vector."""
        shard.put([photo(1, [1, 0], int=1, text="old", blob=b"picture")])
        assert patch(shard, uid(1), _saying(text="new"))
        found = shard.get([uid(1)], _WHOLE)[uid(1)]
        assert dict(found.properties) == {"text": "new", "blob": b"picture"}
        assert [vector.tolist() for vector in found.vectors.values()] == [[1, 0]]
        assert (found.created_ms, found.updated_ms) == (1, 7)

    def test_filters_and_searches_see_what_a_patch_left(self, shard: Shard) -> None:
        """Searches go by what an engine keeps beside the object: also of blobs and vectors that nobody sent again."""
        shard.put([photo(1, [1, 0], int=1, blob=b"picture"), photo(2, [0, 1], int=2)])
        assert patch(shard, uid(1), _saying(int=5))
        assert [one.id for one in _passing(shard, Compare("int", Operator.EQUAL, 5))] == [uid(1)]
        assert _passing(shard, Compare("int", Operator.EQUAL, 1)) == ()
        assert [one.id for one in _passing(shard, Compare("blob", Operator.IS_NULL, value=False))] == [uid(1)]
        found = shard.nearest(
            "clip", np.array([0, 1], np.float32), limit=2, offset=0, where=Compare("int", Operator.EQUAL, 5), max_distance=None, projection=IDS_ONLY
        )
        assert [one.id for one in found.records] == [uid(1)]

    def test_a_patch_keeps_multi_vectors(self, shard: Shard) -> None:
        """They may be kept elsewhere than other vectors; a caption must not cost them either."""
        shard.put([words(1, [[1, 0], [0, 1]], int=1)])
        assert patch(shard, uid(1), _saying(int=2))
        assert shard.get([uid(1)], _WHOLE)[uid(1)].vectors["words"].tolist() == [[1, 0], [0, 1]]

    def test_several_are_changed_together_and_fail_alone(self, shard: Shard) -> None:
        """References of a batch start at many objects; one that must be refused keeps none of the others from theirs."""
        shard.put([photo(number, [1, 0], int=number, blob=b"picture") for number in (1, 2, 3)])

        def refuse(_: Record) -> Record:
            raise InvalidInput("not this one")

        outcomes = shard.patch({uid(3): _saying(int=30), uid(2): refuse, uid(9): _saying(int=90), uid(1): _saying(int=10)})

        assert {one.int: refused and str(refused) for one, refused in outcomes.items()} == {1: None, 2: "not this one", 3: None}
        found = shard.get([uid(number) for number in (1, 2, 3, 9)], _WHOLE)
        assert {one.int: record.properties["int"] for one, record in found.items()} == {1: 10, 2: 2, 3: 30}
        assert all(record.properties["blob"] == b"picture" for record in found.values())
        assert shard.patch({}) == {}

    def test_what_is_changed_is_the_object_as_it_is(self, shard: Shard) -> None:
        """Two callers who add to one value must not overwrite each other unseen."""
        shard.put([photo(1, [1, 0], int=0, blob=b"picture")])
        given = list[Record]()

        def add(old: Record) -> Record:
            given.append(old)
            return replace(old, properties={"int": int(str(old.properties["int"])) + 1})

        threads = [threading.Thread(target=lambda: [patch(shard, uid(1), add) for _ in range(10)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shard.get([uid(1)], Projection())[uid(1)].properties == {"int": 80}
        assert {tuple(one.properties) for one in given} == {("int",)}
        assert not any(one.vectors for one in given)

    def test_what_is_not_there_is_not_changed(self, shard: Shard) -> None:
        """It would come back without its picture."""
        shard.put([photo(1, [1, 0], int=1)])
        shard.delete([uid(1)])
        assert not patch(shard, uid(1), _saying(int=3))
        assert shard.count() == 0

    def test_a_change_that_fails_changes_nothing(self, shard: Shard) -> None:
        """Whoever finds out that the object must not be changed says so from within."""
        shard.put([photo(1, [1, 0], int=1)])

        def refuse(_: Record) -> Record:
            raise InvalidInput("no")

        with pytest.raises(InvalidInput, match="no"):
            patch(shard, uid(1), refuse)
        assert shard.get([uid(1)], Projection())[uid(1)].properties == {"int": 1}


def _passing(shard: Shard, where: Compare) -> Sequence[Record]:
    return shard.scan(where=where, after=None, limit=9, offset=0, projection=IDS_ONLY)
