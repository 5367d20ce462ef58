"""Multi-vectors through every door, as the official clients send them and read them back."""

import struct
import warnings
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from nearimage.domain.errors import InvalidInput, InvalidVector
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.service.services import Services
from tests.doors.graphql_world import asking

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import base_pb2, base_search_pb2, batch_pb2, search_get_pb2

MULTI = {"multivector": {"enabled": True}}
SCHEMA: dict[str, Any] = {
    "class": "Page",
    "vectorConfig": {
        "words": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw", "vectorIndexConfig": MULTI},
        "plain": {"vectorizer": {"none": {}}},
    },
}
PAGES: dict[int, list[list[float]]] = {1: [[1, 0], [0, 2]], 2: [[0, 3]], 3: [[1, 1], [-1, 0], [1, 1]]}
QUERY = [[2.0, 0.0], [0.0, 1.0]]
NEAREST = [1, 3, 2]


def uid(number: int) -> str:
    return str(UUID(int=number))


def packed(rows: list[list[float]]) -> bytes:
    return struct.pack("<H", len(rows[0])) + np.array(rows, "<f4").tobytes()


def multi(name: str, rows: list[list[float]]) -> Any:
    return base_pb2.Vectors(name=name, vector_bytes=packed(rows), type=base_pb2.Vectors.VECTOR_TYPE_MULTI_FP32)


@pytest.fixture
def pages(http: httpx.Client) -> httpx.Client:
    assert http.post("/v1/schema", json=SCHEMA).status_code == 200
    for number, rows in PAGES.items():
        body = {"class": "Page", "id": uid(number), "vectors": {"words": rows, "plain": [number, 1]}}
        assert http.post("/v1/objects", json=body).status_code == 200
    return http


def search(services: Services, near: Any, **fields: Any) -> Any:
    metadata = search_get_pb2.MetadataRequest(uuid=True, distance=True, certainty=True, vectors=["words"])
    request = search_get_pb2.SearchRequest(collection="Page", near_vector=near, metadata=metadata, uses_127_api=True, **fields)
    return search_get_pb2.SearchReply.FromString(handlers(services)[f"{SERVICE}Search"](request.SerializeToString()))


def for_target(name: str, *vectors: Any) -> Any:
    targets = base_search_pb2.Targets(target_vectors=[name] * len(vectors))
    entries = [base_search_pb2.VectorForTarget(name=name, vectors=[vector]) for vector in vectors]
    return base_search_pb2.NearVector(targets=targets, vector_for_targets=entries)


def numbers(reply: Any) -> list[int]:
    return [UUID(result.metadata.id).int for result in reply.results]


def test_the_settings_come_back_with_all_defaults(http: httpx.Client) -> None:
    """Clients parse the block strictly, and read MUVERA's settings back as they set them."""
    wanted = {"enabled": True, "aggregation": "maxSim", "muvera": {"enabled": True, "ksim": 5}}
    schema = SCHEMA | {"vectorConfig": {"words": {"vectorizer": {"none": {}}, "vectorIndexConfig": {"multivector": wanted}}}}
    made = http.post("/v1/schema", json=schema).json()["vectorConfig"]["words"]["vectorIndexConfig"]["multivector"]
    assert made == {"enabled": True, "aggregation": "maxSim", "muvera": {"enabled": True, "ksim": 5, "dprojections": 16, "repetitions": 10}}


@pytest.mark.parametrize(
    "part",
    [
        {"vectorIndexType": "flat", "vectorIndexConfig": MULTI},
        {"vectorIndexConfig": {"multivector": {"enabled": True, "aggregation": "mean"}}},
        {"vectorizer": {"img2vec-neural": {"imageFields": ["image"]}}, "vectorIndexConfig": MULTI},
    ],
)
def test_what_cannot_be_a_multi_vector_is_refused_by_name(http: httpx.Client, part: dict[str, Any]) -> None:
    """A collection that silently kept one vector an object would lose data at the first insert."""
    schema = {"class": "Page", "vectorConfig": {"words": {"vectorizer": {"none": {}}} | part}}
    refused = http.post("/v1/schema", json=schema)
    assert refused.status_code == 422
    assert "'words'" in refused.text
    assert http.post("/v1/schema", json={"class": "Page", "vectorIndexConfig": MULTI}).status_code == 422


