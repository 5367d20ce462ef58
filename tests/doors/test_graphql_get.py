"""`Get` over GraphQL: documents as the clients of Weaviate write them, answers as they read them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Tenancy, Tenant
from nearimage.service.services import Services
from tests.doors.graphql_world import OWNER, Ask, asking_of, beacon, services, uid
from tests.fakes import BROKEN, RED, World, dogs


@pytest.fixture(scope="module")
def ask() -> Ask:
    return asking_of(services())


@pytest.fixture(scope="module")
def crowd() -> Services:
    """A hundred and thirty objects."""
    made = World().services()
    made.collections.create(dogs())
    made.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"weight": n, "image": RED}) for n in range(1, 131)])
    return made


def get(answer: Any, name: str = "Dog") -> list[dict[str, Any]]:
    assert "errors" not in answer, answer["errors"]
    found: list[dict[str, Any]] = answer["data"]["Get"][name]
    return found


def breeds(answer: Any) -> list[str]:
    return [str(hit["breed"]) for hit in get(answer)]


def failed(answer: Any) -> str:
    """The message of a question that could not be answered, for which the data is null."""
    assert list(answer["data"]["Get"].values()) == [None], answer
    assert answer["errors"][0]["path"] == ["Get", next(iter(answer["data"]["Get"]))]
    return str(answer["errors"][0]["message"])


def test_the_query_of_the_image_search_page(ask: Ask) -> None:
    """This very text is what the older Python client sends for the page's first example; the answer is compared whole there."""
    query = '{Get{Dog(limit: 1 nearImage: {image: "' + RED + '"} ){breed}}}'

    assert ask(query) == {"data": {"Get": {"Dog": [{"breed": "Corgi"}]}}}


def test_the_vector_without_a_name_may_be_called_default(ask: Ask) -> None:
    """Here, unlike over gRPC."""
    query = '{ Get { Dog(limit: 1 nearImage: {image: "' + RED + '" targetVectors: ["default"]}) { breed } } }'
    assert breeds(ask(query)) == ["Corgi"]


def test_a_picture_without_a_limit_but_with_a_distance(ask: Ask) -> None:
    """The page's last example: everything that is near enough."""
    query = '{ Get { Dog(nearImage: {image: "' + RED + '", distance: 0.2}) { breed _additional { id distance certainty } } } }'
    first, second = get(ask(query))

    assert first == {"breed": "Corgi", "_additional": {"id": uid(1), "distance": 0, "certainty": 1}}
    assert {type(first["_additional"][name]) for name in ("distance", "certainty")} == {int}  # 1 in JSON, not 1.0
    assert second["_additional"]["distance"] == 0.026582832  # as short as a single float is


def test_named_vectors_are_searched_by_name(ask: Ask) -> None:
    """Guessing among several would make the answer depend on an order that nobody sees."""
    assert "plan" in failed(ask("{ Get { Kennel(nearVector: {vector: [0, 0]}) { name } } }"))
    found = get(ask('{ Get { Kennel(nearVector: {vector: [0, 0], targetVectors: ["plan"]}, limit: 1) { name } } }'), "Kennel")
    assert found == [{"name": "red house"}]


def test_several_targets_are_weighed(ask: Ask) -> None:
    """Each target brings its distance, times its weight."""
    targets = 'targets: {targetVectors: ["plan", "front"], combinationMethod: manualWeights, weights: {plan: 1, front: 0.5}}'
    found = ask("{ Get { Kennel(nearVector: {vectorPerTarget: {plan: [0, 0], front: [0, 0]}, " + targets + "}) { _additional { distance } } } }")

    assert [hit["_additional"]["distance"] for hit in get(found, "Kennel")] == [0.5, 1.0, 49.5]


def test_near_text_can_be_moved(ask: Ask) -> None:
    """Full force ends halfway to the red house, which is as near to grey as to green: the object without a colour is nearest."""
    moved = '{concepts: ["green"], targetVectors: ["both"], moveTo: {force: 1, objects: [{id: "' + uid(41) + '"}]}}'
    plain = get(ask('{ Get { Kennel(nearText: {concepts: "green", targetVectors: "both"}, limit: 1) { name } } }'), "Kennel")
    found = get(ask("{ Get { Kennel(nearText: " + moved + ", limit: 1) { name } } }"), "Kennel")

    assert (plain, found) == ([{"name": "green house"}], [{"name": "lost"}])


