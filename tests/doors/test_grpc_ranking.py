"""Searches beyond one near query, over gRPC: the bytes in, the bytes out."""

import warnings
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, Tenant, TenantState, VectorConfig
from nearimage.domain.values import Reference
from nearimage.doors.grpc.handlers import SERVICE, handlers, streams
from nearimage.service.services import Services
from tests.fakes import World, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import aggregate_pb2, base_pb2, base_search_pb2, batch_delete_pb2, batch_pb2, search_get_pb2, tenants_pb2

ONE = np.array([1, 0], "<f4").tobytes()
OWNER, PET = UUID(int=100), UUID(int=1)


@pytest.fixture
def services() -> Services:
    made = World().services()
    made.collections.create(Collection(name="Owner", properties=(text("name"),), vectors=(VectorConfig(name="v"),)))
    owner = Property(name="owner", data_type=DataType.REFERENCE, targets=("Owner",))
    properties = (text("title"), Property(name="shelf", data_type=DataType.INT), owner)
    made.collections.create(Collection(name="Food", properties=properties, vectors=(VectorConfig(name="v"),)))
    made.objects.put_many("Owner", [Draft(id=OWNER, properties={"name": "Ann"})])
    rows = [("apple pie", 1, [1, 0]), ("apple tree", 1, [0.9, 0.1]), ("cherry pie", 2, [0, 1])]
    drafts = [
        Draft(id=UUID(int=n), properties={"title": title, "shelf": shelf}, vectors={"v": np.array(vector, np.float32)})
        for n, (title, shelf, vector) in enumerate(rows, 1)
    ]
    made.objects.put_many("Food", drafts)
    return made


Ask = Callable[..., Any]


@pytest.fixture
def ask(services: Services) -> Ask:
    def asked(**fields: Any) -> Any:
        metadata = search_get_pb2.MetadataRequest(uuid=True, distance=True, score=True, explain_score=True)
        request = search_get_pb2.SearchRequest(**{"collection": "Food", "uses_127_api": True, "metadata": metadata, **fields})
        return search_get_pb2.SearchReply.FromString(handlers(services)[f"{SERVICE}Search"](request.SerializeToString()))

    return asked


def ids(reply: Any) -> list[int]:
    return [UUID(bytes=result.metadata.id_as_bytes).int for result in reply.results]


def near(**fields: Any) -> Any:
    return base_search_pb2.NearVector(vectors=[base_pb2.Vectors(vector_bytes=ONE, type=1)], **fields)


def test_keyword_hits_have_a_score(ask: Ask) -> None:
    """And no distance: nothing was measured."""
    reply = ask(bm25_search=base_search_pb2.BM25(query="apple pie", properties=["title^2"]))
    first = reply.results[0].metadata
    assert ids(reply)[0] == 1
    assert first.score_present
    assert first.score > reply.results[1].metadata.score > 0
    assert not first.distance_present


def test_a_keyword_search_may_ask_for_all_words(ask: Ask) -> None:
    """`and` in the client."""
    operator = base_search_pb2.SearchOperatorOptions
    words = base_search_pb2.BM25(query="apple pie", search_operator=operator(operator=operator.OPERATOR_AND))
    assert ids(ask(bm25_search=words)) == [1]


def test_hybrid_takes_its_vector_from_any_field_that_clients_use(ask: Ask) -> None:
    """Clients of three years put it into three fields."""
    rows: list[dict[str, Any]] = [
        {"vectors": [base_pb2.Vectors(vector_bytes=ONE, type=1)]},
        {"vector_bytes": ONE},
        {"near_vector": near()},
    ]
    for vector in rows:
        reply = ask(hybrid_search=base_search_pb2.Hybrid(query="cherry", alpha=0.4, **vector))
        assert ids(reply)[0] == 3
        assert set(ids(reply)) == {1, 2, 3}
        assert "keyword" in reply.results[0].metadata.explain_score


def test_alpha_comes_in_two_forms(ask: Ask) -> None:
    """The newer one can say 0; where it is missing the default counts."""
    hybrid = base_search_pb2.Hybrid(query="cherry", near_vector=near(), use_alpha_param=True)
    assert ids(ask(hybrid_search=hybrid))[0] == 1
    hybrid.alpha_param = 0
    assert ids(ask(hybrid_search=hybrid)) == [3]


