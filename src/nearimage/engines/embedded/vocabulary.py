"""The distinct tokens of a column as they stand in a file: one text, sorted, with the places where each token ends.

    text   acorgipuppy      ends  1, 6, 11

Tokens are kept as UTF-8, whose order of bytes is the order of code points. A token is found by bisection, and so is the range of tokens that begin alike
or compare so: nothing is built on opening, whatever the number of tokens.

Source:
    Bisection: `lower_bound` of any textbook. 1M tokens: 6 us a search (bench/engine_text.py).

May import numpy only.
"""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

_AFTER_ANY = b"\xff"
"""A byte that no UTF-8 has: a prefix with it behind is greater than every token with that prefix."""

_FEW = 1000
"""Among fewer tokens each is tried; searching the whole text costs more (10 MB: 3 ms)."""


def encode(token: str) -> bytes:
    """A token's bytes here; lone surrogates too, which Python has in its strings."""
    return token.encode("utf-8", "surrogatepass")


class Vocabulary:
    """Sorted tokens, numbered from 0.

    Args:
        text: uint8, the tokens one behind the other.
        ends: int64, where each token ends.
    """

    def __init__(self, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        self._text = np.ascontiguousarray(text).data
        self._numbers = ends
        self._ends = np.ascontiguousarray(ends).data

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> bytes:
        return bytes(self._text[self._ends[number - 1] if number else 0 : self._ends[number]])

    def all(self) -> list[bytes]:
        """Every token, in order."""
        text, ends = bytes(self._text), self._numbers.tolist()
        return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def lower_bound(self, key: bytes) -> int:
        """The number of the first token that is not below the key."""
        text, ends, low, high = self._text, self._ends, 0, len(self._ends)
        while low < high:
            middle = (low + high) >> 1
            if bytes(text[ends[middle - 1] if middle else 0 : ends[middle]]) < key:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, key: bytes) -> int | None:
        """A token's number."""
        number = self.lower_bound(key)
        return number if number < len(self) and self[number] == key else None

    def beginning(self, prefix: bytes) -> range:
        """The numbers of the tokens with this prefix."""
        return range(self.lower_bound(prefix), self.lower_bound(prefix + _AFTER_ANY))

    def like(self, pattern: str, regex: "re.Pattern[str]") -> "range | list[int]":
        """The numbers of the tokens that match a pattern with `*` and `?`, which the regular expression says too."""
        fixed = re.split(r"[*?]", pattern)
        numbers = self.beginning(encode(fixed[0]))
        if pattern == fixed[0] + "*":
            return numbers
        longest = encode(max(fixed[1:], key=len, default=""))
        tried: Iterator[int] | range = self._containing(longest, numbers) if len(numbers) > _FEW and longest else numbers
        return [number for number in tried if regex.fullmatch(self[number].decode("utf-8", "surrogatepass"))]

    def _containing(self, part: bytes, numbers: range) -> Iterator[int]:
        """Tokens among which are all that contain the part: it may also stand across the border of two."""
        start, end = self._ends[numbers.start - 1] if numbers.start else 0, self._ends[numbers.stop - 1]
        text, before, at = bytes(self._text[start:end]), -1, -1
        while (at := text.find(part, at + 1)) >= 0:
            number = int(np.searchsorted(self._numbers, start + at, side="right"))
            if number != before:
                yield number
                before = number
