"""What inference containers are asked and what they answer: Weaviate's HTTP contract (wire facts, 2.4).

    img2vec-neural   POST /vectors    {"id": "...", "image": "<base64>"}         {"id": "...", "vector": [...], "dim": 16}
    multi2vec-clip   POST /vectorize  {"texts": [...], "images": [...]}          {"textVectors": [[...]], "imageVectors": [[...]]}
    multi2vec-bind   POST /vectorize  the same, with audio, video, imu, thermal and depth

Lists that are empty are left out. Whatever is refused comes back with {"error": "..."}. May import numpy, pybase64, `domain` and `ports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pybase64

from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import CONTRACT_LISTS, Modality
from nearimage.ports.vectorizer import Bundle, Input

Json = Mapping[str, object]


class Contract(Protocol):
    """How a module's containers are spoken to."""

    @property
    def module(self) -> str:
        """Whose contract it is."""
        ...

    @property
    def path(self) -> str:
        """Where requests go."""
        ...

    @property
    def describes_itself(self) -> bool:
        """Whether `/meta` says something about the model."""
        ...

    @property
    def modalities(self) -> frozenset[Modality]:
        """What can be asked."""
        ...

    def requests(self, bundle: Bundle) -> list[Bundle]:
        """The bundle, cut into what one request can carry."""
        ...

    def body(self, inputs: Bundle) -> Json:
        """The request for these inputs."""
        ...

    def rows(self, inputs: Bundle, answer: Json) -> Matrix:
        """The rows of an answer, in the order of the inputs.

        Raises:
            ValueError, KeyError, TypeError: it is no answer to that request.
        """
        ...


@dataclass(frozen=True, slots=True)
class PictureContract:
    """One picture a request, one vector back."""

    module: str
    path: str = "/vectors"
    describes_itself: bool = False
    modalities: frozenset[Modality] = frozenset({Modality.IMAGE})

    def requests(self, bundle: Bundle) -> list[Bundle]:
        """See the protocol."""
        return [(entry,) for entry in bundle]

    def body(self, inputs: Bundle) -> Json:
        """See the protocol; the id is only ever repeated in the answer."""
        return {"id": "0", "image": _text(inputs[0])}

    def rows(self, inputs: Bundle, answer: Json) -> Matrix:
        """See the protocol."""
        return _matrix([answer["vector"]], len(inputs))


@dataclass(frozen=True, slots=True)
class MixedContract:
    """Any number of inputs of several kinds a request.

    Attributes:
        lists: for each modality, the names of its list in requests and in answers.
    """

    module: str
    lists: Mapping[Modality, tuple[str, str]]
    path: str = "/vectorize"
    describes_itself: bool = True

    @property
    def modalities(self) -> frozenset[Modality]:
        """See the protocol."""
        return frozenset(self.lists)

    def requests(self, bundle: Bundle) -> list[Bundle]:
        """See the protocol."""
        return [bundle]

    def body(self, inputs: Bundle) -> Json:
        """See the protocol."""
        body: dict[str, list[str]] = {}
        for entry in inputs:
            body.setdefault(self.lists[entry.modality][0], []).append(_text(entry))
        return body

    def rows(self, inputs: Bundle, answer: Json) -> Matrix:
        """See the protocol."""
        found = {modality: _list(answer.get(theirs)) for modality, (_, theirs) in self.lists.items()}
        wanted = {modality: sum(entry.modality is modality for entry in inputs) for modality in self.lists}
        if wrong := [modality for modality, count in wanted.items() if len(found[modality]) != count]:
            counts = ", ".join(f"{len(found[modality])} vectors for {wanted[modality]} of {modality}" for modality in wrong)
            raise ValueError(counts)
        rows = {modality: iter(vectors) for modality, vectors in found.items()}
        return _matrix([next(rows[entry.modality]) for entry in inputs], len(inputs))


PICTURES = PictureContract("img2vec-neural")

CLIP = MixedContract("multi2vec-clip", {modality: CONTRACT_LISTS[modality] for modality in (Modality.TEXT, Modality.IMAGE)})

BIND = MixedContract("multi2vec-bind", CONTRACT_LISTS)


def _text(entry: Input) -> str:
    """Text as it is, anything else as base64."""
    if isinstance(entry.content, bytes):
        return pybase64.b64encode(entry.content).decode("ascii")
    if isinstance(entry.content, str):
        return entry.content
    raise TypeError("a container is sent files, not pixels")


def _list(value: object) -> Sequence[object]:
    """Some containers leave out what they were not asked for, others send null."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError("the vectors are no list")
    return value


def _matrix(vectors: Sequence[object], count: int) -> Matrix:
    """The vectors as rows, all of one length, all numbers finite."""
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and is refused as such
        rows = np.array(vectors, np.float32)
    if rows.ndim != 2 or rows.shape[0] != count or not rows.shape[1]:
        raise ValueError(f"the vectors make an array of shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("a vector has a number that is not finite")
    return rows
