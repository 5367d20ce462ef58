"""What keyword search remembers over writes is what it would find out anew."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from nearimage.domain.keywords import Keywords
from nearimage.domain.schema import Collection, DataType, KeywordSettings, Property, Tokenization
from nearimage.engines.embedded import keywords, remembered
from nearimage.engines.embedded.keywords import KeywordSearch
from nearimage.engines.embedded.remembered import Head, Known, gain
from nearimage.engines.embedded.state import State, Table

COLLECTION = Collection(
    name="Book",
    properties=tuple(Property(name=name, data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True) for name in ("title", "body")),
)
WORDS = ("apple", "pear", "pie", "plum")


class Shelf:
    """A table to which books are added and from which they go, and its states."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.table = Table(COLLECTION)
        self.live = np.zeros(0, np.bool_)
        self.revision = 0

    def text(self, longest: int) -> str:
        return " ".join(self.rng.choice(WORDS, int(self.rng.integers(1, longest + 1)), p=(0.4, 0.3, 0.2, 0.1)))

    def write(self, added: int, gone: int, longest: int) -> State:
        """Some more books, some fewer; one of those that come is dead from the start, as after a write that failed."""
        first = len(self.live)
        for row in range(first, first + added):
            values = {"title": self.text(longest), "body": self.text(longest)}
            self.table.index.append(row, self.rng.bytes(16), self.table.index.convert(values, 0, 0))
        self.live = np.concatenate((self.live, np.ones(added, np.bool_)))
        self.live[self.rng.integers(0, len(self.live), gone)] = False
        self.revision += 1
        return State(table=self.table, revision=self.revision, live=self.live.copy(), count=int(self.live.sum()), slots=0, vectors={})


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads so short that a hundred books have many beyond their borders."""
    for module in (keywords, remembered):
        monkeypatch.setattr(module, "HEAD", 12)
    monkeypatch.setattr(keywords, "_FREQUENT", 2)
    monkeypatch.setattr(keywords, "_IN_MANY", 4)


@pytest.mark.parametrize("longest", [1, 2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_a_head_holds_all_that_is_not_beyond_its_border(seed: int, longest: int) -> None:
    """A row that is neither in the head nor beyond the border would be a hit that nobody finds."""
    shelf, before, kept = Shelf(seed), None, 0
    for turn in range(60):
        state = shelf.write(int(shelf.rng.integers(0, 8)) + 40 * (turn == 0), int(shelf.rng.integers(0, 4)), longest + turn // 30)
        before = Known(state, COLLECTION, before)
        for token in WORDS:
            parts = before.text("title").column.rows_with(token, len(state.live))
            head = before.head("title", token, parts)
            kept += head.border is not None
            _check(before, head, token)
            rows = np.concatenate([part.entries for part in parts]) if parts else np.zeros(0, np.uint32)
            assert before.count("title", token, parts) == int(np.count_nonzero(state.live[rows]))
        lengths = before.text("title").lengths[state.live]
        assert before.text("title").mean == pytest.approx((lengths.astype(int) - 1).mean())
    assert kept  # else there was nothing to check


def _check(known: Known, head: Head, token: str) -> None:
    text, ids = known.text("title"), known.state.table.index.ids
    (part,) = text.column.rows_with(token, len(known.state.live)) or (None,)
    if part is None:
        return
    gains = gain(part.times, text.norm(COLLECTION.keywords, part.entries))
    times = np.ones(len(part.entries), np.uint32) if part.times is None else part.times
    assert known.state.live[head.rows].all()
    beyond = known.state.live[part.entries] & ~np.isin(part.entries, head.rows)
    if head.border is None:
        assert not beyond.any()
        return
    edge, beneath = known.border_gain("title", head), known.beneath_gain("title", head)
    last = ids.of(np.array(head.border[:1]))[0]
    like = (times == head.border[1]) & (text.lengths[part.entries] == text.lengths[head.border[0]])
    assert (gains[beyond & ~like] <= beneath * (1 + 1e-9)).all()
    assert (gains[beyond & ~like] < edge).all() or beneath >= edge
    assert all(one > last for one in ids.of(part.entries[beyond & like].astype(np.int64)))


@pytest.mark.parametrize("longest", [1, 2, 5])
@pytest.mark.parametrize("tuned", [KeywordSettings(), KeywordSettings(k1=0), KeywordSettings(b=0)], ids=("usual", "no frequencies", "no lengths"))
@pytest.mark.parametrize(("seed", "filtered"), [(0, False), (1, False), (2, True), (3, True)])
def test_searches_between_writes_find_what_a_fresh_one_finds(
    seed: int, tuned: KeywordSettings, longest: int, monkeypatch: pytest.MonkeyPatch, *, filtered: bool
) -> None:
    """Scores and order must be those of looking at every row, ties by id among them, and also where texts differ that score the same."""
    collection = replace(COLLECTION, keywords=tuned)
    shelf, search, settled = Shelf(100 + seed), KeywordSearch(), list[bool]()
    decide = keywords._Ranking._is_settled

    def noted(self: keywords._Ranking, heads: Sequence[Sequence[Head]], last: int, score: np.float32) -> bool:
        settled.append(decide(self, heads, last, score))
        return settled[-1]

    monkeypatch.setattr(keywords._Ranking, "_is_settled", noted)
    for turn in range(60):
        state = shelf.write(int(shelf.rng.integers(0, 8)) + 60 * (turn == 0), int(shelf.rng.integers(0, 4)), longest + turn // 30)
        for _ in range(6):
            asked = " ".join(shelf.rng.choice(WORDS, int(shelf.rng.integers(1, 4))))
            boosts = {"title": 1.0, "body": 2.0} if shelf.rng.random() < 0.4 else {"title": 1.0}
            query, count = Keywords(text=asked, boosts=boosts), int(shelf.rng.choice((1, 3, 6, 12)))
            passing = state.live & (shelf.rng.random(len(state.live)) < shelf.rng.choice((0.2, 0.5, 0.9))) if filtered else None
            rows, scores = search.best(state, collection, query, passing, count)
            with monkeypatch.context() as plain:
                plain.setattr(keywords, "_IN_MANY", 1 << 30)
                true_rows, true_scores = KeywordSearch().best(state, collection, query, passing, count)
            assert rows.tolist() == true_rows.tolist()
            assert scores.tolist() == true_scores.tolist()
    assert settled.count(True) > 20 or tuned.k1 == 0  # else heads were never used
    assert settled.count(False)


def test_a_reader_of_an_earlier_commit_is_answered_as_of_it() -> None:
    """A reader that took its commit before a write must not see what the write made known."""
    shelf, search = Shelf(1), KeywordSearch()
    query = Keywords(text="apple pear", boosts={"title": 1.0})
    old = shelf.write(80, 3, 2)
    expected = [one.tolist() for one in search.best(old, COLLECTION, query, None, 5)]
    new = shelf.write(30, 30, 2)
    later = [one.tolist() for one in search.best(new, COLLECTION, query, None, 5)]
    assert [one.tolist() for one in search.best(old, COLLECTION, query, None, 5)] == expected
    assert [one.tolist() for one in search.best(new, COLLECTION, query, None, 5)] == later
    assert later != expected
