"""What every client may expect of the gRPC door, on both transports, asked with grpcio's client."""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.transport.served import KINDS, WORDS, Served, served
from tests.waiting import eventually

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture(params=KINDS)
def door(request: pytest.FixtureRequest) -> Iterator[Served]:
    with served(request.param) as one:
        yield one


@pytest.fixture
def channel(door: Served) -> Iterator[Any]:
    with grpc.insecure_channel(door.address, OPTIONS) as one:
        yield one


def ask(channel: Any, method: str, message: bytes, **options: Any) -> bytes:
    reply: bytes = channel.unary_unary(f"/t.T/{method}")(message, **{"timeout": 20, **options})
    return reply


def status_of(channel: Any, method: str, message: bytes, **options: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, method, message, **options)
    return caught.value.code().name, caught.value.details()


@pytest.mark.parametrize("method", ["Quick", "Slow"])
@pytest.mark.parametrize("size", [0, 1, 16_384, 65_536, 3_000_000])
def test_a_message_comes_back_whole(channel: Any, method: str, size: int) -> None:
    """Frames and windows cut messages anywhere; a client must never see where."""
    message = bytes(range(256)) * (size // 256 + 1)

    assert ask(channel, method, message[:size]) == message[:size]


def test_the_largest_message_passes_in_both_directions(channel: Any) -> None:
    """The size that /v1/meta announces is a promise; a batch of large pictures comes near it."""
    assert len(ask(channel, "Quick", bytes(104_858_000))) == 104_858_000


def test_a_larger_message_is_refused_by_size(channel: Any) -> None:
    """A client program can then send less, which a broken connection would not tell it."""
    code, message = status_of(channel, "Quick", bytes(104_858_001))

    assert code == "RESOURCE_EXHAUSTED"
    assert "larger than max (104858001 vs. 104858000)" in message


def test_what_a_handler_raises_is_the_status_word_for_word(channel: Any) -> None:
    """A message may hold any letter: percent signs, umlauts and line ends must survive the trailers."""
    assert status_of(channel, "Fail", b"missing") == ("NOT_FOUND", WORDS)


def test_a_mistake_of_the_servers_own_is_internal_and_says_no_more(channel: Any) -> None:
    """A stack trace in an answer helps attackers, and nobody else."""
    code, message = status_of(channel, "Fail", b"other")

    assert code == "INTERNAL"
    assert "own" not in message


def test_an_unknown_method_is_unimplemented(channel: Any) -> None:
    """Newer clients try newer methods first and fall back on this very status."""
    assert status_of(channel, "Nothing", b"") == ("UNIMPLEMENTED", "Method not found!")


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
@pytest.mark.parametrize("method", ["Quick", "Slow"])
def test_compressed_messages_are_read(channel: Any, method: str, compression: Any) -> None:
    """A client behind a thin line compresses; it need not ask whether it may."""
    message = b"the same again " * 100_000

    assert ask(channel, method, message, compression=compression) == message


def test_metadata_of_any_kind_is_no_obstacle(channel: Any) -> None:
    """Clients send traces and tokens along, binary ones too."""
    metadata = [("authorization", "Bearer " + "x" * 2_000), ("trace-bin", bytes(range(256))), ("trace-bin", b""), ("x", "a b,c")]

    assert ask(channel, "Quick", b"hello", metadata=metadata) == b"hello"


def test_metadata_beyond_the_limit_fails_the_call_alone(channel: Any) -> None:
    """The connection carries other calls; a token that is too long is no reason to lose them."""
    code, _ = status_of(channel, "Quick", b"", metadata=[("token", "x" * 20_000)])

    assert code == "RESOURCE_EXHAUSTED"
    assert ask(channel, "Quick", b"still there") == b"still there"


def test_a_deadline_ends_the_call_in_time(door: Served, channel: Any) -> None:
    """Nobody waits for an answer that comes too late, and the server must not hold the call open either."""
    code, _ = status_of(channel, "Wait", b"slow", timeout=0.3)

    assert code == "DEADLINE_EXCEEDED"
    door.played.gate.set()
    assert ask(channel, "Quick", b"next") == b"next"


def test_work_that_nobody_waits_for_is_told_so(door: Served, channel: Any) -> None:
    """It may stand in a model's queue, and would keep others waiting for a vector that nobody reads."""
    assert status_of(channel, "Wait", b"slow", timeout=0.3)[0] == "DEADLINE_EXCEEDED"
    assert door.played.told.wait(10)

    door.played.told.clear()
    call = channel.unary_unary("/t.T/Wait").future(b"hung up", timeout=20)
    eventually("the work has begun", lambda: b"hung up" in door.played.begun)
    call.cancel()
    assert door.played.told.wait(10)
    door.played.gate.set()


def test_a_conversation_is_answered_message_by_message(channel: Any) -> None:
    """Streaming imports wait for each acknowledgement before they send more."""
    asked = iter([b"one", b"two", b"x" * 200_000])

    replies = list(channel.stream_stream("/t.T/Converse")(asked, timeout=20))

    assert replies == [b"one", b"one", b"two", b"two", b"x" * 200_000, b"x" * 200_000]


def test_a_conversation_ends_when_the_client_says_stop(channel: Any) -> None:
    """The client's stop message ends a streaming import, even though its side is still open."""
    more = threading.Event()

    def messages() -> Iterator[bytes]:
        yield b"one"
        yield b"stop"
        more.wait(20)

    call = channel.stream_stream("/t.T/Converse")(messages(), timeout=20)
    assert list(call) == [b"one", b"one"]
    assert call.code() is grpc.StatusCode.OK
    more.set()


def test_an_error_in_a_conversation_ends_it_after_what_was_answered(channel: Any) -> None:
    """What was acknowledged is stored; the client must get to know both."""
    call = channel.stream_stream("/t.T/Converse")(iter([b"one", b"bad", b"two"]), timeout=20)
    got = []
    with pytest.raises(grpc.RpcError) as caught:
        got.extend(iter(call))

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == WORDS
    assert got in ([], [b"one", b"one"])  # extend may lose what came before the error


def test_many_calls_at_once_on_one_connection_keep_apart(channel: Any) -> None:
    """More calls than a connection may have at once wait in the client, and each gets its own answer."""
    calls = [(bytes([n % 256]) * n, channel.unary_unary("/t.T/Slow").future(bytes([n % 256]) * n, timeout=60)) for n in range(1_000)]

    assert all(call.result() == message for message, call in calls)


def test_calls_under_way_are_finished_when_the_server_stops(door: Served) -> None:
    """A restart must not cost anybody a request that was accepted."""
    with grpc.insecure_channel(door.address, OPTIONS) as channel:
        call = channel.unary_unary("/t.T/Wait").future(b"last", timeout=20)
        eventually("the call has begun", lambda: door.played.begun == [b"last"])
        stopping = threading.Thread(target=door.stop, args=(10,))
        stopping.start()
        door.played.gate.set()

        assert call.result() == b"last"
        stopping.join(20)
        assert status_of(channel, "Quick", b"too late", timeout=2)[0] in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
