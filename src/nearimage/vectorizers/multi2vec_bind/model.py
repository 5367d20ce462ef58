"""A stored model of many senses, ready to run: towers for text and pictures as other models have them, and those whose inputs are prepared here.

    file --what the tower is given: clips, or one--> (clips, ...) --tower, a few clips a run--> (clips, dims) --length 1, mean, length 1--> row

ImageBind embeds a sound as the mean of its clips' vectors, each of length 1 (`imagebind_model.py`, forward). What cannot be read fails alone: its error
stands in its row's place. Decoding and preparing happen in the tower's workers, so a batch of films keeps every core busy and no more films are in memory than
there are cores. May import numpy, `domain`, `ports`, `vectorizers.runtime`, `vectorizers.store` and `vectorizers.onnx_towers`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Busy, InvalidInput, NotSupported
from nearimage.domain.objects import Vector
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.vectorizers.multi2vec_bind.films import video_input, wanted_frames
from nearimage.vectorizers.multi2vec_bind.motions import motion_input
from nearimage.vectorizers.multi2vec_bind.recordings import film_frames, film_index, read_sound
from nearimage.vectorizers.multi2vec_bind.sounds import audio_input
from nearimage.vectorizers.multi2vec_bind.warmth import SIDE, brightness_input
from nearimage.vectorizers.onnx_towers.model import SMALL_BYTES, StoredTowers
from nearimage.vectorizers.runtime.runner import CLOSING, MAX_WAITING, Runner, cores
from nearimage.vectorizers.runtime.session import Provider, Session
from nearimage.vectorizers.store.folder import StoredModel
from nearimage.vectorizers.store.manifest import Tower
from nearimage.vectorizers.towers import Towers

Clips = npt.NDArray[np.float32]
Outcome = Vector | InvalidInput | NotSupported

CLIPS_PER_RUN = 5
"""A film has 15 clips, a sound 3; five of a film's are 6 MB of input and, in ImageBind's video tower, about 200 MB of what is worked out on the way."""


def _heard(data: bytes) -> Clips:
    return audio_input(read_sound(data))


def _seen(data: bytes) -> Clips:
    index = film_index(data)
    pairs = wanted_frames(len(index.times), index.rate)
    frames = film_frames(data, index, [number for pair in pairs for number in pair])
    return video_input([(frames[first], frames[last]) for first, last in pairs])


def _felt(data: bytes) -> Clips:
    return motion_input(data)[None]


def _glowing(pixels: Pixels) -> Clips:
    return brightness_input(pixels)[None]


FILES: Mapping[Modality, Callable[[bytes], Clips]] = {Modality.AUDIO: _heard, Modality.VIDEO: _seen, Modality.IMU: _felt}
PIXELS: Mapping[Modality, Callable[[Pixels], Clips]] = {Modality.THERMAL: _glowing, Modality.DEPTH: _glowing}
PREPARED = frozenset(FILES) | frozenset(PIXELS)
"""What is prepared here."""


class PreparedTower:
    """One such tower with its queue.

    Args:
        prepare: makes (clips, ...) of an input.
        normalise: whether vectors have length 1.
    """

    def __init__(self, model: StoredModel, tower: Tower, prepare: Callable[[Any], Clips], *, provider: Provider, max_waiting: int) -> None:
        path = model.path(tower.file)
        session = Session(path, provider=provider)
        (edge,) = session.inputs
        self._prepare = prepare
        self._normalise = model.manifest.normalise
        self._input, self._output = edge.name, tower.output
        self._dtype = edge.dtype or np.float32
        self._per_run = edge.shape[0] or CLIPS_PER_RUN
        alone = Session(path, threads=cores()) if provider is Provider.CPU and path.stat().st_size <= SMALL_BYTES else session
        self.runner: Runner[Any, Outcome] = Runner(
            model.manifest.name, partial(self._work, session), batch=1, max_waiting=max_waiting, work_alone=partial(self._work, alone)
        )

    def _work(self, session: Session, items: Sequence[Any]) -> Sequence[Outcome]:
        return [self._row(session, item) for item in items]

    def _row(self, session: Session, item: Any) -> Outcome:
        try:
            clips = self._prepare(item).astype(self._dtype, copy=False)
        except (InvalidInput, NotSupported) as error:
            return error
        runs = (session.run((self._output,), {self._input: clips[start : start + self._per_run]}) for start in range(0, len(clips), self._per_run))
        vectors = np.concatenate([np.asarray(made, np.float32).reshape(len(made), -1) for (made,) in runs])
        if not self._normalise:
            return np.asarray(vectors.mean(axis=0))
        return _scaled(_scaled(vectors).mean(axis=0))


def _scaled(vectors: npt.NDArray[np.float32]) -> Vector:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12)))


class BindTowers:
    """All towers of a model.

    Args:
        model: verified.
        files: other files in place of the towers' own, such as quantised ones, for text and pictures.
        provider: what the towers run on.
        max_waiting: inputs that may wait at once, for each tower.
    """

    def __init__(
        self, model: StoredModel, *, files: dict[Modality, str] | None = None, provider: Provider = Provider.CPU, max_waiting: int = MAX_WAITING
    ) -> None:
        self._model = model
        self._provider = provider
        self._max_waiting = max_waiting
        self._common = StoredTowers(model, files=files, provider=provider, max_waiting=max_waiting)
        self._lock = threading.Lock()
        self._closed = False
        self._opened: dict[Modality, PreparedTower] = {}

    def vectorizer(self) -> Towers:
        """The towers behind the port, those that there are."""
        common, have = self._common.vectorizer(), self._model.manifest.towers
        return replace(
            common,
            short_side=max(common.short_side, SIDE),
            files={modality: partial(self._embed, modality, prepare) for modality, prepare in FILES.items() if modality in have},
            pixels={modality: partial(self._embed, modality, prepare) for modality, prepare in PIXELS.items() if modality in have},
        )

    def close(self) -> None:
        """End the threads; calls after this are `Busy`."""
        with self._lock:
            self._closed = True
            self._common.close()
            for tower in self._opened.values():
                tower.runner.close()

    def _embed(self, modality: Modality, prepare: Callable[[Any], Clips], items: Sequence[Any]) -> Sequence[Outcome]:
        return self._tower(modality, prepare).runner.map(items)

    def _tower(self, modality: Modality, prepare: Callable[[Any], Clips]) -> PreparedTower:
        with self._lock:
            if self._closed:
                raise Busy(CLOSING)
            if modality not in self._opened:
                tower = self._model.manifest.towers[modality]
                self._opened[modality] = PreparedTower(self._model, tower, prepare, provider=self._provider, max_waiting=self._max_waiting)
            return self._opened[modality]
