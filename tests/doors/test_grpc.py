"""The gRPC door: the official client's own messages in, bytes out, no transport.

The requests are built with the message classes of the official client, so they are what it puts on the wire.
"""

import warnings
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidFilter, InvalidInput, NearimageError, NotSupported, VectorNameUnknown
from nearimage.domain.schema import LEGACY_VECTOR, Collection, DataType, Property, VectorConfig
from nearimage.doors.grpc.handlers import HEALTH_CHECK, HEALTH_LIST, SERVICE, Handler, handlers
from nearimage.service.services import Services
from tests.fakes import BLUE, BROKEN, GREEN, RED, World, dogs, image_vector, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import base_pb2, base_search_pb2, batch_pb2, generative_pb2, search_get_pb2

VALUES: dict[str, object] = {
    "t": "full", "i": 2**53 + 1, "n": 1.5, "b": True, "d": "2024-01-01T10:00:00.5Z", "u": "d0000000-0000-4000-8000-000000000077", "img": RED,
    "ts": ["x", "y"], "is": [1, -2], "ns": [0.5, 2.0], "bs": [True, False], "ds": ["2024-01-01T10:00:00Z"], "us": ["d0000000-0000-4000-8000-000000000077"],
}  # fmt: skip
TYPES = {
    "t": "text", "i": "int", "n": "number", "b": "boolean", "d": "date", "u": "uuid", "img": "blob",
    "ts": "text[]", "is": "int[]", "ns": "number[]", "bs": "boolean[]", "ds": "date[]", "us": "uuid[]",
}  # fmt: skip


@pytest.fixture
def services() -> Services:
    made = World().services()
    made.collections.create(dogs())
    drafts = [
        Draft(id=UUID(int=n), properties={"breed": breed, "image": image, "weight": n * 10})
        for n, (breed, image) in enumerate([("Corgi", RED), ("Husky", GREEN), ("Beagle", BLUE)], 1)
    ]
    made.objects.put_many("Dog", [*drafts, Draft(id=UUID(int=4), properties={"breed": "Ghost"})])
    return made


@pytest.fixture
def methods(services: Services) -> Mapping[str, Handler]:
    return handlers(services)


Ask = Callable[..., Any]


@pytest.fixture
def ask(methods: Mapping[str, Handler]) -> Ask:
    def asked(**fields: Any) -> Any:
        request = search_get_pb2.SearchRequest(**{"collection": "Dog", "uses_127_api": True, **fields})
        return search_get_pb2.SearchReply.FromString(methods[f"{SERVICE}Search"](request.SerializeToString()))

    return asked


def names(reply: Any) -> list[str]:
    return [result.properties.non_ref_props.fields["breed"].text_value for result in reply.results]


def near_image(image: str = RED, **fields: Any) -> Any:
    return base_search_pb2.NearImageSearch(image=image, **fields)


def test_an_image_finds_its_like_with_what_was_asked_for(ask: Ask) -> None:
    """The request of the page's first snippet, and the fields that the client reads of the answer."""
    reply = ask(
        near_image=near_image(),
        limit=1,
        metadata=search_get_pb2.MetadataRequest(uuid=True, distance=True, certainty=True),
        properties=search_get_pb2.PropertiesRequest(non_ref_properties=["breed"]),
    )

    (result,) = reply.results
    assert result.metadata.id_as_bytes == UUID(int=1).bytes
    assert (result.metadata.distance, result.metadata.distance_present) == (0, True)
    assert (result.metadata.certainty, result.metadata.certainty_present) == (1, True)
    assert list(result.properties.non_ref_props.fields) == ["breed"]
    assert result.properties.target_collection == "Dog"
    assert reply.took > 0


def test_without_a_limit_ten_come_back_also_under_a_distance(services: Services, ask: Ask) -> None:
    """Over gRPC a distance is no request for everything."""
    services.objects.put_many("Dog", [Draft(properties={"image": RED}) for _ in range(12)])

    assert len(ask(near_image=near_image(distance=0.1)).results) == 10


