"""Objects sent together and the same objects sent one at a time: the same is stored, and the same is refused in the same words.

A batch goes through door, service and engine column by column where its objects allow it, a single object never does. So these are two programs, and here each
is the other's oracle, over the embedded engine and its own bytes.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nearimage.app import open_database
from nearimage.config.settings import Settings
from nearimage.domain.objects import Projection
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.doors.wire.messages import BatchObjectsReply, BatchObjectsRequest
from nearimage.service.services import Services
from tests.fakes import text

NUMBERS = count()
PROPERTIES = (
    text("title"),
    Property(name="tags", data_type=DataType.TEXT_ARRAY),
    Property(name="rank", data_type=DataType.INT),
    Property(name="price", data_type=DataType.NUMBER),
    Property(name="sold", data_type=DataType.BOOLEAN),
    Property(name="made", data_type=DataType.DATE),
    Property(name="other", data_type=DataType.UUID),
    Property(name="counts", data_type=DataType.INT_ARRAY),
    Property(name="place", data_type=DataType.GEO_COORDINATES),
    Property(name="about", data_type=DataType.OBJECT, nested=(Property(name="inner", data_type=DataType.NUMBER),)),
)
IDS = [str(UUID(int=number)) for number in (1, 2, 3, 1 << 64)]
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "title": st.sampled_from(["a corgi", "a corgi and a corgi", "Straße", ""]),
    "rank": st.sampled_from([0.0, -1.0, 2.0**40]),
    "price": st.sampled_from([0.25, -3.0]),
    "sold": st.booleans(),
    "made": st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31T13:00:00.5+01:00"]),
    "other": st.sampled_from(IDS),
}
STRANGE: dict[str, st.SearchStrategy[Any]] = {
    "rank": st.sampled_from([3.0, 0.5]),
    "price": st.sampled_from([7.0, float("inf")]),
    "made": st.sampled_from(["2026-01-31T12:00:00Z", "yesterday"]),
    "other": st.sampled_from([IDS[0], "36DDD5912DEE4E7EA3CCEB86D30A4303"]),
    "place": st.just({"latitude": 52.5, "longitude": 13.4}),
    "about": st.just({"inner": 1.5}),
    "Title": st.sampled_from(["in upper case", 7.0]),
    "no such": st.none() | st.just("unknown"),
}
VECTORS = st.sampled_from([[1, 0, 0.5], [0, 1, 0], [1, 2], [0, 0, 0], [float("nan"), 1, 1], []])


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = str(tmp_path_factory.mktemp("batches"))
    with open_database(Settings(data=folder, autoschema_enabled=False)) as database:
        yield database.services


@st.composite
def entries(draw: st.DrawFn) -> list[Any]:
    """Objects that mostly look alike, some of them wrong; ids come again."""
    fields = {name: PLAIN[name] for name in draw(st.lists(st.sampled_from([*PLAIN]), max_size=4, unique=True))}
    fields |= {
        name: STRANGE[name] for name in draw(st.sampled_from([(), ("rank",), ("price",), ("made",), ("other",), ("place", "about"), ("Title", "no such")]))
    }
    lists, everywhere = draw(st.booleans()), draw(st.booleans())
    return [draw(_entry(fields, lists, everywhere)) for _ in range(draw(st.integers(3, 8)))]


@st.composite
def _entry(draw: st.DrawFn, given_fields: dict[str, st.SearchStrategy[Any]], lists: bool, everywhere: bool) -> Any:
    entry = BatchObjectsRequest().objects.add(uuid=draw(st.sampled_from([*IDS, *IDS, "no id"])))
    fields = entry.properties.non_ref_properties
    fields.update({name: draw(value) for name, value in given_fields.items() if everywhere or draw(st.booleans())})
    if lists:
        entry.properties.text_array_properties.add(prop_name="tags", values=draw(st.lists(st.sampled_from(["a b", "c"]), max_size=3)))
        entry.properties.int_array_properties.add(prop_name="counts", values=draw(st.lists(st.integers(-9, 9), max_size=3)))
    name = draw(st.sampled_from(["", "", "", "default", "elsewhere"]))
    raw = np.array(draw(VECTORS | st.just([3, 2, 1])), "<f4").tobytes()
    if name:
        entry.vectors.add(name=name, vector_bytes=raw, type=1)
    else:
        entry.vector_bytes = raw
    return entry


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(entries())
def test_a_batch_stores_and_refuses_what_single_objects_would(services: Services, sent: list[Any]) -> None:
    """An import is single writes made cheap, not another way to understand objects."""
    number = next(NUMBERS)
    together, singly = f"Together{number}", f"Singly{number}"
    for name in (together, singly):
        services.collections.create(Collection(name=name, properties=PROPERTIES, vectors=(VectorConfig(name="default"),), legacy_vector=True))

    refused = errors(services, together, sent)
    refused_singly = {place: error[0] for place, one in enumerate(sent) if (error := errors(services, singly, [one]))}

    assert {place: error.replace(together, singly) for place, error in refused.items()} == refused_singly
    assert stored(services, together) == stored(services, singly)
    for name in (together, singly):
        services.collections.drop(name)


def errors(services: Services, collection: str, sent: list[Any]) -> dict[int, str]:
    """What the reply to a batch says, by position."""
    request = BatchObjectsRequest(objects=sent)
    for entry in request.objects:
        entry.collection = collection
    reply = BatchObjectsReply.FromString(handlers(services)[f"{SERVICE}BatchObjects"](bytes(request.SerializeToString())))
    return {error.index: error.error for error in reply.errors}


def stored(services: Services, collection: str) -> dict[UUID, object]:
    """All of the objects, but for their times."""
    everything = Projection(vectors=None)
    found = services.objects.get_many(collection, [UUID(one) for one in IDS], everything)
    return {key: (dict(record.properties), {name: vector.tolist() for name, vector in record.vectors.items()}) for key, record in found.items()}
