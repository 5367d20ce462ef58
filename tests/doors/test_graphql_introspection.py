"""GraphQL's introspection: what editors and typed clients read of a schema."""

import time
from dataclasses import replace
from typing import Any

import pytest
from graphql import build_client_schema, execute_sync, get_introspection_query, lexicographic_sort_schema, parse, print_schema

from nearimage.domain.schema import Collection, VectorConfig
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.requests import Limits
from nearimage.service.services import Services
from tests.doors.graphql_world import Ask, asking, asking_of, services
from tests.fakes import World, dogs, text

EVERYTHING = {"schema_description": True, "specified_by_url": True, "directive_is_repeatable": True, "input_value_deprecation": True, "one_of": True}
OTHERS = """
query Some($all: Boolean!, $name: String = "Dog") {
  __typename
  sort: __type(name: "GetObjectsDogSortInpObj") { __typename inputFields(includeDeprecated: $all) { name type { ...T } defaultValue } }
  __type(name: $name) { name kind fields(includeDeprecated: true) { __typename args { name } type { ...T } isDeprecated } possibleTypes { name } }
  union: __type(name: "KennelChiefObj") { possibleTypes { name interfaces { name } } }
  enum: __type(name: "FusionEnum") { enumValues(includeDeprecated: false) { name } ofType { name } }
  none: __type(name: "Nobody") { name }
  __schema { queryType { name } mutationType { name } subscriptionType { name } directives { name locations args { name } } }
}
fragment T on __Type { kind name ofType { kind ... on __Type { name @skip(if: $all) } } }
"""


@pytest.fixture(scope="module")
def database() -> Services:
    return services()


@pytest.fixture(scope="module")
def ask(database: Services) -> Ask:
    return asking_of(database)


@pytest.mark.parametrize(
    ("query", "variables"),
    [(get_introspection_query(), None), (get_introspection_query(**EVERYTHING), None), (OTHERS, {"all": True}), (OTHERS, {"all": False, "name": "Owner"})],
    ids=["usual", "everything", "parts", "other parts"],
)
def test_the_answer_is_the_reference_implementations(database: Services, query: str, variables: dict[str, Any] | None) -> None:
    """Each editor asks in its own way, and drops the whole schema when one field is not as it should be."""
    asked = graphql(database)
    known = asked.documents.known(database.collections.all(), database.aliases.all())
    reference = execute_sync(known.everything(), parse(query), variable_values=variables)

    assert reference.errors is None
    assert asking(asked)(query, variables=variables) == {"data": reference.data}


def test_a_schema_that_changed_is_told_anew(ask: Ask) -> None:
    """Answers are remembered, and a collection made a moment ago must be among them."""
    made = World().services()
    made.collections.create(dogs())
    ask = asking_of(made)
    query = '{ __type(name: "Cat") { name } }'

    assert ask(query) == {"data": {"__type": None}}
    made.collections.create(Collection(name="Cat", properties=(text("name"),)))
    assert ask(query) == ask(query) == {"data": {"__type": {"name": "Cat"}}}


def test_what_graphql_cannot_name_is_left_out_and_nothing_else() -> None:
    """A vector whose name has a hyphen, or an alias that leads nowhere, must not take the whole schema along."""
    made = World().services()
    dog = made.collections.create(replace(dogs(), legacy_vector=False))
    made.collections.create(Collection(name="Cat", properties=(text("name"),)))
    made.collections.alter(replace(dog, vectors=(*dog.vectors, VectorConfig(name="second"), VectorConfig(name="third-one"))))
    made.aliases.create("Pet", "Cat")
    made.collections.drop("Cat")
    ask = asking_of(made)

    told = ask('{ __type(name: "DogAdditionalVectors") { fields { name } } }')["data"]["__type"]["fields"]
    assert [field["name"] for field in told if "-" in field["name"]] == []
    assert "second" in [field["name"] for field in told]
    assert "errors" not in ask(get_introspection_query())
    assert ask("{ Get { Dog { _additional { id } } } }") == {"data": {"Get": {"Dog": []}}}


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ " + " ".join(f"a{n}: __schema {{ types {{ name description fields {{ name description type {{ name }} }} }} }}" for n in range(200)) + " }",
        "{ __schema { types { " + " ".join(f"a{n}: fields {{ type {{ name fields {{ name }} }} }}" for n in range(200)) + " } } }",
    ],
    ids=["circles", "aliases", "aliases of parts"],
)
def test_an_answer_much_longer_than_the_question_is_refused(database: Services, query: str) -> None:
    """A kilobyte that makes the server write a gigabyte would stop everybody else."""
    asked = asking(graphql(database, limits=Limits(fields=100_000)))
    started = time.process_time()
    (error,) = asked(query)["errors"]

    assert "introspection" in error["message"] or "values" in error["message"]
    assert time.process_time() - started < 5


