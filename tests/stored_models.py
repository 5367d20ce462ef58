"""Small models in a store, as a user would have added them, for tests. May import nearimage and the tests' towers."""

from functools import cache
from pathlib import Path

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.store.adding import CLIP_MERGES, NewModel, add
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.manifest import Pictures, Words
from tests.towers import SMALL_TEXT, SMALL_VISION, text_tower, vision_tower

NAME = "small-clip"
DIMENSIONS = SMALL_VISION.dimensions

PICTURES = Pictures(size=SMALL_VISION.side)
WORDS = Words(file=CLIP_MERGES)


@cache
def _content() -> tuple[bytes, bytes]:
    return vision_tower(SMALL_VISION), text_tower(SMALL_TEXT)


def tower_files(folder: Path) -> dict[Modality, Path]:
    """The two towers of a small random CLIP as files."""
    found = {Modality.IMAGE: folder / "vision.onnx", Modality.TEXT: folder / "text.onnx"}
    for path, content in zip(found.values(), _content(), strict=True):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return found


def small_clip(folder: Path, name: str = NAME) -> NewModel:
    """What `add` is told about them."""
    return NewModel(name=name, towers=tower_files(folder), pictures=PICTURES, words=WORDS, licence="MIT")


def stored_clip(store_folder: Path, files: Path, name: str = NAME) -> StoredModel:
    """A store with that model in it."""
    return add(ModelStore(store_folder), small_clip(files, name))
