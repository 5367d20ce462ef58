"""What is told about models to people: which there are, and whether they are sound.

May import the standard library and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ModelState(StrEnum):
    """Where a model is."""

    STORED = "stored"  # in the model store
    INSTALLED = "installed"  # comes as a package that is there
    PACKAGE = "package"  # comes as a package that is not there
    PULLABLE = "pull"  # known by name; its files can be pulled
    OWN = "bring your own"  # known by name; its files must be brought
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """One model.

    Attributes:
        module: the Weaviate module that it is meant for; empty where any may use it.
        modalities: what it understands.
        size_bytes: of its files, or of what would be downloaded; 0 where nobody knows.
        int8_overlap: by tower, the share of the ten nearest that its 8-bit version keeps; empty until one is made.
        note: what is wrong with it, or what to do to get it.
    """

    name: str
    state: ModelState
    module: str = ""
    about: str = ""
    licence: str = ""
    modalities: tuple[str, ...] = ()
    dimensions: int = 0
    size_bytes: int = 0
    int8_overlap: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
