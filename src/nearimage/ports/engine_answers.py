"""What an engine answers to searches: objects with what ranked them, out of one snapshot. May import numpy and `domain` only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Record


class BareRecords(Sequence[Record]):
    """Records of which only ids were asked for, made one by one when somebody looks at them: who joins rankings looks at ids alone.

    Args:
        ids: packed, 16 bytes each, big-endian, one after another.
        revisions: as many.
        made: the record of a packed id and a revision.
    """

    def __init__(self, ids: bytes, revisions: Sequence[int], made: Callable[[bytes, int], Record]) -> None:
        self.ids = [ids[start : start + 16] for start in range(0, len(ids), 16)]
        self._revisions = revisions
        self._made = made

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> Record: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Record, ...]: ...

    def __getitem__(self, place: int | slice) -> Record | tuple[Record, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        return self._made(self.ids[place], self._revisions[place])


def packed_ids(records: Sequence[Record]) -> list[bytes]:
    """The ids of records, 16 bytes each; they sort as the ids do, and are hashed in a tenth of the time."""
    return records.ids if isinstance(records, BareRecords) else [record.id.bytes for record in records]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The answer to `Shard.nearest`.

    Attributes:
        records: nearest first; equal distances in the order of ids.
        distances: (len(records),) float32, ascending, in the named vector's metric.
    """

    records: Sequence[Record]
    distances: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The answer to `Shard.match_text`.

    Attributes:
        records: best first; equal scores in the order of ids.
        scores: (len(records),) float32, descending.
    """

    records: Sequence[Record]
    scores: npt.NDArray[np.float32]
