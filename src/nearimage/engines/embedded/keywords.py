"""Keyword search over the postings: the formulas of `nearimage.domain.keywords`, without looking at every object that has a frequent word.

    Keywords --_fields--> Field per property, Term per token in it
    terms, rarest first --_gather--> rows that may be among the best       here frequent words are passed over
    rows --_score--> scores, all terms in one order                        so that equal objects get equal scores, to the last bit
    --_first--> the best, equal ones by id

Passing over (Turtle and Flood's MaxScore): a term adds at most its bound to a score, its weight x the greatest tf it can have. The rows of the rarest terms
are gathered first; once there are as many as wanted, and the bounds of all terms that remain add up to less than the worst of them has, no row that has
remaining terms only can be among the best, and their lists are not walked: the rows gathered are looked up in them. Example, 100,000 objects "picture
number 4711 of the set", 10 wanted, "picture 4711": 4711 gives one row. Nine more are wanted, so "picture", in every object, cannot be passed over.

So the second device: the best rows by the remaining, frequent terms alone. The query is answered from the rows of the rare terms and from as many of these as
are wanted: a row that is in neither has no rare term, and each of the rows taken has at least as much, and a lesser id where it has the same. Under a filter
they are the best that pass; where it is so narrow that few of them do, the rows that pass are looked up, if they are fewer than the rows of the term.

The best rows of each frequent term by itself are kept over writes (a "head", `remembered`). The best by several are among them if the last of those wanted
has more than a row can have that is beyond the border of every head (Fagin's threshold algorithm): at most what the borders have together. With as much, a
row beyond differs from no border, so its id is greater than theirs, and who has a lesser id is before it. Where that does not settle it, all rows are walked
once. What was found is kept until the next write.

An object must have `minimum_match` tokens in one property: of T tokens in a property, each hit has one of the T - minimum_match + 1 rarest; those are
gathered, and `_score` counts.

Source:
    Turtle and Flood, "Query evaluation: strategies and optimizations", 1995. Fagin, Lotem and Naor, "Optimal aggregation algorithms for middleware", PODS 2001.
    Figures: docs/design/engine/text.md.

May import numpy, `domain` and this package.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from nearimage.domain.keywords import Keywords, length_factors, tokens_by_tokenization
from nearimage.domain.profile import IDLE, Watch
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.entries import Mask, Positions, mark
from nearimage.engines.embedded.ids import Ids
from nearimage.engines.embedded.postings import Numbers, Part
from nearimage.engines.embedded.remembered import HEAD, Head, Known, Text, gain
from nearimage.engines.embedded.state import State

Scores = npt.NDArray[np.float64]

_BEST = 256
"""The best rows of so many sets of terms are kept until the next write; 250 KB."""

_FREQUENT = 500
"""A term in fewer rows is walked without thinking (20 us); before one in more it is asked whether it can be passed over (20 us)."""

_IN_MANY = 2_000
"""A term in more rows, which take over 0.1 ms to walk, is worth a head."""

_SPARE = 2
"""A head is asked under a filter if so many times the rows that are wanted pass among its rows, should they be spread as everywhere."""

_DENSE = 16
"""Looking up one row by bisection takes as long as marking and reading about so many rows of a mask."""

_SORTING = 4
"""Sorting one row takes as long as going over about so many rows of two masks."""

_SLACK = 1 - 1e-6
"""Scores are rounded to float32 (6e-8) before they are compared, bounds are not."""


@dataclass(frozen=True, slots=True)
class Term:
    """One token in one property.

    Attributes:
        weight: idf x how often the query says it.
        bound: the most that it can add to a score.
        size: the number of its rows, dead ones too.
    """

    token: str
    parts: tuple[Part, ...]
    weight: float
    bound: float
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property to look in.

    Attributes:
        least: how many of the terms a row must have.
    """

    name: str
    boost: float
    text: Text
    least: int
    terms: tuple[Term, ...]


