"""What a running Weaviate does and its documentation does not say; the official client's own tests found each of these."""

import warnings
from typing import Any
from uuid import UUID

import httpx
import pytest

from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.service.services import Services

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import aggregate_pb2, base_search_pb2, batch_pb2, search_get_pb2

TARGET = {"class": "Target"}
SOURCE = {
    "class": "Source",
    "properties": [{"name": "title", "dataType": ["text"]}, {"name": "body", "dataType": ["text"]}, {"name": "ref", "dataType": ["Target"]}],
}
OBJECTS = {1: ("banana", "split", [1, 0]), 2: ("banana split", "dessert", [0, 1]), 3: ("banana", "bread", [-1, 0])}


def uid(number: int) -> str:
    return str(UUID(int=number))


def beacon(number: int) -> dict[str, str]:
    return {"beacon": f"weaviate://localhost/Target/{uid(number)}"}


@pytest.fixture
def sources(http: httpx.Client) -> httpx.Client:
    for schema in (TARGET, SOURCE):
        assert http.post("/v1/schema", json=schema).status_code == 200
    for number in (7, 8, 9):
        assert http.post("/v1/objects", json={"class": "Target", "id": uid(number)}).status_code == 200
    for number, (title, body, vector) in OBJECTS.items():
        given = {"class": "Source", "id": uid(number), "properties": {"title": title, "body": body}, "vector": vector}
        assert http.post("/v1/objects", json=given).status_code == 200
    return http


def search(services: Services, **fields: Any) -> Any:
    metadata = search_get_pb2.MetadataRequest(uuid=True)
    request = search_get_pb2.SearchRequest(collection="Source", metadata=metadata, uses_127_api=True, **fields)
    return search_get_pb2.SearchReply.FromString(handlers(services)[f"{SERVICE}Search"](request.SerializeToString()))


def numbers(reply: Any) -> list[int]:
    return [UUID(result.metadata.id).int for result in reply.results]


def links(services: Services, number: int) -> list[list[int]]:
    """What the reply says of the reference of one object: an entry for the property, if there is one."""
    wanted = search_get_pb2.RefPropertiesRequest(reference_property="ref", metadata=search_get_pb2.MetadataRequest(uuid=True))
    reply = search(services, properties=search_get_pb2.PropertiesRequest(ref_properties=[wanted]))
    (found,) = [result for result in reply.results if result.metadata.id == uid(number)]
    return [[UUID(linked.metadata.id).int for linked in part.properties] for part in found.properties.ref_props]


def test_a_merge_adds_references(sources: httpx.Client, services: Services) -> None:
    """Who sends one more must not lose those that are there; one that is there already stays one."""
    for ids in ([7, 8], [9], [9]):
        merged = sources.patch(f"/v1/objects/Source/{uid(1)}", json={"class": "Source", "properties": {"ref": [beacon(one) for one in ids]}})
        assert merged.status_code == 204
    assert links(services, 1) == [[7, 8, 9]]


def test_a_reference_that_was_emptied_is_still_told(sources: httpx.Client, services: Services) -> None:
    """The client looks it up by name; one that never was is not told."""
    assert links(services, 1) == []
    path = f"/v1/objects/Source/{uid(1)}/references/ref"
    assert sources.post(path, json=beacon(7)).status_code == 200
    assert links(services, 1) == [[7]]
    assert sources.request("DELETE", path, json=beacon(7)).status_code == 204
    assert links(services, 1) == [[]]


def test_a_reference_that_leads_nowhere_any_more_is_not_told(sources: httpx.Client, services: Services) -> None:
    """What it leads to was deleted; a program that asks whether there is one would else find one with nothing in it. Others beside it stay."""
    path = f"/v1/objects/Source/{uid(1)}/references/ref"
    assert [sources.post(path, json=beacon(one)).status_code for one in (7, 8)] == [200, 200]
    for gone, left in ((7, [[8]]), (8, [])):
        assert sources.delete(f"/v1/objects/Target/{uid(gone)}").status_code == 204
        assert links(services, 1) == left


