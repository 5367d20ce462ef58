"""Routes of classifications. The base of all paths is /v1.

What is wrong with a task is answered with 400, as clients expect here. May import msgspec, `domain`, `service` and `doors` only.
"""

from typing import Any

import msgspec

from nearimage.domain.errors import CollectionNotFound, InvalidInput, MalformedRequest, NotSupported
from nearimage.domain.filters import Filter
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route, read_id
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.rest.sent import Sent
from nearimage.doors.where import read_where
from nearimage.service.classification import Run
from nearimage.service.classification_task import DEFAULT_K, Method, Task

_CONTEXTUAL = ("text2vec-contextionary-contextual", "text2vec-contextionary")
"""Both spellings that clients have for classifying by that module."""


class ClassificationFilters(Sent, rename="camel"):
    """Which objects are labelled, are examples, and may be labels."""

    source_where: dict[str, Any] | None = None
    training_set_where: dict[str, Any] | None = None
    target_where: dict[str, Any] | None = None


class ClassificationBody(Sent, rename="camel"):
    """A task, as clients send it."""

    type: str | None = None
    collection: str = msgspec.field(name="class", default="")
    classify_properties: list[str] | None = None
    based_on_properties: list[str] | None = None
    settings: dict[str, Any] | None = None
    filters: ClassificationFilters | None = None


def begin_classification(call: Call) -> Response:
    """Begin to label objects; it goes on in the background, and its state is asked for."""
    body = read_body(call.body, ClassificationBody)
    try:
        return json_response(_render(call.services.classifications.begin(_task(body))), 201)
    except (InvalidInput, CollectionNotFound) as wrong:
        raise MalformedRequest(wrong.message, **wrong.detail) from wrong


def get_classification(call: Call) -> Response:
    """How far a classification has come."""
    return json_response(_render(call.services.classifications.get(read_id(call.path["id"], where="id in path"))))


def _task(body: ClassificationBody) -> Task:
    if not body.collection:
        raise InvalidInput("a classification names a class; say which collection's objects are to be labelled")
    filters = body.filters or ClassificationFilters()
    return Task(
        collection=body.collection,
        properties=tuple(dict.fromkeys(body.classify_properties or ())),
        based_on=tuple(body.based_on_properties or ()),
        method=_method(body.type or Method.NEIGHBOURS),
        k=_k(body.settings or {}),
        source=_filter(filters.source_where),
        training=_filter(filters.training_set_where),
        target=_filter(filters.target_where),
    )


def _method(name: str) -> Method:
    if name in _CONTEXTUAL:
        raise NotSupported(f"type {name!r} is made by a module that this server does not have; it has {[*map(str, Method)]}", feature=name)
    try:
        return Method(name)
    except ValueError as unknown:
        raise InvalidInput(f"type is one of {[*map(str, Method)]}, got {name!r}") from unknown


def _k(settings: dict[str, Any]) -> int:
    k = settings.get("k")
    if k is None:
        return DEFAULT_K
    if not isinstance(k, int) or isinstance(k, bool):
        raise InvalidInput(f"settings.k is a whole number, got {k!r}", setting="k")
    return k


def _filter(where: dict[str, Any] | None) -> Filter | None:
    return read_where(where) if where else None


def _render(run: Run) -> Json:
    task = run.task
    told: Json = {"id": str(run.id), "class": task.collection, "type": task.method, "status": run.state}
    told |= {"classifyProperties": task.properties, "basedOnProperties": task.based_on}
    told |= {"settings": {"k": task.k}} if task.method is Method.NEIGHBOURS else {}
    counts = {"count": run.succeeded + run.failed, "countSucceeded": run.succeeded, "countFailed": run.failed}
    times = {"started": run.started} | ({"completed": run.completed} if run.completed else {})
    return told | {"meta": times | counts} | ({"error": run.error} if run.error else {})


ROUTES = (
    Route(method="POST", path="/v1/classifications", endpoint=begin_classification, body=ClassificationBody, status=201),
    Route(method="GET", path="/v1/classifications/{id}", endpoint=get_classification, bare={404: "there is no such classification"}),
)