class KeywordSearch:
    """Ranks the rows of one shard."""

    def __init__(self) -> None:
        self._latest: Known | None = None
        self._lock = threading.Lock()

    def best(
        self, state: State, collection: Collection, query: Keywords, passing: Mask | None, count: int, *, watch: Watch = IDLE
    ) -> tuple[Positions, npt.NDArray[np.float32]]:
        """The `count` best rows, best first, equal scores in the order of ids, and their scores.

        Args:
            passing: the live rows that pass the filter; None for no filter.

        Raises:
            PropertyNotSearchable: a property is no searchable text.
        """
        known = self._known(state, collection)
        ranking = _Ranking(known, _fields(known, query))
        watch.lap("terms")
        rows = ranking.gather(passing, count) if count else np.zeros(0, np.uint32)
        scores, is_hit = ranking.score(rows)
        if not is_hit.all():
            rows, scores = rows[is_hit], scores[is_hit]
        return _first(rows, scores, count, state.table.index.ids)

    def _known(self, state: State, collection: Collection) -> Known:
        with self._lock:
            latest = self._latest
            if latest and latest.state is state and latest.collection is collection:
                return latest
            if latest and latest.state.revision > state.revision:  # a reader that is slow; the next ones see later commits
                return Known(state, collection, None)
            self._latest = Known(state, collection, latest)
            return self._latest


def _fields(known: Known, query: Keywords) -> tuple[Field, ...]:
    fields = []
    for asked, names in tokens_by_tokenization(query, known.collection):
        found = {name: _found(known, name, asked) for name in names}
        weights = {token: times * _idf([here[token][1] for here in found.values()], known.state.count) for token, times in asked.items()}
        least = max(query.minimum_match or len(asked), 1)
        for name, here in found.items():
            there = {token: (parts, weights[token]) for token, (parts, objects) in here.items() if objects}
            if len(there) >= least:
                fields.append(_field(known, name, query.boosts[name], least, there))
    return tuple(fields)


def _found(known: Known, name: str, asked: Mapping[str, int]) -> dict[str, tuple[tuple[Part, ...], int]]:
    """Each token's rows, and in how many live ones it stands."""
    column, rows = known.text(name).column, len(known.state.live)
    found = {token: column.rows_with(token, rows) for token in asked}
    return {token: (parts, known.count(name, token, parts)) for token, parts in found.items()}


def _field(known: Known, name: str, boost: float, least: int, found: Mapping[str, tuple[tuple[Part, ...], float]]) -> Field:
    settings, text, terms = known.collection.keywords, known.text(name), []
    always, by_length = length_factors(settings)
    shortest = always + by_length / text.mean  # the norm of a text of one token
    for token, (parts, weight) in found.items():
        greatest = 1.0 if any(part.times is not None for part in parts) else 1 / (1 + shortest)
        terms.append(Term(token, parts, weight, boost * weight * greatest, sum(len(part.entries) for part in parts)))
    return Field(name=name, boost=boost, text=text, least=least, terms=tuple(terms))


