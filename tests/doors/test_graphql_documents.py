"""GraphQL documents: what the language allows, what is refused, and what it costs."""

from typing import Any

import pytest
from graphql import DocumentNode, Source, parse

from nearimage.doors.graphql import answering, documents
from nearimage.doors.graphql.lifting import Lifted
from tests.doors.graphql_world import Ask, asking_of, services, uid
from tests.fakes import RED, dogs, text


@pytest.fixture(scope="module")
def ask() -> Ask:
    return asking_of(services())


def refused(answer: Any) -> dict[str, Any]:
    """The one mistake of a document that was not run."""
    assert list(answer) == ["errors"]
    (error,) = answer["errors"]
    assert error["path"] is None
    assert isinstance(error, dict)
    return error


def test_the_whole_language_of_questions(ask: Ask) -> None:
    """Aliases, fragments, inline fragments, comments, block strings, no commas, types' names."""
    query = '''
    query Named {
      all: Get { # the collections
        first: Dog(limit: 1 where: {path: ["breed"] operator: Equal valueText: """corgi"""}) { ...Breed ... on Dog { w: weight } __typename }
        ... { Owner(limit: 1) { name } }
      }
      __typename
    }
    fragment Breed on Dog { breed ...Id }
    fragment Id on Dog { _additional { id __typename } }
    '''
    corgi = {"breed": "Corgi", "_additional": {"id": uid(1), "__typename": "DogAdditional"}, "w": 10, "__typename": "Dog"}

    assert ask(query) == {"data": {"all": {"first": [corgi], "Owner": [{"name": "Ann"}]}, "__typename": "WeaviateObj"}}


def test_variables_with_defaults_and_directives(ask: Ask) -> None:
    """What programs use in place of putting text together."""
    query = """query($n: Int = 1, $breed: TextGetObjectsDog = "husky", $more: Boolean!) {
      Get { Dog(limit: $n, where: {path: ["breed"], operator: Equal, valueText: $breed}) {
        breed weight @include(if: $more) _additional @skip(if: $more) { id } } }
    }"""

    assert ask(query, variables={"more": True})["data"]["Get"]["Dog"] == [{"breed": "Husky", "weight": 20}]
    assert ask(query, variables={"n": 2, "breed": "corgi", "more": False})["data"]["Get"]["Dog"] == [
        {"breed": "Corgi", "_additional": {"id": uid(1)}},
        {"breed": "Corgi", "_additional": {"id": uid(4)}},
    ]


def test_vectors_and_pictures_may_be_variables(ask: Ask) -> None:
    """They are long, so programs keep them out of the text."""
    query = "query($v: [Float]!, $i: String!) { Get { Dog(nearVector: {vector: $v}, limit: 1) { breed } b: Dog(nearImage: {image: $i}, limit: 1) { breed } } }"

    assert ask(query, variables={"v": [0, 255.0, 0], "i": RED})["data"]["Get"] == {"Dog": [{"breed": "Husky"}], "b": [{"breed": "Corgi"}]}


def test_one_of_several_operations(ask: Ask) -> None:
    """The request says which; without a name it would be a guess."""
    query = "query A { Get { Dog(limit: 1) { breed } } } query B { Get { Owner(limit: 1) { name } } }"

    assert ask(query, operation_name="B") == {"data": {"Get": {"Owner": [{"name": "Ann"}]}}}
    assert "A" in refused(ask(query))["message"]
    assert "C" in refused(ask(query, operation_name="C"))["message"]


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("{ Get { WdMissing { i } } }", 1, 9),
        ("{ Get { Dog { zzz } } }", 1, 15),
        ("{ Get { Dog(colour: 3) { breed } } }", 1, 13),
        ("{ Get { Dog } }", 1, 9),
        ("{ Get { Dog { } } }", 1, 13),
        ('{ Get { Dog(limit: "two") { breed } } }', 1, 20),
        ('{ Get { Dog(nearImage: {distance: 0.5}, bm25: {query: "long words"}) { breed } } }', 1, 24),
        ('{ Get { Owner(nearImage: {image: "long words"}) { name } } }', 1, 15),
        ('{ Get { Dog(tenant: "a") { breed } } }', 1, 13),
        ('{ Get { Dog(where: {valueInt: "a long text"}) { breed } } }', 1, 31),
        ('#broken on purpose\n{ Get { Dog( # "\r\n { i } } }', 3, 2),
        ('{ Get { Dog(where: {valueText: "a long text"}) { breed ', 1, 56),
        ("mutation { Get { Dog { breed } } }", 1, 1),
        ("fragment A on Dog { breed }", 1, 1),
        ("{ Get { Dog(limit: 3000000000) { breed } } }", 1, 20),
        ('{ Get { Dog(limit: 1) { breed } Dog(limit: 2) { breed } } }', 1, 9),
        ('{ Get { Dog(bm25: {query: "a"}) { breed } Dog(bm25: {query: "b"}) { breed } } }', 1, 9),
    ],
)  # fmt: skip
def test_a_wrong_document_is_not_run_and_says_where(ask: Ask, query: str, line: int, column: int) -> None:
    """The status is 200 and there is no data; a person finds the place in what they wrote."""
    answer = ask(query)

    assert list(answer) == ["errors"]
    assert answer["errors"][0]["path"] is None
    assert {"line": line, "column": column} in answer["errors"][0]["locations"] or query.startswith("fragment")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("limit: 1.25", "1.25"),
        ('limit: "twelve"', "twelve"),
        ('where: {path: ["weight"], operator: Equal, valueInt: "seven(("}', "seven(("),
        ("where: {path: [1] operator: Equal, valueInt: [9, 2.5]}", "2.5"),
    ],
)
def test_an_error_repeats_what_was_sent(ask: Ask, arguments: str, said: str) -> None:
    """The parser sees placeholders; a person who is shown one looks for what they never wrote."""
    assert any(said in error["message"] for error in ask("{ Get { Dog(" + arguments + ") { breed } } }")["errors"])


