"""Keyword search over the postings: the formulas of `nearimage.domain.keywords`, without looking at every object that has a frequent word.

    Keywords --_fields--> Field per property, Term per token in it
    terms, rarest first --_gather--> rows that may be among the best       here frequent words are passed over
    rows --_score--> scores, all terms in one order                        so that equal objects get equal scores, to the last bit
    --_first--> the best, equal ones by id

Passing over (Turtle and Flood's MaxScore): a term adds at most its bound to a score, its weight x the greatest tf it can have. The rows of the rarest terms
are gathered first; once there are as many as wanted, and the bounds of all terms that remain add up to less than the worst of them has, no row that has
remaining terms only can be among the best, and their lists are not walked: the rows gathered are looked up in them. Example, 100,000 objects "picture
number 4711 of the set", 10 wanted, "picture 4711": 4711 gives one row. Nine more are wanted, so "picture", in every object, cannot be passed over.

So the second device: what the remaining, frequent terms give by themselves, their first `_HEAD` rows, is kept from query to query until the next write
(a "head"). A row with none of the rare terms has the same score in the head as in the query, therefore the best of those rows stand in the head in this
order. If the head has as many of them as are wanted, the query is answered from it and the rare terms' rows. A filter makes heads useless: then the rows
that pass it are looked up, if they are fewer than the rows of the term.

An object must have `minimum_match` tokens in one property: of T tokens in a property, each hit has one of the T - minimum_match + 1 rarest; those are
gathered, and `_score` counts.

Source:
    Turtle and Flood, "Query evaluation: strategies and optimizations", 1995. Figures: docs/design/engine/text.md.

May import numpy, `domain` and this package.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nearimage.domain.keywords import Keywords, tokens_by_tokenization
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.entries import Mask, Positions
from nearimage.engines.embedded.ids import Ids
from nearimage.engines.embedded.postings import Numbers, Part
from nearimage.engines.embedded.state import State
from nearimage.engines.embedded.tokens import TokenColumn

Scores = npt.NDArray[np.float64]

_HEAD = 256
"""Rows of a head: enough for a page of 100 where as many again have a rare term too; 1 KB."""

_HEADS = 256
"""So many heads, and a hundred times as many counts, are kept at most; 250 KB."""

_FREQUENT = 2000
"""A term in fewer rows is walked (under 20 us); one in more is worth a head, or a check whether it can be passed over."""

_DENSE = 16
"""Looking up one row by bisection takes as long as marking and reading about so many rows of a mask."""

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
        lengths: (rows,), see `TokenColumn.lengths`.
        mean: the mean length of the live rows that have any token.
        least: how many of the terms a row must have.
    """

    name: str
    boost: float
    lengths: Numbers
    mean: float
    least: int
    terms: tuple[Term, ...]


class _Known:
    """What was found out about one state: good until the next write, or until the collection is altered."""

    def __init__(self, state: State, collection: Collection) -> None:
        self.state = state
        self.collection = collection
        self.live = None if state.count == len(state.live) else state.live
        self.dead: Positions = np.zeros(0, np.int64) if self.live is None else np.flatnonzero(~state.live)
        self.heads: dict[object, tuple[Numbers, bool]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, name: str, token: str, parts: tuple[Part, ...]) -> int:
        """In how many live rows the token stands."""
        size = sum(len(part.entries) for part in parts)
        if self.live is None or size == 0:
            return size
        known = self._counts.get((name, token))
        if known is None:
            if len(self._counts) > 100 * _HEADS:
                self._counts.clear()
            known = self._counts[name, token] = sum(int(np.count_nonzero(self.live[part.entries])) for part in parts)
        return known


