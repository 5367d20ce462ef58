"""For each token of a column, the entries that contain it, and how often: what filters on text and keyword search both read.

    "Corgi puppy"         entry 4      corgi -> {4, 9 (twice)}    puppy -> {4}
    "corgi meets corgi"   entry 9      meets -> {9}

Two layers answer as one:

    base    what a file knew on opening: a sorted vocabulary and, for each token, a stretch of one long array of entries; mapped, never changed
    since   what was added since: a dict from the token to its entries; a plain int for a token met once, which most tokens of a large vocabulary are,
            then an `array`, and from `_OFTEN` on a `Growing`, which numpy reads without copying

Entries are appended in ascending order and never changed, under the interpreter's lock, so that a reader who looks at entries below its own count needs no
lock of ours. An `array` must not be lent to numpy (it could not grow meanwhile): readers take a copy, which is one call, and short.

How often a token stands in an entry is nearly always once: only the others are written down, in `_repeats`.

May import numpy, `domain` and this package.
"""

import heapq
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import Operator
from nearimage.domain.text import like_regex
from nearimage.engines.embedded.entries import Arrays, Mask
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.vocabulary import Vocabulary, encode

Numbers = npt.NDArray[np.uint32]

_OFTEN = 64
"""From so many entries on a token has a numpy array of its own (112 bytes and room to grow); below, copying takes under 1 us."""

_SORTED_AT_ONCE = 10_000
"""Sorting so many tokens holds the interpreter for 3 ms; more are sorted in parts and merged."""

