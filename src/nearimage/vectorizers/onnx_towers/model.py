"""A stored model, ready to run: its ONNX towers, each opened by the first who needs it.

    picture --fit, scale--> (n, 3, size, size) --image tower--> (n, dims) --length 1--> rows
    text    --tokens, padded to the longest of the run--> (n, s) --text tower--> (n, dims) --length 1--> rows

Tokens are made on the caller's thread (0.1 ms a text), pictures are fitted in the workers. Texts of a call are sorted by length, so that little of a run
is padding. May import numpy, `domain`, `ports`, `vectorizers.runtime` and `vectorizers.store`.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Busy, NotSupported
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.vectorizers.onnx_towers.pictures import Scale, fitted
from nearimage.vectorizers.onnx_towers.texts import Tokens
from nearimage.vectorizers.runtime.runner import CLOSING, MAX_WAITING, Runner, cores
from nearimage.vectorizers.runtime.session import Provider, Session
from nearimage.vectorizers.store.folder import StoredModel
from nearimage.vectorizers.store.manifest import Tower, Words
from nearimage.vectorizers.towers import Towers

Vector = npt.NDArray[np.float32]
Item = TypeVar("Item")

PICTURES_PER_RUN = 4
TEXTS_PER_RUN = 8
"""What a run of more gains on two cores is in docs/design/vectorizers.md. An 8-bit tower runs one by one: it measures ranges over its whole input, so an input
would get another vector beside others than alone."""

SMALL_BYTES = 256 * 1024 * 1024
"""A tower of at most this size is loaded a second time, so that a query that has the machine to itself uses every core; of a larger one that would cost
too much memory. CLIP ViT-B/32's text tower has 242 MiB and is the one that is waited for."""


class _Opened(Generic[Item]):
    """A tower with its queue."""

    def __init__(self, model: StoredModel, tower: Tower, *, file: str, provider: Provider, max_waiting: int, per_run: int) -> None:
        path = model.path(file)
        self.session = Session(path, provider=provider)
        self._output = tower.output or self.session.outputs[0].name
        self.dtypes = {edge.name: edge.dtype or np.float32 for edge in self.session.inputs}
        alone: Callable[[Sequence[Item]], Sequence[Vector]] | None = None
        if provider is Provider.CPU and path.stat().st_size <= SMALL_BYTES:
            alone = partial(self._work, Session(path, threads=cores()))
        work = partial(self._work, self.session)
        self.runner: Runner[Item, Vector] = Runner(
            model.manifest.name, work, batch=per_run if file == tower.file else 1, max_waiting=max_waiting, work_alone=alone
        )

    def feed(self, items: Sequence[Item]) -> dict[str, npt.NDArray[Any]]:
        """A run's inputs by their names in the graph."""
        raise NotImplementedError

    def _work(self, session: Session, items: Sequence[Item]) -> Sequence[Vector]:
        (vectors,) = session.run((self._output,), self.feed(items))
        return list(np.asarray(vectors, np.float32).reshape(len(items), -1))


def picture_feed(tower: Tower, items: Sequence[Pixels]) -> dict[str, npt.NDArray[Any]]:
    """A run's input of an image tower, in float32."""
    how = tower.pictures
    assert how is not None  # noqa: S101 - an image tower has it
    scale = Scale(how)
    pixels = np.empty((len(items), 3, how.size, how.size), np.float32)
    for picture, row in zip(items, pixels, strict=True):
        scale.write(fitted(picture, how), row)
    return {tower.inputs["pixels"]: pixels}


class PictureTower(_Opened[Pixels]):
    """An image tower."""

    def __init__(self, model: StoredModel, tower: Tower, **options: Any) -> None:
        self._tower = tower
        super().__init__(model, tower, per_run=PICTURES_PER_RUN, **options)

    def feed(self, items: Sequence[Pixels]) -> dict[str, npt.NDArray[Any]]:
        """See `_Opened`."""
        return {name: pixels.astype(self.dtypes[name], copy=False) for name, pixels in picture_feed(self._tower, items).items()}