def test_groups_stand_in_their_own_field(ask: Ask) -> None:
    """With their distances; `results` stays empty."""
    reply = ask(near_vector=near(), group_by=search_get_pb2.GroupBy(path=["shelf"], number_of_groups=2, objects_per_group=1))
    assert not reply.results
    assert [(group.name, group.number_of_objects, len(group.objects)) for group in reply.group_by_results] == [("1", 1, 1), ("2", 1, 1)]
    assert reply.group_by_results[1].max_distance == pytest.approx(1)


def test_hits_in_groups_show_what_they_are_grouped_by_and_how_far_they_are(ask: Ask) -> None:
    """A distance of nothing where words found them; a score stands beside hits that are in no group. Offset leaves groups out, not hits."""
    by = search_get_pb2.GroupBy(path=["title"], number_of_groups=9, objects_per_group=9)
    shown = search_get_pb2.PropertiesRequest(non_ref_properties=["shelf"])

    def groups(**fields: Any) -> list[Any]:
        return list(ask(group_by=by, properties=shown, **fields).group_by_results)

    (tree, cherry) = groups(near_vector=near(), offset=1, limit=2)
    assert (tree.name, cherry.name) == ("apple tree", "cherry pie")
    (found, _) = groups(bm25_search=base_search_pb2.BM25(query="apple"))
    (hit,) = found.objects
    assert set(hit.properties.non_ref_props.fields) == {"shelf", "title"}
    assert (hit.metadata.distance, hit.metadata.distance_present, hit.metadata.score_present) == (0, True, False)
    assert not hit.metadata.explain_score_present
    with pytest.raises(InvalidInput, match="groupBy"):
        groups()


def test_a_hybrid_search_tells_no_distances(ask: Ask) -> None:
    """Its score is made of places and distances in several legs."""
    reply = ask(hybrid_search=base_search_pb2.Hybrid(query="apple", alpha=0.5, vector_bytes=ONE))
    assert [(result.metadata.distance_present, result.metadata.score_present) for result in reply.results] == [(False, True)] * 3


@pytest.fixture
def ask_two() -> Ask:
    """Of a collection with two vectors, and of one whose vector has no name."""
    services = World().services()
    vectors = (VectorConfig(name="a"), VectorConfig(name="b"))
    services.collections.create(Collection(name="Two", vectors=vectors))
    services.collections.create(Collection(name="Old", vectors=(VectorConfig(name="default"),), legacy_vector=True))
    one = np.array([1, 0], np.float32)
    services.objects.put_many("Two", [Draft(id=PET, vectors={"a": one, "b": one})])
    services.objects.put_many("Old", [Draft(id=PET, vectors={"default": one})])

    def asked(collection: str, names: list[str], given: list[str], weights: list[str], how: str = "SUM", *, vectors: int = 1) -> Any:
        method = base_search_pb2.CombinationMethod.Value(f"COMBINATION_METHOD_TYPE_{how}")
        weighed = [base_search_pb2.WeightsForTarget(target=name, weight=2) for name in weights]
        targets = base_search_pb2.Targets(target_vectors=names, combination=method, weights_for_targets=weighed)
        vector = base_pb2.Vectors(vector_bytes=ONE, type=1)
        parts = [base_search_pb2.VectorForTarget(name=name, vectors=[vector]) for name in given]
        near = base_search_pb2.NearVector(targets=targets, vector_for_targets=parts, vectors=[] if given else [vector] * vectors)
        metadata = search_get_pb2.MetadataRequest(uuid=True, vectors=["a", "unknown"])
        request = search_get_pb2.SearchRequest(collection=collection, near_vector=near, metadata=metadata)
        return search_get_pb2.SearchReply.FromString(handlers(services)[f"{SERVICE}Search"](request.SerializeToString()))

    return asked


def test_weights_count_where_the_combination_has_some(ask_two: Ask) -> None:
    """Clients leave them standing when they change the combination."""
    for how in ("SUM", "AVERAGE", "MIN"):
        assert ids(ask_two("Two", ["a", "b"], ["a", "b"], ["a", "nothing"], how)) == [1]
    assert ids(ask_two("Two", ["a", "b"], ["a", "b"], ["a", "b"], "MANUAL")) == [1]


