"""What a user gets wrong in raw GraphQL: every argument with every kind of wrong value. Each is told as the client's mistake, never as the server's."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doors.graphql_world import Ask, asking_of, services, uid
from tests.fakes import RED

Draw = Callable[..., Any]

MISUSES = {
    "null in a sort": "{ Get { Dog(sort: [null]) { breed } } }",
    "null in a sort with more": '{ Get { Dog(sort: [null, {path: ["breed"]}]) { breed } } }',
    "lists of lists as weights": '{ Get { Kennel(nearVector: {vector: [1 2] targets: {targetVectors: ["plan"] weights: {plan: [[1 2]]}}}) { name } } }',
    "lists of lists as weights of hybrid": '{ Get { Kennel(hybrid: {query: "red" targets: {targetVectors: ["plan"] weights: {plan: [[1]]}}}) { name } } }',
    "no vectors by name": "{ Get { Dog(nearVector: {vectorPerTarget: {}}) { breed } } }",
    "no vectors by name, in Explore": "{ Explore(nearVector: {vectorPerTarget: {}}) { beacon } }",
    "a null search in Explore": "{ Explore(nearObject: null) { beacon } }",
    "null among the searches of hybrid": "{ Get { Dog(hybrid: {alpha: 2 searches: [null]}) { breed } } }",
    "null among the objects to move to": '{ Get { Kennel(nearText: {concepts: ["red"] moveTo: {force: 1 objects: [null]}}) { name } } }',
    "an empty target with its vector": "{ Get { Kennel(nearVector: {vectorPerTarget: {plan: []}}) { name } } }",
}


@pytest.fixture(scope="module")
def ask() -> Ask:
    return _ask()


@cache
def _ask() -> Ask:
    return asking_of(services())


@pytest.mark.parametrize("query", MISUSES.values(), ids=MISUSES.keys())
def test_a_misuse_is_told_as_one(ask: Ask, query: str) -> None:
    """An internal error makes users look for the mistake where it is not, and writes a stack trace to the log for each of theirs."""
    (error,) = ask(query)["errors"]
    assert error["extensions"]["code"].startswith("invalid"), error


def test_a_null_search_beside_another_is_left_out_of_explore(ask: Ask) -> None:
    """Clients that fill in a form send null for what is not asked; that is as good as leaving it out."""
    assert ask("{ Explore(nearObject: null, nearVector: {vector: [1, 2]}, limit: 1) { className } }")["data"]


TEXTS = [
    "",
    "Corgi",
    "breed",
    "weight",
    "plan",
    "both",
    "nothing",
    uid(1),
    f"weaviate://localhost/Dog/{uid(1)}",
    "2020-01-31T12:00:00Z",
    RED,
    "len(name)",
    "_id",
    "😀",
]
INTS = st.sampled_from(["0", "1", "2", "-1", "10001", "2147483647", "-2147483648", "3000000000"])
SCALARS: dict[str, st.SearchStrategy[str]] = {
    "Int": INTS,
    "Float": st.one_of(INTS, st.sampled_from(["0.5", "-0.1", "1e30", "1e300", "1e400"])),
    "Boolean": st.sampled_from(["true", "false"]),
    "String": st.sampled_from(TEXTS).map(lambda text: f'"{text}"'),
}
NUMBERS = st.sampled_from(["1", "-1", "0.5", "[]", "[1 2]", "[[1 2] [3 4]]", "[[]]", "1e300"])
BY_NAME = st.dictionaries(st.sampled_from(["plan", "front", "both", "nothing"]), NUMBERS, max_size=3)
ANYTHING = st.sampled_from(["null", "[]", "{}", "1", "1.5", '"x"', "true", "ENUM", "[null]", "[[]]", "{a: 1}"])


def written(fields: dict[str, str]) -> str:
    return "{" + " ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


@st.composite
def values(draw: Draw, kind: GraphQLInputType, depth: int = 0) -> str:
    """Something of this type, with now and then something else in its midst."""
    chance = draw(st.integers(0, 19))
    if chance < 2:
        return str(draw(ANYTHING if chance else st.just("null")))
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return "[" + " ".join(draw(st.lists(values(kind.of_type, depth + 1), max_size=3))) + "]"
    if isinstance(kind, GraphQLEnumType):
        return str(draw(st.sampled_from(sorted(kind.values))))
    if isinstance(kind, GraphQLInputObjectType):
        names = draw(st.lists(st.sampled_from(sorted(kind.fields)), max_size=0 if depth > 3 else 3, unique=True))
        needed = [name for name, one in kind.fields.items() if isinstance(one.type, GraphQLNonNull)]
        return written({name: draw(values(kind.fields[name].type, depth + 1)) for name in dict.fromkeys((*needed, *names))})
    assert isinstance(kind, GraphQLScalarType)
    if kind.name in ("Weights", "VectorPerTarget"):
        return written(draw(BY_NAME))
    return str(draw(next(found for prefix, found in {**SCALARS, "Text": SCALARS["String"]}.items() if kind.name.startswith(prefix))))


@cache
def schema() -> GraphQLSchema:
    return build_client_schema(_ask()(get_introspection_query())["data"])


@st.composite
def questions(draw: Draw) -> str:
    query = schema().query_type
    assert query is not None
    root = draw(st.sampled_from(sorted(query.fields)))
    field, within = query.fields[root], root
    if root != "Explore":
        collections = field.type
        assert isinstance(collections, GraphQLObjectType)
        within = draw(st.sampled_from(sorted(collections.fields)))
        field = collections.fields[within]
    names = draw(st.lists(st.sampled_from(sorted(field.args)), min_size=1, max_size=3, unique=True))
    arguments = " ".join(f"{name}: {draw(values(field.args[name].type))}" for name in names)
    fields = {"Get": "_additional { id distance certainty score group { count } }", "Aggregate": "meta { count }", "Explore": "beacon distance certainty"}[root]
    asked = f"{within}({arguments}) {{ {fields} }}"
    return "{ " + (asked if root == "Explore" else f"{root} {{ {asked} }}") + " }"


@settings(max_examples=300)
@given(questions())
def test_no_arguments_are_the_servers_fault(query: str) -> None:
    """Whatever stands there is answered, or refused with what is wrong with it."""
    answer = _ask()(query)
    for error in answer.get("errors", ()):
        assert error["message"]
        assert not error["message"].startswith("internal error"), error
