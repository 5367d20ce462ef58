"""Rows that were read a short while ago, of all shards of a database, within a bound of bytes.

A row is never changed, and its revision is not given again, so what was read once and agreed with its checksum may be answered for as long as a state has it:
nothing here goes stale. Ten rows out of SQLite take as long as finding them by words, even where the system has all the pages.

    young    rows that were wanted since it was begun
    old      what was young before; a row that is wanted again becomes young, the others go when the young ones have filled their half

May import the standard library and this package's `rows`.
"""

import threading
from collections.abc import Iterable, Sequence
from itertools import count
from typing import cast

from nearimage.engines.embedded.rows import StoredRow

Row = tuple[object, ...]
"""As SQLite gives it: the columns of `StoredRow`."""

_MOST_BYTES = 32 << 20
"""Some 60,000 rows of three short properties."""

_BESIDE = 400
"""What the objects of a row take beside its properties, bytes."""

_LONGEST = 1 << 16
"""Properties of more bytes are left to the system's cache of pages."""

_PROPERTIES = StoredRow._fields.index("properties")


class RecentRows:
    """Of one database; any thread may ask.

    Args:
        most_bytes: what is kept, nearly.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._half = most_bytes // 2
        self._lock = threading.Lock()
        self._young: dict[int, Row] = {}
        self._old: dict[int, Row] = {}
        self._young_bytes = 0
        self._shards = count()

    def of_shard(self) -> "ShardRows":
        """Those of a shard that was just opened."""
        return ShardRows(self, next(self._shards) << 48)

    def find(self, keys: Sequence[int]) -> list[Row | None]:
        """The rows kept under these keys; None for those that are not."""
        young, old = self._young, self._old
        rows = [young.get(key) for key in keys]
        if old and None in rows:
            again = {key: old[key] for key, row in zip(keys, rows, strict=True) if row is None and key in old}
            if again:
                self.keep(again.items())
                rows = [row or again.get(key) for key, row in zip(keys, rows, strict=True)]
        return rows

    def keep(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Remember rows under their keys."""
        with self._lock:
            for key, row in rows:
                size = len(cast("bytes", row[_PROPERTIES]))
                if size <= _LONGEST:
                    self._young[key] = row
                    self._young_bytes += _BESIDE + size
            if self._young_bytes > self._half:
                self._old, self._young, self._young_bytes = self._young, {}, 0


class ShardRows:
    """Of one shard, by revision, from its opening to its closing."""

    def __init__(self, all_rows: RecentRows, first: int) -> None:
        self._all = all_rows
        self._first = first

    def find(self, revisions: Sequence[int]) -> list[Row | None]:
        """The rows of these revisions; None for those that are not known."""
        first = self._first
        return self._all.find([first + revision for revision in revisions])

    def keep(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Remember rows that agree with their checksums, by revision."""
        self._all.keep((self._first + revision, row) for revision, row in rows)