class KeywordSearch:
    """Ranks the rows of one shard."""

    def __init__(self) -> None:
        self._latest: _Known | None = None

    def best(self, state: State, collection: Collection, query: Keywords, passing: Mask | None, count: int) -> tuple[Positions, npt.NDArray[np.float32]]:
        """The `count` best rows, best first, equal scores in the order of ids, and their scores.

        Args:
            passing: the live rows that pass the filter; None for no filter.

        Raises:
            PropertyNotSearchable: a property is no searchable text.
        """
        known = self._latest
        if known is None or known.state is not state or known.collection is not collection:
            known = self._latest = _Known(state, collection)
        ranking = _Ranking(known, _fields(known, query))
        rows = ranking.gather(passing, count) if count else np.zeros(0, np.uint32)
        scores, is_hit = ranking.score(rows)
        if not is_hit.all():
            rows, scores = rows[is_hit], scores[is_hit]
        return _first(rows, scores.astype(np.float32), count, state.table.index.ids)


def _fields(known: _Known, query: Keywords) -> tuple[Field, ...]:
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


def _found(known: _Known, name: str, asked: Mapping[str, int]) -> dict[str, tuple[tuple[Part, ...], int]]:
    """Each token's rows, and in how many live ones it stands."""
    column, rows = _column(known.state, name), len(known.state.live)
    found = {token: column.rows_with(token, rows) for token in asked}
    return {token: (parts, known.count(name, token, parts)) for token, parts in found.items()}


def _field(known: _Known, name: str, boost: float, least: int, found: Mapping[str, tuple[tuple[Part, ...], float]]) -> Field:
    column, rows = _column(known.state, name), len(known.state.live)
    tokens, having = column.sums(rows, known.dead)
    settings = known.collection.keywords
    mean = tokens / having
    shortest = settings.k1 * (1 - settings.b + settings.b / mean)  # the norm of a text of one token
    terms = []
    for token, (parts, weight) in found.items():
        greatest = 1 / (1 + shortest) if all(part.times is None for part in parts) else 1.0
        terms.append(Term(token, parts, weight, boost * weight * greatest, sum(len(part.entries) for part in parts)))
    return Field(name=name, boost=boost, lengths=column.lengths(rows), mean=mean, least=least, terms=tuple(terms))


def _column(state: State, name: str) -> TokenColumn:
    column = state.table.index.column(name)
    assert isinstance(column, TokenColumn)  # noqa: S101 searchable is text, says `tokens_by_tokenization`
    return column


