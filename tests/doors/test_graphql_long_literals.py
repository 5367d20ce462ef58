"""Reading a request whose pieces are set aside: wherever a body is cut, the request says the same."""

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nearimage.domain.errors import InvalidInput, MalformedJson
from nearimage.domain.long_text import LongText
from nearimage.doors.graphql import long_literals
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.long_literals import Body
from nearimage.doors.graphql.requests import Request, location
from nearimage.doors.rest.json_body import read_body
from tests.doors.graphql_world import services
from tests.doors.test_graphql_lifting import MOST, documents, nodes
from tests.fakes import RED

PICTURE = "/9j/4AAQSkZJRgABAQAAAQAB" * 50_000
KINDS = st.sampled_from(["plain", "ascii"])


@pytest.fixture(autouse=True, scope="module")
def short_pieces() -> Iterator[None]:
    """So that documents of a few words have pieces that are set aside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_literals, "SHORTEST", 2)
        patch.setattr(long_literals, "PIECE_BYTES", 7)
        patch.setattr(long_literals, "SMALL_BYTES", 3)
        yield


@pytest.fixture
def real_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the server has them."""
    for name, size in {"SHORTEST": 4 << 10, "SMALL_BYTES": 16 << 10, "PIECE_BYTES": 256 << 10}.items():
        monkeypatch.setattr(long_literals, name, size)


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[first:last] for first, last in pairwise(places)]


def read_request(pieces: Iterable[bytes], most: int) -> tuple[Request, Lifted | None]:
    body = Body()
    for piece in pieces:
        body.add(piece)
    return body.request(most)


def read(body: bytes, cuts: list[int]) -> tuple[Request, Lifted]:
    request, lifted = read_request(pieces(body, cuts), MOST)
    return request, lifted or lift(request.query, MOST)


def put_back(lifted: Lifted, value: Any) -> Any:
    return lifted.aside.put_back(value) if lifted.aside else value


CUTS = st.lists(st.integers(0, 10_000), max_size=8)
VALUES = st.recursive(
    st.one_of(st.text(), st.text("AQz9+/=", min_size=20), st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=30), inner, max_size=3)),
    max_leaves=6,
)


@given(documents(), st.dictionaries(st.text(max_size=30), VALUES, max_size=3), st.booleans(), CUTS)
@example('{ a(x: "AAAAAAAAAAAAAAAAAAAAAAAA") { b } }', {}, True, [])
@example("{ a(x: [1.5,2.5,3.5,4.5,5.5,6.5,7.5]) { b } }", {}, True, [])
@example('{ a(x: """AAAAAAAAAAAAAAAA\n  BBBBBBBBBBBBBBBBBBBBB""") { b } }', {"v": "AAAAAAAAAAAAAAAAAA"}, True, [3, 30, 50])
def test_a_request_says_the_same_wherever_it_is_cut(text: str, variables: dict[str, Any], escaped: bool, cuts: list[int]) -> None:
    """Pieces are cut by the network; a picture with a piece in the wrong place is another picture, and nobody would notice."""
    body = json.dumps({"query": text, "variables": variables}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    try:
        whole = read_body(body, Request)
    except MalformedJson:  # halves of pairs
        with pytest.raises(MalformedJson):
            read(body, cuts)
        return
    request, lifted = read(body, cuts)

    expected = lift(whole.query, MOST)
    assert (lifted.text, put_back(lifted, dict(lifted.values)), put_back(lifted, request.variables)) == (expected.text, expected.values, whole.variables)


@given(documents(), CUTS)
def test_places_are_those_of_the_text_as_sent(text: str, cuts: list[int]) -> None:
    """A word stands for thousands of characters, and what is behind it on the line would be told of as if it were before."""
    request, lifted = read(json.dumps({"query": text}).encode(), cuts)
    expected = lift(text, MOST)
    starts = [node.loc.start for node in nodes(lifted.text) if node.loc]

    found = [location(request.query, lifted.original(start), lifted.longer) for start in starts]
    assert found == [location(text, expected.original(start), {}) for start in starts]


@given(st.text(st.sampled_from('{}[]()"\\#,:ax01.-eE \n\ru'), max_size=60), CUTS)
@example('{"query": "{ a(x: \\u00414444444444444444) }"}', [21])
@example('{"query": 111111111111111111111111111}', [])
@example('{"query": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', [])
def test_a_mistake_stays_a_mistake(text: str, cuts: list[int]) -> None:
    """What is no JSON must not be mended by leaving a part of it out."""
    body = text.encode()
    assert outcome(lambda: _values(read(body, cuts)[1])) == outcome(lambda: lift(read_body(body, Request).query, MOST).values)


def _values(lifted: Lifted) -> Any:
    return put_back(lifted, dict(lifted.values))


def outcome(work: Callable[[], object]) -> object:
    try:
        return work()
    except InvalidInput as wrong:
        return wrong.message


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ Get { Dog(limit: 1) { breed } } }", "extensions": {"x": "A" * 500}},
        {"query": "{ Get { Dog(limit: 1) { breed } } } #" + "A" * 500},
        {"query": "{ Get { Dog(limit: 1) { breed } } }", "variables": {"A" * 500: 1}},
        {"query": "query " + "A" * 500 + " { Get { Dog(limit: 1) { breed } } }", "operationName": "A" * 500},
        {"query": 'query($i: String = "' + RED + '") { Get { Dog(limit: 1 nearImage: {image: $i}) { breed } } }'},
        {"query": "query($i: String!) { Get { Dog(limit: 1 nearImage: {image: $i}) { breed } } }", "variables": {"i": RED}},
        {"query": '{ Get { Dog(limit: 1 nearImage: {image: """' + RED + '"""}) { breed } } }'},
    ],
    ids=["a key that nobody reads", "a comment", "a variable's name", "an operation's name", "a default", "a variable", "a block string"],
)
def test_long_runs_may_stand_anywhere(body: dict[str, Any]) -> None:
    """Most of them stand for a string's value; the others make the body be read as one."""
    request, lifted = read_request([json.dumps(body).encode()], MOST)
    answer = graphql(services()).begin(request, lifted).answer()
    assert answer == {"data": {"Get": {"Dog": [{"breed": "Corgi"}]}}}