def test_near_object_takes_an_id_or_a_beacon(ask: Ask) -> None:
    """Both name the same object; older programs have only the beacon."""
    by_id = ask('{ Get { Dog(nearObject: {id: "' + uid(2) + '"}, limit: 1) { breed } } }')
    by_beacon = ask('{ Get { Dog(nearObject: {beacon: "weaviate://localhost/Dog/' + uid(2) + '"}, limit: 1) { breed } } }')

    assert breeds(by_id) == breeds(by_beacon) == ["Husky"]


def test_keywords_have_a_score_as_text(ask: Ask) -> None:
    """A single float as text: that is what clients turn into a number."""
    found = get(ask('{ Get { Dog(bm25: {query: "husky", properties: ["breed^2"]}) { breed _additional { score explainScore } } } }'))

    assert [hit["breed"] for hit in found] == ["Husky"]
    assert float(found[0]["_additional"]["score"]) > 0
    assert found[0]["_additional"]["explainScore"] == ", BM25F_husky_frequency:1, BM25F_husky_propLength:1"


def test_every_word_can_be_asked_for(ask: Ask) -> None:
    """Without it one word is enough."""
    query = '{ Get { Kennel(bm25: {query: "red house", properties: "name" %s}) { name } } }'

    assert len(get(ask(query % ""), "Kennel")) == 2
    assert len(get(ask(query % "searchOperator: {operator: And}"), "Kennel")) == 1
    assert len(get(ask(query % "searchOperator: {operator: Or, minimumOrTokensMatch: 2}"), "Kennel")) == 1


def test_hybrid_takes_words_and_a_vector(ask: Ask) -> None:
    """With alpha 1 the vector alone counts, with 0 the words."""
    query = '{ Get { Dog(hybrid: {query: "husky", alpha: %s, vector: [255, 0, 0], fusionType: rankedFusion}, limit: 1) { breed _additional { score } } } }'

    assert [hit["breed"] for hit in get(ask(query % 1))] == ["Corgi"]
    assert [hit["breed"] for hit in get(ask(query % "0.0"))] == ["Husky"]


def test_a_leg_of_hybrid_may_be_a_search_of_its_own(ask: Ask) -> None:
    """Older clients say the vector leg so."""
    query = '{ Get { Kennel(hybrid: {query: "x", alpha: 1, targetVectors: ["both"], searches: {nearText: {concepts: ["green"]}}}, limit: 1) { name } } }'

    assert get(ask(query), "Kennel") == [{"name": "green house"}]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('{path: ["name"], operator: Like, valueText: "r*"}', ["red house"]),
        ('{operator: Or, operands: [{path: ["score"], operator: GreaterThan, valueNumber: 1}, {path: "name", operator: Equal, valueString: "lost"}]}',
         ["green house", "lost"]),
        ('{operator: Not, operands: [{path: ["open"], operator: Equal, valueBoolean: true}]}', ["green house", "lost"]),
        ('{path: ["sizes"], operator: ContainsAny, valueInt: [1, 7]}', ["red house"]),
        ('{path: ["open"], operator: IsNull, valueBoolean: true}', ["lost"]),
        ('{path: ["len(name)"], operator: LessThan, valueInt: 5}', ["lost"]),
        ('{path: ["founded"], operator: GreaterThan, valueDate: "2020-01-01T00:00:00Z"}', ["red house"]),
        (f'{{path: ["id"], operator: Equal, valueText: "{uid(42)}"}}', ["green house"]),
        ('{path: ["place"], operator: WithinGeoRange, valueGeoRange: {geoCoordinates: {latitude: 52.5, longitude: 13.4}, distance: {max: 10}}}', ["red house"]),
        ('{path: ["chief", "Owner", "name"], operator: Equal, valueText: "Ann"}', ["red house"]),
        ('{path: ["chief", "Dog", "weight"], operator: Equal, valueInt: 20}', ["red house"]),
        ('{path: ["chief"], operator: Equal, valueInt: 2}', ["red house"]),
    ],
)  # fmt: skip
def test_filters(ask: Ask, where: str, found: list[str]) -> None:
    """Every kind of value under its own name."""
    assert [hit["name"] for hit in get(ask("{ Get { Kennel(where: " + where + ") { name } } }"), "Kennel")] == found


