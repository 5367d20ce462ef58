"""Search by sound, film, thermal picture, depth map and motion: every door asks the same question, and several target vectors are combined alike."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.query import Combination
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.requests import Request
from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.doors.rest.call import About
from nearimage.service.services import Services
from tests.fakes import BIND, BROKEN, World, picture
from tests.http_doors import asked, rest_site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import aggregate_pb2, base_search_pb2, search_get_pb2

MEDIA: Sequence[Modality] = [modality for modality in Modality if modality is not Modality.TEXT]
ASKED = picture(250, 30, 10)
TARGETS = ("one", "two")
WEIGHTS = {"one": 0.25, "two": 3.0}

_GRPC: dict[Combination, int] = {
    Combination.SUM: base_search_pb2.COMBINATION_METHOD_TYPE_SUM,
    Combination.MINIMUM: base_search_pb2.COMBINATION_METHOD_TYPE_MIN,
    Combination.AVERAGE: base_search_pb2.COMBINATION_METHOD_TYPE_AVERAGE,
    Combination.RELATIVE_SCORE: base_search_pb2.COMBINATION_METHOD_TYPE_RELATIVE_SCORE,
    Combination.MANUAL_WEIGHTS: base_search_pb2.COMBINATION_METHOD_TYPE_MANUAL,
}

Hits = list[tuple[UUID, float]]


@dataclass(frozen=True)
class Doors:
    """The doors of one database."""

    services: Services
    http: httpx.Client

    def grpc(self, modality: Modality, targets: tuple[str, ...], combination: Combination) -> Hits:
        weights = [base_search_pb2.WeightsForTarget(target=name, weight=WEIGHTS[name]) for name in targets] if weighs(combination) else []
        said = base_search_pb2.Targets(target_vectors=targets, combination=_GRPC[combination], weights_for_targets=weights)
        near = getattr(base_search_pb2, f"Near{NAMES[modality]}Search")(**{modality: ASKED}, targets=said)
        asked: Any = {f"near_{modality}": near}
        request = search_get_pb2.SearchRequest(collection="Thing", metadata=search_get_pb2.MetadataRequest(uuid=True, distance=True), **asked)
        answer = handlers(self.services)[f"{SERVICE}Search"](request.SerializeToString())
        reply = search_get_pb2.SearchReply.FromString(answer() if callable(answer) else answer)
        return [(UUID(bytes=result.metadata.id_as_bytes), result.metadata.distance) for result in reply.results]

    def rest(self, modality: Modality, targets: tuple[str, ...], combination: Combination) -> Hits:
        body = {str(modality): ASKED, "targets": targets, "combination": combination}
        weights = {"weights": [WEIGHTS[name] for name in targets]} if weighs(combination) else {}
        reply = self.http.post(f"/v1/search/Thing/near-{modality}", json=body | weights).json()
        return [(UUID(hit["id"]), hit["distance"]) for hit in reply["hits"]]

    def graphql(self, modality: Modality, targets: tuple[str, ...], combination: Combination) -> Hits:
        weights = ", weights: {%s}" % ", ".join(f"{name}: {WEIGHTS[name]}" for name in targets) if weighs(combination) else ""  # noqa: UP031
        said = f"targets: {{targetVectors: {json.dumps(targets)}, combinationMethod: {combination}{weights}}}"
        query = f'{{ Get {{ Thing(near{NAMES[modality]}: {{{modality}: "{ASKED}", {said}}}) {{ _additional {{ id distance }} }} }} }}'
        reply = graphql(self.services).answer(Request(query=query))
        return [(UUID(hit["_additional"]["id"]), float(hit["_additional"]["distance"])) for hit in reply["data"]["Get"]["Thing"]]


NAMES: Mapping[Modality, str] = {modality: "IMU" if modality is Modality.IMU else modality.capitalize() for modality in MEDIA}


def weighs(combination: Combination) -> bool:
    return combination in (Combination.MANUAL_WEIGHTS, Combination.RELATIVE_SCORE)


def things(modality: Modality) -> Collection:
    """Two vectors that see different files of the same kind."""
    vectors = tuple(VectorConfig(name=name, module="multi2vec-bind", module_settings={f"{modality}Fields": [f"file_{name}"]}) for name in TARGETS)
    return Collection(name="Thing", properties=tuple(Property(name=f"file_{name}", data_type=DataType.BLOB) for name in TARGETS), vectors=vectors)


@pytest.fixture
def services() -> Services:
    return World(modules=(BIND,)).services()


@pytest.fixture
def doors(services: Services) -> Iterator[Doors]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=1_000_000)
    with ThreadPoolExecutor(1) as executor, asked(rest_site(services, about), executor) as http:
        yield Doors(services, http)


def filled(services: Services, modality: Modality) -> None:
    services.collections.create(things(modality))
    colours = [(255, 0, 0), (200, 90, 40), (0, 255, 0), (10, 20, 255), (128, 128, 128), (255, 255, 0)]
    drafts = [Draft(id=UUID(int=n + 1), properties={"file_one": picture(*colour), "file_two": picture(*colours[-n - 1])}) for n, colour in enumerate(colours)]
    assert not [outcome for outcome in services.objects.put_many("Thing", drafts) if isinstance(outcome, Exception)]


@pytest.mark.parametrize("combination", Combination)
@pytest.mark.parametrize("modality", MEDIA)
def test_every_door_combines_targets_of_media_alike(doors: Doors, modality: Modality, combination: Combination) -> None:
    """Weaviate allows one target in a search by media; here each kind of media takes several, and no door may read them its own way."""
    filled(doors.services, modality)

    hits = doors.grpc(modality, TARGETS, combination)

    assert len(hits) == 6
    assert [one for one, _ in hits] == [one for one, _ in doors.rest(modality, TARGETS, combination)]
    assert [one for one, _ in hits] == [one for one, _ in doors.graphql(modality, TARGETS, combination)]
    for other in (doors.rest, doors.graphql):
        assert [distance for _, distance in other(modality, TARGETS, combination)] == pytest.approx([distance for _, distance in hits], abs=1e-6)


@pytest.mark.parametrize("modality", MEDIA)
def test_one_target_of_two_is_searched_alone(doors: Doors, modality: Modality) -> None:
    """The page's named vectors, for each kind of media."""
    filled(doors.services, modality)
    way: Callable[..., Hits]
    for way in (doors.grpc, doors.rest, doors.graphql):
        assert way(modality, ("one",), Combination.MINIMUM)[0][0] == UUID(int=1)
        assert way(modality, ("two",), Combination.MINIMUM)[0][0] == UUID(int=6)