def test_missing_properties_means_all_but_pictures_and_empty_means_none(ask: Ask) -> None:
    """Pictures are large: they travel only when they are named."""
    everything = ask(limit=1).results[0].properties.non_ref_props.fields
    assert sorted(everything) == ["breed", "weight"]

    nothing = ask(limit=1, properties=search_get_pb2.PropertiesRequest()).results[0]
    assert not nothing.properties.HasField("non_ref_props")

    named = ask(limit=1, properties=search_get_pb2.PropertiesRequest(non_ref_properties=["image"])).results[0].properties.non_ref_props.fields
    assert named["image"].blob_value == RED


def test_a_missing_value_is_null(ask: Ask) -> None:
    """The client tells it from a value that was not asked for."""
    ghost = ask(limit=10).results[3].properties.non_ref_props.fields

    assert ghost["weight"].WhichOneof("kind") == "null_value"


def test_every_data_type_makes_the_round_trip(services: Services, methods: Mapping[str, Handler], ask: Ask) -> None:
    """Through a batch and back through a search, nothing changes; not even an integer that no double can hold."""
    properties = tuple(text(n) if t == "text" else Property(name=n, data_type=DataType(t)) for n, t in TYPES.items())
    services.collections.create(Collection(name="All", properties=properties, vectors=(VectorConfig(name=LEGACY_VECTOR),), legacy_vector=True))
    services.objects.put_many("All", [Draft(id=UUID(int=1), properties=VALUES)])

    fields = ask(collection="All", properties=search_get_pb2.PropertiesRequest(non_ref_properties=list(TYPES))).results[0].properties.non_ref_props.fields

    assert {name: fields[name].WhichOneof("kind") for name in "tinbdu"} == {
        "t": "text_value", "i": "int_value", "n": "number_value", "b": "bool_value", "d": "date_value", "u": "uuid_value",
    }  # fmt: skip
    assert {name: getattr(fields[name], fields[name].WhichOneof("kind")) for name in "tinbdu"} == {name: VALUES[name] for name in "tinbdu"}
    assert np.frombuffer(fields["is"].list_value.int_values.values, "<i8").tolist() == VALUES["is"]
    assert np.frombuffer(fields["ns"].list_value.number_values.values, "<f8").tolist() == VALUES["ns"]
    assert list(fields["ts"].list_value.text_values.values) == VALUES["ts"]
    assert list(fields["bs"].list_value.bool_values.values) == VALUES["bs"]
    assert list(fields["ds"].list_value.date_values.values) == VALUES["ds"]
    assert list(fields["us"].list_value.uuid_values.values) == VALUES["us"]


def test_a_vector_without_a_name_comes_back_as_bytes_and_named_ones_by_name(services: Services, ask: Ask) -> None:
    """Two generations of clients read two fields."""
    services.collections.create(dogs(image_vector("a"), image_vector("b"), name="Named"))
    services.objects.put_many("Named", [Draft(properties={"image": RED})])
    metadata = search_get_pb2.MetadataRequest(vector=True)

    unnamed = ask(limit=1, metadata=metadata).results[0].metadata
    named = ask(collection="Named", metadata=metadata).results[0].metadata
    only_b = ask(collection="Named", metadata=search_get_pb2.MetadataRequest(vectors=["b"])).results[0].metadata

    assert np.frombuffer(unnamed.vector_bytes, "<f4").tolist() == [255, 0, 0]
    assert {v.name: np.frombuffer(v.vector_bytes, "<f4").tolist() for v in named.vectors} == {"a": [255, 0, 0], "b": [255, 0, 0]}
    assert [v.name for v in only_b.vectors] == ["b"]


@pytest.mark.parametrize(
    "near",
    [
        {"vector": [0, 255, 0]},
        {"vector_bytes": np.array([0, 255, 0], "<f4").tobytes()},
        {"vectors": [base_pb2.Vectors(vector_bytes=np.array([0, 255, 0], "<f4").tobytes(), type=1)]},
    ],
)
def test_a_vector_arrives_in_any_of_the_fields_that_clients_have_used(ask: Ask, near: dict[str, Any]) -> None:
    """Old clients do not disappear."""
    assert names(ask(near_vector=base_search_pb2.NearVector(**near), limit=1)) == ["Husky"]


