"""Search over REST: one request, one picture or some words, ranked objects as JSON. For the page, the command line and `curl`.

    POST /v1/search/Dog/near-image   {"image": "<base64>", "limit": 5}
    POST /v1/search/Dog/near-text    {"text": "a sleeping cat"}
    POST /v1/search/Dog/near-object  {"id": "36ddd591-..."}
    POST /v1/search/Dog/objects      {"where": {...}}           no search: what passes, in the order of ids
    POST /v1/search/Dog/near-audio   {"audio": "<base64>"}      and so video, thermal, depth, imu
    ... {"image": "<base64>", "where": {"path": ["weight"], "operator": "GreaterThan", "valueInt": 10}}
    ... {"image": "<base64>", "targets": ["photo", "cover"], "combination": "manualWeights", "weights": [0.8, 0.2]}

answers {"hits": [{"id", "distance", "certainty", "properties"}], "took_ms"}. May import msgspec, `domain`, `service` and `doors` only.
"""

import time

import msgspec

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Hit, Projection
from nearimage.domain.query import AnyNear, Combination, NearMedia, NearObject, NearText, Search, Targets
from nearimage.domain.vectorizing import Modality
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.uuids import read_uuid
from nearimage.doors.where import read_where
from nearimage.doors.whole_numbers import properties_with_whole_numbers

_MEDIA = {f"near-{modality}": modality for modality in Modality if modality is not Modality.TEXT}


class SearchBody(msgspec.Struct, forbid_unknown_fields=True):
    """A search as JSON.

    Attributes:
        image, audio, video, thermal, depth, imu, text, id: what is looked for; the one that the path names.
        target: the target vector.
        targets: several of them, in its place.
        combination: how the distances to them become one: minimum, sum, average, manualWeights or relativeScore.
        weights: one a target, for the last two.
        distance, certainty: keep only what is at least so near.
        where: a filter, as batch deletion and GraphQL have it.
        properties: what to return; by default all but pictures.
    """

    image: str | None = None
    audio: str | None = None
    video: str | None = None
    thermal: str | None = None
    depth: str | None = None
    imu: str | None = None
    text: str | None = None
    id: str | None = None
    target: str | None = None
    targets: list[str] | None = None
    combination: Combination = Combination.MINIMUM
    weights: list[float] | None = None
    distance: float | None = None
    certainty: float | None = None
    where: Json | None = None
    limit: int | None = None
    offset: int = 0
    properties: list[str] | None = None


def search(call: Call) -> Response:
    """Run one search."""
    started = time.perf_counter()
    body = read_body(call.body, SearchBody)
    found = call.services.searches.run(
        Search(
            collection=call.collection,
            by=None if call.path["kind"] == "objects" else _near(call.path["kind"], body),
            where=None if body.where is None else read_where(body.where),
            limit=body.limit,
            offset=body.offset,
            projection=Projection(properties=None if body.properties is None else tuple(body.properties)),
        )
    )
    return json_response({"hits": [_render(hit) for hit in found.hits], "took_ms": round((time.perf_counter() - started) * 1000, 3)})


def _near(kind: str, body: SearchBody) -> AnyNear:
    targets, distance, certainty = _targets(body), body.distance, body.certainty
    if kind in _MEDIA and (data := getattr(body, _MEDIA[kind])) is not None:
        return NearMedia(modality=_MEDIA[kind], data=data, targets=targets, max_distance=distance, min_certainty=certainty)
    if kind == "near-text" and body.text is not None:
        return NearText(concepts=(body.text,), targets=targets, max_distance=distance, min_certainty=certainty)
    if kind == "near-object" and body.id is not None:
        return NearObject(id=read_uuid(body.id, what="id"), targets=targets, max_distance=distance, min_certainty=certainty)
    raise InvalidInput(f"send 'text' to near-text, 'id' to near-object, or {', '.join(f'{what.value!r} to {path}' for path, what in _MEDIA.items())}")


def _targets(body: SearchBody) -> Targets:
    if body.target is not None and body.targets is not None:
        raise InvalidInput("give target or targets, not both")
    if body.targets is None:
        return Targets.of(body.target)
    return Targets(names=tuple(body.targets), combination=body.combination, weights=tuple(body.weights or ()))


def _render(hit: Hit) -> Json:
    properties = properties_with_whole_numbers(hit.record.properties)
    return {"id": str(hit.record.id), "distance": hit.distance, "certainty": hit.certainty, "properties": properties}


def picture(call: Call) -> Response:
    """The picture in a property of an object, or with ?short_side=N a thumbnail of it."""
    found = call.services.pictures.get(call.collection, call.object_id, call.path["property"], call.number("short_side"))
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}  # a browser must never run what a user uploaded
    return Response(200, found.data, found.media_type, headers)


ROUTES = (
    Route(method="GET", path="/v1/objects/{collection}/{id}/pictures/{property}", endpoint=picture, query=("short_side",)),
    Route(method="POST", path="/v1/search/{collection}/{kind}", endpoint=search, body=SearchBody, asks=True),
)
