"""What is set aside of a request, and the words that stand for it meanwhile.

    "/9j/4AXd41d8c-0XAAB"     run 0: 40 pieces of 256 KB

The words go through parser and validator, and leave with an argument's value: there the runs are put back. May import `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nearimage.domain.long_text import LongText

Run = tuple[bytes, ...]
"""Pieces of ASCII, one after the other."""


@dataclass(frozen=True)
class SetAside:
    """Runs, each with its word.

    Attributes:
        token: what all words begin with.
    """

    token: str
    runs: tuple[Run, ...]

    def word(self, number: int) -> str:
        """What stands for a run."""
        return f"{self.token}-{number}X"

    @cached_property
    def longer(self) -> Mapping[str, int]:
        """Each word, with how many characters more it stands for."""
        return {word: sum(map(len, run)) - len(word) for number, run in enumerate(self.runs) for word in (self.word(number),)}

    def count(self, value: Any) -> int:
        """The words in strings, lists and dicts, but for those in names."""
        found, left = 0, [value]
        while left:
            value = left.pop()
            if isinstance(value, str):
                found += value.count(self.token)
            elif isinstance(value, list | dict):
                left.extend(value.values() if isinstance(value, dict) else value)
        return found

    def put_back(self, value: Any, long: str | None = None) -> Any:
        """A value with the runs in the place of their words.

        Args:
            long: the one field of a dict that may stay in pieces.
        """
        if isinstance(value, str):
            return str(self._text(value))
        if isinstance(value, list):
            return [self.put_back(one) for one in value]
        if isinstance(value, dict):
            return {name: self._text(one) if name == long and isinstance(one, str) else self.put_back(one) for name, one in value.items()}
        return value

    def _text(self, value: str) -> str | LongText:
        before, *others = value.split(self.token)
        if not others:
            return value
        parts = [before.encode()]
        for other in others:
            number, _, behind = other[1:].partition("X")
            parts += [*self.runs[int(number)], behind.encode()]
        if value.isascii():
            return LongText(tuple(filter(None, parts)))
        return b"".join(parts).decode()