@pytest.mark.parametrize(
    ("names", "given", "weights", "how"),
    [
        (["a", "b"], ["b", "a"], [], "SUM"),
        (["a", "b"], ["a"], [], "SUM"),
        (["a", "a"], ["a", "a"], [], "SUM"),
        (["a", "b"], ["a", "b"], ["b", "a"], "MANUAL"),
        (["a", "b"], ["a", "b"], ["a"], "RELATIVE_SCORE"),
        (["a", "b"], ["a", "b"], [], "MANUAL"),
    ],
)
def test_vectors_and_weights_stand_in_the_order_of_their_targets(ask_two: Ask, names: list[str], given: list[str], weights: list[str], how: str) -> None:
    """Whatever does not was sent by a program that thinks otherwise of it."""
    with pytest.raises(InvalidInput):
        ask_two("Two", names, given, weights, how)


def test_a_query_without_targets_of_its_own_takes_one_vector(ask_two: Ask) -> None:
    """Which of two is meant nobody knows; and a vector without a name has none, not even the one that it is kept under."""
    assert ids(ask_two("Old", [], [], [])) == [1]
    for names, vectors in (([], 2), (["default"], 1)):
        with pytest.raises(InvalidInput):
            ask_two("Old", names, [], [], vectors=vectors)


def test_a_vector_that_is_not_there_is_not_returned(ask_two: Ask) -> None:
    """Programs ask collections of several kinds for the vectors of all of them."""
    (result,) = ask_two("Two", ["a"], ["a"], []).results
    assert [vector.name for vector in result.metadata.vectors] == ["a"]


def test_sort_autocut_and_diversity_are_read(ask: Ask) -> None:
    """Each changes the answer as the service defines it."""
    assert ids(ask(sort_by=[search_get_pb2.SortBy(path=["title"], ascending=False)])) == [3, 2, 1]
    assert ids(ask(near_vector=near(), autocut=1)) == [1, 2, 3]
    mmr = base_search_pb2.Selection.MMR(limit=2, balance=0.0)
    assert ids(ask(near_vector=near(selection=base_search_pb2.Selection(mmr=mmr)))) == [1, 3]


def test_references_are_added_followed_and_come_back(services: Services, ask: Ask) -> None:
    """A batch of them, a filter through them, and what they lead to in the reply."""
    references = batch_pb2.BatchReferencesRequest()
    references.references.add(name="owner", from_collection="Food", from_uuid=str(PET), to_uuid=str(OWNER))
    references.references.add(name="nothing", from_collection="Food", from_uuid=str(PET), to_uuid=str(OWNER))
    reply = batch_pb2.BatchReferencesReply.FromString(handlers(services)[f"{SERVICE}BatchReferences"](references.SerializeToString()))
    assert [error.index for error in reply.errors] == [1]

    hop = base_pb2.FilterReferenceSingleTarget(on="owner", target=base_pb2.FilterTarget(property="name"))
    where = base_pb2.Filters(operator=base_pb2.Filters.OPERATOR_EQUAL, target=base_pb2.FilterTarget(single_target=hop), value_text="Ann")
    wanted = search_get_pb2.RefPropertiesRequest(
        reference_property="owner",
        properties=search_get_pb2.PropertiesRequest(non_ref_properties=["name"]),
        metadata=search_get_pb2.MetadataRequest(uuid=True),
    )
    found = ask(filters=where, properties=search_get_pb2.PropertiesRequest(non_ref_properties=["title"], ref_properties=[wanted])).results
    assert len(found) == 1
    (linked,) = found[0].properties.ref_props[0].properties
    assert found[0].properties.ref_props_requested
    assert linked.non_ref_props.fields["name"].text_value == "Ann"
    assert UUID(bytes=linked.metadata.id_as_bytes) == OWNER


def test_a_batch_delete_says_what_it_did(services: Services) -> None:
    """And a dry run what it would do; without a filter nothing is deleted."""
    where = base_pb2.Filters(operator=base_pb2.Filters.OPERATOR_EQUAL, target=base_pb2.FilterTarget(property="shelf"), value_int=1)
    method = handlers(services)[f"{SERVICE}BatchDelete"]
    for dry_run in (True, False):
        request = batch_delete_pb2.BatchDeleteRequest(collection="Food", filters=where, verbose=True, dry_run=dry_run)
        reply = batch_delete_pb2.BatchDeleteReply.FromString(method(request.SerializeToString()))
        assert (reply.matches, reply.successful, reply.failed) == (2, 2, 0)
        assert [UUID(bytes=one.uuid).int for one in reply.objects] == [1, 2]
        assert [(one.HasField("error"), one.error) for one in reply.objects] == [(True, "")] * 2
    assert services.searches.run(search("Food")).hits[0].record.id.int == 3
    with pytest.raises(InvalidInput):
        method(batch_delete_pb2.BatchDeleteRequest(collection="Food").SerializeToString())


