"""Keyword search: the embedded engine finds what the memory engine finds, with the same scores to the last bit, and both score as a running Weaviate did.

Equal to the last bit, because both add up in one order: otherwise two objects that tie in one engine would not in the other, and their order would differ.
"""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from nearimage.domain.filters import Compare, Operator
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import IDS_ONLY, PropertyValue, Record
from nearimage.domain.schema import AsciiFold, Collection, DataType, KeywordSettings, Property, Tokenization
from nearimage.engines.embedded import EmbeddedEngine, keywords, remembered
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Engine
from nearimage.testing.strategies import IDS
from nearimage.testing.text_contract import match, scores
from tests.congruence.engines import EXAMPLES, BothEngines

_WORDS = st.sampled_from(("apple", "Apple", "pie", "the", "pear", "été", "a-b", "ab", "ete", "犬", "applepie"))
_TEXTS = st.lists(_WORDS, max_size=6).map(" ".join) | st.text(max_size=5)


@st.composite
def _collections(draw: st.DrawFn) -> Collection:
    folds = st.sampled_from((None, None, AsciiFold(), AsciiFold(("é",))))
    kind = st.tuples(st.sampled_from((DataType.TEXT, DataType.TEXT, DataType.TEXT_ARRAY)), st.sampled_from(Tokenization), folds)
    kinds = draw(st.lists(kind, min_size=1, max_size=4))
    texts = tuple(Property(name=f"p{n}", data_type=is_a, tokenization=how, searchable=True, fold=fold) for n, (is_a, how, fold) in enumerate(kinds))
    tuned = KeywordSettings(
        k1=draw(st.sampled_from((1.2, 0.0, 2.0))),
        b=draw(st.sampled_from((0.75, 0.0, 1.0))),
        stopwords=draw(st.sampled_from(("en", "none"))),
        additions=draw(st.sampled_from(((), ("apple",)))),
    )
    return Collection(name="Book", properties=(*texts, Property(name="n", data_type=DataType.INT)), keywords=tuned)


class TwoEngines(BothEngines):
    """Both engines, given the same texts and questions."""

    @initialize(collection=_collections())
    def make(self, collection: Collection) -> None:
        self.names = [p.name for p in collection.properties if p.searchable]
        self.arrays = {p.name for p in collection.properties if p.data_type.is_array}
        self.create(collection)

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        batch = []
        for _ in range(data.draw(st.integers(1, 5))):
            values: dict[str, PropertyValue] = {"n": data.draw(st.integers(0, 3))}
            for name in self.names:
                if data.draw(st.sampled_from((True, True, False))):
                    values[name] = tuple(data.draw(st.lists(_TEXTS, max_size=3))) if name in self.arrays else data.draw(_TEXTS)
            batch.append(Record(id=data.draw(IDS), properties=values))
        for shard in self.shards:
            assert set(shard.put(batch)) == {None}

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[UUID]) -> None:
        expected, got = (shard.delete(ids) for shard in self.shards)
        assert got == expected

    @rule()
    def restart(self) -> None:
        self.embedded.close()
        self.embedded = EmbeddedEngine(self.folder)

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        boosts = st.dictionaries(st.sampled_from(self.names), st.sampled_from((1.0, 2.0, 0.5)), min_size=1)
        query = Keywords(text=data.draw(_TEXTS), boosts=data.draw(boosts), minimum_match=data.draw(st.sampled_from((1, 1, 0, 2))))
        where = data.draw(st.none() | st.integers(0, 3).map(lambda number: Compare("n", Operator.LESS_THAN, number)))
        limit, offset = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 3))
        expected, got = (scores(shard.match_text(query, limit=limit, offset=offset, where=where, projection=IDS_ONLY)) for shard in self.shards)
        assert list(got.items()) == list(expected.items())


TwoEngines.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.timeout(0 if EXAMPLES > 60 else 120)
class TestTwoEngines(TwoEngines.TestCase):  # type: ignore[misc, valid-type] # made by Hypothesis
    """Run by pytest."""


