"""What keyword search remembers of a shard from one commit to the next, so that the first query after a write costs no more than the next one.

    Deaths    the rows that died, in the order in which that was seen: what was counted is mended by those that came since
    Head      the best rows of one frequent term by itself, up to a border; new rows are sorted in, dead ones fall out
    Known     both, as one commit sees them

A term gives a row tf / (tf + k1 (1 - b + b length / mean)). The mean moves with every write, and with it the order of rows that differ in length and
frequency; two rows of the same length and frequency never change places. So a head knows, besides the border, the most that any row beyond it has which
differs from the border's (`beneath`). If the mean rises by a factor, no row gains more than that factor; while `beneath`, raised by it, is less than what the
border has, everything beyond is still beyond. Otherwise the head is made anew from all rows of the term.

    six words each, 100,000 rows    the 256 least ids; `beneath` is 0: nothing that is written ever spoils it
    one to twelve words             the 256 shortest texts, the last of four words, `beneath` what five words have: a mean 10 % higher spoils nothing

May import numpy, `domain` and this package.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nearimage.domain.keywords import length_factors
from nearimage.domain.schema import Collection, KeywordSettings
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.ids import Ids
from nearimage.engines.embedded.postings import Numbers, Part
from nearimage.engines.embedded.state import State
from nearimage.engines.embedded.tokens import TokenColumn, contained

Scores = npt.NDArray[np.float64]
_Measure = Callable[[Positions], tuple[int, int]]

HEAD = 256
"""Rows of a head, 4 KB: enough for pages of 100; who wants more hits at once waits for the walk."""

_MOST = 4096
"""So many heads, and so many counts, are kept at most: 16 MB, and 1."""

_ROUNDING = 1 + 1e-9
"""Sums and quotients of a few float64 are wrong by less."""


@dataclass(frozen=True, slots=True)
class Text:
    """A property's texts as a whole.

    Attributes:
        lengths: (rows,), see `TokenColumn.lengths`.
        mean: the mean length of the live rows that have any token.
    """

    column: TokenColumn
    lengths: Numbers
    mean: float

    def norm(self, settings: KeywordSettings, rows: Numbers) -> Scores:
        """What stands beside tf in the denominator, for some rows."""
        lengths = np.maximum(self.lengths.take(rows), 1) - 1.0  # a row without the property is not counted
        always, by_length = length_factors(settings)
        norm: Scores = always + by_length * (lengths / self.mean)
        return norm


@dataclass(frozen=True, slots=True)
class Head:
    """The best rows of one term: all that are alive and not beyond the border.

    Attributes:
        rows: in no order.
        times: (rows,), how often each has the term.
        border: a row, perhaps a dead one by now, and how often it has the term; None where no row is beyond.
        beneath: the most that a row beyond has which differs from the border in length or times; under `mean`.
        known: so many rows were looked at.
        revision: of the commit that it was made for.
    """

    rows: Numbers
    times: npt.NDArray[np.uint32]
    border: tuple[int, int] | None
    beneath: float
    mean: float
    known: int
    revision: int


@dataclass(slots=True)
class Carried:
    """What commits hand on.

    Attributes:
        heads: by property and token.
        gone: what measures of dead rows came to, by property and token (None: its lengths), and how many deaths they know of.
        deaths: rows, in the order in which they were seen to be dead.
    """

    heads: dict[tuple[str, str], Head] = field(default_factory=dict)
    gone: dict[tuple[str, str | None], tuple[int, int, int]] = field(default_factory=dict)
    deaths: Growing[np.int64] = field(default_factory=lambda: Growing(np.int64))


class Known:
    """What is known of one commit.

    Args:
        before: of an earlier commit; what it knows is taken over, unless the collection was altered or the rows were numbered anew.
    """

    def __init__(self, state: State, collection: Collection, before: "Known | None") -> None:
        self.state = state
        self.collection = collection
        self.live = None if state.count == len(state.live) else state.live
        self.best: dict[object, Numbers] = {}
        self._texts: dict[str, Text] = {}
        follows = before and before.collection is collection and before.state.table is state.table
        self.carried: Carried = before.carried if before and follows else Carried()
        if self.live is not None:
            lived = np.ones(len(self.live), np.bool_)
            if before and follows:
                lived[: len(before.state.live)] = before.state.live
            self.carried.deaths.extend(np.flatnonzero(lived > self.live))
        self._dead = len(self.carried.deaths)

    def text(self, name: str) -> Text:
        """A property's column and lengths."""
        known = self._texts.get(name)
        if known is None:
            column = self.state.table.index.column(name)
            assert isinstance(column, TokenColumn)  # noqa: S101 searchable is text, says `tokens_by_tokenization`
            rows = len(self.state.live)
            tokens, having = column.sums(rows)
            lengths = column.lengths(rows)
            gone_tokens, gone = self._mended((name, None), lambda died: _sums(lengths.take(died)))
            tokens, having = tokens - gone_tokens, having - gone
            known = self._texts[name] = Text(column, lengths, tokens / having if having else 0.0)
        return known

    def count(self, name: str, token: str, parts: tuple[Part, ...]) -> int:
        """In how many live rows the token stands."""
        size = sum(len(part.entries) for part in parts)
        if self.live is None or size == 0:
            return size

        def among(died: Positions) -> tuple[int, int]:
            rows = np.sort(died).astype(np.uint32)
            return sum(int(np.count_nonzero(contained(rows, part.entries, len(self.state.live)))) for part in parts), 0

        return size - self._mended((name, token), among)[0]

    def head(self, name: str, token: str, parts: tuple[Part, ...]) -> Head:
        """The best rows of a term."""
        heads, text = self.carried.heads, self.text(name)
        found = heads.get((name, token))
        if found and found.revision == self.state.revision:
            return found
        making = _Making(self, text, parts)
        head = making.followed(found) if found and found.revision < self.state.revision else None
        head = head or making.fresh()
        if found is None or found.revision < self.state.revision:
            if len(heads) >= _MOST:
                heads.clear()
            heads[name, token] = head
        return head

    def border_gain(self, name: str, head: Head) -> float:
        """What the border gains from the term; 0 where no row is beyond."""
        if head.border is None:
            return 0.0
        row, times = head.border
        return float(gain(np.array((times,), np.uint32), self.text(name).norm(self.collection.keywords, np.array((row,), np.uint32)))[0])

    def beneath_gain(self, name: str, head: Head) -> float:
        """The most that a row beyond gains which differs from the border."""
        return _raised(head, self.text(name).mean)

    def _mended(self, key: tuple[str, str | None], measure: _Measure) -> tuple[int, int]:
        """What a measure of dead rows comes to by now, if its sum is kept by that key."""
        gone = self.carried.gone
        seen, first, second = gone.get(key, (0, 0, 0))
        if seen > self._dead:  # a reader of a later commit was here first
            seen, first, second = 0, 0, 0
        if seen < self._dead:
            more = measure(self.carried.deaths.view(self._dead)[seen:])
            first, second = first + more[0], second + more[1]
            if len(gone) >= _MOST:
                gone.clear()
            gone[key] = (self._dead, first, second)
        return first, second


