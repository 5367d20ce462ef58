"""What every engine promises about deleting by filter: the part of the conformance suite for `Shard.delete_where`.

`EngineContract` inherits it. May import pytest, `domain` and `ports`.
"""

import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from nearimage.domain.filters import Compare, Not, Operator
from nearimage.domain.objects import IDS_ONLY
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_examples import photo, uid


class DeletingContract:
    """The promises about deleting by filter; `EngineContract` brings the fixtures."""

    reopens: ClassVar[bool]

    def open_engine(self, folder: Path) -> Engine:
        """As `EngineContract` has it."""
        raise NotImplementedError

    def test_delete_where_tells_the_ids_it_deleted(self, shard: Shard) -> None:
        """Clients show them one by one; what does not pass stays."""
        shard.put([photo(number, [number, 1], int=number % 3) for number in (5, 1, 4, 2, 3, 6)])
        assert shard.delete_where(Compare("int", Operator.EQUAL, 0)) == (uid(3), uid(6))
        assert shard.delete_where(Compare("int", Operator.EQUAL, 0)) == ()
        assert shard.count() == 4
        assert shard.count(Compare("int", Operator.EQUAL, 0)) == 0
        assert shard.put([photo(3, [1, 1])]) == (None,)
        assert shard.count() == 5

    def test_a_limit_deletes_what_was_made_first(self, shard: Shard) -> None:
        """A caller who deletes in portions calls until nothing is left, and sees them in the order of a listing."""
        shard.put([replace(photo(number, int=1), created_ms=created) for number, created in ((300, 7), (2, 5), (1 << 40, 7), (1, 5), (256, 7))])
        where = Compare("int", Operator.EQUAL, 1)
        assert shard.delete_where(where, limit=0) == ()
        assert shard.delete_where(where, limit=2) == (uid(2), uid(1))
        assert shard.delete_where(where, limit=9) == (uid(300), uid(1 << 40), uid(256))

    def test_what_delete_where_deleted_stays_deleted(self, engine: Engine, shard: Shard, tmp_path: Path) -> None:
        """It is a write like any other: durable when it returns."""
        if not self.reopens:
            pytest.skip("this engine keeps nothing")
        shard.put([photo(number, [number, 1], int=number) for number in range(1, 7)])
        shard.delete_where(Not(Compare("int", Operator.LESS_THAN, 3)))
        engine.close()
        again = self.open_engine(tmp_path / "data")
        try:
            found = again.shard("Photo").scan(where=None, after=None, limit=9, offset=0, projection=IDS_ONLY)
            assert [one.id.int for one in found] == [1, 2]
        finally:
            again.close()

    def test_two_who_delete_by_the_same_filter_share_the_objects(self, shard: Shard) -> None:
        """Choosing and deleting are one step: no object is told to both, none is left."""
        shard.put([photo(number, int=1) for number in range(200)])
        told: list[int] = []

        def delete() -> None:
            while found := shard.delete_where(Compare("int", Operator.EQUAL, 1), limit=7):
                told.extend(one.int for one in found)

        threads = [threading.Thread(target=delete) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told) == list(range(200))
        assert shard.count() == 0
