"""All vectorizer modules of a server, ready to be named in schemas.

    with modules(folder / "models", Choices(clip_model="starter", urls={"multi2vec-bind": "http://localhost:8000"})) as found:
        found.all  ->  img2vec-neural, multi2vec-clip, multi2vec-bind

May import `ports` and `vectorizers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from nearimage.ports.vectorizer import VectorizerModule
from nearimage.vectorizers.img2vec_neural.module import IMG2VEC_NEURAL
from nearimage.vectorizers.models import Models
from nearimage.vectorizers.module import Module, ModuleDefaults, ModuleKind
from nearimage.vectorizers.multi2vec_bind.module import MULTI2VEC_BIND
from nearimage.vectorizers.multi2vec_clip.module import MULTI2VEC_CLIP
from nearimage.vectorizers.remote.containers import TIMEOUT_S, Containers
from nearimage.vectorizers.runtime.session import Provider
from nearimage.vectorizers.store.folder import ModelStore

KINDS = (IMG2VEC_NEURAL, MULTI2VEC_CLIP, MULTI2VEC_BIND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What whoever runs the server chose for its modules.

    Attributes:
        clip_model: what `multi2vec-clip` uses where a schema names no model; empty for none.
        bind_model: the same for `multi2vec-bind`.
        img2vec_model: the same for `img2vec-neural`; empty for its own default.
        provider: what the store's models run on.
        urls: inference containers, by module; a module without one runs its models in this process.
        schema_urls: whether a schema may name a container of its own.
        timeout_s: for one request to a container.
    """

    clip_model: str = ""
    bind_model: str = ""
    img2vec_model: str = ""
    provider: Provider = Provider.CPU
    urls: Mapping[str, str] = field(default_factory=dict)
    schema_urls: bool = True
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules, and the models and containers behind them."""

    all: tuple[VectorizerModule, ...]
    models: Models
    containers: Containers
    urls: Mapping[str, str]

    def watch(self, modules: frozenset[str]) -> None:
        """Log when the server's containers of these modules are there, and when they are not."""
        for kind in KINDS:
            if kind.name in modules and (url := self.urls.get(kind.name)):
                self.containers.watch(kind.contract, url)

    def close(self) -> None:
        """Close every model and connection; calls to their vectorizers are `Busy` after it."""
        self.containers.close()
        self.models.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def modules(cache: Path, choices: Choices | None = None) -> Modules:
    """Every module there is; no model is loaded yet, no container asked.

    Args:
        cache: the folder of models, stored and converted ones.

    Raises:
        InvalidSchema: a default is no model of its module; detail has "setting".
    """
    choices = choices or Choices()
    models, containers = Models(ModelStore(cache), provider=choices.provider), Containers(timeout_s=choices.timeout_s)
    models_by_module = {IMG2VEC_NEURAL.name: choices.img2vec_model, MULTI2VEC_CLIP.name: choices.clip_model, MULTI2VEC_BIND.name: choices.bind_model}
    urls = {module: url.rstrip("/") for module, url in choices.urls.items() if url}

    def module(kind: ModuleKind) -> Module:
        defaults = ModuleDefaults(model=models_by_module.get(kind.name, ""), url=urls.get(kind.name, ""), schema_urls=choices.schema_urls)
        return Module(kind, models, containers, defaults)

    return Modules(tuple(map(module, KINDS)), models, containers, urls)