class _Making:
    """Makes the head of one term as of one commit."""

    def __init__(self, known: Known, text: Text, parts: Sequence[Part]) -> None:
        self._known = known
        self._text = text
        self._parts = parts
        self._ids: Ids = known.state.table.index.ids

    def fresh(self) -> Head:
        """From all rows of the term."""
        return self._cut(*self._since(0), border=None, beneath=0.0, most=HEAD)

    def followed(self, head: Head) -> Head | None:
        """An earlier head with the rows that came since; None if it is spoilt."""
        rows, times = self._since(head.known)
        stays = slice(None) if self._known.live is None else self._known.live.take(head.rows)
        rows, times = np.concatenate((head.rows[stays], rows)), np.concatenate((head.times[stays], times))
        if head.border is None:
            return self._cut(rows, times, border=None, beneath=0.0, most=2 * HEAD)
        (row, often), beneath = head.border, _raised(head, self._text.mean)
        edge = self._gains(np.array((row,), np.uint32), np.array((often,), np.uint32))[0]
        if beneath * _ROUNDING >= edge:
            return None
        gains = self._gains(rows, times)
        within = (gains > edge) | ((gains == edge) & ~self._after(rows, row))
        beneath = max(beneath, self._beneath(rows[~within], times[~within], gains[~within], (row, often)))
        if int(np.count_nonzero(within)) < HEAD // 2:
            return None
        return self._cut(rows[within], times[within], border=head.border, beneath=beneath, most=2 * HEAD)

    def _since(self, known: int) -> tuple[Numbers, npt.NDArray[np.uint32]]:
        """The living rows of the term from this row on, and how often each has it."""
        lists, counts = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint32)]
        for part in self._parts:
            first = int(np.searchsorted(part.entries, np.uint32(known)))
            rows = part.entries[first:]
            times = np.ones(len(rows), np.uint32) if part.times is None else part.times[first:]
            stands = slice(None) if self._known.live is None else self._known.live.take(rows)
            lists.append(rows[stands])
            counts.append(times[stands])
        return np.concatenate(lists), np.concatenate(counts)

    def _cut(self, rows: Numbers, times: npt.NDArray[np.uint32], *, border: tuple[int, int] | None, beneath: float, most: int) -> Head:
        """All these rows, or if they are more than `most` the best of them."""
        if len(rows) > most:
            gains = self._gains(rows, times)
            worst = np.partition(gains, len(gains) - HEAD)[len(gains) - HEAD]
            better, equal = np.flatnonzero(gains > worst), np.flatnonzero(gains == worst)
            equal = equal[self._ids.least(rows[equal].astype(np.int64), HEAD - len(better))]
            last = equal[self._ids.order(rows[equal].astype(np.int64))[-1]]
            known = border
            border = int(rows[last]), int(times[last])
            dropped = np.ones(len(rows), np.bool_)
            dropped[better] = dropped[equal] = False
            beneath = max(beneath, self._beneath(rows[dropped], times[dropped], gains[dropped], border))
            if known:  # what lies beyond the old border lies beyond the new one
                old = np.array((known[0],), np.uint32), np.array((known[1],), np.uint32)
                beneath = max(beneath, self._beneath(*old, self._gains(*old), border))
            kept = np.concatenate((better, equal))
            rows, times = rows[kept], times[kept]
        return Head(rows, times, border, beneath, self._text.mean, len(self._known.state.live), self._known.state.revision)

    def _beneath(self, rows: Numbers, times: npt.NDArray[np.uint32], gains: Scores, border: tuple[int, int]) -> float:
        """The most that one of these rows gains which differs from the border in length or times."""
        lengths = self._text.lengths
        differs = (times != border[1]) | (lengths.take(rows) != lengths[border[0]])
        return float(gains.max(where=differs, initial=0.0))

    def _gains(self, rows: Numbers, times: npt.NDArray[np.uint32]) -> Scores:
        return gain(times, self._text.norm(self._known.collection.keywords, rows))

    def _after(self, rows: Numbers, border: int) -> Mask:
        """Which of the rows have a greater id than the border."""
        highs, lows = self._ids.halves()
        high, low = highs[border], lows[border]
        return np.asarray((highs.take(rows) > high) | ((highs.take(rows) == high) & (lows.take(rows) > low)))


def gain(times: npt.NDArray[np.uint32] | None, norm: Scores) -> Scores:
    """What a term gives rows that have it so often (None: once), before its weight."""
    gains: Scores = 1 / (1 + norm) if times is None else times / (times + norm)
    return gains


def _raised(head: Head, mean: float) -> float:
    return head.beneath * max(1.0, mean / head.mean) if head.beneath else 0.0


def _sums(lengths: Numbers) -> tuple[int, int]:
    """How many tokens texts of these lengths have, and how many of them have any."""
    return int(lengths.sum(dtype=np.int64)) - int(np.count_nonzero(lengths)), int(np.count_nonzero(lengths > 1))
