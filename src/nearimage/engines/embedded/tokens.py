"""Columns of text and uuids: for each token, the entries that contain it.

    "Corgi puppy"  row 4, entry 4      corgi -> {0, 4}    puppy -> {4}
    "a corgi"      row 0, entry 0      a -> 0

Equal asks for entries that contain every token of the value: an intersection. The orders and Like try each distinct token of the whole column (the
vocabulary) first; each token of the value must be met by some token of the entry. Entries, not rows, are intersected: the two tokens of "corgi puppy"
must stand in one element of an array.

A token met once is kept as a plain int, one met twice as a roaring bitmap: most tokens of a large vocabulary are met once, and an empty bitmap takes 100 bytes.
Bitmaps get larger entries only, under the interpreter's lock, so that a reader who looks at entries below its own count needs no lock of ours.

Source:
    Chambi, Lemire et al., "Better bitmap performance with Roaring bitmaps", arXiv:1402.6407.

May import numpy, pyroaring, `domain` and this package.
"""

import operator as python_operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from nearimage.domain.filters import FilterScalar, Operator
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import Tokenization
from nearimage.domain.text import like_regex, tokenize, tokenize_pattern
from nearimage.engines.embedded.columns import Converted
from nearimage.engines.embedded.entries import Arrays, Entries, Mask, Positions

_ORDERS: dict[Operator, Callable[[str, str], bool]] = {
    Operator.GREATER_THAN: python_operator.gt,
    Operator.GREATER_THAN_EQUAL: python_operator.ge,
    Operator.LESS_THAN: python_operator.lt,
    Operator.LESS_THAN_EQUAL: python_operator.le,
}


class TokenColumn:
    """Text, cut into tokens, or uuids, each its own token (tokenization None)."""

    def __init__(self, tokenization: Tokenization | None) -> None:
        self._tokenization = tokenization
        self._entries = Entries()
        self._length = 0
        self._postings: dict[str, int | BitMap] = {}

    def convert(self, value: PropertyValue) -> Converted:
        """The distinct tokens of each element."""
        return [list(dict.fromkeys(self._cut(str(element)))) for element in (value if isinstance(value, tuple) else (value,))]

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries."""
        elements = cast("list[list[str]]", converted)
        for tokens in elements:
            for token in tokens:
                self._post(token, self._length)
            self._length += 1
        self._entries.append(row, len(elements))

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the entries of many rows."""
        for row, entries in zip(rows.tolist(), converted, strict=True):
            self.append(row, entries)

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have an element of which, for each token of the value, some token compares so."""
        count = self._entries.count(rows)
        sought = tokenize_pattern(str(value), self._tokenization) if operator is Operator.LIKE and self._tokenization else self._cut(str(value))
        if not sought:  # nothing is asked of an element but to be there
            return self._entries.rows_of(np.ones(count, np.bool_), rows)
        found = BitMap.intersection(*(self._meeting(operator, token) for token in sought))
        return self._entries.rows_numbered(np.array(found.to_array(), np.int64), rows)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have an element that equals some of the values."""
        cut = [self._cut(str(value)) for value in values]
        if not all(cut):  # a value without tokens equals every element
            return self._entries.rows_of(np.ones(self._entries.count(rows), np.bool_), rows)
        one = self._union(tokens[0] for tokens in cut if len(tokens) == 1)
        several = (BitMap.intersection(*(self._union((token,)) for token in tokens)) for tokens in cut if len(tokens) > 1)
        return self._entries.rows_numbered(np.array(BitMap.union(one, *several).to_array(), np.int64), rows)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return self._entries.present(rows)

    def arrays(self, keep: Mask) -> Arrays:
        """The vocabulary, and for each token its entries."""
        arrays, positions = self._entries.arrays(keep)
        number = np.cumsum(positions) - 1
        vocabulary, postings = [], []
        for token, known in tuple(self._postings.items()):
            entries = np.array([known] if isinstance(known, int) else known.to_array(), np.int64)
            entries = entries[: np.searchsorted(entries, len(positions))]
            kept = number[entries[positions[entries]]]
            if len(kept):
                vocabulary.append(token.encode("utf-8", "surrogatepass"))
                postings.append(kept.astype(np.uint32))
        return arrays | {
            "vocabulary": np.frombuffer(b"".join(vocabulary), np.uint8),
            "token_ends": np.cumsum([len(token) for token in vocabulary], dtype=np.int64),
            "postings": np.concatenate(postings) if postings else np.zeros(0, np.uint32),
            "posting_ends": np.cumsum([len(entries) for entries in postings], dtype=np.int64),
            "length": np.array([np.count_nonzero(positions)]),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._entries.restore(arrays)
        self._length = int(arrays["length"].item())
        text, postings = arrays["vocabulary"].tobytes(), np.asarray(arrays["postings"], np.uint32)
        start = first = 0
        for end, last in zip(arrays["token_ends"].tolist(), arrays["posting_ends"].tolist(), strict=True):
            entries = postings[first:last]
            self._postings[text[start:end].decode("utf-8", "surrogatepass")] = int(entries[0]) if len(entries) == 1 else BitMap(entries)
            start, first = end, last

    def _cut(self, text: str) -> list[str]:
        return tokenize(text, self._tokenization) if self._tokenization else [text]

    def _post(self, token: str, entry: int) -> None:
        known = self._postings.get(token)
        if known is None:
            self._postings[token] = entry
        elif isinstance(known, int):
            self._postings[token] = BitMap((known, entry))
        else:
            known.add(entry)

    def _meeting(self, operator: Operator, sought: str) -> BitMap:
        if operator is Operator.EQUAL:
            return self._union((sought,))
        vocabulary = tuple(self._postings)  # copied at one stroke: a writer may add to it meanwhile
        if operator is Operator.LIKE:
            matches = like_regex(sought).fullmatch
            return self._union(token for token in vocabulary if matches(token))
        compare = _ORDERS[operator]
        return self._union(token for token in vocabulary if compare(token, sought))

    def _union(self, tokens: Iterable[str]) -> BitMap:
        alone, shared = BitMap(), []
        for token in tokens:
            entries = self._postings.get(token)
            if isinstance(entries, int):
                alone.add(entries)
            elif entries is not None:
                shared.append(entries)
        return BitMap.union(alone, *shared)
