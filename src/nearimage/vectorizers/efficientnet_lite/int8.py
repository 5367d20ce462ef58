"""The 8-bit version of a converted EfficientNet-Lite: made once beside it, with what was measured.

    <models>/efficientnet-lite0.v1.int8.onnx
    <models>/efficientnet-lite0.v1.int8.json     checksum, overlap of neighbours, as in a stored model's manifest; written last

A file that is missing, or does not agree with its description, is made again. May import msgspec, numpy, `domain`, `ports`, `vectorizers.runtime` and
`vectorizers.store`.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix
from nearimage.ports.media import Pixels
from nearimage.vectorizers.runtime.int8 import quantize
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.runtime.weights import sha256
from nearimage.vectorizers.store.folder import write_synced, writing
from nearimage.vectorizers.store.manifest import Quantized
from nearimage.vectorizers.store.quantizing import CALIBRATION, GENERATED, MEASURED, described
from nearimage.vectorizers.store.scenes import scene

_log = logging.getLogger(__name__)

Cropped = Callable[[Sequence[Pixels]], npt.NDArray[np.uint8]]


def int8_file(path: Path, name: str, cropped: Cropped, pictures: Sequence[Pixels] | None = None) -> Path:
    """The 8-bit version of a converted file.

    Args:
        path: of the converted file.
        name: of the model, for the log.
        cropped: turns pictures into a run's input.
        pictures: to calibrate and measure with, more than 10; the file is then made anew.

    Raises:
        FolderUnusable, DiskFull: it cannot be kept.
    """
    target = path.with_suffix(".int8.onnx")
    if pictures is not None or read_int8(path) is None:
        _log.info("making the 8-bit version of %s; this is done once", name)
        _make(path, target, cropped, pictures)
    return target


def read_int8(path: Path) -> Quantized | None:
    """What is known of the 8-bit version of a converted file; None where it is missing or damaged."""
    target = path.with_suffix(".int8.onnx")
    try:
        made = msgspec.json.decode(target.with_suffix(".json").read_bytes(), type=Quantized)
    except (OSError, msgspec.DecodeError):
        return None
    return made if target.is_file() and sha256(target) == made.sha256 else None


def _make(path: Path, target: Path, cropped: Cropped, given: Sequence[Pixels] | None) -> None:
    inputs = cropped(given if given is not None else [scene(number) for number in range(MEASURED)])
    temporary = target.with_suffix(".tmp")
    with writing(target):
        quantize(path, temporary, [{"pixels": inputs[n : n + 1]} for n in range(min(CALIBRATION, len(inputs)))])
        temporary.replace(target)
        exact, rounded = (_rows(Session(file), inputs) for file in (path, target))
        made = described(target, target.name, exact, rounded, calibrated_with=GENERATED if given is None else "pictures of the user")
        write_synced(target.with_suffix(".json"), msgspec.json.encode(made))


def _rows(session: Session, inputs: npt.NDArray[np.uint8]) -> Matrix:
    return np.concatenate([session.run(("embedding",), {"pixels": inputs[n : n + 1]})[0] for n in range(len(inputs))])