@pytest.mark.parametrize(
    "where",
    [
        '{path: ["name"], operator: Equal, valueInt: 3}',
        '{path: ["score"], operator: Equal, valueInt: 3}',
        '{path: ["sizes"], operator: Equal, valueText: "3"}',
        '{path: ["zzz"], operator: Equal, valueText: "x"}',
        '{path: ["chief", "Owner", "name"], operator: Equal, valueInt: 1}',
        '{path: ["chief", "Dog", "weight"], operator: Equal, valueText: "20"}',
        '{path: ["name"], operator: Equal}',
        "{operator: And}",
        '{operator: And, path: ["score"], valueNumber: 1, operands: [{path: ["score"], operator: Equal, valueNumber: 1}]}',
        '{path: ["sizes"], operator: ContainsAny, valueInt: 1}',
        '{path: ["name"], operator: ContainsAll, valueText: []}',
        '{path: ["_creationTimeUnix"], operator: GreaterThan, valueInt: 1}',
        '{path: ["id"], operator: IsNull, valueBoolean: true}',
    ],
)
def test_a_filter_that_fits_nothing_is_an_error_beside_null(ask: Ask, where: str) -> None:
    """A value under another type's name was meant for another property; an empty answer would hide that."""
    assert failed(ask("{ Get { Kennel(where: " + where + ") { name } } }"))


def test_every_shape_of_value(ask: Ask) -> None:
    """Clients turn each into a type of their language."""
    fields = (
        "place { latitude longitude } phone { input internationalFormatted national countryCode valid defaultCountry } open founded key sizes score picture"
    )
    red, _, lost = get(ask("{ Get { Kennel { " + fields + " address { street rooms { beds } } } } }"), "Kennel")

    assert red == {
        "place": {"latitude": 52.5, "longitude": 13.4},
        "phone": {
            "input": "030 1234567",
            "internationalFormatted": "+49 30 1234567",
            "national": 301234567,
            "countryCode": 49,
            "valid": True,
            "defaultCountry": "DE",
        },
        "open": True,
        "founded": "2020-01-31T12:00:00Z",
        "key": uid(77),
        "sizes": [1, 2],
        "score": 0.5,
        "picture": RED,
        "address": {"street": "Main", "rooms": [{"beds": 2}, {"beds": 3}]},
    }
    assert lost == dict.fromkeys(red) | {"score": 0.25}


def test_references_show_what_they_lead_to(ask: Ask) -> None:
    """Level by level, each kind of target with its own fields, in the order of the fragments; what is gone is left out, and null where nothing is left."""
    query = "{ Get { Kennel(limit: 1) { chief { ... on Owner { name dogs { ... on Dog { breed _additional { id } } } } ... on Beacon { beacon } } } } }"
    expected = [
        {"name": "Ann", "dogs": [{"breed": "Corgi", "_additional": {"id": uid(1)}}, {"breed": "Husky", "_additional": {"id": uid(2)}}]},
        {"beacon": f"weaviate://localhost/Dog/{uid(2)}"},
    ]

    assert get(ask(query), "Kennel") == [{"chief": expected}]
    assert get(ask("{ Get { Owner { dogs { ... on Dog { breed } } } } }"), "Owner")[1:] == [{"dogs": None}, {"dogs": []}]
    turned = "{ Get { Kennel(limit: 1) { chief { ... on Dog { breed } ... on Owner { name } ... on Dog { weight _additional { distance } } } } } }"
    dog = {"breed": "Husky", "weight": 20, "_additional": None}
    assert get(ask(turned), "Kennel") == [{"chief": [dog, {"name": "Ann"}, dog]}]
    assert get(ask("{ Get { Kennel(limit: 1) { chief { __typename } } } }"), "Kennel") == [{"chief": None}]


def test_what_is_stored_beside_the_properties(ask: Ask) -> None:
    """Times are text: they do not fit a GraphQL Int."""
    fields = "id creationTimeUnix lastUpdateTimeUnix vector classification { id } score explainScore distance"
    (dog,) = get(ask("{ Get { Dog(limit: 1) { _additional { " + fields + " } } } }"))

    assert dog["_additional"] == {
        "id": uid(1),
        "creationTimeUnix": "1001000",
        "lastUpdateTimeUnix": "1001000",
        "vector": [255, 0, 0],
        "classification": None,
        "score": "0",
        "explainScore": "",
        "distance": None,
    }
    (kennel,) = get(ask("{ Get { Kennel(limit: 1) { _additional { vectors { plan front } } } } }"), "Kennel")
    assert kennel == {"_additional": {"vectors": {"plan": [0, 0], "front": [1, 0]}}}


def test_a_certainty_is_told_for_cosine_only(ask: Ask) -> None:
    """Null would be read as a certainty of nothing."""
    assert "l2-squared" in failed(ask('{ Get { Kennel(nearVector: {vector: [0, 0], targetVectors: ["plan"]}) { _additional { certainty } } } }'))