def test_rest_takes_and_gives_lists_of_lists(pages: httpx.Client) -> None:
    """What was stored must come back as it was, of whatever length."""
    for number, rows in PAGES.items():
        assert pages.get(f"/v1/objects/Page/{uid(number)}?include=vector").json()["vectors"] == {"words": rows, "plain": [number, 1]}


@pytest.mark.parametrize("vector", [[[1, 2], [3]], [[1, 2], 3], [1, [2]], [[]], [[[1]]], [["a"]], [1, 2], [[0, 0], [1, 1]], [[1, 2, 3]]])
def test_a_multi_vector_that_cannot_be_is_refused(pages: httpx.Client, vector: Any) -> None:
    """Ragged lists, one vector where several are meant, and a part without direction cannot be compared."""
    assert pages.post("/v1/objects", json={"class": "Page", "vectors": {"words": vector}}).status_code == 422


def test_several_vectors_do_not_fit_where_one_is_kept(pages: httpx.Client) -> None:
    """Nothing may be dropped without a word."""
    assert pages.post("/v1/objects", json={"class": "Page", "vectors": {"plain": [[1, 2], [3, 4]]}}).status_code == 422


def test_grpc_finds_by_several_vectors_and_gives_them_back(pages: httpx.Client, services: Services) -> None:
    """The official client packs the dimensions before the numbers, both ways."""
    reply = search(services, for_target("words", multi("words", QUERY)))
    assert numbers(reply) == NEAREST
    assert [result.metadata.distance for result in reply.results] == pytest.approx([-2, -(2**0.5), -1], abs=1e-6)
    assert [result.metadata.certainty for result in reply.results] == pytest.approx([2, 1 + 2**0.5 / 2, 1.5], abs=1e-6)
    (vector,) = reply.results[1].metadata.vectors
    assert (vector.name, vector.type, vector.vector_bytes) == ("words", base_pb2.Vectors.VECTOR_TYPE_MULTI_FP32, packed(PAGES[3]))
    plain = base_search_pb2.NearVector(targets=base_search_pb2.Targets(target_vectors=["words"]), vectors=[multi("", QUERY)])
    assert numbers(search(services, plain)) == NEAREST


def test_several_vectors_for_a_plain_target_are_several_queries(pages: httpx.Client, services: Services) -> None:
    """The client sends a list of lists in the same form whatever the target keeps; the nearest to either query comes first."""
    reply = search(services, for_target("plain", multi("plain", [[1.0, 1.0], [3.0, 1.0]])))
    assert numbers(reply)[:2] == [1, 3]
    assert [result.metadata.distance for result in reply.results][:2] == pytest.approx([0, 0], abs=1e-6)


def test_a_target_named_once_may_be_given_several_vectors(pages: httpx.Client, services: Services) -> None:
    """Each is a query of its own; so clients of other languages send them."""
    entry = base_search_pb2.VectorForTarget(name="plain", vectors=[multi("plain", [[1.0, 1.0]]), multi("plain", [[3.0, 1.0]])])
    targets = base_search_pb2.Targets(target_vectors=["plain"])
    reply = search(services, base_search_pb2.NearVector(targets=targets, vector_for_targets=[entry]))
    assert numbers(reply)[:2] == [1, 3]


def test_a_list_of_vectors_goes_to_a_target_named_as_often(pages: httpx.Client, services: Services) -> None:
    """With a weight for each: that is how the client spells several weighted queries of one target."""
    weights = [base_search_pb2.WeightsForTarget(target="plain", weight=weight) for weight in (1, 9)]
    manual = base_search_pb2.COMBINATION_METHOD_TYPE_MANUAL
    targets = base_search_pb2.Targets(target_vectors=["plain", "plain"], combination=manual, weights_for_targets=weights)
    entry = base_search_pb2.VectorForTarget(name="plain", vectors=[multi("plain", [[1.0, 1.0], [3.0, 1.0]])])
    reply = search(services, base_search_pb2.NearVector(targets=targets, vector_for_targets=[entry]))
    assert numbers(reply) == [3, 2, 1]


