"""The ids of rows as two uint64 halves, 16 bytes a row: they break ties, and answer filters on `_id`.

To a filter an id is text, one token in canonical form: 32 hexadecimal digits in lower case, with hyphens after the 8th, 12th, 16th and 20th. Between such texts
the order of code points is the order of the 16 bytes; any other text lies between two ids, which `_place` finds. A pattern for Like is, up to its first
wildcard, a prefix, and so a range of ids; only if something follows the `*` are the ids of that range written out.

May import numpy, `domain` and this package.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import ID_FIELD, Compare, Filter, FilterScalar, Operator
from nearimage.domain.schema import Tokenization
from nearimage.domain.text import like_regex, tokenize, tokenize_pattern
from nearimage.domain.values import CANONICAL_UUID
from nearimage.engines.embedded.entries import Arrays, Mask
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.halves import among, halves_of, packed_of

_HALVES = struct.Struct(">QQ")
_HALF = 1 << 64
_END = 1 << 128
_HYPHENS = (8, 13, 18, 23)
_LENGTH = 36
_DIGITS = "0123456789abcdef"


class Ids:
    """The id of each row."""

    def __init__(self) -> None:
        self._high = Growing(np.uint64)
        self._low = Growing(np.uint64)

    def __len__(self) -> int:
        return len(self._high)

    def append(self, packed: bytes) -> None:
        """Add one row's 16 bytes."""
        high, low = _HALVES.unpack(packed)
        self._high.append(high)
        self._low.append(low)

    def extend(self, packed: Sequence[bytes]) -> None:
        """Add the 16 bytes of many rows."""
        high, low = halves_of(b"".join(packed))
        self._high.extend(high)
        self._low.extend(low)

    def order(self, rows: npt.NDArray[np.int64], first_by: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.int64]:
        """The positions in `rows` in ascending order of ids, or of `first_by` and then of ids."""
        keys = (self._low.view()[rows], self._high.view()[rows])
        return np.lexsort(keys if first_by is None else (*keys, first_by))

    def least(self, rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
        """The positions in `rows` of the `count` least ids, in any order; count is from 1 to len(rows)."""
        highs = self._high.view().take(rows)
        near = np.flatnonzero(highs <= np.partition(highs, count - 1)[count - 1])
        return near if len(near) == count else near[self.order(rows[near])[:count]]

    def halves(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """The greater and the smaller half of each row's id: their order is the order of ids. Not to be written to."""
        return self._high.view(), self._low.view()

    def of(self, rows: npt.NDArray[np.int64]) -> tuple[UUID, ...]:
        """The ids of these rows."""
        halves = zip(self._high.view()[rows].tolist(), self._low.view()[rows].tolist(), strict=True)
        return tuple(UUID(int=high << 64 | low) for high, low in halves)

    def greater(self, than: UUID, rows: int) -> Mask:
        """Which of the first rows have a greater id."""
        return self._from(than.int + 1, rows)

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """A filter on `_id`: Equal, Like and the four orders."""
        if operator is Operator.EQUAL:
            return self.holds_any((value,), rows)
        if operator is Operator.LIKE:
            (pattern,) = tokenize_pattern(str(value), Tokenization.FIELD)
            return self._like(pattern, rows)
        (sought,) = tokenize(str(value), Tokenization.FIELD)
        place = _place(sought)
        is_id = CANONICAL_UUID.fullmatch(sought) is not None
        if operator in (Operator.GREATER_THAN_EQUAL, Operator.LESS_THAN):
            at_least = self._from(place, rows)
            return at_least if operator is Operator.GREATER_THAN_EQUAL else ~at_least
        beyond = self._from(place + is_id, rows)
        return beyond if operator is Operator.GREATER_THAN else ~beyond

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have one of the ids, in one pass."""
        packed = bytes.fromhex("".join(_canonical(values)).replace("-", ""))
        return among(self._high.view(rows), self._low.view(rows), packed)

    def packed(self, rows: npt.NDArray[np.int64]) -> bytes:
        """The ids of these rows, 16 bytes each."""
        return packed_of(self._high.view()[rows], self._low.view()[rows])

    def arrays(self, keep: Mask) -> Arrays:
        """The ids of the rows kept."""
        return {"high": self._high.view(len(keep))[keep], "low": self._low.view(len(keep))[keep]}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up what `arrays` gave."""
        self._high.adopt(np.asarray(arrays["high"], np.uint64))
        self._low.adopt(np.asarray(arrays["low"], np.uint64))

    def _from(self, number: int, rows: int) -> Mask:
        """Which of the first rows have this id, taken as a number, or a greater one."""
        if number >= _END:
            return np.zeros(rows, np.bool_)
        high, low = divmod(number, _HALF)
        highs = self._high.view(rows)
        mask: Mask = highs > np.uint64(high)
        same = np.flatnonzero(highs == np.uint64(high))
        mask[same] = self._low.view(rows)[same] >= np.uint64(low)
        return mask

    def _like(self, pattern: str, rows: int) -> Mask:
        fixed = re.split(r"[*?]", pattern, maxsplit=1)[0]
        mask = self._from(_place(fixed), rows)
        mask &= ~self._from(_place(fixed + "\U0010ffff"), rows)
        if pattern == fixed + "*":
            return mask
        matches = like_regex(pattern).fullmatch
        found = np.flatnonzero(mask)
        pairs = zip(self._high.view()[found].tolist(), self._low.view()[found].tolist(), strict=True)
        mask[found] = [matches(str(UUID(int=high << 64 | low))) is not None for high, low in pairs]
        return mask


def named_ids(where: Filter) -> list[UUID] | None:
    """The only ids that can pass a filter that asks for nothing else, ascending; None for any other filter."""
    if not isinstance(where, Compare) or where.field != ID_FIELD:
        return None
    if where.operator is Operator.EQUAL:
        return [UUID(text) for text in _canonical((where.value,))]
    if where.operator is Operator.CONTAINS_ANY and isinstance(where.value, tuple):
        return sorted({UUID(text) for text in _canonical(where.value)})
    return None


def _canonical(values: Sequence[object]) -> list[str]:
    """The texts that are an id's; blanks around them are left out, as the tokenization of a field does."""
    return [text for value in values if CANONICAL_UUID.fullmatch(text := str(value).strip())]


def _place(text: str) -> int:
    """The least id, as a number, whose canonical text is not below the text; 2**128 where all are below.

    Walks along the text: while it goes on like an id, its digits are the id's. Where it ends, the least id that begins so is not below it. At the first
    character that is out of place, the ids that begin so and go on with a greater one are not below: the next digit above it, or else the next id above all
    of these.
    """
    digits = ""
    for position, char in enumerate(text):
        if position == _LENGTH:  # longer than an id, which is a prefix of it, and so below
            return int(digits, 16) + 1
        if position in _HYPHENS:
            if char == "-":
                continue
            return _least(digits) if char < "-" else _next(digits)
        if char not in _DIGITS:
            above = next((digit for digit in _DIGITS if digit > char), None)
            return _least(digits + above) if above else _next(digits)
        digits += char
    return _least(digits)


def _least(digits: str) -> int:
    return int(digits.ljust(32, "0"), 16)


def _next(digits: str) -> int:
    return (int(digits, 16) + 1) << (4 * (32 - len(digits))) if digits else _END
