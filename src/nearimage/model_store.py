"""The model store of a machine, for the command `nearimage models`: opened from the settings, with what it needs of the rest.

May import `app`, `config`, `domain`, `engines`, `vectorizers` and `ports`.
"""

import itertools
from pathlib import Path

from nearimage.app import picture_reader
from nearimage.config.settings import Settings
from nearimage.domain.errors import InvalidInput
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.ports.media import Pixels
from nearimage.vectorizers import Described, ModelShelf, ModelStore

__all__ = ["Described", "collections_by_model", "decoded_pictures", "open_models"]

CALIBRATION_PICTURES = 128
"""Enough to measure ranges and neighbours with; more take longer and say the same."""
CALIBRATION_SIDE = 256
"""Pixels on the shorter side that they are decoded for; twice as many remain, more than any model in the list looks at."""


def open_models(settings: Settings) -> ModelShelf:
    """The models of this machine, to be looked at and looked after."""
    return ModelShelf(ModelStore(settings.model_folder), settings.model_hub)


def collections_by_model(settings: Settings) -> dict[str, list[str]]:
    """Which collections of the data folder use each model; empty where there is no database.

    Raises:
        FolderInUse: a server has it open.
    """
    folder = Path(settings.data).expanduser()
    found: dict[str, list[str]] = {}
    if (folder / "meta.db").is_file():
        engine = EmbeddedEngine(folder)
        try:
            for collection in engine.collections():
                for model in {config.model for config in collection.vectors if config.model}:
                    found.setdefault(model, []).append(collection.name)
        finally:
            engine.close()
    return found


def decoded_pictures(settings: Settings, folder: Path) -> list[Pixels]:
    """The pictures of a folder and those below it that can be read, in the order of their names, at most `CALIBRATION_PICTURES`."""
    media = picture_reader(settings)
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())[: 4 * CALIBRATION_PICTURES]
        found = (media.decode([path.read_bytes()], short_side=CALIBRATION_SIDE)[0] for path in paths)
        return list(itertools.islice((pixels for pixels in found if not isinstance(pixels, InvalidInput)), CALIBRATION_PICTURES))
    finally:
        media.close()
