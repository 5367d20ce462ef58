"""Columns of text and uuids: filters on tokens, and what keyword search needs to know.

    "Corgi puppy"  row 4      corgi -> {0, 4}    puppy -> {4}      length 2
    "a corgi"      row 0      a -> {0}                             length 2

Equal asks for elements that contain every token of the value: an intersection. The orders and Like try each distinct token of the whole column (the
vocabulary) first; each token of the value must be met by some token of the element. Of a plain text the one element is the row. Of an array each element
is an entry of its own, with a list of owners, because the two tokens of "corgi puppy" must stand in one element.

What stands where is in `postings`; here too the number of tokens of each row, for keyword search, which doubles as the list of rows that have the property.

May import numpy, `domain` and this package.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import cast

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import FilterScalar, Operator
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import AsciiFold, Tokenization
from nearimage.domain.text import tokenize, tokenize_all, tokenize_pattern
from nearimage.engines.embedded.columns import Converted
from nearimage.engines.embedded.entries import Arrays, Mask, Positions, mark
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.postings import Numbers, Part, Postings

_MANY = 16
"""Looking up one of many entries by bisection costs about so many times what a mask costs for one."""

_TEXT, _ARRAYS = frozenset((str,)), frozenset((tuple,))

Cut = tuple[Sequence[str], int, Mapping[str, int] | None]
"""An element's distinct tokens, how many tokens it has, and those that it has more than once."""


class TokenColumn:
    """Text, cut into tokens, or uuids, each its own token (tokenization None)."""

    def __init__(self, tokenization: Tokenization | None, *, is_array: bool = False, fold: AsciiFold | None = None) -> None:
        self._tokenization = tokenization
        self._fold = fold
        self._postings = Postings()
        self._lengths = Growing(np.uint32)  # by row: 1 more than the number of tokens; 0 where the property is missing
        self._owners = Growing(np.uint32) if is_array else None  # by entry
        self._summed = (0, 0, 0)

    def convert(self, value: PropertyValue) -> Converted:
        """The tokens of each element."""
        if isinstance(value, tuple):
            return [self._count(str(element)) for element in value]
        return [self._count(str(value))]

    def convert_all(self, values: Sequence[PropertyValue]) -> Sequence[Converted]:
        """The tokens of each element of each value."""
        if _TEXT.issuperset(map(type, values)):
            return [[cut] for cut in self._count_all(cast("Sequence[str]", values))]
        if _ARRAYS.issuperset(map(type, values)):
            lists = cast("Sequence[tuple[str, ...]]", values)
            if _TEXT.issuperset(map(type, chain.from_iterable(lists))):
                cuts = self._count_all(list(chain.from_iterable(lists)))
                return [list(islice(cuts, len(elements))) for elements in lists]
        return list(map(self.convert, values))

    def append(self, row: int, converted: Converted) -> None:
        """Add a row's entries."""
        elements, total = cast("list[Cut]", converted), 1
        for tokens, length, repeats in elements:
            entry = row
            if self._owners is not None:
                entry = len(self._owners)
                self._owners.append(row)
            self._postings.add(entry, tokens)
            if repeats:
                for token, times in repeats.items():
                    self._postings.repeat(entry, token, times)
            total += length
        while len(self._lengths) < row:
            self._lengths.append(0)
        self._lengths.append(total)

    def extend(self, rows: Positions, converted: Sequence[Converted]) -> None:
        """Add the entries of many rows."""
        lists = cast("Sequence[list[Cut]]", converted)
        counts = np.fromiter(map(len, lists), np.int64, len(lists))
        tokens, lengths, repeats = tuple(zip(*chain.from_iterable(lists), strict=True)) or ((), (), ())
        owners = np.repeat(rows, counts)
        entries: Sequence[int] = owners.tolist()
        if self._owners is not None:
            entries = range(len(self._owners), len(self._owners) + len(owners))
            self._owners.extend(owners.astype(np.uint32))
        self._postings.add_all(entries, tokens)
        for entry, repeated in zip(entries, repeats, strict=True):
            if repeated:
                for token, times in repeated.items():
                    self._postings.repeat(entry, token, times)
        summed, ends = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))), np.cumsum(counts)
        self._lengths.spread(rows, 1 + summed[ends] - summed[ends - counts])

    def holds(self, operator: Operator, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have an element of which, for each token of the value, some token compares so."""
        count = self._count_entries(rows)
        sought = tokenize_pattern(str(value), self._tokenization, self._fold) if operator is Operator.LIKE and self._tokenization else self._cut(str(value))
        if not sought:
            return self._having_elements(rows)
        if operator is Operator.EQUAL:
            return self._rows_of(self._containing(sought, count), rows)
        masks = [_mask(self._postings.meeting(operator, token, count), count) for token in dict.fromkeys(sought)]
        for mask in masks[1:]:
            masks[0] &= mask
        return masks[0] if self._owners is None else self._rows_of(np.flatnonzero(masks[0]), rows)

    def holds_any(self, values: Sequence[FilterScalar], rows: int) -> Mask:
        """Which of the first rows have an element that contains every token of some of the values."""
        count = self._count_entries(rows)
        cut = [self._cut(str(value)) for value in values]
        if not all(cut):
            return self._having_elements(rows)
        alone = list({tokens[0] for tokens in cut if len(tokens) == 1})
        together = {tuple(tokens) for tokens in cut if len(tokens) > 1}
        found = [*self._postings.of_any(alone, count), *(self._containing(tokens, count) for tokens in together)]
        return self._rows_of(np.concatenate(found), rows)

    def holds_some(self, value: FilterScalar, rows: int) -> Mask:
        """Which of the first rows have an element with some of the value's tokens: what NotEqual leaves out."""
        return self.holds_any(self._cut(str(value)) or (value,), rows)

    def present(self, rows: int) -> Mask:
        """Which rows have the property."""
        return np.asarray(self.lengths(rows) > 0)

    def lengths(self, rows: int) -> Numbers:
        """(rows,): 1 more than the number of tokens of each row; 0 where the property is missing."""
        known = self._lengths.view()
        return known[:rows] if len(known) >= rows else np.concatenate((known, np.zeros(rows - len(known), np.uint32)))

    def sums(self, rows: int) -> tuple[int, int]:
        """How many tokens the first rows have, dead ones too, and how many rows have any."""
        lengths = self.lengths(rows)
        known, tokens, having = self._summed
        if known > rows:  # a later reader was here first
            known, tokens, having = 0, 0, 0
        added = lengths[known:]
        having += int(np.count_nonzero(added > 1))
        tokens += int(added.sum(dtype=np.int64)) - int(np.count_nonzero(added))
        self._summed = (rows, tokens, having)
        return tokens, having

    def rows_with(self, token: str, rows: int) -> tuple[Part, ...]:
        """The rows with a token, and how often each has it, in ascending parts."""
        parts = self._postings.parts(token, self._count_entries(rows))
        return parts if self._owners is None else _by_owner(parts, self._owners.view())

    def arrays(self, keep: Mask) -> Arrays:
        """The lengths, the owners of entries if these are no rows, and the postings."""
        arrays: Arrays = {"lengths": self.lengths(len(keep))[keep]}
        if self._owners is None:
            return arrays | self._postings.arrays(keep)
        owners = self._owners.view(self._count_entries(len(keep)))
        kept = keep[owners]
        number = np.cumsum(keep, dtype=np.uint32) - np.uint32(1)
        return arrays | {"owners": number[owners[kept]]} | self._postings.arrays(kept)

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], rows: int) -> None:  # noqa: ARG002 the protocol's argument
        """Take up what `arrays` gave."""
        self._lengths.adopt(np.asarray(arrays["lengths"], np.uint32))
        if self._owners is not None:
            self._owners.adopt(np.asarray(arrays["owners"], np.uint32))
        self._postings.restore(arrays)

    def _cut(self, text: str) -> list[str]:
        return tokenize(text, self._tokenization, self._fold) if self._tokenization else [text]

    def _count(self, text: str) -> Cut:
        return _counted(self._cut(text))

    def _count_all(self, texts: Sequence[str]) -> Iterator[Cut]:
        return map(_counted, tokenize_all(texts, self._tokenization, self._fold) if self._tokenization else [[text] for text in texts])

    def _count_entries(self, rows: int) -> int:
        return rows if self._owners is None else int(np.searchsorted(self._owners.view(), np.uint32(rows)))

    def _containing(self, sought: Sequence[str], count: int) -> Numbers:
        """The entries that contain every one of the tokens."""
        lists = [self._postings.entries(token, count) for token in dict.fromkeys(sought)]
        lists.sort(key=len)
        found = lists[0]
        for entries in lists[1:]:
            found = found[contained(found, entries, count)]
        return found

    def _having_elements(self, rows: int) -> Mask:
        if self._owners is None:
            return self.present(rows)
        return self._rows_of(np.arange(self._count_entries(rows), dtype=np.uint32), rows)

    def _rows_of(self, entries: "Numbers | Positions", rows: int) -> Mask:
        mask = np.zeros(rows, np.bool_)
        mark(mask, entries if self._owners is None else self._owners.view().take(entries))
        return mask