class _Ranking:
    """One query over one state."""

    def __init__(self, known: Known, fields: tuple[Field, ...]) -> None:
        self._known = known
        self._fields = fields
        self._settings = known.collection.keywords
        self._rows = len(known.state.live)

    def gather(self, passing: Mask | None, count: int) -> Numbers:
        """Rows, ascending, among which are the `count` best; dead ones and those that do not pass are not."""
        living = self._known.live if passing is None else passing
        if any(field.least > 1 for field in self._fields):
            rarest = [sorted(field.terms, key=lambda term: term.size)[: len(field.terms) - field.least + 1] for field in self._fields]
            return _standing(_joined([_rows(term) for terms in rarest for term in terms], self._rows), living)
        pairs = sorted(((field, term) for field in self._fields for term in field.terms), key=lambda pair: pair[1].size)
        walked = [pair for pair in pairs if pair[1].size <= _FREQUENT]
        remaining = pairs[len(walked) :]
        lists, gains = self._walk(walked, living)
        while True:
            rows, scores = _summed(lists, gains, self._rows)
            missing = sum(term.bound for _, term in remaining)
            kept, worst = _promising(rows, scores, count, missing)
            if missing < worst * _SLACK or not remaining:
                return kept
            size = remaining[0][1].size
            best = self._only(remaining).best(count, passing) if size > _IN_MANY and count <= HEAD else None
            if best is not None:
                return _joined([kept, np.sort(best)], self._rows)
            if passing is not None and int(np.count_nonzero(passing)) < size:
                return passing.nonzero()[0].astype(np.uint32)
            more_lists, more_gains = self._walk([remaining.pop(0)], living)
            lists, gains = lists + more_lists, gains + more_gains

    def score(self, rows: Numbers) -> tuple[npt.NDArray[np.float32], Mask]:
        """The score of each row, terms added in the order of the query, and whether it is a hit."""
        total, is_hit = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.bool_)
        for field in self._fields:
            score, counted = np.zeros(len(rows)), np.zeros(len(rows), np.int32)
            norm = field.text.norm(self._settings, rows)
            once = gain(None, norm)
            for term in field.terms:
                for part in term.parts:
                    places, times = _look_up(part, rows, self._rows)
                    score[places] += term.weight * (once[places] if times is None else gain(times, norm[places]))
                    counted[places] += 1
            enough = counted >= field.least
            score *= field.boost
            score *= enough
            total += score.astype(np.float32)
            is_hit |= enough
        return total, is_hit

    def _walk(self, pairs: "Sequence[tuple[Field, Term]]", living: Mask | None) -> tuple[list[Numbers], list[Scores]]:
        """The rows of each of the terms, and what it gives them, but for rounding."""
        lists: list[Numbers] = []
        gains: list[Scores] = []
        for field, term in pairs:
            for part in term.parts:
                rows, times = part.entries, part.times
                if living is not None:
                    stands = living.take(rows).nonzero()[0]
                    rows, times = rows.take(stands), None if times is None else times.take(stands)
                counts = 1.0 if times is None else times.astype(np.float64)
                lists.append(rows)
                gains.append((field.boost * term.weight) * counts / (counts + field.text.norm(self._settings, rows)))
        return lists, gains

    def best(self, count: int, passing: Mask | None) -> Numbers | None:
        """The `count` best rows, best first, where each term is in many rows and one term is enough; None where a filter leaves too few of those known."""
        if passing is None:
            return self._kept(count, partial(self._best_of_living, count))
        return self._best_of_heads(count, passing) if int(np.count_nonzero(passing)) * HEAD >= _SPARE * count * self._rows else None

    def _best_of_living(self, count: int) -> Numbers:
        found = self._best_of_heads(count, None)
        return self._walked_best()[:count] if found is None else found

    def _best_of_heads(self, count: int, passing: Mask | None) -> Numbers | None:
        """The same where it is settled by the heads."""
        heads = [[self._known.head(field.name, term.token, term.parts) for term in field.terms] for field in self._fields]
        found = np.sort(np.concatenate([head.rows for some in heads for head in some]))
        rows = found[np.concatenate((np.ones(1, np.bool_), found[1:] != found[:-1]))[: len(found)]]
        rows = _standing(rows, passing)
        best, scores = _first(rows, self.score(rows)[0], count, self._known.state.table.index.ids)
        return best.astype(np.uint32) if len(best) == count and self._is_settled(heads, int(best[-1]), scores[-1]) else None

    def _only(self, pairs: "Sequence[tuple[Field, Term]]") -> "_Ranking":
        chosen = {id(term) for _, term in pairs}
        fields = (replace(field, terms=tuple(term for term in field.terms if id(term) in chosen)) for field in self._fields)
        return _Ranking(self._known, tuple(field for field in fields if field.terms))

    def _is_settled(self, heads: Sequence[Sequence[Head]], last: int, score: np.float32) -> bool:
        """Whether no row beyond the borders of all heads comes before the last one found, which has this score."""
        known = self._known
        borders = [[known.border_gain(field.name, head) for head in some] for field, some in zip(self._fields, heads, strict=True)]
        most = self._added(borders)
        if score != most:
            return bool(score > most)
        for field, some, gains in zip(self._fields, heads, borders, strict=True):
            for place, head in enumerate(some):
                exact, gains[place] = gains[place], known.beneath_gain(field.name, head)
                if head.border and self._added(borders) >= most:  # a row that differs from the border might have as much
                    return False
                gains[place] = exact
        highs, lows = known.state.table.index.ids.halves()
        greatest = max((int(highs[row]), int(lows[row])) for some in heads for head in some if head.border for row in head.border[:1])
        return (int(highs[last]), int(lows[last])) <= greatest

    def _added(self, gains: Sequence[Sequence[float]]) -> np.float32:
        """The score of what gains so much from each term, added up as `score` does: rounding then never turns two scores about."""
        total = np.float32(0)
        for field, some in zip(self._fields, gains, strict=True):
            score = 0.0
            for term, one in zip(field.terms, some, strict=True):
                score += term.weight * one
            total += np.float32(score * field.boost)
        return total

    def _walked_best(self) -> Numbers:
        """The best rows, best first, out of all; fewer than `HEAD` only if these are all."""
        return self._kept(None, self._best_of_all)

    def _best_of_all(self) -> Numbers:
        rows, scores = _summed(*self._walk([(field, term) for field in self._fields for term in field.terms], self._known.live), self._rows)
        kept, _ = _promising(rows, scores, HEAD, 0.0)
        best, _ = _first(kept, self.score(kept)[0], HEAD, self._known.state.table.index.ids)
        return best.astype(np.uint32)

    def _kept(self, count: int | None, find: Callable[[], Numbers]) -> Numbers:
        """The best rows of these terms, found once a commit: searches share their frequent words."""
        known = self._known.best
        key = (count, *((field.name, field.boost, term.token, term.weight) for field in self._fields for term in field.terms))
        found = known.get(key)
        if found is None:
            found = find()
            if len(known) >= _BEST:
                known.clear()
            known[key] = found
        return found


