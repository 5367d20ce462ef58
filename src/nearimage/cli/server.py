"""A running server, asked over REST; implements `connection.Connection`.

    GET  /v1/meta, /v1/modules                 once, to see that it answers and what it takes
    GET  /v1/schema/{collection}               POST /v1/schema
    GET  /v1/objects?class=&exclude=blobs      POST /v1/batch/objects
    POST /v1/search/{collection}/near-image    GET  /v1/objects/{collection}/{id}/pictures/{property}

An error comes back as the class it had in the server, found by its code. May import httpx, orjson, `domain` and the REST door's schema.
"""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

import httpx
import orjson

from nearimage.cli.connection import Json
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import Busy, CollectionNotFound, NearimageError, NotSupported
from nearimage.domain.objects import Hit, Record
from nearimage.domain.query import NearMedia, NearText, Search
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.doors.rest.schema import ClassBody, read_class
from nearimage.doors.rest.sent import read_value

TIMEOUT = httpx.Timeout(600, connect=5)
"""Seconds. A server that is there accepts at once; a first batch of large pictures may have to wait for a model to be converted."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_ENVELOPE_BYTES = 1024 * 1024  # of a request, for what is no picture: paths, ids, the other properties


class ServerUnreachable(Busy):
    """Nothing answers under the URL; detail has "url"."""

    code = "server-unreachable"


class UnexpectedReply(NearimageError):
    """What answers there is no nearimage; detail has "url" and "status"."""

    code = "unexpected-reply"


class ServerConnection:
    """See the protocol.

    Raises:
        ServerUnreachable, UnexpectedReply: no nearimage is there.
    """

    def __init__(self, url: str) -> None:
        self.place = f"the server at {url}"
        self._url = url
        try:
            direct = httpx.URL(url).host in _LOOPBACK  # a proxy must not be asked for this very machine
            self._client = httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=not direct)
        except httpx.InvalidURL as wrong:
            raise ServerUnreachable(f"{url!r} is no URL ({wrong}); write it like http://127.0.0.1:8080", url=url) from wrong
        meta = self._ask("GET", "/v1/meta")
        self.modules = {name: frozenset(map(Modality, about["modalities"])) for name, about in self._ask("GET", "/v1/modules").items()}
        self.max_picture_bytes = int(meta.get("grpcMaxMessageSize", 0)) * 3 // 4 - _ENVELOPE_BYTES  # base64 writes 3 bytes as 4

    def collection(self, name: str) -> Collection:
        """See the protocol."""
        return _read_collection(self._ask("GET", f"/v1/schema/{quote(name, safe='')}", missing=_no_collection(name)))

    def create(self, schema: Json) -> Collection:
        """See the protocol."""
        return _read_collection(self._ask("POST", "/v1/schema", schema))

    def list_objects(self, query: Search) -> Sequence[Record]:
        """See the protocol."""
        asked = {"class": query.collection, "limit": query.limit, "after": query.after, "exclude": "blobs"}
        parameters = {key: str(value) for key, value in asked.items() if value is not None}
        found = self._ask("GET", "/v1/objects", parameters=parameters, missing=_no_collection(query.collection))
        return [_read_record(entry) for entry in found["objects"]]

    def put(self, collection: str, drafts: Sequence[Draft]) -> list[str | None]:
        """See the protocol."""
        objects = [{"class": collection, "id": str(draft.id), "properties": dict(draft.properties)} for draft in drafts]
        return [_why_failed(outcome) for outcome in self._ask("POST", "/v1/batch/objects", {"objects": objects})]

    def near(self, query: Search) -> Sequence[Hit]:
        """See the protocol."""
        near = query.by
        if isinstance(near, NearMedia) and near.modality is Modality.IMAGE:
            kind, looked_for = "near-image", {"image": near.data}
        elif isinstance(near, NearText):
            kind, looked_for = "near-text", {"text": " ".join(near.concepts)}
        else:
            raise NotSupported(f"the command line has no {type(near).__name__} search", feature=type(near).__name__)
        body = looked_for | {"target": near.targets.names[0] if near.targets.names else None, "distance": near.max_distance, "limit": query.limit}
        found = self._ask("POST", f"/v1/search/{quote(query.collection, safe='')}/{kind}", body)
        return [Hit(record=_read_record(hit), distance=hit["distance"], certainty=hit["certainty"]) for hit in found["hits"]]

    def thumbnail(self, collection: str, object_id: UUID, property_name: str, *, short_side: int) -> bytes:
        """See the protocol."""
        path = f"/v1/objects/{quote(collection, safe='')}/{object_id}/pictures/{quote(property_name, safe='')}"
        return self._send("GET", path, parameters={"short_side": str(short_side)}).content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, body: Json | None = None, **options: Any) -> Any:
        reply = self._send(method, path, body, **options)
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError as wrong:
            raise self._unexpected(reply) from wrong

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        parameters: dict[str, str] | None = None,
        missing: NearimageError | None = None,
    ) -> httpx.Response:
        try:
            reply = self._client.request(method, path, params=parameters, content=None if body is None else orjson.dumps(body))
        except httpx.HTTPError as failed:
            reason = str(failed) or type(failed).__name__
            message = f"no server answers at {self._url} ({reason}); start one with `nearimage serve`, or use a data folder with --data"
            raise ServerUnreachable(message, url=self._url) from failed
        if reply.is_success:
            return reply
        raise self._error(reply, missing)

    def _error(self, reply: httpx.Response, missing: NearimageError | None) -> NearimageError:
        if missing and reply.status_code == httpx.codes.NOT_FOUND:  # which comes without a body
            return missing
        try:
            told = orjson.loads(reply.content)["error"][0]
            message, code = str(told["message"]), str(told.get("code"))
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
            return self._unexpected(reply)
        return _classes().get(code, NearimageError)(message)

    def _unexpected(self, reply: httpx.Response) -> UnexpectedReply:
        message = f"{self._url} answers with status {reply.status_code}, but not as nearimage does; is it the right address?"
        return UnexpectedReply(message, url=self._url, status=reply.status_code)


def _no_collection(name: str) -> NearimageError:
    return CollectionNotFound(f"there is no collection named {name!r}; create it first", collection=name)


def _read_collection(found: Json) -> Collection:
    return read_class(read_value(found, ClassBody))


def _read_record(found: Json) -> Record:
    return Record(id=UUID(found["id"]), properties=found.get("properties") or {})


def _why_failed(outcome: Json) -> str | None:
    errors = (outcome.get("result") or {}).get("errors")
    return "; ".join(str(error["message"]) for error in errors["error"]) if errors else None


def _classes() -> dict[str, type[NearimageError]]:
    return {found.code: found for found in _below(NearimageError)}


def _below(root: type[NearimageError]) -> Iterator[type[NearimageError]]:
    yield root
    for child in root.__subclasses__():
        yield from _below(child)
