"""All vectorizer modules of a server, ready to be named in schemas.

    with modules(folder / "models", clip_model=None) as found:
        found.all  ->  img2vec-neural, multi2vec-clip

May import `ports` and `vectorizers`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nearimage.ports.vectorizer import VectorizerModule
from nearimage.vectorizers.img2vec_neural.module import Img2VecNeural
from nearimage.vectorizers.models import Models
from nearimage.vectorizers.multi2vec_clip.module import Multi2VecClip


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules, and the models behind them."""

    all: tuple[VectorizerModule, ...]
    models: Models

    def close(self) -> None:
        """Close every model; calls to their vectorizers are `Busy` after it."""
        self.models.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def modules(cache: Path, clip_model: str | None = None) -> Modules:
    """Every module there is; no model is loaded yet.

    Args:
        cache: the folder for converted models.
        clip_model: what `multi2vec-clip` uses where a schema names no model.

    Raises:
        InvalidSchema: `clip_model` is no model of that module; detail has "setting".
    """
    models = Models(cache)
    return Modules((Img2VecNeural(models=models), Multi2VecClip(models, default_model=clip_model)), models)
