"""8-bit versions of a stored model's towers: made once on this machine, checked, and measured against the original.

    scenes, or the user's pictures --image tower--> calibration        (runtime.int8)
                                   --both versions--> rows --overlap of the ten nearest--> manifest

The file lies in the model's folder; its checksum, and how much of the neighbourhoods it keeps, stand in the manifest, and `nearimage models list`
shows them. A file that is missing or damaged is made again.

May import numpy, `domain`, `ports`, `vectorizers.runtime`, `vectorizers.store` and `vectorizers.onnx_towers`.
"""

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.vectorizers.onnx_towers.model import StoredTowers, picture_feed
from nearimage.vectorizers.runtime.int8 import overlap, quantize
from nearimage.vectorizers.runtime.weights import sha256
from nearimage.vectorizers.store.folder import ModelStore, StoredModel, writing
from nearimage.vectorizers.store.manifest import Quantized
from nearimage.vectorizers.store.scenes import scene

_log = logging.getLogger(__name__)

CALIBRATION = 32
"""Pictures whose activations give the ranges; more moved no range of EfficientNet-Lite0 by more than a hundredth."""

MEASURED = 96
"""Pictures among which neighbours are compared."""

GENERATED = "generated scenes"

SUBJECTS = ("cat", "dog", "car", "house", "tree", "boat", "bird", "child", "mountain", "street", "cup", "book")
PLACES = ("in the snow", "at night", "on a beach", "from above", "behind a fence", "beside a lake", "in an old photograph", "with red flowers")
SENTENCES = tuple(f"a {subject} {place}" for subject in SUBJECTS for place in PLACES)
"""What text towers are compared with: 96 sentences, each close to some others."""


def int8_files(store: ModelStore, model: StoredModel, pictures: Sequence[Pixels] | None = None) -> dict[Modality, str]:
    """The 8-bit file of each tower, made now where it is not there or damaged.

    Args:
        pictures: to calibrate and measure with; more than 10. Where they are given, the files are made anew.

    Raises:
        FolderUnusable, DiskFull: it cannot be kept.
        Corrupt: the model itself cannot be read.
    """
    files: dict[Modality, str] = {}
    for modality, tower in model.manifest.towers.items():
        if not (tower.pictures or tower.words):
            continue  # towers of other kinds run as they are
        made = model.manifest.int8.get(modality)
        if pictures is not None or made is None or not _is_whole(model, made):
            made = _make(model, modality, pictures)
            model = store.note_int8(model, modality, made)
        files[modality] = made.file
    return files


def _is_whole(model: StoredModel, made: Quantized) -> bool:
    path = model.path(made.file)
    return path.is_file() and path.stat().st_size == made.bytes and sha256(path) == made.sha256


def _make(model: StoredModel, modality: Modality, given: Sequence[Pixels] | None) -> Quantized:
    tower = model.manifest.towers[modality]
    pictures = list(given) if given is not None else [scene(number) for number in range(MEASURED)]
    file = f"{modality.value}/int8.onnx"
    target, temporary = model.path(file), model.path(f"{file}.tmp")
    _log.info("making the 8-bit version of %s, %s tower; this is done once", model.manifest.name, modality.value)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        feeds = [picture_feed(tower, [picture]) for picture in pictures[:CALIBRATION]] if tower.pictures else []
        quantize(model.path(tower.file), temporary, feeds)
        temporary.replace(target)
    exact, rounded = (_rows(model, modality, files, pictures) for files in ({}, {modality: file}))
    return described(target, file, exact, rounded, calibrated_with=GENERATED if given is None else "pictures of the user")


def described(path: Path, file: str, exact: Matrix, rounded: Matrix, *, calibrated_with: str) -> Quantized:
    """What a manifest says of an 8-bit file.

    Args:
        file: its name in the model's folder.
        exact, rounded: (n, dims) what the original and this one made of the same inputs.
    """
    import onnxruntime  # noqa: PLC0415 - heavy

    return Quantized(
        file=file,
        sha256=sha256(path),
        bytes=path.stat().st_size,
        overlap_at_10=round(overlap(exact, rounded), 3),
        pictures=len(exact),
        calibrated_with=calibrated_with,
        made_by=f"onnxruntime {onnxruntime.__version__}",
    )


def _rows(model: StoredModel, modality: Modality, files: dict[Modality, str], pictures: Sequence[Pixels]) -> Matrix:
    with closing(StoredTowers(model, files=files)) as towers:
        return towers.embed_images(pictures) if modality is Modality.IMAGE else towers.embed_texts(SENTENCES)
