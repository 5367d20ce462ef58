"""`Aggregate` and `Explore` over GraphQL."""

from typing import Any
from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from tests.doors.graphql_world import Ask, asking_of, services, uid
from tests.fakes import GREEN, RED, World, dogs


@pytest.fixture(scope="module")
def ask() -> Ask:
    return asking_of(services())


def figures(answer: Any, name: str = "Dog") -> list[dict[str, Any]]:
    assert "errors" not in answer, answer["errors"]
    found: list[dict[str, Any]] = answer["data"]["Aggregate"][name]
    return found


def failed(answer: Any) -> str:
    assert list(answer["data"]["Aggregate"].values()) == [None]
    return str(answer["errors"][0]["message"])


def test_figures_of_every_type(ask: Ask) -> None:
    """Each type has its own."""
    fields = """meta { count } score { count sum mean mode median minimum maximum type } sizes { sum type } open { count totalTrue totalFalse percentageTrue
      percentageFalse type } founded { count minimum maximum median mode } name { count type topOccurrences(limit: 1) { value occurs } }
      chief { type pointingTo } groupedBy { value }"""

    assert figures(ask("{ Aggregate { Kennel { " + fields + " } } }"), "Kennel") == [
        {
            "meta": {"count": 3},
            "score": {"count": 3, "sum": 2.25, "mean": 0.75, "mode": 0.25, "median": 0.5, "minimum": 0.25, "maximum": 1.5, "type": "number"},
            "sizes": {"sum": 5, "type": "int[]"},
            "open": {"count": 2, "totalTrue": 1, "totalFalse": 1, "percentageTrue": 0.5, "percentageFalse": 0.5, "type": "boolean"},
            "founded": {"count": 1, **dict.fromkeys(("minimum", "maximum", "median", "mode"), "2020-01-31T12:00:00Z")},
            "name": {"count": 3, "type": "text", "topOccurrences": [{"value": "green house", "occurs": 1}]},
            "chief": {"type": "cref", "pointingTo": ["Owner", "Dog"]},
            "groupedBy": None,
        }
    ]


def test_groups_name_their_value(ask: Ask) -> None:
    """As text, whatever its type; the largest group first."""
    found = figures(ask('{ Aggregate { Dog(groupBy: ["breed"], limit: 2) { meta { count } weight { mean } groupedBy { path value } } } }'))

    assert found == [
        {"meta": {"count": 2}, "weight": {"mean": 11}, "groupedBy": {"path": ["breed"], "value": "Corgi"}},
        {"meta": {"count": 1}, "weight": {"mean": 30}, "groupedBy": {"path": ["breed"], "value": "Beagle"}},
    ]
    assert [group["groupedBy"] for group in figures(ask('{ Aggregate { Kennel(groupBy: "open") { groupedBy { value } } } }'), "Kennel")] == [
        {"value": "false"},
        {"value": "true"},
    ]


def test_groups_by_a_reference_are_named_by_its_beacons(ask: Ask) -> None:
    """How many articles has each publication, as the documentation of Weaviate asks it."""
    found = figures(ask('{ Aggregate { Owner(groupBy: ["dogs"]) { meta { count } groupedBy { path value } } } }'), "Owner")

    beacons = [f"weaviate://localhost/Dog/{uid(number)}" for number in (1, 2, 99)]
    assert found == [{"meta": {"count": 1}, "groupedBy": {"path": ["dogs"], "value": one}} for one in beacons]


def test_groups_of_large_numbers_are_named_by_powers_of_ten() -> None:
    """As Weaviate names them here, and nowhere else: groups of hits have the digits."""
    made = World().services()
    made.collections.create(dogs())
    made.objects.put_many("Dog", [Draft(id=UUID(int=1), properties={"weight": 1_800_000})])
    ask = asking_of(made)

    assert figures(ask('{ Aggregate { Dog(groupBy: ["weight"]) { groupedBy { value } } } }')) == [{"groupedBy": {"value": "1.8e+06"}}]


def test_the_most_frequent_values_in_the_number_asked_for(ask: Ask) -> None:
    """Each place has its own; five where nothing is said."""
    query = (
        "{ Aggregate { Dog { breed { one: topOccurrences(limit: 1) { occurs } all: topOccurrences { value } none: topOccurrences(limit: 0) { value } } } } }"
    )
    (found,) = figures(ask(query))

    assert found["breed"]["one"] == [{"occurs": 2}]
    assert [top["value"] for top in found["breed"]["all"]] == ["Corgi", "Beagle", "Ghost", "Husky"]
    assert found["breed"]["none"] == []


def test_a_near_query_beside_a_hybrid_search_says_how_far_it_reaches(ask: Ask) -> None:
    """Clients bound a hybrid search so, from before it had a distance of its own; elsewhere two searches contradict each other."""
    counted = "{ Aggregate { Dog(hybrid: {query: %s, vector: [255, 0, 0], alpha: 0.5}, %s) { meta { count } } } }"

    def count(words: str, near: str) -> int:
        return int(figures(ask(counted % (words, near)))[0]["meta"]["count"])

    whole = count('"beagle"', "objectLimit: 100")
    assert count('"beagle"', "nearVector: {vector: [0, 1, 0]}, objectLimit: 100") == whole
    assert count('"zebra"', "nearVector: {vector: [0, 1, 0], distance: 0.01}") == 1 < whole
    assert count('"zebra"', "nearVector: {vector: [0, 1, 0], certainty: 0.995}") == 1
    assert count('"beagle"', "nearVector: {vector: [0, 1, 0], distance: 0.01}") == 2
    assert "conflicting" in failed(ask(counted % ('"beagle"', f'nearVector: {{vector: [1, 0, 0]}}, nearObject: {{id: "{uid(1)}"}}')))