def test_filters_are_read_with_their_junctions(ask: Ask) -> None:
    """`(breed like "*us*" | weight > 20) & not (breed = "Ghost")`, as the client nests it."""
    f = base_pb2.Filters

    def compare(operator: Any, name: str, **value: Any) -> Any:
        return f(operator=operator, target=base_pb2.FilterTarget(property=name), **value)

    either = f(
        operator=f.OPERATOR_OR,
        filters=[compare(f.OPERATOR_LIKE, "breed", value_text="*us*"), compare(f.OPERATOR_GREATER_THAN, "weight", value_int=20)],
    )
    unless = f(operator=f.OPERATOR_NOT, filters=[compare(f.OPERATOR_EQUAL, "breed", value_text="Ghost")])

    assert names(ask(filters=f(operator=f.OPERATOR_AND, filters=[either, unless]))) == ["Husky", "Beagle"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"near_image": near_image(BROKEN)}, InvalidInput),
        ({"near_image": near_image("SOME_BASE_64_REPRESENTATION")}, InvalidInput),
        ({"near_image": near_image("")}, InvalidInput),
        ({"near_image": near_image(distance=0.5, certainty=0.5)}, InvalidInput),
        ({"near_image": near_image(target_vectors=["zzz"])}, VectorNameUnknown),
        ({"near_image": near_image(), "near_object": base_search_pb2.NearObject(id=str(UUID(int=1)))}, InvalidInput),
        ({"near_object": base_search_pb2.NearObject(id="nope")}, InvalidInput),
        ({"near_vector": base_search_pb2.NearVector()}, InvalidInput),
        ({"near_vector": base_search_pb2.NearVector(vector_bytes=b"123")}, InvalidInput),
        ({"near_image": near_image(), "after": str(UUID(int=1))}, InvalidInput),
        ({"after": "nope"}, InvalidInput),
        ({"limit": 10_001}, InvalidInput),
        ({"properties": search_get_pb2.PropertiesRequest(non_ref_properties=["zzz"])}, InvalidInput),
        ({"filters": base_pb2.Filters()}, InvalidFilter),
        ({"filters": base_pb2.Filters(operator=1, target=base_pb2.FilterTarget(property="breed"))}, InvalidFilter),
        ({"filters": base_pb2.Filters(operator=1, target=base_pb2.FilterTarget(property="id"), value_text=str(UUID(int=1)))}, InvalidFilter),
        ({"filters": base_pb2.Filters(operator=1, on=["id"], value_text=str(UUID(int=1)))}, InvalidFilter),
        ({"filters": base_pb2.Filters(operator=3, target=base_pb2.FilterTarget(property="_creationTimeUnix"), value_text="1000")}, InvalidFilter),
        ({"filters": base_pb2.Filters(operator=3, target=base_pb2.FilterTarget(property="_creationTimeUnix"), value_int=1000)}, InvalidFilter),
        ({"filters": base_pb2.Filters(operator=12, target=base_pb2.FilterTarget(property="breed"), value_text="corgi")}, InvalidFilter),
    ],
)
def test_a_wrong_request_is_refused_for_what_is_wrong(ask: Ask, fields: dict[str, Any], error: type[NearimageError]) -> None:
    """Each with its own family: the caller changes the request."""
    with pytest.raises(error):
        ask(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"rerank": search_get_pb2.Rerank(property="breed")},
        {"generative": generative_pb2.GenerativeSearch(single_response_prompt="x")},
    ],
)
def test_what_this_version_does_not_answer_is_refused_by_name(ask: Ask, fields: dict[str, Any]) -> None:
    """A clause that is ignored gives a wrong answer that looks right."""
    with pytest.raises(NotSupported) as caught:
        ask(**fields)

    assert caught.value.detail["feature"]


def test_bytes_that_are_no_message_are_refused(methods: Mapping[str, Handler]) -> None:
    """Garbage is a client's mistake, not ours."""
    for name in ("Search", "BatchObjects"):
        with pytest.raises(InvalidInput):
            methods[f"{SERVICE}{name}"](b"\xff\xff\xff garbage")