_DECIDE: dict[Operator, Callable[[str, str], bool]] = {
    Operator.GREATER_THAN: str.__gt__,
    Operator.GREATER_THAN_EQUAL: str.__ge__,
    Operator.LESS_THAN: str.__lt__,
    Operator.LESS_THAN_EQUAL: str.__le__,
}


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a token's entries.

    Attributes:
        entries: ascending.
        times: how often the token stands in each; None for once in all.
    """

    entries: Numbers
    times: npt.NDArray[np.uint32] | None


@dataclass(frozen=True, slots=True)
class _Base:
    """The layer of a file: token n has entries[starts[n]:starts[n + 1]]; `times` is empty where every one is 1."""

    vocabulary: Vocabulary
    starts: npt.NDArray[np.int64]
    entries: Numbers
    times: npt.NDArray[np.uint32]

    def part(self, first: int, last: int) -> Part:
        """The entries of the tokens with these numbers, one token's behind the other's."""
        stretch = slice(int(self.starts[first]), int(self.starts[last]))
        return Part(self.entries[stretch], self.times[stretch] if len(self.times) else None)


@dataclass(slots=True)
class _Counted:
    """How often a frequent token stands in its entries, as far as anybody has asked: a keyword search asks again and again.

    Attributes:
        repeats: so many of the token's repeats are worked in.
    """

    times: Growing[np.uint32] = field(default_factory=lambda: Growing(np.uint32))
    repeats: int = 0


def _nothing() -> _Base:
    return _Base(Vocabulary(np.zeros(0, np.uint8), np.zeros(0, np.int64)), np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.uint32))


class Postings:
    """The entries of each token; grows only."""

    def __init__(self) -> None:
        self._base = _nothing()
        self._since: dict[str, int | array[int] | Growing[np.uint32]] = {}
        self._repeats: dict[str, tuple[array[int], array[int]]] = {}
        self._counted: dict[str, _Counted] = {}
        self._counting = Lock()

    def add(self, entry: int, tokens: Sequence[str]) -> None:
        """The entry, greater than all before it, contains these distinct tokens."""
        since = self._since
        for token in tokens:
            known = since.get(token)
            if known is None:
                since[token] = entry
            elif isinstance(known, int):
                since[token] = array("I", (known, entry))
            else:
                known.append(entry)
                if len(known) == _OFTEN and isinstance(known, array):
                    longer = since[token] = Growing(np.uint32)
                    longer.extend(known)

    def add_all(self, entries: Sequence[int], tokens: Sequence[Sequence[str]]) -> None:
        """The same for many entries, ascending: each token is looked up once, and its new entries are added at one stroke."""
        grouped: defaultdict[str, list[int]] = defaultdict(list)
        for entry, contained in zip(entries, tokens, strict=True):
            for token in contained:
                grouped[token].append(entry)
        for token, added in grouped.items():
            self._extend(token, added)

    def _extend(self, token: str, entries: list[int]) -> None:
        known = self._since.get(token)
        if known is None and len(entries) == 1:
            self._since[token] = entries[0]
        elif isinstance(known, Growing):
            known.extend(entries)
        else:
            before = (known,) if isinstance(known, int) else known or ()
            both = array("I", (*before, *entries))
            if len(both) < _OFTEN:
                self._since[token] = both
            else:
                longer: Growing[np.uint32] = Growing(np.uint32)
                longer.extend(both)
                self._since[token] = longer

    def repeat(self, entry: int, token: str, times: int) -> None:
        """The token stands in the entry so many times, more than once; said after `add`."""
        entries, counts = self._repeats.setdefault(token, (array("I"), array("I")))
        counts.append(times)
        entries.append(entry)  # last: who sees the entry finds its count

    def parts(self, token: str, count: int) -> tuple[Part, ...]:
        """The entries below `count` of one token, in ascending parts, none of them empty."""
        found = self._base_part(token)
        entries = _as_numbers(self._since.get(token), count)
        since = (Part(entries, self._times(token, entries)),) if len(entries) else ()
        return (*found, *since)

    def entries(self, token: str, count: int) -> Numbers:
        """The same as one, ascending, for who does not ask how often."""
        since = _as_numbers(self._since.get(token), count)
        lists = [entries for entries in (*(part.entries for part in self._base_part(token)), since) if len(entries)]
        if len(lists) == 1:
            return lists[0]
        return np.concatenate(lists) if lists else since

    def _base_part(self, token: str) -> tuple[Part, ...]:
        number = self._base.vocabulary.find(encode(token)) if len(self._base.vocabulary) else None
        return () if number is None else (self._base.part(number, number + 1),)

    def meeting(self, operator: Operator, sought: str, count: int) -> list[Numbers]:
        """The entries below `count` of all tokens that compare so with the one sought, or match it; in no order, and an entry may come again."""
        matches = like_regex(sought).fullmatch
        compare = _DECIDE.get(operator)
        tokens = tuple(self._since)  # copied at one stroke: a writer may add to it meanwhile
        met = [token for token in tokens if compare(token, sought)] if compare else [token for token in tokens if matches(token)]
        return [self._base_meeting(operator, sought), *self._since_of(met, count)]

    def of_any(self, tokens: Sequence[str], count: int) -> list[Numbers]:
        """The entries below `count` of some of the tokens, in no order, and an entry may come again; there may be thousands of tokens."""
        known = [self._base.vocabulary.find(encode(token)) for token in tokens] if len(self._base.vocabulary) else []
        return [self._base_of([number for number in known if number is not None]), *self._since_of(tokens, count)]

    def arrays(self, keep: Mask) -> Arrays:
        """Both layers as one, of the entries that are kept, numbered anew."""
        return _merged(self._base, self._flat(len(keep)), keep)

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take what `arrays` gave as the base; only where nothing was added yet."""
        vocabulary = Vocabulary(np.asarray(arrays["vocabulary"], np.uint8), np.asarray(arrays["token_ends"], np.int64))
        starts = np.concatenate((np.zeros(1, np.int64), np.asarray(arrays["posting_ends"], np.int64)))
        self._base = _Base(vocabulary, starts, np.asarray(arrays["postings"], np.uint32), np.asarray(arrays["times"], np.uint32))

    def _base_meeting(self, operator: Operator, sought: str) -> Numbers:
        vocabulary = self._base.vocabulary
        if operator is Operator.LIKE:
            numbers = vocabulary.like(sought, like_regex(sought))
            if isinstance(numbers, list):
                return self._base_of(numbers)
        else:
            beyond = operator in (Operator.GREATER_THAN, Operator.LESS_THAN_EQUAL)
            border = vocabulary.lower_bound(encode(sought) + (b"\0" if beyond else b""))
            below = operator in (Operator.LESS_THAN, Operator.LESS_THAN_EQUAL)
            numbers = range(border) if below else range(border, len(vocabulary))
        return self._base.part(numbers.start, numbers.stop).entries

    def _base_of(self, numbers: list[int]) -> Numbers:
        """The entries of these tokens, one's behind the other's."""
        chosen = np.array(numbers, np.int64)
        starts = self._base.starts.take(chosen)
        sizes = self._base.starts.take(chosen + 1) - starts
        ends = np.cumsum(sizes)
        return self._base.entries.take(np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1] if len(ends) else 0))

    def _since_of(self, tokens: Sequence[str], count: int) -> list[Numbers]:
        """The entries of these tokens; those of all tokens met once together, or each would cost a microsecond."""
        found = [known for token in tokens if (known := self._since.get(token)) is not None]
        once = np.array([known for known in found if isinstance(known, int)], np.uint32)
        return [once[once < count], *(_as_numbers(known, count) for known in found if not isinstance(known, int))]

    def _times(self, token: str, entries: Numbers) -> npt.NDArray[np.uint32] | None:
        """How often the token stands in each of its first entries of the newer layer; None for once in all."""
        repeats = self._repeats.get(token)
        if repeats is None:
            return None
        if len(entries) < _OFTEN:
            return _times_in(entries, *map(_copied, repeats))
        with self._counting:
            counted = self._counted.setdefault(token, _Counted())
            first = len(counted.times)
            if first < len(entries):
                repeated, times = (_copied(numbers[counted.repeats :]) for numbers in repeats)
                repeated = repeated[: np.searchsorted(repeated, entries[-1], side="right")]
                counted.times.extend(_times_in(entries[first:], repeated, times[: len(repeated)]))
                counted.repeats += len(repeated)
        return counted.times.view(len(entries))

    def _flat(self, count: int) -> "_Flat":
        tokens = _sorted(tuple(self._since))
        entries, sizes = array("I"), array("q")
        repeated: list[tuple[int, npt.NDArray[np.uint32]]] = []
        for token in tokens:
            known = self._since[token]
            if isinstance(known, int) and token not in self._repeats:  # most tokens of a large vocabulary
                if known < count:
                    entries.append(known)
                sizes.append(known < count)
                continue
            found = _as_numbers(known, count)
            if token in self._repeats and (counts := self._times(token, found)) is not None:
                repeated.append((len(entries), counts))
            entries.frombytes(found.tobytes())
            sizes.append(len(found))
        counted = np.ones(len(entries), np.uint32)
        for start, counts in repeated:
            counted[start : start + len(counts)] = counts
        return _Flat([encode(token) for token in tokens], np.array(sizes, np.int64), np.array(entries, np.uint32), counted)


