"""What programs of the other clients do all day, unmodified, against a live server: the older Python client, and both for TypeScript.

A program a client (`programs/work/`) does all of it once; each test looks at one part of what came of it. Weaviate's page "Image search" has tests of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.clients.installed import PROGRAMS, python, run, typescript
from tests.servers import LiveServer

CLIENTS: Mapping[str, tuple[Callable[[], tuple[object, ...]], str]] = {
    "python v3": (lambda: (python("python-v3"),), "python_v3.py"),
    "typescript v3": (lambda: typescript("typescript-v3"), "typescript_v3.mjs"),
    "typescript v2": (lambda: typescript("typescript-v2"), "typescript_v2.mjs"),
}
FOUND = {
    "near vector": ["car 100", "car 99"],
    "near object": ["car 5"],
    "keywords": ["car 17"],
    "hybrid": ["car 17"],
    "sorted": ["car 3", "car 7"],
    "after": ["car 99", "car 100"],
    "and": ["car 95", "car 99"],
    "date": ["car 1"],
    "boolean": ["car 2"],
    "id": ["car 50"],
    "any": ["car 7", "car 8"],
}
Answers = Mapping[str, Any]


@pytest.fixture(scope="session")
def known(grpc_transport: str) -> dict[str, Answers]:
    """What the programs said, for they need seconds."""
    return {}


@pytest.fixture(params=CLIENTS)
def said(request: pytest.FixtureRequest, known: dict[str, Answers], shared_server: LiveServer) -> Answers:
    """What one client's program was answered, by part."""
    name = str(request.param)
    if name not in known:
        client, program = CLIENTS[name]
        interpreter, *more = client()
        known[name] = run(interpreter, PROGRAMS / "work" / program, *more, shared_server.http_port, shared_server.grpc_port)
    return known[name]


def test_schema(said: Answers) -> None:
    """A property is added to a collection that is there."""
    assert said["schema"][:2] == [True, ["name", "age"]]


def test_an_object_is_made_changed_and_deleted(said: Answers) -> None:
    """Merged and then replaced, which drops what is not said again; the vector comes back as given."""
    merged, vector, replaced, *existed = said["objects"]

    assert merged == {"name": "Ann", "age": 40}
    assert vector == [1, 0]
    assert {name: value for name, value in replaced.items() if value is not None} == {"name": "Anna"}
    assert existed in ([True, False], [False, True, None])  # the older client also checks an object that is wrong, and reads one that is gone


def test_batches(said: Answers) -> None:
    """Of a hundred people, cars and links all are stored, and the one with a number for a name is told."""
    failed, *rest = said["batches"]

    assert failed == 1
    assert rest in ([2, 100], [0, 2], [0, 100])  # each client counts and lists in its own way


def test_references(said: Answers) -> None:
    """Followed, added, taken away, and filtered by what they lead to."""
    first, changed, through = said["references"]

    assert first in ([{"name": "person 1", "_additional": {"id": "00000000-0000-0000-0000-000000000001"}}], ["person 1"])
    assert changed in (["00000000-0000-0000-0000-000000000002"], ["person 2"])
    assert through in ([{"name": "car 77"}], ["car 77"])


def test_searches_and_filters(said: Answers) -> None:
    """The same hits, whatever the client and its protocol."""
    assert {name: said["searches"][name] for name in FOUND} == FOUND
    assert said["searches"].get("near text", ["sweet wine"]) == ["sweet wine"]


def test_aggregates(said: Answers) -> None:
    """Figures of the whole, of groups, and of the nearest."""
    found = said["aggregates"]
    whole = found["whole"][0] if isinstance(found["whole"][0], dict) else {"meta": {"count": found["whole"][0]}, **found["whole"][1]}

    assert whole["meta"] == {"count": 100}
    assert {name: whole["seats"][name] for name in ("minimum", "maximum", "mean", "sum")} == {"minimum": 0, "maximum": 3, "mean": 1.5, "sum": 150}
    assert whole["fast"]["totalTrue"] == 50
    assert whole.get("owner", {"pointingTo": [""]})["pointingTo"][0] in ("", "PersonV3", "PersonTs2")
    groups = [one if isinstance(one, list) else [one["groupedBy"]["value"] == "true", one["meta"]["count"]] for one in found["groups"]]
    assert groups == [[False, 50], [True, 50]]
    assert found["near"] in ([{"meta": {"count": 3}}], 3)


def test_tenants(said: Answers) -> None:
    """Each sees its own, and a question without one is refused."""
    got, counted, left, refused = said["tenants"]

    assert [[one if isinstance(one, str) else one["name"] for one in some] for some in got] == [["hers"], ["his"]]
    assert counted in ([{"meta": {"count": 1}}], 1)
    assert left == ["ann"]
    assert refused is True


def test_deleting_by_filter(said: Answers) -> None:
    """First to see what would go; then as many go."""
    assert said["deletion"] == [25, 25, 0]


def test_backups_are_refused_with_what_to_do_instead(said: Answers) -> None:
    """An operator must not believe that there is one."""
    assert said["backups"]
    assert all("nearimage backup" in message for message in said["backups"])