def _idf(counts: Sequence[int], objects: int) -> float:
    having = [count for count in counts if count]
    mean = sum(having) // len(having) if having else 0
    return math.log(1 + (objects - mean + 0.5) / (mean + 0.5))


def _rows(term: Term) -> Numbers:
    if len(term.parts) == 1:
        return term.parts[0].entries
    return np.concatenate([part.entries for part in term.parts])


def _standing(rows: Numbers, living: Mask | None) -> Numbers:
    return rows if living is None else rows[living.take(rows)]


def _joined(lists: Sequence[Numbers], count: int) -> Numbers:
    """The rows of all lists, ascending, each once."""
    return lists[0] if len(lists) == 1 else _summed(lists, [np.zeros(len(rows)) for rows in lists], count)[0]


def _summed(lists: Sequence[Numbers], gains: Sequence[Scores], count: int) -> tuple[Numbers, Scores]:
    """The rows of all lists, ascending, each once, and the sum of what each gains."""
    if len(lists) <= 1:
        return (lists[0], gains[0]) if lists else (np.zeros(0, np.uint32), np.zeros(0))
    if sum(map(len, lists)) * _SORTING > count:
        sums, there = np.zeros(count), np.zeros(count, np.bool_)
        for rows, gain in zip(lists, gains, strict=True):
            sums[rows.astype(np.intp)] += gain
            mark(there, rows)
        found = there.nonzero()[0]
        return found.astype(np.uint32), sums.take(found)
    together = np.concatenate(lists)
    order = np.argsort(together, kind="stable")
    together = together.take(order)
    is_first = np.ones(len(together), np.bool_)
    np.not_equal(together[1:], together[:-1], out=is_first[1:])
    first = is_first.nonzero()[0]
    if len(first) == 0:
        return together, np.zeros(0)
    return together.take(first), np.add.reduceat(np.concatenate(gains).take(order), first)


def _promising(rows: Numbers, scores: Scores, count: int, missing: float) -> tuple[Numbers, float]:
    """The rows that may be among the best, if each may still gain what is missing; and the least score that one of the best has already."""
    if len(rows) < count:
        return rows, 0.0
    worst = float(np.partition(scores, len(scores) - count)[len(scores) - count])
    return rows.compress(scores + missing >= worst * _SLACK), worst


def _look_up(part: Part, rows: Numbers, count: int) -> tuple["slice | Positions", "npt.NDArray[np.uint32] | None"]:
    """The positions in `rows`, ascending, of rows that are in the part, and how often each has the token."""
    entries = part.entries
    if entries is rows:
        return slice(None), part.times
    if len(entries) == count:  # in every row
        return slice(None), None if part.times is None else part.times.take(rows)
    if len(rows) * _DENSE > count:
        if part.times is None:
            standing = np.zeros(count, np.bool_)
            mark(standing, entries)
            return standing.take(rows).nonzero()[0], None
        times = np.zeros(count, np.uint32)
        times[entries.astype(np.intp)] = part.times
        found = times.take(rows)
        places = found.nonzero()[0]
        return places, found.take(places)
    nearest = np.minimum(np.searchsorted(entries, rows), len(entries) - 1)
    places = (entries.take(nearest) == rows).nonzero()[0]
    return places, None if part.times is None else part.times.take(nearest.take(places))


def _first(rows: Numbers, scores: npt.NDArray[np.float32], count: int, ids: Ids) -> tuple[Positions, npt.NDArray[np.float32]]:
    """The best rows and their scores, best first, equal ones in the order of ids."""
    if len(rows) > count > 0:
        worst = np.partition(scores, len(scores) - count)[len(scores) - count]
        better, equal = np.flatnonzero(scores > worst), np.flatnonzero(scores == worst)
        if len(better) + len(equal) > count:
            equal = equal[ids.least(rows[equal].astype(np.int64), count - len(better))]
        kept = np.concatenate((better, equal))
        rows, scores = rows[kept], scores[kept]
    numbers = rows.astype(np.int64)
    order = ids.order(numbers, -scores)[:count]
    return numbers[order], scores[order]
