"""The models of one server: each opened once, shared by every module that wants it.

`img2vec-neural` and the starter model look through the same EfficientNet-Lite0, and all callers of a model wait in one queue. A model is opened by
the first who asks; whoever asks meanwhile waits. Beside the models that are built in, every model of the store can be asked for by its name.
May import `domain`, `ports` and `vectorizers`.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from nearimage.domain.errors import Busy
from nearimage.domain.vectorizing import FP32, INT8, Modality
from nearimage.ports.vectorizer import Vectorizer
from nearimage.vectorizers.efficientnet_lite.model import LITE0, EfficientNetLite, Variant
from nearimage.vectorizers.efficientnet_lite.vectorizer import lite_vectorizer
from nearimage.vectorizers.multi2vec_bind.model import PREPARED, BindTowers
from nearimage.vectorizers.onnx_towers.model import StoredTowers
from nearimage.vectorizers.runtime.session import Provider
from nearimage.vectorizers.runtime.weights import Weights
from nearimage.vectorizers.starter.minilm import MiniLM
from nearimage.vectorizers.starter.vectorizer import starter_vectorizer
from nearimage.vectorizers.store.folder import ModelStore
from nearimage.vectorizers.store.presets import presets
from nearimage.vectorizers.store.quantizing import int8_files

PRECISIONS = (FP32, INT8)


class Models:
    """Opens models on demand and closes them together.

    Args:
        store: the models that were pulled or added; its folder also takes what is made from the weights of packages.
        provider: what the store's models run on; the built-in ones run on the CPU.
    """

    def __init__(self, store: ModelStore, *, provider: Provider = Provider.CPU) -> None:
        self.store = store
        self._provider = provider
        self._lock = threading.Lock()
        self._closed = False
        self._lites: dict[tuple[str, str], EfficientNetLite] = {}
        self._minilm: MiniLM | None = None
        self._stored: list[StoredTowers | BindTowers] = []
        self._vectorizers: dict[tuple[str, str], Vectorizer] = {}

    def vectorizer(self, choice: "ModelChoice", precision: str) -> Vectorizer:
        """The vectorizer of that model, the same one each time.

        Raises:
            ModelMissing: its weights are not installed.
            Corrupt: a checksum is wrong.
            Busy: `close` was called.
        """
        key = choice.name, precision
        if (found := self._vectorizers.get(key)) and not self._closed:  # not behind another model that is being converted, which may take a minute
            return found
        with self._lock:
            if self._closed:
                raise Busy("the models are being closed; try again once the server is up")
            if key not in self._vectorizers:
                self._vectorizers[key] = choice.make(self, precision)
            return self._vectorizers[key]

    def close(self) -> None:
        """End all models' threads; what waits is refused."""
        with self._lock:
            self._closed = True
            for lite in self._lites.values():
                lite.close()
            for stored in self._stored:
                stored.close()
            if self._minilm:
                self._minilm.close()

    def choice(self, name: str) -> "ModelChoice":
        """A model of the store, as a module offers it.

        Raises:
            ModelMissing: it is not there; detail has "model" and "how".
            Corrupt: its manifest cannot be read.
        """
        towers = frozenset(self.store.find(name).manifest.towers)
        return ModelChoice(name=name, needs=(), make=lambda models, precision: models.stored(name, precision), precisions=PRECISIONS, modalities=towers)

    def lite(self, variant: Variant, precision: str) -> Vectorizer:
        """An EfficientNet-Lite; only for `ModelChoice.make`, under the lock."""
        return lite_vectorizer(self._opened_lite(variant, precision))

    def starter(self) -> Vectorizer:
        """The starter model; only for `ModelChoice.make`, under the lock."""
        self._minilm = self._minilm or MiniLM(self.store.folder)
        return starter_vectorizer(self._opened_lite(LITE0, FP32), self._minilm, cache=self.store.folder)

    def stored(self, name: str, precision: str) -> Vectorizer:
        """A model of the store; only for `ModelChoice.make`, under the lock."""
        model = self.store.find(name)
        model.verify()
        files = int8_files(self.store, model) if precision == INT8 else {}
        kind = BindTowers if PREPARED & frozenset(model.manifest.towers) else StoredTowers
        towers = kind(model, files=files, provider=self._provider)
        self._stored.append(towers)
        return towers.vectorizer()

    def _opened_lite(self, variant: Variant, precision: str) -> EfficientNetLite:
        key = variant.name, precision
        if key not in self._lites:
            self._lites[key] = EfficientNetLite(self.store.folder, variant, precision=precision)
        return self._lites[key]

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
        make: makes its vectorizer, in one of its precisions.
        precisions: what a schema's `precision` may say.
        modalities: what it understands, where that is less than its module does.
    """

    name: str
    needs: tuple[Weights, ...]
    make: Callable[[Models, str], Vectorizer]
    precisions: tuple[str, ...] = (FP32,)
    modalities: frozenset[Modality] = frozenset(Modality)

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


class KnownModels(Collection[str]):
    """The names that a module's schemas may say: the built-in models, those in the store, and those that could be pulled into it.

    Whether a name is among them costs a look at one file: it is asked for with every query.
    """

    def __init__(self, module: str, choices: Collection[str], store: ModelStore) -> None:
        self._store = store
        self._fixed = dict.fromkeys((*choices, *(name for name, preset in presets().items() if preset.module == module and not preset.package)))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._fixed or self._store.has(name))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._fixed, *self._store.names())))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def chosen(models: Models, choices: Mapping[str, ModelChoice], name: str) -> ModelChoice:
    """The model of that name, built in or of the store.

    Raises:
        ModelMissing: there is none; detail has "model" and "how".
        Corrupt: the store's is damaged.
    """
    return choices.get(name) or models.choice(name)