def test_introspection_says_what_can_be_asked(ask: Ask) -> None:
    """Editors and typed clients build on it; the names are those of Weaviate's documentation."""
    schema = build_client_schema(ask(get_introspection_query())["data"])
    told = print_schema(lexicographic_sort_schema(schema))

    for line in (
        "schema {\n  query: WeaviateObj\n}",
        "type GetObjectsObj {",
        "type AggregateObjectsObj {",
        "  Dog(after: String, autocut: Int, bm25: GetObjectsDogBm25InpObj,",
        "groupBy: GetObjectsDogGroupByInpObj",
        "nearImage: GetObjectsDogNearImageInpObj",
        "where: GetObjectsDogWhereInpObj): [Dog]",
        "type AggregateDogweightObj {",
        "type AggregateDogMetaObject {\n  count: Int\n}",
        "union KennelChiefObj = Beacon | Dog | Owner",
        "type Kennel_address_object {\n  rooms: [Kennel_address_rooms_object]\n  street: String\n}",
        "enum FusionEnum {\n  rankedFusion\n  relativeScoreFusion\n}",
        "input GetObjectsDogNearImageInpObj {\n  certainty: Float\n  distance: Float\n  image: String!\n",
        "enum GetObjectsDogWhereOperatorEnum {",
    ):
        assert line in told, line
    assert ask('query($n: String!) { __type(name: $n) { name kind } Get { Dog(limit: 1) { breed } } }', variables={"n": "Owner"}) == {
        "data": {"__type": {"name": "Owner", "kind": "OBJECT"}, "Get": {"Dog": [{"breed": "Corgi"}]}}
    }  # fmt: skip


NAMES = {
    "WeaviateObj": "Aggregate Explore Get",
    "KennelAdditional": "certainty classification creationTimeUnix distance explainScore group id lastUpdateTimeUnix score vector vectors",
    "KennelAdditionalGroup": "count groupedBy hits id maxDistance minDistance",
    "KennelAdditionalGroupHitsAdditional": "distance id vector",
    "GetObjectsKennelNearVectorInpObj": "certainty distance targetVectors targets vector vectorPerTarget",
    "GetObjectsKennelNearObjectInpObj": "beacon certainty distance id targetVectors targets",
    "GetObjectsKennelNearTextInpObj": "certainty concepts distance moveAwayFrom moveTo targetVectors targets",
    "GetObjectsKennelHybridInpObj": (
        "alpha bm25SearchOperator fusionType maxVectorDistance properties query searches targetVectors targets vector"
    ),
    "GetObjectsKennelBm25InpObj": "properties query searchOperator",
    "GetObjectsKennelGroupByInpObj": "groups objectsPerGroup path",
    "AggregateKennelscoreObj": "count maximum mean median minimum mode sum type",
    "AggregateKennelnameObj": "count topOccurrences type",
    "AggregateKennelopenObj": "count percentageFalse percentageTrue totalFalse totalTrue type",
    "AggregateKennelfoundedObj": "count maximum median minimum mode",
    "AggregateKennelchiefObj": "pointingTo type",
    "ExploreObj": "beacon certainty className distance",
}  # fmt: skip
ARGUMENTS = {
    "GetObjectsObj": (
        "after autocut bm25 group groupBy hybrid limit nearImage nearObject nearText nearVector offset sort where"
    ),
    "AggregateObjectsObj": "groupBy hybrid limit nearImage nearObject nearText nearVector objectLimit where",
}  # fmt: skip


def test_names_are_those_that_documentation_and_clients_know(ask: Ask) -> None:
    """A field that an editor does not offer is one that nobody finds; one more or less breaks types made from the schema."""
    schema = build_client_schema(ask(get_introspection_query())["data"])
    kinds: dict[str, Any] = dict(schema.type_map)

    assert {name: " ".join(sorted(kinds[name].fields)) for name in NAMES} == NAMES
    assert {name: " ".join(sorted(kinds[name].fields["Kennel"].args)) for name in ARGUMENTS} == ARGUMENTS