class _Ranking:
    """One query over one state."""

    def __init__(self, known: _Known, fields: tuple[Field, ...]) -> None:
        self._known = known
        self._fields = fields
        self._settings = known.collection.keywords
        self._rows = len(known.state.live)

    def gather(self, passing: Mask | None, count: int) -> Numbers:
        """Rows, ascending, among which are the `count` best; dead ones and those that do not pass are not."""
        if any(field.least > 1 for field in self._fields):
            rarest = [sorted(field.terms, key=_size)[: len(field.terms) - field.least + 1] for field in self._fields]
            return self._living(self._union([term for terms in rarest for term in terms]), passing)
        terms = sorted((term for field in self._fields for term in field.terms), key=_size)
        passing_rows = None if passing is None else int(np.count_nonzero(passing))
        rows = np.zeros(0, np.uint32)
        for number, term in enumerate(terms):
            if term.size > _FREQUENT:
                if len(rows) >= count and self._pass_over(rows, terms[number:], count):
                    return rows
                if passing is not None and passing_rows is not None and passing_rows < term.size:
                    return np.flatnonzero(passing).astype(np.uint32)
                if passing is None and 2 * count <= _HEAD and (more := self._from_head(rows, terms[number:], count)) is not None:
                    return more
            gathered = self._living(_rows(term), passing)
            rows = _joined(rows, gathered, self._rows)
        return rows

    def score(self, rows: Numbers) -> tuple[Scores, Mask]:
        """The score of each row, and whether it is a hit."""
        total, is_hit = np.zeros(len(rows)), np.zeros(len(rows), np.bool_)
        for field in self._fields:
            score, counted = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
            lengths = np.maximum(field.lengths[rows], 1) - 1.0  # a row without the property is not counted below
            norm = self._settings.k1 * (1 - self._settings.b + self._settings.b * lengths / field.mean)
            once = 1 / (1 + norm)
            for term in field.terms:
                for part in term.parts:
                    places, times = _look_up(part, rows, self._rows)
                    tf = once[places] if times is None else times / (times + norm[places])
                    score[places] += term.weight * tf
                    counted[places] += 1
            enough = counted >= field.least
            total += np.where(enough, field.boost * score, 0.0)
            is_hit |= enough
        return total, is_hit

    def _pass_over(self, rows: Numbers, remaining: Sequence[Term], count: int) -> bool:
        """Whether no row that has the remaining terms only can be among the best."""
        scores, _ = self.score(rows)
        worst = float(np.partition(scores, len(scores) - count)[len(scores) - count])
        return sum(term.bound for term in remaining) < worst * _SLACK

    def _from_head(self, rows: Numbers, remaining: Sequence[Term], count: int) -> Numbers | None:
        head, is_whole = self._head(remaining)
        others = head[~np.isin(head, rows)]
        if len(others) < count and not is_whole:
            return None
        return np.union1d(rows, others[:count])

    def _head(self, terms: Sequence[Term]) -> tuple[Numbers, bool]:
        """The best rows by these terms alone, and whether these are all."""
        chosen = {id(term) for term in terms}
        fields = (replace(field, terms=tuple(term for term in field.terms if id(term) in chosen)) for field in self._fields)
        alone = _Ranking(self._known, tuple(field for field in fields if field.terms))
        key = tuple((field.name, field.boost, term.token, term.weight) for field in alone._fields for term in field.terms)
        known = self._known.heads.get(key)
        if known is None:
            rows = self._living(self._union(terms), None)
            scores, _ = alone.score(rows)
            best, _ = _first(rows, scores.astype(np.float32), _HEAD, self._known.state.table.index.ids)
            if len(self._known.heads) >= _HEADS:
                self._known.heads.clear()
            known = self._known.heads[key] = best.astype(np.uint32), len(rows) <= _HEAD
        return known

    def _union(self, terms: Sequence[Term]) -> Numbers:
        rows = np.zeros(0, np.uint32)
        for term in terms:
            rows = _joined(rows, _rows(term), self._rows)
        return rows

    def _living(self, rows: Numbers, passing: Mask | None) -> Numbers:
        mask = self._known.live if passing is None else passing
        return rows if mask is None else rows[mask[rows]]


def _idf(counts: Sequence[int], objects: int) -> float:
    having = [count for count in counts if count]
    mean = sum(having) // len(having) if having else 0
    return math.log(1 + (objects - mean + 0.5) / (mean + 0.5))


def _size(term: Term) -> int:
    return term.size


def _rows(term: Term) -> Numbers:
    if len(term.parts) == 1:
        return term.parts[0].entries
    return np.concatenate([part.entries for part in term.parts])


def _joined(rows: Numbers, more: Numbers, count: int) -> Numbers:
    """Both, ascending, each once."""
    if len(rows) == 0 or len(more) == 0:
        return more if len(rows) == 0 else rows
    if (len(rows) + len(more)) * _DENSE < count:
        return np.union1d(rows, more)
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    mask[more] = True
    return np.flatnonzero(mask).astype(np.uint32)


def _look_up(part: Part, rows: Numbers, count: int) -> tuple["slice | Positions", "npt.NDArray[np.uint32] | None"]:
    """The positions in `rows`, ascending, of rows that are in the part, and how often each has the token."""
    entries = part.entries
    if entries is rows:
        return slice(None), part.times
    if len(entries) == count:  # in every row
        return slice(None), None if part.times is None else part.times[rows]
    if len(rows) * _DENSE > count:
        mask = np.zeros(count, np.bool_)
        mask[entries] = True
        places = np.flatnonzero(mask[rows])
    else:
        found = np.minimum(np.searchsorted(entries, rows), len(entries) - 1)
        places = np.flatnonzero(entries[found] == rows)
    if part.times is None:
        return places, None
    return places, part.times[np.searchsorted(entries, rows[places])]


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
