"""How a score came about, told to those who ask; the texts are those of a Weaviate 1.35 for the same objects."""

from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.query import Hybrid, Search, Words
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.service.services import Services
from tests.fakes import World, text


@pytest.fixture
def services() -> Services:
    made = World().services()
    tags = Property(name="tags", data_type=DataType.TEXT_ARRAY, tokenization=Tokenization.WORD, searchable=True)
    exact = Property(name="exact", data_type=DataType.TEXT, tokenization=Tokenization.FIELD, searchable=True)
    made.collections.create(Collection(name="Dog", properties=(text("title"), text("body"), tags, exact)))
    rows = [
        ("corgi puppy corgi", "a corgi", ("x corgi", "y corgi corgi"), "Corgi"),
        ("puppy", "the puppy and the corgi puppy", ("puppy",), "Puppy Corgi"),
        ("cat", "cat", ("cat",), "cat"),
    ]
    named = [dict(zip(("title", "body", "tags", "exact"), row, strict=True)) for row in rows]
    made.objects.put_many("Dog", [Draft(id=UUID(int=n), properties=row) for n, row in enumerate(named, 1)])
    return made


def told(services: Services, words: Words, *, explains: bool = True) -> dict[int, str]:
    found = services.searches.run(Search(collection="Dog", by=words, explains=explains))
    return {hit.record.id.int: hit.explanation for hit in found.hits}


def of(token: str, times: int, length: int) -> str:
    return f", BM25F_{token}_frequency:{times}, BM25F_{token}_propLength:{length}"


def test_words_are_explained_by_the_last_property_that_has_them(services: Services) -> None:
    """Lists count as one text; a word that is left out of the query, or said twice, is told once or not at all."""
    assert told(services, Words(text="corgi puppy")) == {
        1: of("corgi", 3, 5) + of("puppy", 1, 3),
        2: of("puppy", 1, 1) + of("corgi", 1, 6),
    }
    assert told(services, Words(text="corgi puppy", properties=("body", "title"))) == {
        1: of("corgi", 2, 3) + of("puppy", 1, 3),
        2: of("corgi", 1, 6) + of("puppy", 1, 1),
    }
    assert told(services, Words(text="corgi corgi the", properties=("title^2", "body"))) == {1: of("corgi", 1, 2), 2: of("corgi", 1, 6)}
    assert told(services, Words(text="Corgi", properties=("exact",))) == {1: of("Corgi", 1, 1)}


def test_nothing_is_explained_to_those_who_do_not_ask(services: Services) -> None:
    """It takes another look at the texts."""
    assert set(told(services, Words(text="corgi"), explains=False).values()) == {""}
    hybrid = Search(collection="Dog", by=Hybrid(words=Words(text="corgi"), alpha=0))
    assert {hit.explanation for hit in services.searches.run(hybrid).hits} == {""}
