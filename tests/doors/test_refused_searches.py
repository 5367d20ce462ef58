"""A search by something that a vector's module does not understand: every door says where, by what, and what would do instead."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from nearimage.domain.errors import NoVectorizer
from nearimage.domain.query import Hybrid, NearMedia, NearText, Search, Targets, Words
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.domain.vectorizing import OPERATORS, Modality
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.requests import Request
from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.doors.rest.call import About
from nearimage.service.services import Services
from tests.fakes import BIND, CLIP, RED, ColourModule, World
from tests.http_doors import asked, rest_site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import base_search_pb2, search_get_pb2

MODULES = (ColourModule(), CLIP, BIND)
NAMES: Mapping[str, str] = {"none": "own", "img2vec-neural": "neural", "multi2vec-clip": "clip", "multi2vec-bind": "bind"}
UNDERSTOOD: Mapping[str, frozenset[Modality]] = {"none": frozenset(), **{module.name: module.modalities for module in MODULES}}
PAIRS = [(module, modality) for module in UNDERSTOOD for modality in Modality]
REFUSED = [(module, modality) for module, modality in PAIRS if modality not in UNDERSTOOD[module]]
ANSWERED = [(module, modality) for module, modality in PAIRS if modality in UNDERSTOOD[module]]

Ask = Callable[[Modality], str]
"""Searches by a kind of input; returns the message of the refusal, or nothing."""


def database(*modules: str) -> Services:
    """One collection with a vector of each module."""
    services = World(modules=MODULES).services()
    vectors = tuple(
        VectorConfig(name=NAMES[module], module=module, module_settings={} if module == "none" else {"imageFields": ["file"]}) for module in modules
    )
    services.collections.create(Collection(name="Thing", properties=(Property(name="file", data_type=DataType.BLOB),), vectors=vectors))
    return services


@dataclass(frozen=True)
class Doors:
    """The doors of one database."""

    services: Services
    http: httpx.Client

    def use_cases(self, modality: Modality) -> str:
        near = NearText(concepts=("red",)) if modality is Modality.TEXT else NearMedia(modality=modality, data=RED)
        try:
            self.services.searches.run(Search(collection="Thing", by=near))
        except NoVectorizer as refused:
            return refused.message
        return ""

    def grpc(self, modality: Modality) -> str:
        text = base_search_pb2.NearTextSearch(query=["red"])
        kind = OPERATORS[modality].replace("n", "N", 1)
        near = text if modality is Modality.TEXT else getattr(base_search_pb2, f"{kind}Search")(**{modality: RED})
        asked: Any = {f"near_{modality}": near}
        try:
            answer = handlers(self.services)[f"{SERVICE}Search"](search_get_pb2.SearchRequest(collection="Thing", **asked).SerializeToString())
            if callable(answer):
                answer()
        except NoVectorizer as refused:
            return refused.message
        return ""

    def rest(self, modality: Modality) -> str:
        reply = self.http.post(f"/v1/search/Thing/near-{modality}", json={str(modality): "red" if modality is Modality.TEXT else RED})
        assert reply.status_code in (200, 422)
        return "" if reply.status_code == 200 else str(reply.json()["error"][0]["message"])

    def graphql(self, modality: Modality) -> str:
        said = 'concepts: ["red"]' if modality is Modality.TEXT else f'{modality}: "{RED}"'
        reply = graphql(self.services).answer(Request(query=f"{{ Get {{ Thing({OPERATORS[modality]}: {{{said}}}) {{ _additional {{ id }} }} }} }}"))
        return str(reply["errors"][0]["message"]) if "errors" in reply else ""


@pytest.fixture
def open_doors() -> Iterator[Callable[[Services], Doors]]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=1_000_000)
    with ThreadPoolExecutor(1) as executor, ExitStack() as ending:
        yield lambda services: Doors(services, ending.enter_context(asked(rest_site(services, about), executor)))


@pytest.mark.parametrize(("module", "modality"), REFUSED)
def test_every_door_names_the_collection_the_vector_and_the_operator(open_doors: Callable[[Services], Doors], module: str, modality: Modality) -> None:
    """The message goes to whoever wrote the query; with these three it can be mended without asking anybody."""
    doors = open_doors(database(module))
    operator = OPERATORS[modality]

    message = doors.use_cases(modality)

    assert message.startswith(f"vector '{NAMES[module]}' of collection 'Thing'")
    assert f"cannot be searched by {operator}, but by" in message
    for other in UNDERSTOOD[module]:
        assert OPERATORS[other] in message
    assert "nearVector and nearObject" in message
    assert "multi2vec-bind" in message
    assert doors.grpc(modality) == doors.rest(modality) == message
    told = doors.graphql(modality)  # where no vector understands it the argument does not exist, as in Weaviate
    assert operator in told
    assert "Thing" in told


@pytest.mark.parametrize(("module", "modality"), ANSWERED)
def test_what_a_module_understands_is_answered_on_every_door(open_doors: Callable[[Services], Doors], module: str, modality: Modality) -> None:
    """The other half of the table: no door refuses what could be answered."""
    doors = open_doors(database(module))
    asks: tuple[Ask, ...] = (doors.use_cases, doors.grpc, doors.rest, doors.graphql)

    assert [ask(modality) for ask in asks] == [""] * len(asks)


def test_another_vector_of_the_collection_is_pointed_to() -> None:
    """The cure is often one word away: the target vector."""
    services = database("none", "img2vec-neural", "multi2vec-clip", "multi2vec-bind")

    with pytest.raises(NoVectorizer, match=r"'neural' of collection 'Thing', made by img2vec-neural") as caught:
        services.searches.run(Search(collection="Thing", by=NearText(concepts=("red",), targets=Targets.of("neural"))))

    assert caught.value.message.endswith("for nearText name as target vector 'clip' or 'bind'")
    assert caught.value.detail == {"collection": "Thing", "vector": "neural", "module": "img2vec-neural", "operator": "nearText"}


def test_hybrid_says_that_it_is_its_words_that_are_searched_by() -> None:
    """Whoever asked for hybrid did not say nearText, and can do without."""
    services = database("img2vec-neural")

    with pytest.raises(NoVectorizer, match=r"hybrid searches by its words as nearText does.*alpha 0.*'neural' of collection 'Thing'"):
        services.searches.run(Search(collection="Thing", by=Hybrid(words=Words(text="red"))))