def search(collection: str) -> Any:
    from nearimage.domain.query import Search

    return Search(collection=collection)


def test_tenants_are_told_apart(services: Services) -> None:
    """By name and by state, and objects go to their own."""
    services.collections.create(Collection(name="Ten", vectors=(VectorConfig(name="v"),), tenancy=Tenancy(enabled=True)))
    services.tenants.create("Ten", [Tenant(name="anna"), Tenant(name="bert", state=TenantState.INACTIVE)])
    method = handlers(services)[f"{SERVICE}TenantsGet"]

    def told(**fields: Any) -> list[tuple[str, int]]:
        request = tenants_pb2.TenantsGetRequest(collection="Ten", **fields)
        reply = tenants_pb2.TenantsGetReply.FromString(method(request.SerializeToString()))
        return [(tenant.name, tenant.activity_status) for tenant in reply.tenants]

    assert told() == [("anna", tenants_pb2.TENANT_ACTIVITY_STATUS_HOT), ("bert", tenants_pb2.TENANT_ACTIVITY_STATUS_COLD)]
    assert [name for name, _ in told(names=tenants_pb2.TenantNames(values=["bert", "zoe"]))] == ["bert"]
    batch = batch_pb2.BatchObjectsRequest()
    batch.objects.add(collection="Ten", uuid=str(PET), tenant="anna")
    batch.objects.add(collection="Ten", uuid=str(PET), tenant="bert")
    reply = batch_pb2.BatchObjectsReply.FromString(handlers(services)[f"{SERVICE}BatchObjects"](batch.SerializeToString()))
    assert [error.index for error in reply.errors] == [1]


def test_a_batch_stream_acknowledges_what_is_stored(services: Services) -> None:
    """Message by message: started, then the ids of each message with what became of them, then the end."""
    session = streams(services)[f"{SERVICE}BatchStream"]()
    kind = batch_pb2.BatchStreamRequest

    def told(request: Any) -> list[Any]:
        return [batch_pb2.BatchStreamReply.FromString(reply) for reply in session.answer(request.SerializeToString())]

    (started,) = told(kind(start=kind.Start()))
    assert started.HasField("started")
    data = kind(data=kind.Data())
    data.data.objects.values.add(collection="Food", uuid=str(UUID(int=50))).properties.non_ref_properties.update({"title": "fresh"})
    data.data.objects.values.add(collection="Food", uuid=str(UUID(int=51))).properties.non_ref_properties.update({"shelf": "top"})
    data.data.references.values.add(name="owner", from_collection="Food", from_uuid=str(UUID(int=50)), to_uuid=str(OWNER))
    acks, results, backoff = told(data)
    assert list(acks.acks.uuids) == [str(UUID(int=50)), str(UUID(int=51))]
    assert [one.uuid for one in results.results.successes if one.uuid] == [str(UUID(int=50))]
    assert [one.beacon for one in results.results.successes if one.beacon] == [f"weaviate://localhost/Food/{UUID(int=50)}/owner"]
    assert [one.uuid for one in results.results.errors] == [str(UUID(int=51))]
    assert backoff.backoff.batch_size > 0
    assert len(told(data)) == 2
    assert told(kind(stop=kind.Stop())) == []
    assert session.is_over


def test_a_batch_stream_begins_with_start(services: Services) -> None:
    """And has only one."""
    kind = batch_pb2.BatchStreamRequest
    session = streams(services)[f"{SERVICE}BatchStream"]()
    for garbage in (b"\xff\xff garbage", b"", kind(data=kind.Data()).SerializeToString()):
        with pytest.raises(InvalidInput):
            session.answer(garbage)
    session.answer(kind(start=kind.Start()).SerializeToString())
    with pytest.raises(InvalidInput):
        session.answer(kind(start=kind.Start()).SerializeToString())


