"""A small random ImageBind: one ONNX file for each sense, and a store that has it. May import nearimage and the tests' towers.

Each tower averages its input in a few dozen pieces and turns them at random: like goes near like, and nothing else is promised.
"""

import zlib
from pathlib import Path

import numpy as np

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.multi2vec_bind.shapes import CLIP_SHAPES
from nearimage.vectorizers.runtime.graph import Graph, edge
from nearimage.vectorizers.store.adding import CLIP_MERGES, NewModel, add
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.manifest import Padding, Pictures, Words
from tests.towers import SMALL_TEXT, SMALL_VISION, text_tower, vision_tower

NAME = "small-bind"
DIMENSIONS = SMALL_VISION.dimensions
PIECES = {Modality.IMU: 60}


def sense_tower(modality: Modality, *, clips: int | str = "n", dimensions: int = DIMENSIONS) -> bytes:
    """`clips` (n, ...) -> `embeds` (n, dimensions)."""
    graph, pieces = Graph(modality.value), PIECES.get(modality, 64)
    rows = graph.node("Reshape", "clips", graph.constant("pieces", [0, pieces, -1], "int64"))
    means = graph.node("ReduceMean", rows, axes=[2], keepdims=0)
    turning = np.random.default_rng(zlib.crc32(modality.encode())).standard_normal((pieces, dimensions))
    graph.node("MatMul", means, graph.constant("turning", turning), output="embeds")
    return graph.finish(inputs=[edge("clips", "float32", clips, *CLIP_SHAPES[modality])], outputs=[edge("embeds", "float32", clips, dimensions)])


def bind_files(folder: Path) -> dict[Modality, Path]:
    """All seven towers as files."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {modality: sense_tower(modality) for modality in CLIP_SHAPES}
    content |= {Modality.IMAGE: vision_tower(SMALL_VISION), Modality.TEXT: text_tower(SMALL_TEXT)}
    for modality, data in content.items():
        (folder / f"{modality}.onnx").write_bytes(data)
    return {modality: folder / f"{modality}.onnx" for modality in content}


def stored_bind(store_folder: Path, files: Path, *, normalise: bool = True) -> StoredModel:
    """A store with that model in it."""
    words = Words(file=CLIP_MERGES, pad=Padding.LONGEST)
    new = NewModel(name=NAME, towers=bind_files(files), pictures=Pictures(size=SMALL_VISION.side), words=words, normalise=normalise, licence="MIT")
    return add(ModelStore(store_folder), new)
