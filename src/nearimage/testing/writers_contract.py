"""What every engine promises to callers who write at the same time.

May import pytest, numpy, `domain` and `ports`.
"""

import threading
from collections.abc import Callable

from nearimage.domain.errors import NearimageError
from nearimage.domain.objects import IDS_ONLY, Projection
from nearimage.ports.engine import Shard
from nearimage.testing.engine_examples import photo, uid

_THREADS = 8


class WritersContract:
    """Tests over the fixture `shard`: an empty shard of `PHOTOS`."""

    def test_what_many_callers_store_at_once_is_all_there(self, shard: Shard) -> None:
        """An engine may commit them together; none may get lost, or answer before it is stored."""
        missing: list[int] = []

        def write(thread: int) -> None:
            for number in range(thread, 20 * _THREADS, _THREADS):
                shard.put([photo(number, [number, 1], int=number)])
                if uid(number) not in shard.get([uid(number)], IDS_ONLY):
                    missing.append(number)

        _at_once(write)
        assert missing == []
        found = shard.scan(where=None, after=None, limit=999, offset=0, projection=Projection(vectors=None))
        assert [(r.properties["int"], r.vectors["clip"].tolist()) for r in found] == [(n, [n, 1]) for n in range(20 * _THREADS)]

    def test_of_many_callers_who_make_one_object_one_succeeds(self, shard: Shard) -> None:
        """Compare-and-set is what people build locks with."""
        won: list[int] = []

        def write(thread: int) -> None:
            for number in range(20):
                try:
                    shard.put_if(photo(number, int=thread), 0)
                except NearimageError:
                    continue
                won.append(number)

        _at_once(write)
        assert sorted(won) == list(range(20))

    def test_one_callers_mistake_is_not_anothers(self, shard: Shard) -> None:
        """A vector of the wrong length must not fail the callers whose writes are committed with it."""
        shard.put([photo(0, [1, 0])])
        wrong: list[object] = []

        def write(thread: int) -> None:
            for number in range(20):
                (outcome,) = shard.put([photo(100 * thread + number, [1, 0, 0] if thread % 2 else [1, 0])])
                if (outcome is None) is bool(thread % 2):
                    wrong.append(outcome)

        _at_once(write)
        assert wrong == []
        assert shard.count() == 20 * _THREADS // 2


def _at_once(write: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=write, args=(number,)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
