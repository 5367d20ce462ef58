"""Any message at all: each is answered, or refused as a mistake of the client's; nothing is half-written and nothing goes wrong inside.

`NEARIMAGE_FUZZ_EXAMPLES=100000 pytest tests/doors/test_grpc_fuzz.py` looks longer.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, Tenant, VectorConfig
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.batch_stream import BatchStreamSession
from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.doors.wire import messages as wire
from nearimage.service.services import Services
from tests.doors.graphql_world import services as small_world
from tests.doors.graphql_world import uid
from tests.doors.messages import Pools, messages
from tests.fakes import RED, text

T = TypeVar("T")
EXAMPLES = int(os.environ.get("NEARIMAGE_FUZZ_EXAMPLES", "100"))
SAME = "NEARIMAGE_FUZZ_EXAMPLES" not in os.environ
"""The same inputs in every run of all tests: what fails then is what was changed. A longer look takes new ones."""
OURS = {"INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "UNIMPLEMENTED"}
"""What a client's mistake may be called; INTERNAL, UNKNOWN and the like say that it was ours."""

_NAMES = ("Dog", "Kennel", "Owner", "Page", "Rented", "ann", "breed", "weight", "image", "name", "place", "phone", "chief", "address", "address.street")
_FIELDS = ("default", "plan", "front", "both", "words", "_id", "id", "_creationTimeUnix", "len(name)", "breed^2")
_VALUES = ("", "corgi red", "10", "2024-01-01T10:00:00Z", "now", "1d", "*or*", "\0", "é", "x" * 300, RED, uid(1), uid(41), f"weaviate://localhost/Dog/{uid(1)}")
POOLS = Pools((*_NAMES, *_FIELDS, *_VALUES))

METHODS: dict[str, Any] = {
    "Search": wire.SearchRequest,
    "Aggregate": wire.AggregateRequest,
    "BatchObjects": wire.BatchObjectsRequest,
    "BatchReferences": wire.BatchReferencesRequest,
    "BatchDelete": wire.BatchDeleteRequest,
    "TenantsGet": wire.TenantsGetRequest,
}


def world() -> Services:
    """Every kind of collection there is: with a legacy vector, named ones, multi-vectors, tenants, references and nested objects."""
    made = small_world()
    made.collections.create(Collection(name="Page", properties=(text("name"),), vectors=(VectorConfig(name="words", is_multi=True),)))
    made.objects.put_many("Page", [Draft(id=UUID(int=1), properties={"name": "red"}, vectors={"words": np.eye(2, dtype=np.float32)})])
    rented = Collection(name="Rented", properties=(Property(name="weight", data_type=DataType.INT),), tenancy=Tenancy(enabled=True))
    made.collections.create(rented)
    made.tenants.create("Rented", [Tenant("ann")])
    return made


@pytest.fixture(scope="module")
def services() -> Services:
    return world()


def outcome_of(call: Callable[[], T]) -> T | Exception:
    """What it returns, or raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - that is the question
        return error


def assert_no_fault_of_ours(services: Services, method: str, request: bytes) -> None:
    """The call returns, or raises what the client has done wrong."""
    outcome = outcome_of(partial(handlers(services)[SERVICE + method], request))
    assert b"internal error" not in outcome if isinstance(outcome, bytes) else fault_of(outcome).grpc_code in OURS, outcome


@pytest.mark.timeout(0 if EXAMPLES > 100 else 120)
@pytest.mark.parametrize("method", METHODS)
def test_any_message_is_answered_or_refused_as_a_mistake(services: Services, method: str) -> None:
    """One odd request must not look like a broken server, and never show its insides."""

    @settings(max_examples=EXAMPLES, derandomize=SAME, deadline=None, suppress_health_check=list(HealthCheck))
    @given(message=messages(METHODS[method], POOLS), collection=st.sampled_from(("Dog", "Kennel", "Owner", "Page", "Rented", "")))
    def check(message: Message, collection: str) -> None:
        if collection and "collection" in message.DESCRIPTOR.fields_by_name:
            message.collection = collection  # half of the messages would name none
        assert_no_fault_of_ours(services, method, message.SerializeToString())

    check()


@pytest.mark.timeout(0 if EXAMPLES > 100 else 120)
def test_any_stream_of_messages_is_answered_or_refused(services: Services) -> None:
    """An import is a conversation: it may begin wrongly, begin twice, or never begin."""

    @settings(max_examples=EXAMPLES, derandomize=SAME, deadline=None, suppress_health_check=list(HealthCheck))
    @given(conversation=st.lists(messages(wire.BatchStreamRequest, POOLS), min_size=1, max_size=4))
    def check(conversation: list[Message]) -> None:
        session = BatchStreamSession(services)
        for message in conversation:
            outcome = outcome_of(partial(session.answer, message.SerializeToString()))
            assert not isinstance(outcome, Exception) or fault_of(outcome).grpc_code in OURS, outcome

    check()


@pytest.mark.timeout(0 if EXAMPLES > 100 else 120)
@settings(max_examples=EXAMPLES, derandomize=SAME, deadline=None, suppress_health_check=list(HealthCheck))
@given(method=st.sampled_from(sorted(METHODS)), data=st.data())
def test_bytes_that_are_cut_or_changed_are_answered_or_refused(services: Services, method: str, data: st.DataObject) -> None:
    """A proxy that loses bytes, a client of another protocol: no parser may fall over them."""
    whole = data.draw(messages(METHODS[method], POOLS)).SerializeToString()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert_no_fault_of_ours(services, method, cut + data.draw(st.binary(max_size=6)))


@example(levels=10_000)
@given(levels=st.sampled_from((50, 99, 101, 1_000)))
@settings(max_examples=4, deadline=None)
def test_filters_in_filters_are_refused_before_they_are_too_deep(services: Services, levels: int) -> None:
    """Recursion must end in a sentence, not in a stack; beyond some level the parser itself refuses."""
    inner = wire.Filters(operator=wire.Filters.OPERATOR_IS_NULL, on="breed", value_boolean=True).SerializeToString()
    for _ in range(levels):
        inner = wire.Filters(operator=wire.Filters.OPERATOR_AND).SerializeToString() + b"\x1a" + varint(len(inner)) + inner  # filters = 3
    request = wire.BatchDeleteRequest(collection="Dog").SerializeToString() + b"\x12" + varint(len(inner)) + inner  # filters = 2
    assert_no_fault_of_ours(services, "BatchDelete", request)


def varint(number: int) -> bytes:
    """A length as protobuf writes it."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*written, number))
