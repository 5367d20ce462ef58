"""Find out what an ONNX file takes and gives, and whether a model works, before it is trusted.

    look    which input holds pixels, ids, mask; which output holds the vectors
    try     pictures and texts through every tower: finite, of the right length, the same twice, not all alike

May import numpy, `domain`, `ports`, `vectorizers.runtime`, `vectorizers.store` and `vectorizers.onnx_towers`.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.multi2vec_bind.shapes import CLIP_SHAPES
from nearimage.vectorizers.onnx_towers.model import StoredTowers
from nearimage.vectorizers.runtime.session import Edge, Session
from nearimage.vectorizers.store.folder import StoredModel
from nearimage.vectorizers.store.manifest import Tower
from nearimage.vectorizers.store.scenes import scene

OUTPUTS = ("image_embeds", "text_embeds", "embeds", "embedding", "embeddings", "sentence_embedding", "vectors", "pooler_output", "pooled")
"""Names under which exporters give the vectors, best first; the vectors of each token or patch have other names."""

TEXTS = ("a photo of a cat", "", "two red cars on a bridge at night, seen from far away", "猫", "word " * 600)

ALIKE = 1e-5
"""As a share of the largest number: two runs may differ in the last bits, two pictures must differ by more."""


class UnusableModel(InvalidInput):
    """An ONNX file that is no tower of such a model; detail has "file"."""

    code = "unusable-model"


def look(path: Path, modality: Modality, *, output: str = "", dimensions: int = 0) -> tuple[Mapping[str, str], str]:
    """The inputs of a tower by role, and the output that holds the vectors.

    Args:
        output: the output's name, where the caller knows it.
        dimensions: of the vectors, or 0 where nobody knows.

    Raises:
        UnusableModel: none fit; the message lists what the file has.
        Corrupt: ONNX Runtime cannot read it.
    """
    session = Session(path)
    inputs = _roles(session.inputs, modality)
    if len(inputs) != len(session.inputs):
        raise _unfit(path, f"it takes {_shown(session.inputs)}, which is not what {_article(modality)} tower takes", session)
    found = _output(session.outputs, output, dimensions)
    if not found:
        wanted = f"an output {output!r}" if output else "one output with the vectors (name it with --output)"
        raise _unfit(path, f"it has no such output: expected {wanted}", session)
    return inputs, found


def _roles(edges: Sequence[Edge], modality: Modality) -> dict[str, str]:
    """Which role each input has; one that has none is missing."""
    if modality is not Modality.TEXT:
        fits = [edge for edge in edges if edge.dtype in {np.float32, np.float16} and _takes(edge, modality)]
        return {"pixels": fits[0].name} if len(fits) == len(edges) == 1 else {}
    roles: dict[str, str] = {}
    for edge in edges:
        if edge.dtype in {np.int64, np.int32} and len(edge.shape) == 2:
            role = "mask" if "mask" in edge.name.lower() else "types" if "type" in edge.name.lower() else "ids"
            roles.setdefault(role, edge.name)
    return roles if "ids" in roles else {}


def _takes(edge: Edge, modality: Modality) -> bool:
    """Whether an input has the shape that is prepared for it; of pictures the size is told, not fixed."""
    if modality is Modality.IMAGE:
        return len(edge.shape) == 4 and edge.shape[1] in {3, None}
    wanted, (count, *sides) = CLIP_SHAPES[modality], edge.shape
    return count in {1, None} and len(sides) == len(wanted) and all(side in {None, length} for side, length in zip(sides, wanted, strict=True))


def _output(edges: Sequence[Edge], name: str, dimensions: int) -> str:
    if name:
        return name if any(edge.name == name for edge in edges) else ""
    fits = [edge for edge in edges if edge.dtype in {np.float32, np.float16} and _gives_vectors(edge, dimensions)]
    named = [edge.name for wanted in OUTPUTS for edge in fits if edge.name.lower() == wanted]
    return named[0] if named else fits[0].name if len(fits) == 1 else ""


def _gives_vectors(edge: Edge, dimensions: int) -> bool:
    """(n, dims), or (n, dims, 1, 1) as pooling leaves it; a side that is not said may be any."""
    flat = len(edge.shape) >= 2 and all(side == 1 for side in edge.shape[2:])
    return flat and (not dimensions or edge.shape[1] in {None, dimensions})


def _unfit(path: Path, why: str, session: Session) -> UnusableModel:
    return UnusableModel(f"{path} cannot be used: {why}; it takes {_shown(session.inputs)} and gives {_shown(session.outputs)}", file=str(path))


def _article(modality: Modality) -> str:
    return f"{'an' if modality.value[0] in 'aeiou' else 'a'} {modality.value}"


def _shown(edges: Sequence[Edge]) -> str:
    return ", ".join(f"{e.name} ({' x '.join('?' if side is None else str(side) for side in e.shape)})" for e in edges) or "nothing"


def try_out(model: StoredModel, files: dict[Modality, str] | None = None) -> None:
    """Run every tower on pictures and texts.

    Args:
        files: as `StoredTowers` takes them.

    Raises:
        UnusableModel: a vector is not finite, of another length, different in a second run, or the same for everything.
        Corrupt: a file cannot be loaded.

    Cost:
        Loads every tower and runs it a dozen times.
    """
    towers = model.manifest.towers
    with closing(StoredTowers(model, files=files)) as vectorizer:
        if Modality.IMAGE in towers and towers[Modality.IMAGE].pictures:
            pictures = [scene(number) for number in range(3)] + [np.full((1, 1, 3), 90, np.uint8)]
            _check(model, Modality.IMAGE, vectorizer.embed_images(pictures), vectorizer.embed_images(pictures))
        if Modality.TEXT in towers and towers[Modality.TEXT].words:
            _check(model, Modality.TEXT, vectorizer.embed_texts(TEXTS), vectorizer.embed_texts(TEXTS))
    for modality, tower in towers.items():
        if not (tower.pictures or tower.words):
            vectors = _run_noise(model, modality, tower), _run_noise(model, modality, tower)
            _check(model, modality, *vectors)


def _run_noise(model: StoredModel, modality: Modality, tower: Tower) -> Matrix:
    """Noise through a tower whose preparation its module knows, two clips, one by one."""
    session = Session(model.path(tower.file))
    (edge,) = session.inputs
    noise = np.random.default_rng(1).standard_normal((2, *CLIP_SHAPES[modality])).astype(edge.dtype or np.float32)
    runs = [session.run((tower.output,), {edge.name: clip[None]}) for clip in noise]
    return np.concatenate([np.asarray(made, np.float32).reshape(1, -1) for (made,) in runs])


def _check(model: StoredModel, modality: Modality, once: Matrix, again: Matrix) -> None:
    file, wanted = model.manifest.towers[modality].file, model.manifest.dimensions
    if once.shape[1] != wanted:
        why = f"its vectors have {once.shape[1]} numbers, the model's have {wanted}; an output with scores of classes is not the one that is wanted"
    elif not np.isfinite(once).all():
        why = "its vectors are not finite"
    elif np.abs(once - again).max() > ALIKE * np.abs(once).max():
        why = "it gives another vector each time for the same input"
    elif np.ptp(once, axis=0).max() <= ALIKE * np.abs(once).max():
        why = "it gives the same vector for every input"
    else:
        return
    raise UnusableModel(f"the {modality} tower {file!r} of {model.manifest.name!r} cannot be used: {why}", file=file)
