"""What a handler answers on the event loop, and what it leaves for a thread."""

from collections.abc import Mapping

import pytest

from nearimage.domain.errors import CollectionNotFound
from nearimage.doors.grpc.handlers import HEALTH_CHECK, SERVICE, SHORT_BYTES, Handler, handlers
from nearimage.doors.wire.messages import BatchObjectsRequest, SearchReply, SearchRequest
from nearimage.service.services import Services
from tests.fakes import RED, World, dogs

SEARCH, BATCH = f"{SERVICE}Search", f"{SERVICE}BatchObjects"


@pytest.fixture
def services() -> Services:
    made = World().services()
    made.collections.create(dogs())
    return made


@pytest.fixture
def methods(services: Services) -> Mapping[str, Handler]:
    return handlers(services)


def listing(**fields: object) -> bytes:
    return bytes(SearchRequest(**{"collection": "Dog", "uses_127_api": True, **fields}).SerializeToString())


def test_a_search_is_answered_on_the_loop_once_its_like_was_quick(methods: Mapping[str, Handler]) -> None:
    """A hop to a thread and back costs a third of a search; an unknown search may cost anything."""
    first = methods[SEARCH].begin(listing())
    assert not isinstance(first, bytes)
    assert SearchReply.FromString(first()).took > 0
    second = methods[SEARCH].begin(listing())
    assert isinstance(second, bytes)
    assert SearchReply.FromString(second).took > 0


def test_a_slow_search_stays_in_a_thread(services: Services) -> None:
    """On the loop it would hold up every other client."""
    services.pace.quick_s = 0.0
    begin = handlers(services)[SEARCH].begin
    assert begin(listing()) is not None
    for _ in range(3):
        answer = begin(listing())
        assert not isinstance(answer, bytes)
        answer()


def test_what_waits_is_never_begun_on_the_loop(methods: Mapping[str, Handler]) -> None:
    """Writes wait for the disk, pictures for a model and for being read, long requests for being parsed."""
    waiting = {
        "a write": (BATCH, bytes(BatchObjectsRequest().SerializeToString())),
        "a model": (SEARCH, listing(near_image={"image": RED})),
        "pictures in the reply": (SEARCH, listing(properties={"non_ref_properties": ["image"]})),
        "a long request": (SEARCH, listing(near_image={"image": "A" * SHORT_BYTES})),
    }
    for method, request in waiting.values():
        for _ in range(2):
            answer = methods[method].begin(request)
            assert not isinstance(answer, bytes)
            if "A" * 9 not in request.decode("latin-1"):
                answer()


def test_a_search_in_a_tenant_that_would_have_to_be_opened_is_left_to_a_thread(
    services: Services, methods: Mapping[str, Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a shard reads files; its like having been quick says nothing about that."""
    methods[SEARCH](listing())
    monkeypatch.setattr(type(services.searches.shards.engine), "is_at_hand", lambda *_: False)
    assert not isinstance(methods[SEARCH].begin(listing()), bytes)


def test_a_wrong_request_is_refused_where_it_arrives(methods: Mapping[str, Handler]) -> None:
    """The transport turns what a handler raises into a status, wherever it was raised."""
    with pytest.raises(CollectionNotFound):
        methods[SEARCH].begin(listing(collection="Missing"))


def test_health_never_waits(methods: Mapping[str, Handler]) -> None:
    """Behind a queue of searches a healthy server would look dead."""
    assert isinstance(methods[HEALTH_CHECK].begin(b""), bytes)