@pytest.mark.parametrize("modality", MEDIA)
def test_figures_about_what_is_near_to_media(doors: Doors, modality: Modality) -> None:
    """Aggregate takes the same searches as Get."""
    filled(doors.services, modality)
    near = getattr(base_search_pb2, f"Near{NAMES[modality]}Search")(**{modality: ASKED}, targets=base_search_pb2.Targets(target_vectors=["one"]), distance=0.2)
    asked: Any = {f"near_{modality}": near}
    request = aggregate_pb2.AggregateRequest(collection="Thing", objects_count=True, **asked)
    answer = handlers(doors.services)[f"{SERVICE}Aggregate"](request.SerializeToString())
    reply = aggregate_pb2.AggregateReply.FromString(answer() if callable(answer) else answer)
    said = f'near{NAMES[modality]}: {{{modality}: "{ASKED}", targetVectors: ["one"], distance: 0.2}}'
    told = graphql(doors.services).answer(Request(query=f"{{ Aggregate {{ Thing({said}) {{ meta {{ count }} }} }} }}"))

    assert reply.single_result.objects_count == told["data"]["Aggregate"]["Thing"][0]["meta"]["count"] == 2


def test_media_that_cannot_be_read_is_refused_before_any_model_runs(doors: Doors) -> None:
    """Words sent as a picture are the caller's mistake on every door."""
    filled(doors.services, Modality.IMAGE)

    reply = doors.http.post("/v1/search/Thing/near-image", json={"image": BROKEN, "target": "one"})

    assert reply.status_code == 422
    assert doors.http.post("/v1/search/Thing/near-image", json={"image": ASKED, "target": "one", "targets": ["one"]}).status_code == 422