def test_a_filter_and_a_search_narrow_it_down(ask: Ask) -> None:
    """Figures of what is found: the nearest, what is near enough, what has the words."""
    counted = "{ Aggregate { Dog(%s) { meta { count } weight { maximum } } } }"

    assert figures(ask(counted % 'where: {path: ["weight"], operator: GreaterThan, valueInt: 11}'))[0]["meta"] == {"count": 3}
    assert figures(ask(counted % f'nearImage: {{image: "{RED}"}}, objectLimit: 2')) == [{"meta": {"count": 2}, "weight": {"maximum": 12}}]
    assert figures(ask(counted % f'nearImage: {{image: "{RED}", distance: 0.01}}'))[0]["meta"] == {"count": 1}
    assert figures(ask(counted % f'nearImage: {{image: "{RED}", certainty: 0.4}}, objectLimit: 3'))[0]["meta"] == {"count": 3}
    assert figures(ask(counted % f'nearObject: {{id: "{uid(2)}", distance: 0.5}}'))[0]["weight"] == {"maximum": 20}
    assert figures(ask(counted % 'hybrid: {query: "corgi", alpha: 0}, objectLimit: 9'))[0]["meta"] == {"count": 2}
    assert figures(ask(counted % 'hybrid: {query: "corgi", alpha: 0.5, vector: [0, 0, 255]}, objectLimit: 1'))[0]["meta"] == {"count": 2}  # one from each leg
    narrow = f'nearImage: {{image: "{RED}"}}, objectLimit: 2, where: {{path: ["breed"], operator: NotEqual, valueText: "corgi"}}'
    assert figures(ask(counted % narrow))[0]["weight"] == {"maximum": 30}


@pytest.mark.parametrize(
    "arguments",
    [
        f'nearImage: {{image: "{RED}"}}',
        f'nearImage: {{image: "{RED}"}}, objectLimit: -1',
        f'nearImage: {{image: "{RED}"}}, objectLimit: 0',
        "objectLimit: 3",
        'groupBy: ["zzz"]',
        "groupBy: []",
        'hybrid: {query: "corgi", alpha: 0}',
        'groupBy: ["breed", "weight"]',
        'groupBy: ["image"]',
        "limit: -1",
        'where: {path: ["breed"], operator: Equal, valueInt: 1}',
    ],
)
def test_what_cannot_be_summarised_is_null_with_a_reason(ask: Ask, arguments: str) -> None:
    """A search by vector finds every object, so it needs an end."""
    assert failed(ask("{ Aggregate { Dog(" + arguments + ") { meta { count } } } }"))


def test_explore_looks_into_every_collection_that_understands(ask: Ask) -> None:
    """Collections without pictures are left out, not an error."""
    found = ask('{ Explore(nearImage: {image: "%s"}, limit: 1, offset: 1) { className beacon distance certainty __typename } }' % GREEN)

    assert found["data"]["Explore"] == [
        {
            "className": "Dog",
            "beacon": f"weaviate://localhost/Dog/{uid(4)}",
            "distance": pytest.approx(0.7709, abs=1e-4),
            "certainty": pytest.approx(0.6145, abs=1e-4),
            "__typename": "ExploreObj",
        }
    ]


def test_explore_tells_no_certainty_where_there_is_none(ask: Ask) -> None:
    """Only a cosine can be read as one; null would look like an answer."""
    near = '{ Explore(nearVector: {vector: [1, 2], targetVectors: ["plan"]}) { className %s } }'

    assert "errors" not in ask(near % "distance")
    assert "certainty" in ask(near % "certainty")["errors"][0]["message"]


def test_numbers_without_a_fraction_are_whole(ask: Ask) -> None:
    """Clients of other languages keep numbers as they are written, and stumble over "2.0"."""
    figures_of_scores = "{ Aggregate { Kennel(where: {path: %s, operator: Equal, valueText: %s}) { score { mean sum count } } } }"
    nearest = f'{{ Get {{ Dog(nearObject: {{id: "{uid(2)}"}}, limit: 1) {{ _additional {{ distance }} }} }} }}'

    assert [type(number) for number in figures(ask(figures_of_scores % ('"name"', '"house"')), "Kennel")[0]["score"].values()] == [int, int, int]
    assert type(ask(nearest)["data"]["Get"]["Dog"][0]["_additional"]["distance"]) is int


def test_explore_without_a_search_is_an_error(ask: Ask) -> None:
    """It would be a list of everything there is."""
    answer = ask("{ Explore(limit: 1) { className } }")

    assert answer["data"] == {"Explore": None}
    assert "nearVector" in answer["errors"][0]["message"]