@dataclass(frozen=True, slots=True)
class _Flat:
    """The newer layer, sorted by token: each token's number of entries, and all entries one behind the other."""

    tokens: list[bytes]
    sizes: npt.NDArray[np.int64]
    entries: Numbers
    times: npt.NDArray[np.uint32]


def _merged(base: _Base, flat: _Flat, keep: Mask) -> Arrays:
    """Base and newer layer in one sorted vocabulary, without the tokens of which no entry is kept."""
    sizes = np.diff(base.starts)
    known = base.vocabulary.all()
    of_base, of_flat = _places(known, flat.tokens)
    owners = np.concatenate((np.repeat(of_base, sizes), np.repeat(of_flat, flat.sizes)))
    entries = np.concatenate((base.entries, flat.entries))
    times = np.concatenate((base.times if len(base.times) else np.ones(len(base.entries), np.uint32), flat.times))
    kept = keep[entries]
    owners, entries, times = owners[kept], entries[kept], times[kept]
    order = np.argsort(owners, kind="stable")  # by token; the base's entries, which are lower, stay before the newer ones
    counts = np.bincount(owners, minlength=len(of_base) + len(of_flat))
    tokens: list[bytes] = [b""] * len(counts)
    for place, token in zip(of_flat.tolist(), flat.tokens, strict=True):
        tokens[place] = token
    for place, token in zip(of_base.tolist(), known, strict=True):
        tokens[place] = token
    used = counts > 0
    named = [token for token, is_used in zip(tokens, used.tolist(), strict=True) if is_used]
    renumbered = np.cumsum(keep, dtype=np.uint32) - np.uint32(1)
    return {
        "vocabulary": np.frombuffer(b"".join(named), np.uint8),
        "token_ends": np.cumsum([len(token) for token in named], dtype=np.int64),
        "postings": renumbered[entries[order]],
        "posting_ends": np.cumsum(counts[used], dtype=np.int64),
        "times": times[order] if (times > 1).any() else np.zeros(0, np.uint32),
    }


def _places(known: list[bytes], tokens: list[bytes]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The places of the base's tokens, and of the newer ones, in an order of all; a token of both layers has one place."""
    found, bound = array("q"), 0
    for token in tokens:
        bound = bisect_left(known, token, bound)  # both are sorted
        found.append(bound)
    bounds = np.array(found, np.int64)
    is_new = np.array([bound == len(known) or known[bound] != token for bound, token in zip(found, tokens, strict=True)], np.bool_)
    new = bounds[is_new]
    of_base = np.arange(len(known)) + np.searchsorted(new, np.arange(len(known)), side="right")
    of_tokens = np.empty(len(tokens), np.int64)
    of_tokens[is_new] = new + np.arange(len(new))
    of_tokens[~is_new] = of_base[bounds[~is_new]]
    return of_base, of_tokens


def _sorted(tokens: tuple[str, ...]) -> list[str]:
    parts = [sorted(tokens[start : start + _SORTED_AT_ONCE]) for start in range(0, len(tokens), _SORTED_AT_ONCE)]
    return list(heapq.merge(*parts))


def _times_in(entries: Numbers, repeated: Numbers, counts: Numbers) -> npt.NDArray[np.uint32]:
    """1 for each entry, but for those that are repeated."""
    places = np.searchsorted(entries, repeated)
    known = places < len(entries)
    times = np.ones(len(entries), np.uint32)
    times[places[known]] = counts[: len(repeated)][known]
    return times


def _as_numbers(known: "int | array[int] | Growing[np.uint32] | None", count: int) -> Numbers:
    if known is None:
        return np.zeros(0, np.uint32)
    if isinstance(known, int):
        return np.array((known,), np.uint32) if known < count else np.zeros(0, np.uint32)
    entries = _copied(known) if isinstance(known, array) else known.view()
    if len(entries) and entries[-1] < count:
        return entries
    return entries[: np.searchsorted(entries, np.uint32(count))]


def _copied(numbers: "array[int]") -> Numbers:
    return np.frombuffer(numbers.tobytes(), np.uint32)
