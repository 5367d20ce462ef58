"""A vectorizer behind the HTTP contract of Weaviate's inference containers, so that a Weaviate, or another nearimage, can use ours in their place.

    GET  /.well-known/live, /.well-known/ready   204
    GET  /meta                                   facts about the model
    POST /vectors    {"id": "1", "image": "<base64>"}           {"id": "1", "vector": [...], "dim": 1280}
    POST /vectorize  {"texts": ["a cat"], "images": [...]}      {"textVectors": [[...]], "imageVectors": [[...]]}

and /vectorize with audio, video, imu, thermal and depth likewise. img2vec-neural's clients use /vectors, the others' /vectorize; both are there for every
module. What is refused is told as {"error": "..."}, with a status that is not 200.

May import msgspec, `domain`, `ports`, `service` and `doors` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import CONTRACT_LISTS, Modality
from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Endpoint, Exchange, Gathering, Response, Work
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.ports.media import Media
from nearimage.ports.vectorizer import Vectorizer
from nearimage.service.embedding import Order, Value, embed, succeeded


class PictureBody(msgspec.Struct):
    """A request to /vectors."""

    image: str
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceDoor:
    """Answers the contract with one vectorizer.

    Attributes:
        about: what /meta says.
        exact: whether pictures are decoded at their full size.
        max_bytes: the longest request.
    """

    vectorizer: Vectorizer
    media: Media
    about: Mapping[str, object] = field(default_factory=dict)
    exact: bool = False
    max_bytes: int

    def endpoints(self) -> list[Endpoint]:
        """Its paths."""
        told = [("/.well-known/live", _ready), ("/.well-known/ready", _ready), ("/meta", self._meta)]
        asked = [("/vectors", self._picture), ("/vectorize", self._mixed)]
        return [
            *(Endpoint(method, path, answer) for path, answer in told for method in ("GET", "HEAD")),
            *(Endpoint("POST", path, partial(self._open, answer)) for path, answer in asked),
        ]

    def _meta(self, *_: object) -> Response:
        return json_response(dict(self.about))

    def _open(self, answer: Callable[[bytes], Json], *_: object) -> Exchange:
        return _Exchange(answer, self.max_bytes)

    def _picture(self, body: bytes) -> Json:
        asked = read_body(body, PictureBody)
        (vector,) = self._embed([Value(Modality.IMAGE, self.media.read(asked.image, broken=True))])
        return {"id": asked.id, "vector": vector, "dim": len(vector), "error": ""}

    def _mixed(self, body: bytes) -> Json:
        asked = read_body(body, dict[str, list[str] | None])
        lists = {modality: asked.get(theirs) or [] for modality, (theirs, _) in CONTRACT_LISTS.items()}
        values = [self._value(modality, text) for modality, texts in lists.items() for text in texts]
        rows = iter(self._embed(values) if values else ())
        return {ours: [next(rows) for _ in lists[modality]] for modality, (_, ours) in CONTRACT_LISTS.items() if modality in self.vectorizer.modalities}

    def _value(self, modality: Modality, text: str) -> Value:
        return Value(modality, text if modality is Modality.TEXT else self.media.read(text, broken=True))

    def _embed(self, values: Sequence[Value]) -> Matrix:
        ((made,),) = embed(self.media, [Order(self.vectorizer, self.exact, [values])])
        return succeeded(made)


@dataclass(slots=True)
class _Exchange(Gathering):
    """One request that is embedded."""

    answer: Callable[[bytes], Json]
    max_bytes: int

    def begin(self) -> Work:
        """See `http1.exchange.Exchange`."""
        return self._answered

    def _answered(self) -> Response:
        """In a thread, for embedding blocks."""
        try:
            if self.size > self.max_bytes:
                raise InvalidInput(f"the request is longer than {self.max_bytes:,} bytes; send less at once", limit=self.max_bytes)
            return json_response(self.answer(b"".join(self.pieces)))
        except Exception as error:  # noqa: BLE001 - the door's boundary
            fault = fault_of(error)
            return json_response({"error": fault.message}, fault.http_status)


def _ready(*_: object) -> Response:
    """Live and ready: models are loaded before the port is opened."""
    return Response(204)
