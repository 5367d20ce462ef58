"""Rows that were read a short while ago, of all shards of a database, within a bound of bytes.

Ten rows out of SQLite take as long as finding them by words, even where the system has all the pages. A row is never changed, but an object may have another
by now, or be gone: which rows a state has, the caller sees from the state.

    young    rows that were wanted since it was begun
    old      what was young before; a row that is wanted again becomes young, the others go when the young ones have filled their half

May import the standard library and this package's `rows`.
"""

import threading
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

from nearimage.engines.embedded.rows import Row

_MOST_BYTES = 32 << 20
"""Some 50,000 rows of three short properties."""

_BESIDE = 500
"""What the objects of a row and its key take beside its properties, bytes."""

_LONGEST = 1 << 16
"""Properties of more bytes are left to the system's cache of pages."""

_ID: Final = 1
_PROPERTIES: Final = 6


class RecentRows:
    """Of one database; any thread may ask.

    Args:
        most_bytes: what is kept, nearly.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._half = most_bytes // 2
        self._lock = threading.Lock()
        self._young: dict[bytes, Row] = {}
        self._old: dict[bytes, Row] = {}
        self._young_bytes = 0
        self._shards = count()

    def of_shard(self) -> "ShardRows":
        """Those of a shard that was just opened."""
        return ShardRows(self, next(self._shards).to_bytes(8, "little"))

    def find(self, keys: Sequence[bytes]) -> list[Row | None]:
        """The rows under these keys; None for those that are not kept."""
        young, old = self._young, self._old
        rows = [young.get(key) for key in keys]
        if old and None in rows:
            again = {key: old[key] for key, row in zip(keys, rows, strict=True) if row is None and key in old}
            if again:
                self.keep(again)
                rows = [row or again.get(key) for key, row in zip(keys, rows, strict=True)]
        return rows

    def keep(self, rows: Mapping[bytes, Row]) -> None:
        """Remember rows under their keys."""
        with self._lock:
            for key, row in rows.items():
                size = len(row[_PROPERTIES])
                if size <= _LONGEST:
                    self._young[key] = row
                    self._young_bytes += _BESIDE + size
            if self._young_bytes > self._half:
                self._old, self._young, self._young_bytes = self._young, {}, 0


class ShardRows:
    """Of one shard, from its opening to its closing.

    Args:
        prefix: of its keys, before the object's id.
    """

    def __init__(self, rows: RecentRows, prefix: bytes) -> None:
        self._rows = rows
        self._prefix = prefix

    def find(self, ids: Sequence[bytes]) -> list[Row | None]:
        """The rows that were last read of these objects; None where none is known."""
        prefix = self._prefix
        return self._rows.find([prefix + one for one in ids])

    def keep(self, rows: Sequence[Row]) -> None:
        """Remember rows that agree with their checksums."""
        prefix = self._prefix
        self._rows.keep({prefix + row[_ID]: row for row in rows})