def test_a_mistake_behind_a_picture_is_told_with_its_place() -> None:
    """And with the words of the parser, but never with the word that stood for the picture."""
    text = '{ Get { Dog(limit: 1 nearImage: {image: "' + PICTURE + '"}) { nothing } } }'
    request, lifted = read_request([json.dumps({"query": text}).encode()], MOST)
    (error,) = graphql(services()).begin(request, lifted).answer()["errors"]
    assert error["locations"] == [{"line": 1, "column": text.index("nothing") + 1}]
    assert "nothing" in error["message"]


def test_a_document_that_is_wrong_beside_its_picture_is_refused_as_it_was_sent() -> None:
    """Nobody knows the word that stands for a part of it."""
    request, lifted = read_request([json.dumps({"query": '{ Get { Dog(limit: 1 nearImage: {image: "' + RED + "}) } }"}).encode()], MOST)
    assert RED in request.query
    assert graphql(services()).begin(request, lifted).answer()["errors"][0]["message"]


@pytest.mark.usefixtures("real_pieces")
def test_a_picture_is_in_memory_once_until_it_is_decoded() -> None:
    """A server that copies what it is sent three or four times falls over with few clients."""
    whole = json.dumps({"query": '{ Get { Dog(nearImage: {image: "' + PICTURE * 5 + '"}) { breed } } }'}).encode()
    tracemalloc.start()
    request, lifted = read_request((whole[start : start + 100_000] for start in range(0, len(whole), 100_000)), MOST)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lifted is not None
    assert PICTURE * 5 in put_back(lifted, dict(lifted.values)).values()
    assert len(request.query) < 500_000
    assert most < 1.2 * len(whole)


@pytest.mark.usefixtures("real_pieces")
@pytest.mark.parametrize("in_variables", [False, True], ids=["in the document", "in the variables"])
def test_a_long_picture_stays_in_pieces_until_it_is_decoded(in_variables: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """To make one text of ten megabytes takes 3 ms, for which every other client would wait."""
    filled, seen = services(), list[object]()

    def read(_: object, reference: object, **__: object) -> bytes:
        seen.append(reference)
        return b"RGB123"

    monkeypatch.setattr(type(filled.objects.vectorizer.media), "read", read)
    asked = "$i" if in_variables else f'"{PICTURE}"'
    text = ("query($i: String!) " if in_variables else "") + "{ Get { Dog(limit: 1 nearImage: {image: " + asked + "}) { breed } } }"
    request, lifted = read_request([json.dumps({"query": text, "variables": {"i": PICTURE}}).encode()], MOST)
    assert graphql(filled).begin(request, lifted).answer() == {"data": {"Get": {"Dog": [{"breed": "Corgi"}]}}}
    assert [(type(one), str(one)) for one in seen] == [(LongText, PICTURE)]


@pytest.mark.usefixtures("real_pieces")
def test_a_variable_of_another_type_is_refused_with_what_was_sent() -> None:
    """Nobody knows the word that stood for it."""
    body = {"query": "query($n: Int) { Get { Dog(limit: $n) { breed } } }", "variables": {"n": "A" * 50_000}}
    request, lifted = read_request([json.dumps(body).encode()], MOST)
    (error,) = graphql(services()).begin(request, lifted).answer()["errors"]
    assert "'AAAA" in error["message"]


@pytest.mark.usefixtures("real_pieces")
def test_long_words_are_searched_for_as_they_were_sent() -> None:
    """What is set aside comes back wherever a text may stand, also beside signs beyond ASCII."""
    long = "hé" + "B" * 50_000 + "ü"
    text = '{ Get { Dog(where: {path: ["breed"] operator: Equal valueText: "' + long + '"}) { breed } } }'
    request, lifted = read_request([json.dumps({"query": text}, ensure_ascii=False).encode()], MOST)
    assert lifted is not None
    assert lifted.aside is not None
    assert long in put_back(lifted, dict(lifted.values)).values()
    assert graphql(services()).begin(request, lifted).answer() == {"data": {"Get": {"Dog": []}}}