def test_figures_are_those_asked_for(services: Services) -> None:
    """Nothing more: clients read a figure that is there as one they asked for."""
    method = handlers(services)[f"{SERVICE}Aggregate"]

    def told(**fields: Any) -> Any:
        request = aggregate_pb2.AggregateRequest(collection="Food", **fields)
        return aggregate_pb2.AggregateReply.FromString(method(request.SerializeToString()))

    kind = aggregate_pb2.AggregateRequest.Aggregation
    shelf = kind(property="shelf", int=kind.Integer(sum=True, mean=True, type=True))
    title = kind(property="title", text=kind.Text(count=True, top_occurences=True, top_occurences_limit=1))
    single = told(objects_count=True, aggregations=[shelf, title]).single_result
    numbers, texts = (part for part in single.aggregations.aggregations)
    assert single.objects_count == 3
    assert (numbers.int.sum, numbers.int.mean, numbers.int.type) == (4, pytest.approx(4 / 3), "int")
    assert not numbers.int.HasField("maximum")
    assert texts.text.count == 3
    assert [(item.value, item.occurs) for item in texts.text.top_occurences.items] == [("apple pie", 1)]

    grouped = told(objects_count=True, group_by=aggregate_pb2.AggregateRequest.GroupBy(property="shelf")).grouped_results.groups
    assert [(group.grouped_by.number, list(group.grouped_by.path), group.objects_count) for group in grouped] == [(1, ["shelf"], 2), (2, ["shelf"], 1)]


def test_figures_are_of_the_kind_that_the_type_has(services: Services) -> None:
    """A client that takes a text for a number learns what it is, and gets what a text has; all of it, as always."""
    kind = aggregate_pb2.AggregateRequest.Aggregation
    wanted = [kind(property="title", int=kind.Integer(sum=True)), kind(property="shelf", text=kind.Text(count=True)), kind(property="shelf")]
    request = aggregate_pb2.AggregateRequest(collection="Food", aggregations=[*wanted, kind(property="owner", date=kind.Date(count=True))])
    reply = aggregate_pb2.AggregateReply.FromString(handlers(services)[f"{SERVICE}Aggregate"](request.SerializeToString()))
    title, shelf, bare, owner = reply.single_result.aggregations.aggregations
    assert (title.WhichOneof("aggregation"), title.text.count, title.text.type, len(title.text.top_occurences.items)) == ("text", 3, "", 3)
    assert title.text.HasField("type")
    assert (shelf.WhichOneof("aggregation"), shelf.int.count, shelf.int.HasField("type"), shelf.int.HasField("sum")) == ("int", 3, True, False)
    assert (bare.WhichOneof("aggregation"), bare.int.ByteSize()) == ("int", 0)
    assert (owner.reference.type, list(owner.reference.pointing_to)) == ("cref", ["Owner"])


@pytest.mark.parametrize("wrong", ["nothing", "code"])
def test_what_has_no_figures_is_refused(services: Services, wrong: str) -> None:
    """What is not there, and ids."""
    services.collections.create(Collection(name="Coded", properties=(Property(name="code", data_type=DataType.UUID),)))
    kind = aggregate_pb2.AggregateRequest.Aggregation
    request = aggregate_pb2.AggregateRequest(collection="Coded", aggregations=[kind(property=wrong, text=kind.Text(count=True))])
    with pytest.raises(InvalidInput):
        handlers(services)[f"{SERVICE}Aggregate"](request.SerializeToString())


def test_an_object_may_consist_of_references(services: Services) -> None:
    """Nothing else need be said of it."""
    properties = batch_pb2.BatchObject.Properties(single_target_ref_props=[{"prop_name": "owner", "uuids": [str(OWNER)]}])
    request = batch_pb2.BatchObjectsRequest(objects=[batch_pb2.BatchObject(uuid=str(UUID(int=9)), collection="Food", properties=properties)])
    assert not batch_pb2.BatchObjectsReply.FromString(handlers(services)[f"{SERVICE}BatchObjects"](request.SerializeToString())).errors
    (stored,) = services.objects.get_many("Food", [UUID(int=9)], EVERYTHING_BUT_BLOBS, "").values()
    assert stored.properties == {"owner": (Reference("Owner", OWNER),)}