def test_near_object_and_hybrid_use_multi_vectors(pages: httpx.Client, services: Services) -> None:
    """Whoever has an object of the collection has a query, also in a hybrid search."""
    metadata = search_get_pb2.MetadataRequest(uuid=True)
    targets = base_search_pb2.Targets(target_vectors=["words"])
    by_object = search_get_pb2.SearchRequest(collection="Page", near_object=base_search_pb2.NearObject(id=uid(2), targets=targets), metadata=metadata)
    hybrid = base_search_pb2.Hybrid(alpha=1, vectors=[multi("words", QUERY)], targets=targets)
    both = search_get_pb2.SearchRequest(collection="Page", hybrid_search=hybrid, metadata=metadata)
    replies = [search_get_pb2.SearchReply.FromString(handlers(services)[f"{SERVICE}Search"](one.SerializeToString())) for one in (by_object, both)]
    assert numbers(replies[0])[:2] == [1, 2]
    assert numbers(replies[1]) == NEAREST


def test_selection_by_difference_works_on_multi_vectors(pages: httpx.Client, services: Services) -> None:
    """A search that shows few that differ must measure them as the search itself does."""
    near = for_target("words", multi("words", QUERY))
    near.selection.mmr.limit, near.selection.mmr.balance = 2, 0.0
    assert numbers(search(services, near)) == [1, 2]


@pytest.mark.parametrize("raw", [b"", b"\0\0", b"\2\0", b"\0\0\0\0\0\0", b"\2\0" + b"\0" * 4, b"\2\0" + b"\0" * 9])
def test_bytes_that_are_no_multi_vector_are_refused(pages: httpx.Client, services: Services, raw: bytes) -> None:
    """A truncated request must not become another query."""
    vector = base_pb2.Vectors(name="words", vector_bytes=raw, type=base_pb2.Vectors.VECTOR_TYPE_MULTI_FP32)
    with pytest.raises(InvalidInput):
        search(services, for_target("words", vector))
    entry = batch_pb2.BatchObject(collection="Page", uuid=uid(9), vectors=[vector])
    request = batch_pb2.BatchObjectsRequest(objects=[entry]).SerializeToString()
    reply = batch_pb2.BatchObjectsReply.FromString(handlers(services)[f"{SERVICE}BatchObjects"](request))
    assert [error.index for error in reply.errors] == [0]


@pytest.mark.parametrize(("certainty", "found"), [(0.5, NEAREST), (1.0, NEAREST), (1.6, NEAREST[:2])])
def test_a_certainty_is_a_largest_distance_here_too(pages: httpx.Client, services: Services, certainty: float, found: list[int]) -> None:
    """Programs ask every vector for a certainty; distances of several vectors are below 0, so that almost any lets all of them pass."""
    near = for_target("words", multi("words", QUERY))
    near.certainty = certainty
    assert numbers(search(services, near)) == found


def test_one_vector_is_no_query_for_several(pages: httpx.Client, services: Services) -> None:
    """MaxSim of one vector would answer another question than the one meant; the error says what is expected."""
    near = base_search_pb2.NearVector(targets=base_search_pb2.Targets(target_vectors=["words"]), vector_bytes=np.ones(2, "<f4").tobytes())
    with pytest.raises(InvalidVector, match="list of vectors"):
        search(services, near)


def test_graphql_takes_and_gives_lists_of_lists(pages: httpx.Client, services: Services) -> None:
    """Clients without gRPC search by them too."""
    near = 'nearVector: {vectorPerTarget: {words: [[2, 0], [0, 1]]}, targets: {targetVectors: ["words"]}}'
    hits = asking(graphql(services))(f"{{ Get {{ Page({near}) {{ _additional {{ id vectors {{ words }} }} }} }} }}")["data"]["Get"]["Page"]
    assert [UUID(hit["_additional"]["id"]).int for hit in hits] == NEAREST
    assert [hit["_additional"]["vectors"]["words"] for hit in hits] == [PAGES[number] for number in NEAREST]