def test_wrong_variables_are_refused(ask: Ask) -> None:
    """A limit of "two" must not become the default."""
    query = "query($n: Int!) { Get { Dog(limit: $n) { breed } } }"

    assert "two" in refused(ask(query, variables={"n": "two"}))["message"]
    assert "$n" in refused(ask(query))["message"]


@pytest.mark.parametrize(
    ("query", "limits"),
    [
        ("{ Get { Dog(where: " + "{operator: Not, operands: [" * 20 + "]}" * 20 + ") { breed } } }", {"depth": 30}),
        ("{ Get { " + " ".join(f"a{n}: Dog(limit: 1) {{ breed }}" for n in range(30)) + " } }", {"fields": 50}),
        ("{ Get { Dog { " + "breed " * 1000 + "} } }", {"characters": 1000}),
        ("{ Get { Dog { " + "breed " * 60 + "} } }", {}),
        ("{ Get { Dog { ...F0 } } } " + " ".join(f"fragment F{n} on Dog {{ ...F{n + 1} }}" for n in range(120)), {}),
    ],
)
def test_documents_beyond_a_limit_are_refused(query: str, limits: dict[str, int]) -> None:
    """One request must not keep the server busy for long."""
    assert "allowed" in (message := refused(asking_of(services(), **limits)(query))["message"]) or "more than" in message


def test_data_is_the_same_when_nothing_is_lifted(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lifting is for speed only."""
    query = 'query($v: [Float] = [255, 0, 0]) { Get { Dog(nearVector: {vector: $v, distance: 0.5}) { breed } b: Dog(bm25: {query: "husky"}) { weight } } }'
    lifted = ask(query)
    monkeypatch.setattr(answering, "lift", lambda text, _: Lifted(text, {}, (), ()))

    assert ask(query) == lifted
    assert lifted["data"]["Get"] == {"Dog": [{"breed": "Corgi"}, {"breed": "Corgi"}], "b": [{"weight": 20}]}


def test_a_shape_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsing and validating cost more than most answers."""
    ask, read = asking_of(services()), list[Source]()

    def counted(source: Source) -> DocumentNode:
        read.append(source)
        return parse(source)

    monkeypatch.setattr(documents, "parse", counted)

    for breed in ("corgi", "husky", "beagle"):
        assert len(ask('{ Get { Dog(where: {path: ["breed"], operator: Equal, valueText: "%s"}) { breed } } }' % breed)["data"]["Get"]["Dog"]) >= 1
    assert len(read) == 1


def test_a_new_collection_can_be_asked_at_once() -> None:
    """What was learnt of documents is forgotten when the collections change."""
    made = services()
    ask = asking_of(made)
    assert "errors" in ask("{ Get { Cat { breed } } }")

    made.collections.create(dogs(name="Cat"))

    assert ask("{ Get { Cat { breed } } }") == {"data": {"Get": {"Cat": []}}}
    assert "errors" in ask("{ Get { Cat { name } } }")
    made.collections.add_property("Cat", text("name"))
    assert ask("{ Get { Cat { name } } }") == {"data": {"Get": {"Cat": []}}}


def test_an_alias_can_be_asked_like_a_collection() -> None:
    """Programs name the alias so that somebody else can exchange what is behind it."""
    made = services()
    ask = asking_of(made)
    made.aliases.create("Pet", "Dog")
    query = "{ Get { Pet(limit: 1) { breed __typename } } Aggregate { Pet { meta { count } } } }"

    assert ask(query)["data"] == {"Get": {"Pet": [{"breed": "Corgi", "__typename": "Pet"}]}, "Aggregate": {"Pet": [{"meta": {"count": 5}}]}}
    made.aliases.replace("Pet", "Owner")
    assert ask("{ Get { Pet(limit: 1) { name } } }")["data"] == {"Get": {"Pet": [{"name": "Ann"}]}}
