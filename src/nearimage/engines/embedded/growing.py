"""Arrays that only grow, so that readers need no lock.

Entries are written past the end and the array is never changed below it. A reader that remembers how many entries there were may look at that many
at any later time: what it sees cannot change. When the room is used up a longer copy takes the buffer's place; a view of the old one stays good.

May import numpy only.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Kind = TypeVar("Kind", bound=np.generic)

_FIRST_ROOM = 16


class Growing(Generic[Kind]):
    """A one-dimensional array with room at its end."""

    __slots__ = ("_buffer", "_length")

    def __init__(self, kind: type[Kind]) -> None:
        self._buffer: npt.NDArray[Kind] = np.zeros(_FIRST_ROOM, kind)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, value: float | list[str] | tuple[int, int]) -> None:
        """Add one entry at the end; `extend` takes ten times as long for one."""
        self.put(self._length, value)

    def put(self, position: int, value: float | list[str] | tuple[int, int]) -> None:
        """Add one entry at this position, at or past the end; zeros fill the gap."""
        if position >= len(self._buffer):
            self._make_room(position + 1)
        self._buffer[position] = value
        self._length = position + 1  # last: a reader must not count what is not there yet

    def extend(self, values: "Sequence[object] | npt.NDArray[Kind]") -> None:
        """Add entries at the end."""
        self.place(self._length, values)

    def place(self, start: int, values: "Sequence[object] | npt.NDArray[Kind]") -> None:
        """Add entries from this position on, at or past the end; zeros fill the gap."""
        end = start + len(values)
        if end > len(self._buffer):
            self._make_room(end)
        if len(values):  # else the buffer may be a file's map, and full
            self._buffer[start:end] = np.asarray(values, self._buffer.dtype)
        self._length = end  # last: a reader must not count what is not there yet

    def spread(self, positions: npt.NDArray[np.int64], values: "Sequence[object] | npt.NDArray[Kind]") -> None:
        """Add entries at these positions, ascending, at or past the end; zeros fill the gaps."""
        if len(positions):
            end = int(positions[-1]) + 1
            if end > len(self._buffer):
                self._make_room(end)
            self._buffer[positions] = np.asarray(values, self._buffer.dtype)
            self._length = end

    def adopt(self, values: npt.NDArray[Kind]) -> None:
        """Take these as the entries, not copied; they may be read-only (a file's map), for the next entry finds no room and makes a copy."""
        self._buffer = values
        self._length = len(values)

    def reach(self, length: int) -> None:
        """Have at least so many entries; zeros are added."""
        if length > self._length:
            self.place(length, ())

    def cut(self, length: int) -> None:
        """Forget the entries from here on, which no reader has counted yet."""
        self._length = length

    def view(self, length: int | None = None) -> npt.NDArray[Kind]:
        """The first entries, not copied; all of them if no length is given. Not to be written to."""
        length = self._length if length is None else length
        return self._buffer[:length]

    def _make_room(self, entries: int) -> None:
        longer: npt.NDArray[Kind] = np.zeros(max(entries, 2 * len(self._buffer)), self._buffer.dtype)
        longer[: self._length] = self._buffer[: self._length]
        self._buffer = longer
