"""`_additional` over GraphQL: what is there depends on how an object was found."""

from typing import Any

import pytest

from tests.doors.graphql_world import Ask, asking_of, services, uid
from tests.fakes import RED


@pytest.fixture(scope="module")
def ask() -> Ask:
    return asking_of(services())


def get(answer: Any) -> list[dict[str, Any]]:
    assert "errors" not in answer, answer["errors"]
    found: list[dict[str, Any]] = answer["data"]["Get"]["Dog"]
    return found


def breeds(answer: Any) -> list[str]:
    return [str(hit["breed"]) for hit in get(answer)]


def test_a_group_shows_nothing_of_its_best_hit(ask: Ask) -> None:
    """That stands among its hits; their vectors are read where the group's own fields ask for them."""
    fields = "breed _additional { id distance %s group { hits { _additional { vector } } } }"
    query = '{ Get { Dog(%s, groupBy: {path: ["breed"], groups: 1, objectsPerGroup: 1}) { ' + fields + " } } }"
    near = f'nearImage: {{image: "{RED}"}}'

    def asked(search: str, more: str = "") -> Any:
        return get(ask(query % (search, more)))

    nothing: dict[str, Any] = {"id": None, "distance": None}
    hits: dict[str, Any] = {"hits": [{"_additional": {"vector": []}}]}
    assert asked(near) == [{"breed": None, "_additional": nothing | {"group": hits}}]
    assert asked(near, "vector")[0]["_additional"]["group"] == {"hits": [{"_additional": {"vector": [255, 0, 0]}}]}
    assert asked("limit: 2") == [{"breed": None, "_additional": nothing | {"group": None}}] * 2


def test_groups_are_what_a_page_leaves_out(ask: Ask) -> None:
    """A near search finds as many hits as the page and all before it need, and then leaves groups out; with room for none there are none."""
    group = "group { id count groupedBy { value } }"
    grouping = 'limit: 3, offset: %d, groupBy: {path: ["breed"], groups: %d, objectsPerGroup: 2}'
    query = '{ Get { Dog(nearImage: {image: "%s"}, ' + grouping + ") { _additional { " + group + " } } } }"
    groups = [hit["_additional"]["group"] for hit in get(ask(query % (RED, 1, 9)))]

    assert groups == [{"id": 1, "count": 1, "groupedBy": {"value": "Husky"}}, {"id": 2, "count": 1, "groupedBy": {"value": "Beagle"}}]
    assert get(ask(query % (RED, 0, 0))) == []


@pytest.mark.parametrize(
    ("search", "asked", "shown"),
    [
        ("", "distance", None),
        ("", "certainty group { id } classification { id } __typename", None),
        ("", "distance id", {"distance": None, "id": uid(2)}),
        ('bm25: {query: "husky"}', "distance", None),
        ('hybrid: {query: "husky", alpha: 0.5, vector: [0, 255, 0]}', "distance", None),
        ('hybrid: {query: "husky", alpha: 1, vector: [0, 255, 0]}', "distance", {"distance": 0}),
        ('hybrid: {query: "husky", alpha: 1, vector: [0, 255, 0]}', "distance id", {"distance": None, "id": uid(2)}),
        ("nearVector: {vector: [0, 255, 0]}", "distance group { id }", {"distance": 0, "group": None}),
    ],
)
def test_what_nobody_measured_is_null_and_alone_it_is_no_object(ask: Ask, search: str, asked: str, shown: Any) -> None:
    """Clients tell an object without metadata from one whose distance is nothing."""
    query = '{ Get { Dog(limit: 1, %s where: {path: ["breed"], operator: Equal, valueText: "Husky"}) { _additional { %s } } } }'

    assert get(ask(query % (search and search + ", ", asked))) == [{"_additional": shown}]


def test_a_hybrid_search_beside_another_is_left_out(ask: Ask) -> None:
    """That is what a running Weaviate does; it is checked all the same."""
    query = '{ Get { Dog(%s, hybrid: {query: "corgi", alpha: %d}, limit: 1) { breed } } }'

    assert breeds(ask(query % ('bm25: {query: "husky"}', 0))) == ["Husky"]
    assert breeds(ask(query % ("nearVector: {vector: [0, 0, 255]}", 0))) == ["Beagle"]
    wrong = '{ Get { Dog(bm25: {query: "husky"}, hybrid: {query: "x", vector: [1], searches: {nearVector: {vector: [1]}}}) { breed } } }'
    assert "vector" in ask(wrong)["errors"][0]["message"]


def test_merged_objects_have_no_id(ask: Ask) -> None:
    """They are of several objects; words make no two objects alike."""
    query = "{ Get { Dog(%s, group: {type: merge, force: 0.1}) { weight _additional { id %s } } } }"

    (first, *_) = get(ask(query % (f'nearImage: {{image: "{RED}"}}', "distance certainty creationTimeUnix")))
    assert first == {"weight": 11, "_additional": {"id": "", "distance": 0, "certainty": 1, "creationTimeUnix": "0"}}
    assert len(get(ask(query % ('bm25: {query: "corgi"}', "score")))) == 2


def test_a_listing_has_nothing_to_cut_by(ask: Ask) -> None:
    """No distances and no scores: nothing is left, as in Weaviate."""
    assert get(ask("{ Get { Dog(autocut: 1) { breed } } }")) == []