def test_many_references_are_added_at_once_and_each_fails_alone(sources: httpx.Client, services: Services) -> None:
    """A graph of a hundred objects is ten thousand references: a write for each took longer than clients wait."""

    def reference(start: int, name: str, end: int) -> Any:
        return batch_pb2.BatchReference(name=name, from_collection="Source", from_uuid=uid(start), to_collection="Target", to_uuid=uid(end))

    given = [reference(1, "ref", 7), reference(2, "ref", 9), reference(1, "none", 7), reference(99, "ref", 7), reference(1, "ref", 8)]
    request = batch_pb2.BatchReferencesRequest(references=given)
    reply = batch_pb2.BatchReferencesReply.FromString(handlers(services)[f"{SERVICE}BatchReferences"](request.SerializeToString()))
    assert [error.index for error in reply.errors] == [2, 3]
    assert (links(services, 1), links(services, 2)) == ([[7, 8]], [[9]])


def test_every_word_may_be_asked_of_all_properties_together(sources: httpx.Client, services: Services) -> None:
    """`And` wants all words in one property; across, an object with one word in its title and the other in its text is a hit too."""
    options = base_search_pb2.SearchOperatorOptions

    def found(operator: Any) -> set[int]:
        bm25 = base_search_pb2.BM25(query="banana split", search_operator=options(operator=operator))
        return set(numbers(search(services, bm25_search=bm25)))

    assert found(options.OPERATOR_AND) == {2}
    assert found(options.OPERATOR_AND_CROSS) == {1, 2}


def test_a_largest_distance_holds_for_both_legs_of_a_hybrid_search(sources: httpx.Client, services: Services) -> None:
    """Words must not bring back what the vector says is too far."""
    vector = b"\x00\x00\x80\x3f\x00\x00\x00\x00"
    hybrid = base_search_pb2.Hybrid(query="banana", vector_bytes=vector, alpha=0.5, vector_distance=1.5)
    assert set(numbers(search(services, hybrid_search=hybrid))) == {1, 2}
    near = base_search_pb2.NearVector(vector_bytes=vector, distance=0.5)
    leg = base_search_pb2.Hybrid(near_vector=near, alpha=1)
    assert numbers(search(services, hybrid_search=leg)) == [1]


def test_the_most_frequent_texts_are_told_whether_asked_for_or_not(sources: httpx.Client, services: Services) -> None:
    """The Python client that wants the values alone says nothing of them in its request."""
    text = aggregate_pb2.AggregateRequest.Aggregation.Text(count=True)
    wanted = aggregate_pb2.AggregateRequest.Aggregation(property="title", text=text)
    request = aggregate_pb2.AggregateRequest(collection="Source", aggregations=[wanted])
    reply = aggregate_pb2.AggregateReply.FromString(handlers(services)[f"{SERVICE}Aggregate"](request.SerializeToString()))
    items = reply.single_result.aggregations.aggregations[0].text.top_occurences.items
    assert [(item.value, item.occurs) for item in items] == [("banana", 2), ("banana split", 1)]


def test_the_index_type_hfresh_is_kept_with_its_settings(http: httpx.Client) -> None:
    """A schema moves both ways; the engine chooses its own index all the same."""
    made = http.post("/v1/schema", json={"class": "Fresh", "vectorIndexType": "hfresh", "vectorIndexConfig": {"replicas": 2}}).json()
    settings = made["vectorIndexConfig"]
    assert (made["vectorIndexType"], settings["replicas"], settings["searchProbe"], settings["maxPostingSizeKB"]) == ("hfresh", 2, 256, 48)
    refused = http.post("/v1/schema", json={"class": "Other", "vectorIndexType": "hfresh", "vectorIndexConfig": {"distance": "dot"}})
    assert refused.status_code == 422
