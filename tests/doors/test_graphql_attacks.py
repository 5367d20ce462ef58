"""What a malicious client sends to the GraphQL door: nothing of it is the server's fault, costs seconds, or makes a gigabyte of a kilobyte."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection, DataType
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.door import GraphQlDoor
from nearimage.doors.site import Site
from tests.doors.graphql_world import Ask, asking_of, beacon, of_type, services
from tests.fakes import World, text
from tests.http_doors import BODY_BYTES, asked

MEGABYTE = 1_000_000
MOST_S = 5.0
"""CPU of the longest: a tenth of it is expected, and the machine may be busy."""


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with ThreadPoolExecutor(2) as executor, asked(Site(GraphQlDoor(graphql=graphql(services()), max_bytes=BODY_BYTES).endpoints()), executor) as client:
        yield client


def get(arguments: str, fields: str = "breed") -> str:
    return "{ Get { Dog(" + arguments + ") { " + fields + " } } }"


def numbered(pattern: str, count: int) -> str:
    """The pattern again and again, with a number in it."""
    return " ".join(pattern.replace("#", str(number)) for number in range(count))


def variable(name: str, kind: str, use: str, value: Any) -> dict[str, Any]:
    return {"query": f"query(${name}: {kind}) {{ Get {{ Kennel(nearVector: {{ {use} targetVectors: ["
                     f'"plan"] }}) {{ name }} }} }}', "variables": {name: value}}  # fmt: skip


DOCUMENTS = {
    "braces that never close": "{" * MEGABYTE,
    "braces that close": "{a" * 40_000 + "}" * 40_000,
    "lists in lists": get("sort: " + "[" * 40_000 + "]" * 40_000),
    "lists of numbers in lists": get("nearVector: {vector: " + "[" * 20_000 + "1" + "]" * 20_000 + "}"),
    "lists that never close": get("sort: " + "[" * 5 * MEGABYTE),
    "filters in filters": get("where: " + "{operator: Not operands: [" * 900 + "]}" * 900),
    "aliases of collections": "{ Get { " + numbered("a#: Dog { breed }", 2000) + " } }",
    "aliases of fields": get("limit: 1", numbered("a#: breed", 6000)),
    "the same field": get("limit: 1", "breed " * 9000),
    "unknown fields": get("limit: 1", numbered("a#", 9000)),
    "unknown arguments": get(numbered("a#: 1", 5000)),
    "directives": get("limit: 1", "breed " + "@skip(if: false) " * 5000),
    "variables": "query(" + numbered("$v#: Int", 5000) + ") " + get("limit: 1"),
    "operations": numbered("query Q# { Get { Dog { breed } } }", 2500),
    "fragments in a circle": get("limit: 1", "...A") + " fragment A on Dog { ...B } fragment B on Dog { ...A }",
    "fragments of themselves": get("limit: 1", "...A") + " fragment A on Dog { ...A }",
    "fragments that double": get("limit: 1", "...F0") + numbered("fragment F# on Dog { ...G# x: breed ...G# } fragment G# on Dog { breed }", 40),
    "fragments of fragments": get("limit: 1", "...F0")
    + " ".join(f"fragment F{n} on Dog {{ " + f"...F{n + 1} " * 40 + "}" for n in range(20))
    + " fragment F20 on Dog { breed }",
    "blanks": get("limit: 1", "breed" + " " * 20 * MEGABYTE),
    "commas": get("limit: 1", "breed" + "," * 20 * MEGABYTE),
    "comments": get("limit: 1", "breed" + "#a\n" * 3 * MEGABYTE),
    "comments with returns": get("limit: 1", "breed" + "#a\r" * MEGABYTE),
    "a name": get("limit: 1", "a" * 20 * MEGABYTE),
    "quotes": get("limit: 1", "breed" + '"' * 20 * MEGABYTE),
    "empty strings": get("sort: [" + '"" ' * 5 * MEGABYTE + "]"),
    "a string": get('nearImage: {image: "' + "A" * 20 * MEGABYTE + '"}'),
    "a string of backslashes": get('bm25: {query: "' + "\\\\" * 2 * MEGABYTE + '"}'),
    "a string of quotes": get('bm25: {query: "' + '\\"' * 2 * MEGABYTE + '"}'),
    "a string of escapes": get('bm25: {query: "' + "\\u{41}" * MEGABYTE + '"}'),
    "a block string of quotes": get('bm25: {query: """' + '\\"""' * MEGABYTE + '"""}'),
    "a block string of lines": get('bm25: {query: """' + "  a\n" * 2 * MEGABYTE + '"""}'),
    "numbers": get("nearVector: {vector: [" + "1," * 5 * MEGABYTE + "]}"),
    "numbers and a letter": get("nearVector: {vector: [" + "1," * 5 * MEGABYTE + "x]}"),
    "digits": get("limit: " + "9" * 5 * MEGABYTE),
    "digits in a list": get("nearVector: {vector: [" + "9" * 500_000 + "]}"),
    "minus signs": get("limit: " + "-" * 5 * MEGABYTE),
    "more than a double": get("nearVector: {vector: [1e999, 1, 1]}"),
    "less than a double": get("nearVector: {vector: [1e-9999, 1, 1]}"),
    "more than an int": get("limit: 99999999999999999999999"),
    "a distance beyond floats": get("nearVector: {vector: [1, 0, 0], distance: 1e300}"),
    "a force beyond floats": get("group: {type: merge, force: 1e308}"),
    "half a pair": get('bm25: {query: "\\ud800"}'),
    "beyond unicode": get('bm25: {query: "\\u{110000}"}'),
    "nul": get('where: {path: ["breed\\u0000"], operator: Equal, valueText: "\\u0000"}'),
    "nul between": "{ Get\0 { Dog { breed } } }",
    "an argument twice": get("limit: 1, limit: 2"),
    "a key twice": get('where: {path: "breed", path: "weight", operator: Equal, valueInt: 1}'),
    "stars": get('where: {path: "breed", operator: Like, valueText: "' + "*a" * 3000 + 'b"}'),
    "words": get('bm25: {query: "' + "word " * 100_000 + '"}'),
    "a long id": get('after: "' + "x" * MEGABYTE + '"'),
    "groups without end": get('groupBy: {path: "breed", groups: 2147483647, objectsPerGroup: 2147483647}'),
    "a long path": get("where: {path: [" + '"a",' * 9001 + "], operator: Equal, valueInt: 1}"),
    "a file": get('nearImage: {image: "file:///etc/passwd"}'),
    "the schema again and again": "{ " + numbered("a#: __schema { types { name fields { name } } }", 400) + " }",
    "nothing between braces": get("limit: 1", ""),
    "blanks only": " ,\t",
    "a comment only": "#",
}  # fmt: skip
BODIES = {
    "no json": b"\x00\x01",
    "lists without end": b"[" * MEGABYTE,
    "objects without end": b'{"query":' * 200_000,
    "deep variables": b'{"query": "query($v: [Float]) { Get { Dog { breed } } }", "variables": {"v": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "deep variables that can be read": b'{"query": "query($v: [Float]) { Get { Dog { breed } } }", "variables": {"v": ' + b"[" * 800 + b"]" * 800 + b"}}",
    "no utf-8": b'{"query": "{ Get { Dog(bm25: {query: \\"\xff\xfe\\"}) { breed } } }"}',
    "utf-16": '{"query": "{ Get { Dog { breed } } }"}'.encode("utf-16"),
    "half a pair": b'{"query": "{ Get { Dog(bm25: {query: \\"\\ud800\\"}) { breed } } }"}',
    "half a pair as a name": b'{"query": "{ Get { Dog { breed } } }", "operationName": "\\ud800"}',
    "a key twice": b'{"query": "{ Get { Nope { breed } } }", "query": "{ Get { Dog(limit: 1) { breed } } }"}',
    "not a number": b'{"query": "query($v: [Float]) { Get { Dog(nearVector: {vector: $v}) { breed } } }", "variables": {"v": [NaN]}}',
    "a list": b"[]",
    "null": b"null",
    "names as variables": json.dumps(variable("w", "VectorPerTarget", "vectorPerTarget: $w", "plan")).encode(),
    "texts as vectors": json.dumps(variable("w", "VectorPerTarget", "vectorPerTarget: $w", {"plan": ["a"]})).encode(),
    "texts as weights": json.dumps(variable("w", "Weights", 'vector: [1, 0] targets: {targetVectors: ["plan"] weights: $w}', {"plan": "x"})).encode(),
    "lists as weights": json.dumps(variable("w", "Weights", 'vector: [1, 0] targets: {targetVectors: ["plan"] weights: $w}', [1])).encode(),
    "a vector with holes": json.dumps(variable("w", "[Float]", "vector: $w", [None, 1])).encode(),
}

READABLE = ("a key twice", "no utf-8", "half a pair", "half a pair as a name")
"""Bodies that are understood, for all that is odd with them."""


def answered(http: httpx.Client, body: bytes) -> str:
    """An answer that blames nobody but the client, soon."""
    started = time.process_time()
    answer = http.post("/v1/graphql", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (200, 400, 422)
    assert "internal" not in answer.text[:2000]
    assert len(answer.content) < 100 * 1000 + len(body)
    assert time.process_time() - started < MOST_S
    return answer.text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_answered_soon(http: httpx.Client, name: str) -> None:
    """Whoever may ask may ask this; everybody else must not notice."""
    answered(http, json.dumps({"query": DOCUMENTS[name]}).encode())
    assert http.post("/v1/graphql", json={"query": get("limit: 1")}).json() == {"data": {"Get": {"Dog": [{"breed": "Corgi"}]}}}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_answered_soon(http: httpx.Client, name: str) -> None:
    """Before there is a document, there is JSON."""
    said = answered(http, BODIES[name])
    assert "errors" in said or "message" in said or name in READABLE


@pytest.fixture(scope="module")
def rings() -> Ask:
    """Objects that refer to each other in circles."""
    made = World().services()
    made.collections.create(Collection(name="Node", properties=(text("name"), of_type("next", DataType.REFERENCE, targets=("Node",)))))
    links = [beacon("Node", number) for number in range(1, 11)]
    made.objects.put_many("Node", [Draft(id=UUID(int=number), properties={"name": str(number), "next": links}) for number in range(1, 11)])
    return asking_of(made, values=40_000)


def test_references_in_a_circle_are_followed_as_far_as_the_answer_may_be_long(rings: Ask) -> None:
    """Ten objects that lead to ten each are ten thousand three levels down, and more than there are atoms at thirty."""

    def circles(levels: int) -> str:
        return "{ Get { Node { " + "next { ... on Node { " * levels + "name" + " } }" * levels + " } } }"

    assert len(rings(circles(3))["data"]["Get"]["Node"]) == 10
    started = time.process_time()
    for levels in (6, 25):
        assert "values" in rings(circles(levels))["errors"][0]["message"]
    assert time.process_time() - started < MOST_S


def test_many_columns_of_many_objects_are_counted_before_they_are_made(rings: Ask) -> None:
    """Four thousand names for one field of ten thousand objects would be forty million texts."""
    wide = "{ Get { " + numbered("b#: Node { ...F }", 100) + " } } fragment F on Node { " + numbered("a#: name", 40) + " }"

    assert len(rings(wide)["data"]["Get"]) == 100
    assert "values" in rings(wide.replace("a39: name", "a39: name one_more: name"))["errors"][0]["message"]


def test_a_batch_is_bounded(http: httpx.Client) -> None:
    """A hundred questions at most, each with its own limits."""
    question = {"query": "{ Get { " + numbered("a#: Dog(limit: 1) { breed }", 20) + " } }"}

    assert len(http.post("/v1/graphql/batch", json=[question] * 100).json()) == 100
    assert http.post("/v1/graphql/batch", json=[question] * 101).status_code == 422
