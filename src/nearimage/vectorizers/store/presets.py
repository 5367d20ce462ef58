"""The models that are known by name: `presets.toml`, read.

A preset says what a model is and where its files lie. What it does not say is trusted from nowhere: a file without a pinned checksum is never downloaded
(`store.pulling`). May import the standard library, `domain` and `store.manifest`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from nearimage.domain.errors import ModelMissing
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.store.manifest import Pictures, Words, convert


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetTower:
    """One tower of a preset.

    Attributes:
        file: in the repository.
    """

    file: str = ""
    pictures: Pictures | None = None
    words: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPreset:
    """A model that is known by name.

    Attributes:
        about: one sentence for lists.
        module: the Weaviate module that it is for.
        repository: of the hub, as in `<hub>/<repository>/resolve/<revision>/<file>`; empty where the files must be given.
        package: what pip installs it with, for models that come as packages; these need no `pull`.
        mib: about how large the download is.
        pins: SHA-256 by file; what is not among them must be pinned by whoever pulls.
    """

    about: str
    module: str
    licence: str
    dimensions: int
    normalise: bool = True
    repository: str = ""
    revision: str = "main"
    package: str = ""
    source: str = ""
    mib: int = 0
    towers: Mapping[Modality, PresetTower] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)


@cache
def presets() -> Mapping[str, ModelPreset]:
    """All of them, by name."""
    found = tomllib.loads(files("nearimage.vectorizers.store").joinpath("presets.toml").read_text("utf-8"))
    return convert(found, dict[str, ModelPreset])


def preset(name: str) -> ModelPreset:
    """The preset of that name.

    Raises:
        ModelMissing: there is none; detail has "model" and "how".
    """
    known = presets()
    if name not in known:
        message = f"no model is known under the name {name!r}; known are {', '.join(sorted(known))}; others come in with `nearimage models add`"
        raise ModelMissing(message, model=name, how="nearimage models add")
    return known[name]