def test_passing_over_frequent_words_loses_no_hit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of texts with words from everywhere to once take the ways that few texts never do: bounds, heads, masks, with dead rows and filters."""
    monkeypatch.setattr(keywords, "_FREQUENT", 20)
    monkeypatch.setattr(keywords, "_IN_MANY", 200)
    rng = np.random.default_rng(5)
    chances = 1 / np.arange(1, 300)
    words = [f"w{number}" for number in range(1, 300)]
    collection = Collection(name="Book", properties=(_word("title"), _word("body"), Property(name="n", data_type=DataType.INT)))
    embedded, memory = EmbeddedEngine(tmp_path), MemoryEngine()

    def text(length: int) -> str:
        return " ".join(["set", *rng.choice(words, length, p=chances / chances.sum())])

    batch = [Record(id=UUID(int=int(rng.integers(1 << 60))), properties={"title": text(2), "body": text(int(rng.integers(9))), "n": n}) for n in range(2000)]
    for engine in (embedded, memory):
        engine.create_collection(collection)
        engine.shard("Book").put(batch)
    _compare(memory, embedded, rng)
    for engine in (embedded, memory):
        engine.shard("Book").delete([record.id for record in batch[::5]])
    _compare(memory, embedded, rng)
    embedded.close()


@pytest.mark.parametrize("longest", [0, 1, 9])
def test_writes_between_all_queries_lose_no_hit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    """What is remembered of frequent words must follow every write: texts that come, go, change, and change the mean, equally long ones and others."""
    monkeypatch.setattr(keywords, "_FREQUENT", 5)
    monkeypatch.setattr(keywords, "_IN_MANY", 20)
    monkeypatch.setattr(keywords, "HEAD", 48)
    monkeypatch.setattr(remembered, "HEAD", 48)
    rng = np.random.default_rng(6 + longest)
    words = [f"w{number}" for number in range(1, 12)]
    collection = Collection(name="Book", properties=(_word("title"), _word("body"), Property(name="n", data_type=DataType.INT)))
    embedded, memory = EmbeddedEngine(tmp_path), MemoryEngine()
    for engine in (embedded, memory):
        engine.create_collection(collection)

    def some(count: int, longest: int) -> list[Record]:
        def text(length: int) -> str:
            return " ".join(["set", "of", *rng.choice(words, length)])

        ids = [UUID(int=int(rng.integers(3000))) for _ in range(count)]
        return [Record(id=one, properties={"title": text(2), "body": text(int(rng.integers(longest + 1))), "n": 0}) for one in ids]

    def write(records: list[Record], gone: list[UUID]) -> None:
        for engine in (embedded, memory):
            engine.shard("Book").put(records)
            engine.shard("Book").delete(gone)

    write(some(900, longest), [])
    for turn in range(40):
        write(some(int(rng.integers(1, 30)), longest + turn // 20), [UUID(int=int(one)) for one in rng.integers(3000, size=int(rng.integers(60)))])
        _compare(memory, embedded, rng, times=4)
    embedded.close()


def _compare(memory: Engine, embedded: Engine, rng: np.random.Generator, times: int = 60) -> None:
    for _ in range(times):
        asked = " ".join(f"w{min(int(rank), 300)}" for rank in rng.zipf(1.3, int(rng.integers(1, 4)))) + rng.choice(["", " set"])
        names = ("title", "body^2") if rng.random() < 0.5 else ("title",)
        where = Compare("n", Operator.LESS_THAN, int(rng.integers(2000))) if rng.random() < 0.3 else None
        limit, minimum = int(rng.choice((1, 10, 60, 300))), int(rng.choice((1, 1, 1, 0, 2)))
        expected, got = (scores(match(engine.shard("Book"), asked, *names, minimum=minimum, where=where, limit=limit)) for engine in (memory, embedded))
        assert list(got.items()) == list(expected.items()), (asked, names, where, limit, minimum)


def _word(name: str, how: Tokenization = Tokenization.WORD) -> Property:
    return Property(name=name, data_type=DataType.TEXT, tokenization=how, searchable=True)


_TITLES = ("apple", "day", "fruit", "void", "basket", "pie")
_BODIES = ("apple apple pie", "an apple a day", "banana and apple", "nothing at all", "the fruit basket with banana", "pie of cherry and apple and pear")
_ALL = ("title", "body", "code")
RECORDED: tuple[tuple[str, tuple[str, ...], int, Mapping[int, float]], ...] = (
    ("banana", _ALL, 1, {3: 0.52855206, 5: 0.4326132}),
    ("apple pie", _ALL, 1, {1: 1.9573123, 6: 1.6141654, 3: 0.52855206, 2: 0.47579455}),
    ("apple", ("body",), 1, {1: 0.29975083, 3: 0.22681352, 2: 0.2041741, 6: 0.15712401}),
    ("apple basket", ("title^3", "body"), 1, {5: 2.7478528, 1: 2.1025469, 3: 0.52855206, 2: 0.47579455, 6: 0.36615199}),
    ("A-3", ("code",), 1, {3: 0.7002023}),
    ("apple pie", _ALL, 0, {1: 1.4893035, 6: 0.9139631}),
    ("apple pie pear", _ALL, 2, {1: 1.4893035, 6: 1.4617743}),
    ("the", _ALL, 1, {}),
    ("apple", ("title", "body"), 1, {1: 1.1665294, 3: 0.52855206, 2: 0.47579455, 6: 0.366152}),
)
"""What a Weaviate 1.40 answered: query, properties, minimum match, scores."""


def test_scores_are_those_that_weaviate_gave(tmp_path: Path) -> None:
    """Whoever moves over finds the same order, and thresholds on scores that still hold."""
    collection = Collection(name="Book", properties=(_word("title"), _word("body"), _word("code", Tokenization.FIELD)))
    books = [
        Record(id=UUID(int=number), properties={"title": title, "body": body, "code": f"A-{number}"})
        for number, (title, body) in enumerate(zip(_TITLES, _BODIES, strict=True), 1)
    ]
    for engine in (MemoryEngine(), EmbeddedEngine(tmp_path)):
        engine.create_collection(collection)
        engine.shard("Book").put(books)
        for text, names, minimum, expected in RECORDED:
            got = scores(match(engine.shard("Book"), text, *names, minimum=minimum))
            assert list(got) == list(expected)
            assert got == pytest.approx(dict(expected), abs=1e-6)
        filtered = match(engine.shard("Book"), "apple", *_ALL, where=Compare("code", Operator.NOT_EQUAL, "A-1"), limit=2)
        assert scores(filtered) == pytest.approx({3: 0.52855206, 2: 0.47579455}, abs=1e-6)
        engine.close()
