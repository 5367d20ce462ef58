"""The native transport against grpcio: the same request gets the same status, message, trailers and bytes on both.

grpcio is what the clients were made with, so what it answers is right by definition; where ours answers differently on purpose, it is said here:

- `took`, which most replies have, is a time;
- trailing metadata beside status and message, and the version of a server, are nobody's business: neither transport sends any.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from uuid import UUID

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearimage.domain.drafts import Draft
from nearimage.doors.grpc.handlers import SERVICE, handlers, streams
from nearimage.doors.wire import messages
from nearimage.doors.wire.messages import AggregateRequest, BatchObjectsRequest, BatchStreamRequest, SearchReply, SearchRequest
from tests.fakes import BLUE, GREEN, RED, World, dogs
from tests.transport.served import KINDS, served

Answer = tuple[str, str, tuple[Any, ...], bytes]
OPTIONS = [("grpc.use_local_subchannel_pool", 1)]
BREEDS = [("Corgi", RED), ("Husky", GREEN), ("Beagle", BLUE)]


@pytest.fixture(scope="module")
def channels() -> Iterator[list[Any]]:
    """A client of each transport, over one and the same database."""
    services = World().services()
    services.collections.create(dogs())
    services.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"breed": breed, "image": image}) for n, (breed, image) in enumerate(BREEDS, 1)])
    with ExitStack() as ending:
        doors = [ending.enter_context(served(kind, methods=(handlers(services), streams(services)))) for kind in KINDS]
        yield [ending.enter_context(grpc.insecure_channel(door.address, OPTIONS)) for door in doors]


def answer(channel: Any, path: str, request: bytes, **options: Any) -> Answer:
    """Everything that a client gets to see."""
    try:
        reply, call = channel.unary_unary(path).with_call(request, timeout=20, **options)
    except grpc.RpcError as failed:
        reply, call = b"", failed
    kind = getattr(messages, f"{path.rpartition('/')[2]}Reply", None)
    if kind is not None and reply:
        message = kind.FromString(reply)
        message.took = 0
        reply = message.SerializeToString(deterministic=True)
    return call.code().name, call.details() or "", tuple(call.trailing_metadata() or ()), reply


def check(channels: list[Any], path: str, request: bytes, **options: Any) -> Answer:
    """Both answer the same; what that is."""
    native, grpcio = (answer(channel, path, request, **options) for channel in channels)
    assert native == grpcio
    return native


SEARCHES = st.fixed_dictionaries(
    {"collection": st.sampled_from(["Dog", "dog", "Cat", ""]), "uses_127_api": st.booleans(), "limit": st.integers(0, 20_000)},
    optional={
        "offset": st.integers(0, 20_000),
        "near_image": st.fixed_dictionaries({"image": st.sampled_from([RED, GREEN, "no picture", ""])}),
        "tenant": st.text(max_size=3),
        "metadata": st.fixed_dictionaries({"uuid": st.booleans(), "distance": st.booleans(), "vector": st.booleans()}),
    },
).map(lambda fields: bytes(SearchRequest(**fields).SerializeToString()))
METADATA = st.lists(
    st.sampled_from([("authorization", "Bearer any"), ("x-trace", "a b, c"), ("note-bin", bytes(range(256))), ("empty", "")]), max_size=3, unique=True
)


@settings(max_examples=80)
@given(request=SEARCHES | st.binary(max_size=60), metadata=METADATA, compression=st.sampled_from([None, grpc.Compression.Gzip]))
def test_any_search_gets_the_same_answer(channels: list[Any], request: bytes, metadata: list[tuple[str, str | bytes]], compression: Any) -> None:
    """Whoever changes the setting must not have to test their programs again."""
    check(channels, f"{SERVICE}Search", request, metadata=metadata, compression=compression)


@settings(max_examples=30)
@given(method=st.sampled_from(["Aggregate", "BatchObjects", "BatchDelete", "TenantsGet", "BatchReferences", "Nothing", ""]), request=st.binary(max_size=40))
def test_any_bytes_to_any_method_get_the_same_answer(channels: list[Any], method: str, request: bytes) -> None:
    """The mistakes of clients too, word for word."""
    check(channels, f"{SERVICE}{method}", request)


def test_what_is_answered_is_an_answer(channels: list[Any]) -> None:
    """Two transports that both refuse everything would agree as well."""
    code, _, _, reply = check(channels, f"{SERVICE}Search", bytes(SearchRequest(collection="Dog", uses_127_api=True).SerializeToString()))

    assert code == "OK"
    assert len(SearchReply.FromString(reply).results) == 3
    assert check(channels, f"{SERVICE}Aggregate", bytes(AggregateRequest(collection="Dog", objects_count=True).SerializeToString()))[0] == "OK"
    assert check(channels, f"{SERVICE}BatchObjects", bytes(BatchObjectsRequest().SerializeToString()))[0] == "OK"


@pytest.mark.parametrize("path", ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/no.such.Service/Method"])
def test_services_of_others_get_the_same_answer(channels: list[Any], path: str) -> None:
    """Load balancers and clients ask for health under names of their own."""
    check(channels, path, b"\x0a\x03any")


@settings(max_examples=20)
@given(said=st.lists(st.sampled_from([b"start", b"data", b"stop", b"\xff"]), max_size=4))
def test_any_conversation_gets_the_same_replies(channels: list[Any], said: list[bytes]) -> None:
    """Streaming imports acknowledge message by message: the order is part of the answer."""
    requests = [_stream_request(message) for message in said]
    native, grpcio = (_converse(channel, requests) for channel in channels)

    assert native == grpcio


def _stream_request(kind: bytes) -> bytes:
    if kind == b"\xff":
        return kind
    message = BatchStreamRequest()
    getattr(message, kind.decode()).SetInParent()
    return bytes(message.SerializeToString())


def _converse(channel: Any, requests: list[bytes]) -> tuple[list[bytes], str, str]:
    call = channel.stream_stream(f"{SERVICE}BatchStream")(iter(requests), timeout=20)
    replies = []
    with suppress(grpc.RpcError):
        replies.extend(iter(call))
    return replies, call.code().name, call.details() or ""