def _counted(tokens: Sequence[str]) -> Cut:
    if len(tokens) < 2 or len(set(tokens)) == len(tokens):
        return tokens, len(tokens), None
    counts: dict[str, int] = {}  # a `Counter` takes four times as long for a title
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    return list(counts), len(tokens), {token: times for token, times in counts.items() if times > 1}


def contained(sought: Numbers, among: Numbers, count: int) -> Mask:
    """Which of the entries sought are among others; both ascending and below `count`."""
    if len(among) == 0 or len(sought) * _MANY > count:
        return _mask([among], count).take(sought)
    places = np.searchsorted(among, sought)
    places[places == len(among)] = 0
    return np.asarray(among.take(places) == sought)


def _mask(lists: Sequence[Numbers], count: int) -> Mask:
    mask = np.zeros(count, np.bool_)
    for entries in lists:
        mark(mask, entries)
    return mask


def _by_owner(parts: tuple[Part, ...], owners: Numbers) -> tuple[Part, ...]:
    """Entries become rows; where several elements of a row have the token, their times are added up."""
    if not parts:
        return ()
    rows = owners[np.concatenate([part.entries for part in parts])]
    times = np.concatenate([np.ones(len(part.entries), np.uint32) if part.times is None else part.times for part in parts])
    first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), rows[1:] != rows[:-1])))
    summed = np.add.reduceat(times, first)
    return (Part(rows[first], summed if summed.max() > 1 else None),)