class TextTower(_Opened[list[int]]):
    """A text tower."""

    def __init__(self, model: StoredModel, tower: Tower, how: Words, **options: Any) -> None:
        self._inputs = tower.inputs
        self.tokens = Tokens(model.folder, how)
        super().__init__(model, tower, per_run=TEXTS_PER_RUN, **options)
        (shape,) = (edge.shape for edge in self.session.inputs if edge.name == tower.inputs["ids"])
        self._length = shape[1]

    def feed(self, items: Sequence[list[int]]) -> dict[str, npt.NDArray[Any]]:
        """See `_Opened`."""
        ids, mask = self.tokens.rows(items, self._length)
        arrays = {"ids": ids, "mask": mask, "types": np.zeros_like(ids)}
        return {name: arrays[role].astype(self.dtypes[name], copy=False) for role, name in self._inputs.items()}


class StoredTowers:
    """The towers of a model.

    Args:
        model: verified.
        files: other files in place of the towers' own, such as quantised ones.
        provider: what the towers run on.
        max_waiting: inputs that may wait at once, for each tower.
    """

    def __init__(
        self,
        model: StoredModel,
        *,
        files: dict[Modality, str] | None = None,
        provider: Provider = Provider.CPU,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._model = model
        self._files = files or {}
        self._options = {"provider": provider, "max_waiting": max_waiting}
        self._lock = threading.Lock()
        self._closed = False
        self._pictures: PictureTower | None = None
        self._texts: TextTower | None = None

    def vectorizer(self) -> Towers:
        """The towers behind the port, those that there are."""
        manifest = self._model.manifest
        images, texts = manifest.towers.get(Modality.IMAGE), manifest.towers.get(Modality.TEXT)
        return Towers(
            name=manifest.name,
            dimensions=manifest.dimensions,
            short_side=images.pictures.short_side if images and images.pictures else 1,
            pictures=self.embed_images if images and images.pictures else None,
            texts=self.embed_texts if texts and texts.words else None,
        )

    def embed_images(self, images: Sequence[Pixels]) -> Matrix:
        """One row a picture, of length 1 where the manifest says so.

        Raises:
            NotSupported: the model has no image tower.
            Corrupt: a file of the model cannot be read.
            Busy: the queue is full, or the model is closed.
        """
        return self._rows(self._opened_pictures().runner.map(images))

    def embed_texts(self, texts: Sequence[str]) -> Matrix:
        """One row a text, of length 1 where the manifest says so; what is beyond the context is not read.

        Raises:
            NotSupported, Corrupt, Busy: as for pictures.
        """
        tower = self._opened_texts()
        tokens = [tower.tokens.ids(text) for text in texts]
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        rows = self._rows(tower.runner.map([tokens[index] for index in order]))
        rows[order] = rows.copy()
        return rows

    def close(self) -> None:
        """End the threads; calls after this are `Busy`."""
        with self._lock:
            self._closed = True
            for tower in (self._pictures, self._texts):
                if tower is not None:
                    tower.runner.close()

    def _rows(self, vectors: Sequence[Vector]) -> Matrix:
        rows = np.stack(vectors) if vectors else np.empty((0, self._model.manifest.dimensions), np.float32)
        if self._model.manifest.normalise and len(rows):
            with np.errstate(invalid="ignore"):  # what is not finite stays so, and is refused where it is looked at
                rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return np.ascontiguousarray(rows)

    def _opened_pictures(self) -> PictureTower:
        with self._lock:
            if self._pictures is None:
                tower = self._tower(Modality.IMAGE)
                self._pictures = PictureTower(self._model, tower, file=self._files.get(Modality.IMAGE, tower.file), **self._options)
            return self._pictures

    def _opened_texts(self) -> TextTower:
        with self._lock:
            if self._texts is None:
                tower = self._tower(Modality.TEXT)
                assert tower.words is not None  # noqa: S101 - said by `_tower`
                self._texts = TextTower(self._model, tower, tower.words, file=self._files.get(Modality.TEXT, tower.file), **self._options)
            return self._texts

    def _tower(self, modality: Modality) -> Tower:
        if self._closed:
            raise Busy(CLOSING)
        tower = self._model.manifest.towers.get(modality)
        if tower is None or (tower.pictures if modality is Modality.IMAGE else tower.words) is None:
            raise NotSupported(
                f"the model {self._model.manifest.name!r} has no {modality} tower; use a model that has, or another query", feature=modality.value
            )
        return tower