def test_a_batch_names_what_failed_by_position_and_stores_the_rest(services: Services, methods: Mapping[str, Handler], ask: Ask) -> None:
    """The client matches errors to objects by index."""
    request = batch_pb2.BatchObjectsRequest()
    for uuid, breed, image in [(str(UUID(int=11)), "Pug", RED), ("nope", "Pug", RED), (str(UUID(int=12)), "Tiny", BROKEN), (str(UUID(int=13)), "Puli", BLUE)]:
        entry = request.objects.add(collection="Dog", uuid=uuid)
        entry.properties.non_ref_properties.update({"breed": breed, "image": image, "weight": 7})
    request.objects.add(collection="Cat", uuid=str(UUID(int=14)))
    request.objects.add(collection="Dog", uuid=str(UUID(int=15)), tenant="anna")

    reply = batch_pb2.BatchObjectsReply.FromString(methods[f"{SERVICE}BatchObjects"](request.SerializeToString()))

    assert [error.index for error in reply.errors] == [1, 2, 4, 5]
    assert all(error.error for error in reply.errors)
    assert names(ask(filters=base_pb2.Filters(operator=1, target=base_pb2.FilterTarget(property="weight"), value_int=7))) == ["Pug", "Puli"]


def test_a_batch_brings_arrays_and_named_vectors(services: Services, methods: Mapping[str, Handler], ask: Ask) -> None:
    """The client packs each kind of list into a field of its own."""
    properties = tuple(text(n) if t == "text" else Property(name=n, data_type=DataType(t)) for n, t in TYPES.items())
    services.collections.create(Collection(name="All", properties=properties, vectors=(VectorConfig(name="a"), VectorConfig(name="b"))))
    entry = batch_pb2.BatchObject(collection="All", uuid=str(UUID(int=1)))
    entry.vectors.add(name="b", vector_bytes=np.array([1, 2], "<f4").tobytes(), type=1)
    given = entry.properties
    given.int_array_properties.add(prop_name="is", values=[1, -(2**60)])
    given.number_array_properties.add(prop_name="ns", values_bytes=np.array([0.5], "<f8").tobytes())
    given.text_array_properties.add(prop_name="ts", values=["x"])
    given.boolean_array_properties.add(prop_name="bs", values=[True])
    given.empty_list_props.append("us")

    reply = methods[f"{SERVICE}BatchObjects"](batch_pb2.BatchObjectsRequest(objects=[entry]).SerializeToString())

    assert batch_pb2.BatchObjectsReply.FromString(reply).errors == []
    result = ask(collection="All", metadata=search_get_pb2.MetadataRequest(vector=True)).results[0]
    fields = result.properties.non_ref_props.fields
    assert np.frombuffer(fields["is"].list_value.int_values.values, "<i8").tolist() == [1, -(2**60)]
    assert fields["us"].list_value.WhichOneof("kind") == "uuid_values"
    assert [(v.name, np.frombuffer(v.vector_bytes, "<f4").tolist()) for v in result.metadata.vectors] == [("b", [1, 2])]


def test_a_picture_in_a_batch_may_have_a_data_prefix_only_where_it_is_base64(methods: Mapping[str, Handler]) -> None:
    """Percent-encoded data URIs are no base64."""
    entry = batch_pb2.BatchObject(collection="Dog", uuid=str(UUID(int=21)))
    entry.properties.non_ref_properties.update({"image": "%%%"})

    reply = batch_pb2.BatchObjectsReply.FromString(methods[f"{SERVICE}BatchObjects"](batch_pb2.BatchObjectsRequest(objects=[entry]).SerializeToString()))

    assert "'image'" in reply.errors[0].error


def test_health_is_serving_for_any_service(methods: Mapping[str, Handler]) -> None:
    """Each client asks for another name, and takes anything else for a dead server."""
    assert methods[HEALTH_CHECK](b"\x0a\x08whatever") == b"\x08\x01"
    name, serving = b"\x0a\x08weaviate", b"\x12\x02\x08\x01"
    assert b"\x0a" + bytes([len(name + serving)]) + name + serving in methods[HEALTH_LIST](b"")


def test_a_stored_picture_comes_back_byte_for_byte(ask: Ask) -> None:
    """What a user puts in is what a user gets."""
    reply = ask(limit=1, properties=search_get_pb2.PropertiesRequest(non_ref_properties=["image"]))

    assert reply.results[0].properties.non_ref_props.fields["image"].blob_value == b64encode(b"RGB\xff\x00\x00").decode()