def test_groups_stand_under_their_best_hit(ask: Ask) -> None:
    """One entry a group, with its hits inside."""
    group = "group { id count minDistance maxDistance groupedBy { path value } hits { weight _additional { id distance } } }"
    query = '{ Get { Dog(nearImage: {image: "%s"}, groupBy: {path: ["breed"], groups: 2, objectsPerGroup: 2}) { breed _additional { %s } } } }'
    corgis, huskies = get(ask(query % (RED, group)))

    assert corgis["_additional"]["group"] == {
        "id": 0,
        "count": 2,
        "minDistance": 0,
        "maxDistance": 0.026582832,
        "groupedBy": {"path": ["breed"], "value": "Corgi"},
        "hits": [{"weight": 10, "_additional": {"id": uid(1), "distance": 0}}, {"weight": 12, "_additional": {"id": uid(4), "distance": 0.026582832}}],
    }
    assert (corgis["breed"], huskies["breed"], huskies["_additional"]["group"]["count"]) == (None, None, 1)


def test_alike_hits_become_one(ask: Ask) -> None:
    """`closest` keeps the nearest of them, `merge` makes one of all."""
    query = '{ Get { Dog(nearImage: {image: "%s"}, group: {type: %s, force: 0.1}) { breed weight } } }'

    assert get(ask(query % (RED, "closest")))[0] == {"breed": "Corgi", "weight": 10}
    assert get(ask(query % (RED, "merge")))[0] == {"breed": "Corgi", "weight": 11}
    assert len(get(ask(query % (RED, "closest")))) == 3


def test_an_object_without_a_vector(ask: Ask) -> None:
    """An empty list, for clients that count its numbers; a named vector that is missing is null."""
    ghost = ask('{ Get { Dog(where: {path: ["breed"], operator: Equal, valueText: "Ghost"}) { _additional { vector } } } }')
    named = ask("{ Get { Kennel(limit: 1) { _additional { vector } } } }")

    assert get(ghost) == [{"_additional": {"vector": []}}]
    assert get(named, "Kennel") == [{"_additional": {"vector": []}}]


def test_orders_pages_and_cursors(ask: Ask) -> None:
    """Without a search the caller orders; a cursor goes on behind an id."""
    heaviest = ask('{ Get { Dog(sort: [{path: ["breed"], order: asc}, {path: "weight", order: desc}], limit: 3) { weight } } }')

    assert [hit["weight"] for hit in get(heaviest)] == [30, 12, 10]
    assert breeds(ask("{ Get { Dog(limit: 1, offset: 2) { breed } } }")) == ["Beagle"]
    assert breeds(ask('{ Get { Dog(limit: 2, after: "' + uid(2) + '") { breed } } }')) == ["Beagle", "Corgi"]
    assert "after" in failed(ask('{ Get { Dog(after: "' + uid(2) + '", where: {path: ["breed"], operator: Equal, valueText: "x"}) { breed } } }'))
    assert "sort" in failed(ask('{ Get { Dog(bm25: {query: "x"}, sort: {path: ["breed"]}) { breed } } }'))


@pytest.mark.parametrize(
    "beside",
    [
        "",
        "limit: 2, offset: 1",
        'limit: 2, bm25: {query: "x"}',
        'limit: 2, sort: {path: ["breed"]}',
        'limit: 2, where: {path: ["id"], operator: Like, valueText: "*"}',
    ],
)
def test_the_empty_cursor_is_a_cursor_too(ask: Ask, beside: str) -> None:
    """It begins a listing, page by page; what would spoil the second page is refused on the first."""
    assert breeds(ask('{ Get { Dog(limit: 2, after: "") { breed } } }')) == ["Corgi", "Husky"]
    assert "after" in failed(ask('{ Get { Dog(after: "", ' + beside + ") { breed } } }"))


def test_the_nearest_in_another_order(ask: Ask) -> None:
    """The search chooses, the order only arranges what it chose; so it is with pages and with a distance too."""
    query = '{ Get { Dog(nearImage: {image: "' + RED + '"}, sort: {path: "weight", order: desc}, %s) { weight _additional { distance } } } }'

    assert [hit["weight"] for hit in get(ask(query % "limit: 2"))] == [12, 10]
    assert [hit["weight"] for hit in get(ask(query % "limit: 1, offset: 1"))] == [10]
    assert get(ask(query % 'limit: 9, where: {path: "weight", operator: GreaterThan, valueInt: 99}')) == []
    assert "zzz" in failed(ask(query.replace('"weight"', '"zzz"') % "limit: 2"))


