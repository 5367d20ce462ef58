"""What becomes of a text: folding, stopwords of a property, and what they do to filters and keyword search."""

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput, InvalidSchema
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.keywords import Cut
from nearimage.domain.query import Search, Words
from nearimage.domain.schema import AsciiFold, Collection, DataType, KeywordSettings, Property, Tokenization
from nearimage.domain.text import folded
from nearimage.service.services import Services
from nearimage.service.tokenizing import tokens
from tests.fakes import World

FRENCH = KeywordSettings(presets=(("fr", ("le", "la")),))


def text(name: str, fold: AsciiFold | None = None, stopwords: str = "") -> Property:
    return Property(name=name, data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True, fold=fold, stopwords=stopwords)


@pytest.fixture
def services() -> Services:
    services = World().services()
    properties = (text("plain"), text("bare", AsciiFold(("é",))), text("fr", stopwords="fr"))
    services.collections.create(Collection(name="Texts", properties=properties, keywords=FRENCH))
    services.objects.insert("Texts", Draft(properties={"plain": "Ärger école", "bare": "Ärger école", "fr": "la vie the"}))
    return services


@pytest.mark.parametrize(
    ("given", "ignore", "wanted"),
    [
        ("L'école est fermée", (), "L'ecole est fermee"),
        ("L'école à côté", ("é",), "L'école a coté"),
        ("É", ("é",), "É"),
        ("straße Øre ŁÓDŹ", (), "strasse Ore LODZ"),
        ("plain", ("p",), "plain"),
        ("e\u0301", (), "e"),
    ],
)  # fmt: skip
def test_folding_takes_the_marks_off(given: str, ignore: tuple[str, ...], wanted: str) -> None:
    """Also of letters that Unicode does not take apart, and never of those to be ignored; a second time changes nothing."""
    assert folded(given, AsciiFold(ignore)) == wanted
    assert folded(wanted, AsciiFold(ignore)) == wanted


def test_a_folded_property_is_found_with_and_without_marks(services: Services) -> None:
    """By filters and by keywords; the property next to it is not."""

    def hits(field: str, word: str) -> tuple[int, int]:
        filtered = services.searches.run(Search(collection="Texts", where=Compare(field, Operator.EQUAL, word)))
        ranked = services.searches.run(Search(collection="Texts", by=Words(text=word, properties=(field,))))
        return len(filtered.hits), len(ranked.hits)

    assert [hits("bare", word) for word in ("arger", "ÄRGER", "école", "ecole")] == [(1, 1), (1, 1), (1, 1), (0, 0)]
    assert [hits("plain", word) for word in ("arger", "ärger")] == [(0, 0), (1, 1)]


def test_a_property_may_have_stopwords_of_its_own(services: Services) -> None:
    """In the place of the collection's, not beside them."""
    found = services.tokenizing.by_property("Texts", "fr", "la vie the")

    assert (found.stored, found.sought) == (["la", "vie", "the"], ["vie", "the"])
    assert services.tokenizing.by_property("Texts", "plain", "la vie the").sought == ["la", "vie"]
    assert services.searches.run(Search(collection="Texts", by=Words(text="la", properties=("fr",)))).hits == ()
    with pytest.raises(InvalidInput):
        services.tokenizing.by_property("Texts", "none", "x")


def test_a_preset_that_is_not_there_is_refused() -> None:
    """Where the collection is made, in objects within objects too, and where a text is only shown."""
    nested = Property(name="o", data_type=DataType.OBJECT, nested=(text("t", stopwords="fr"),))
    for properties in ((text("t", stopwords="fr"),), (nested,)):
        with pytest.raises(InvalidSchema):
            World().services().collections.create(Collection(name="Texts", properties=properties))
    with pytest.raises(InvalidSchema):
        tokens("x", Cut(Tokenization.WORD, stopwords="fr"), KeywordSettings())


def test_a_preset_of_the_collection_goes_before_one_that_every_collection_has() -> None:
    """So that "en" can be made to mean something else."""
    own = KeywordSettings(presets=(("en", ("hello",)),))

    assert tokens("the hello world", Cut(Tokenization.WORD), own).sought == ["the", "world"]


def test_only_words_have_stopwords() -> None:
    """Other tokens are not words, and none of them is left out."""
    assert tokens("The fox", Cut(Tokenization.LOWERCASE), KeywordSettings()).sought == ["the", "fox"]
