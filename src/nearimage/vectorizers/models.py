"""The models of one server: each opened once, shared by every module that wants it.

`img2vec-neural` and the starter model look through the same EfficientNet-Lite0, and all callers of a model wait in one queue. A model is opened by
the first who asks; whoever asks meanwhile waits. May import `domain`, `ports` and `vectorizers`.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from nearimage.domain.errors import Busy, ModelMissing
from nearimage.ports.vectorizer import Vectorizer
from nearimage.vectorizers.efficientnet_lite0.model import EfficientNetLite0
from nearimage.vectorizers.efficientnet_lite0.vectorizer import lite0_vectorizer
from nearimage.vectorizers.runtime.weights import Weights
from nearimage.vectorizers.starter.minilm import MiniLM
from nearimage.vectorizers.starter.vectorizer import starter_vectorizer


class Models:
    """Opens models on demand and closes them together.

    Args:
        cache: the folder for what is made from weights; made when the first model is.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._closed = False
        self._lite0: EfficientNetLite0 | None = None
        self._minilm: MiniLM | None = None
        self._vectorizers: dict[str, Vectorizer] = {}

    def vectorizer(self, choice: "ModelChoice") -> Vectorizer:
        """The vectorizer of that model, the same one each time.

        Raises:
            ModelMissing: its weights are not installed.
            Corrupt: a checksum is wrong.
            Busy: `close` was called.
        """
        with self._lock:
            if self._closed:
                raise Busy("the models are being closed; try again once the server is up")
            if choice.name not in self._vectorizers:
                self._vectorizers[choice.name] = choice.make(self)
            return self._vectorizers[choice.name]

    def close(self) -> None:
        """End all models' threads; what waits is refused."""
        with self._lock:
            self._closed = True
            for model in (self._lite0, self._minilm):
                if model is not None:
                    model.close()

    def pictures(self) -> Vectorizer:
        """EfficientNet-Lite0; only for `ModelChoice.make`, under the lock."""
        return lite0_vectorizer(self._opened_lite0())

    def starter(self) -> Vectorizer:
        """The starter model; only for `ModelChoice.make`, under the lock."""
        self._minilm = self._minilm or MiniLM(self._cache)
        return starter_vectorizer(self._opened_lite0(), self._minilm, cache=self._cache)

    def _opened_lite0(self) -> EfficientNetLite0:
        self._lite0 = self._lite0 or EfficientNetLite0(self._cache)
        return self._lite0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model that a module offers.

    Attributes:
        name: what a schema's `model` says.
        needs: weights that must be installed.
        make: makes its vectorizer.
    """

    name: str
    needs: tuple[Weights, ...]
    make: Callable[[Models], Vectorizer]

    def check_installed(self) -> None:
        """Look for the weights, without reading them.

        Raises:
            ModelMissing: detail has "model" and "how".
        """
        for weights in self.needs:
            _found(weights)


@cache
def _found(weights: Weights) -> Path:
    """Where the weights lie. Every query by picture reads its settings anew; looking for files each time took 0.2 ms. Only what was found is kept."""
    return weights.find()


def chosen(choices: Mapping[str, ModelChoice], name: str) -> ModelChoice:
    """The model of that name.

    Raises:
        ModelMissing: a stored schema names a model that this version does not have; detail has "model" and "how".
    """
    if name not in choices:
        raise ModelMissing(
            f"this version has no model {name!r}, only {', '.join(sorted(choices))}; upgrade nearimage", model=name, how="pip install --upgrade nearimage"
        )
    return choices[name]