def test_how_many_where_nothing_is_said(crowd: Services) -> None:
    """A hundred; with an offset or autocut as many as over gRPC; with a distance all that is near enough."""
    ask = asking_of(crowd)

    assert len(get(ask("{ Get { Dog { weight } } }"))) == 100
    assert len(get(ask("{ Get { Dog(offset: 3) { weight } } }"))) == 10
    assert len(get(ask("{ Get { Dog(limit: -3) { weight } } }"))) == 10
    assert len(get(ask('{ Get { Dog(nearImage: {image: "%s"}, autocut: 1) { weight } } }' % RED))) == 10
    assert len(get(ask('{ Get { Dog(nearImage: {image: "%s"}) { weight } } }' % RED))) == 100
    assert len(get(ask('{ Get { Dog(nearImage: {image: "%s", distance: 0.5}) { weight } } }' % RED))) == 130
    assert len(get(ask('{ Get { Dog(nearImage: {image: "%s", certainty: 0.5}, limit: -1) { weight } } }' % RED))) == 130
    assert len(get(ask('{ Get { Dog(nearImage: {image: "%s", distance: 0.5}, offset: 5) { weight } } }' % RED))) == 125
    assert "10000" in failed(ask("{ Get { Dog(limit: 10001) { weight } } }"))


@pytest.mark.parametrize(
    "arguments",
    [
        'nearImage: {image: "SOME_BASE_64_REPRESENTATION"}',
        f'nearImage: {{image: "{BROKEN}"}}',
        "nearVector: {vector: [1, 2, 3], distance: 1, certainty: 0.5}",
        "nearVector: {vector: [1, 2]}",
        "nearVector: {distance: 1}",
        "nearVector: {vector: [0, 0, 0]}",
        'nearObject: {id: "no uuid"}',
        "nearObject: {distance: 1}",
        'nearObject: {id: "00000000-0000-0000-0000-0000000000ff"}',
        'nearVector: {vector: [1, 2, 3], targetVectors: ["zzz"]}',
        'nearVector: {vector: [1, 2, 3]}, bm25: {query: "x"}',
        'hybrid: {query: "x", alpha: 2}',
        'bm25: {query: "x", properties: ["weight"]}',
        'nearVector: {vector: [1, 2, 3]}, groupBy: {path: ["zzz"], groups: 1, objectsPerGroup: 1}',
        'nearVector: {vector: [1, 2, 3]}, groupBy: {path: ["breed"], groups: 1}',
        "nearVector: {vector: [1, 2, 3]}, group: {force: 0.5}",
        'bm25: {query: "x", searchOperator: {minimumOrTokensMatch: 1}}',
        "sort: {}",
        'after: "", limit: -1',
        "offset: -3",
        "limit: 0",
        'after: "no uuid"',
    ],
)
def test_what_cannot_be_answered_is_null_with_a_reason(ask: Ask, arguments: str) -> None:
    """The status stays 200 and other parts of the document are answered; none of this is the server's fault."""
    answer = ask("{ Get { Dog(" + arguments + ") { breed } other: Dog(limit: 1) { breed } } }")

    assert answer["data"]["Get"] == {"Dog": None, "other": [{"breed": "Corgi"}]}
    assert [error["path"] for error in answer["errors"]] == [["Get", "Dog"]]
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 9}]
    assert answer["errors"][0]["message"]
    assert "internal" not in answer["errors"][0]["message"]


def test_a_tenant_sees_its_own_objects() -> None:
    """The argument is there for collections with tenants only, and then it is needed; references stay within the tenant."""
    made, tenancy = World().services(), Tenancy(enabled=True)
    made.collections.create(replace(dogs(), tenancy=tenancy))
    made.collections.create(replace(OWNER, tenancy=tenancy))
    for name in ("Dog", "Owner"):
        made.tenants.create(name, [Tenant("ann"), Tenant("bob")])
    for number, tenant in enumerate(("ann", "bob"), 1):
        made.objects.put_many("Dog", [Draft(id=UUID(int=number), properties={"breed": tenant, "image": RED}, tenant=tenant)])
        made.objects.put_many("Owner", [Draft(id=UUID(int=number), properties={"dogs": [beacon("Dog", 1), beacon("Dog", 2)]}, tenant=tenant)])
    ask = asking_of(made)

    assert breeds(ask('{ Get { Dog(tenant: "bob", nearImage: {image: "%s"}) { breed } } }' % RED)) == ["bob"]
    assert get(ask('{ Get { Owner(tenant: "ann") { dogs { ... on Dog { breed } } } } }'), "Owner") == [{"dogs": [{"breed": "ann"}]}]
    assert ask('{ Aggregate { Dog(tenant: "ann") { meta { count } } } }')["data"]["Aggregate"]["Dog"] == [{"meta": {"count": 1}}]
    assert "tenant" in failed(ask("{ Get { Dog { breed } } }"))
    assert "eve" in failed(ask('{ Get { Dog(tenant: "eve") { breed } } }'))
