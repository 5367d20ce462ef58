"""The starter model: pictures and words in one space, from parts that pip can install.

    picture -> EfficientNet-Lite0 -> class probabilities -> bridge -> (384,)
    text    -> MiniLM                                              -> (384,)

It exists for first steps and for tests. Its limits are one sentence, `STARTER_LIMITS`, shown wherever someone chooses it.
May import numpy, `domain`, `ports` and `vectorizers`.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import Matrix
from nearimage.ports.media import Pixels
from nearimage.vectorizers.efficientnet_lite.model import EfficientNetLite
from nearimage.vectorizers.runtime.cache import converted
from nearimage.vectorizers.starter.bridge import bridge, class_names
from nearimage.vectorizers.starter.minilm import DIMENSIONS, MiniLM
from nearimage.vectorizers.towers import Towers

NAME = "starter"
VERSION = 1
"""Of the kept vectors of the class names; raise it when the names or the model behind them change."""

STARTER_LIMITS = (
    "The starter model finds, by words and by picture, things that come close to one of ImageNet's 1000 classes (animals, vehicles, food, tools, "
    "buildings), and knows no colours, people, actions, scenes or writing: it is for first steps, not a substitute for a real CLIP model."
)


def starter_vectorizer(pictures: EfficientNetLite, texts: MiniLM, *, cache: Path) -> Towers:
    """The vectorizer; rows have length 1, and what of a text is beyond 256 word pieces is not read.

    Args:
        cache: the folder for the vectors of the class names, computed once.

    Raises:
        Corrupt: the kept vectors are not what they should be; detail has "path".
    """
    path = converted(cache, f"{NAME}-classes.v{VERSION}.npy", lambda: _saved(texts.embed(class_names())))
    names: Matrix = np.load(path, allow_pickle=False)
    if names.shape != (len(class_names()), DIMENSIONS):
        raise Corrupt(f"{path} has the shape {names.shape}; delete it and it will be made again", path=str(path))

    def embed(pixels: Sequence[Pixels]) -> Matrix:
        return bridge(pictures.classify(pixels), names)

    return Towers(name=NAME, dimensions=DIMENSIONS, short_side=pictures.variant.short_side, pictures=embed, texts=texts.embed)


def _saved(vectors: Matrix) -> bytes:
    file = io.BytesIO()
    np.save(file, vectors, allow_pickle=False)
    return file.getvalue()
