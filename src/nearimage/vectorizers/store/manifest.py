"""What a model's folder says about itself: `manifest.json`.

    {
      "version": 1, "name": "clip-vit-b-32", "licence": "MIT", "source": "https://...", "dimensions": 512, "normalise": true,
      "towers": {
        "image": {"file": "image.onnx", "inputs": {"pixels": "pixel_values"}, "output": "image_embeds",
                  "pictures": {"preset": "hf", "size": 224, "resize": 224, "fit": "shortest", "filter": "bicubic", "mean": [...], "std": [...]}},
        "text":  {"file": "text.onnx", "inputs": {"ids": "input_ids"}, "output": "text_embeds",
                  "words": {"kind": "clip-bpe", "file": "bpe.txt.gz", "context": 77, "pad": "longest", "clean": "lower"}}
      },
      "files": {"image.onnx": {"sha256": "...", "bytes": 351}, ...},
      "int8": {"image": {"file": "image.int8.onnx", "sha256": "...", "bytes": 90, "overlap_at_10": 0.93, "pictures": 64, "made_by": "onnxruntime 1.32.0"}}
    }

A tower may be of any modality; `pictures` is there for those that look, `words` for those that read, and a tower of another kind (audio, video, depth,
thermal, imu) has neither: its module knows how to prepare its input. The manifest names every file with checksum and size, and none outside of its
folder. May import msgspec and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec

from nearimage.domain.vectorizing import Modality

Kind = TypeVar("Kind")

VERSION = 1
FILE_NAME = "manifest.json"

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained on; openai/CLIP, clip.py."""


class Preset(StrEnum):
    """Whose way of cutting is meant: where the margin is odd, one pixel lies left in one and right in the other."""

    HF = "hf"
    OPENCLIP = "openclip"


class Fit(StrEnum):
    """How a picture is brought to the model's square."""

    SHORTEST = "shortest"  # the shorter side is shrunk to `resize`, then the centre is cut out
    SQUASH = "squash"  # both sides are shrunk to `size`, whatever the picture's shape


class Filter(StrEnum):
    """How a picture is shrunk."""

    BICUBIC = "bicubic"
    BILINEAR = "bilinear"
    LANCZOS = "lanczos"


class Padding(StrEnum):
    """How long the rows of a run are."""

    LONGEST = "longest"  # as long as the longest text beside: for towers that do not read past the end
    CONTEXT = "context"  # always the whole context: for towers that read the padding, such as SigLIP's


class Clean(StrEnum):
    """What happens to a text before it is cut into tokens."""

    NONE = "none"  # the tokenizer's own file says
    WHITESPACE = "whitespace"
    LOWER = "lower"
    CANONICALIZE = "canonicalize"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """How pixels are prepared for a tower.

    Attributes:
        size: the sides of the square that the tower looks at.
        resize: to what the shorter side is shrunk before the centre is cut out; `size` where it is 0.
        mean: of each channel, of values from 0 to 1; subtracted.
        std: of each channel; divided by.
    """

    size: int
    preset: Preset = Preset.OPENCLIP
    resize: int = 0
    fit: Fit = Fit.SHORTEST
    filter: Filter = Filter.BICUBIC
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD

    def __post_init__(self) -> None:
        if self.size < 1 or (self.resize and self.resize < self.size):
            raise ValueError("size must be at least 1, and resize not smaller than size")
        if min(self.std) <= 0:
            raise ValueError("std must be above 0")

    @property
    def short_side(self) -> int:
        """To how many pixels the shorter side is shrunk."""
        return self.resize or self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How texts are prepared for a tower.

    Attributes:
        kind: "clip-bpe", the merges of CLIP's vocabulary, or "hf", a `tokenizer.json`.
        file: in the model's folder.
        context: how many tokens the tower reads at most; what is longer is cut.
    """

    file: str
    kind: str = "clip-bpe"
    context: int = 77
    pad: Padding = Padding.LONGEST
    clean: Clean = Clean.LOWER

    def __post_init__(self) -> None:
        if self.kind not in {"clip-bpe", "hf"}:
            raise ValueError(f'the kind of a tokenizer is "clip-bpe" or "hf", not {self.kind!r}')
        if self.context < 3:
            raise ValueError("context must leave room for a token between start and end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """One ONNX file of a model.

    Attributes:
        inputs: by role ("pixels"; "ids", "mask", "types"), the name in the graph.
        output: the name of the output that holds the vectors.
    """

    file: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    pictures: Pictures | None = None
    words: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What a file must be."""

    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError("sha256 must be 64 hexadecimal digits in lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantized:
    """A tower in 8-bit integers, made on this machine.

    Attributes:
        overlap_at_10: how many of a calibration picture's ten nearest are the same under both; 0 to 1.
        pictures: how many it was calibrated and measured with.
        calibrated_with: where they came from.
        made_by: the software that made it.
    """

    file: str
    sha256: str
    bytes: int
    overlap_at_10: float
    pictures: int
    calibrated_with: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The whole of it; see the module."""

    name: str
    dimensions: int
    towers: Mapping[Modality, Tower]
    files: Mapping[str, Pinned]
    licence: str = "unknown"
    source: str = ""
    normalise: bool = True
    int8: Mapping[Modality, Quantized] = field(default_factory=dict)
    version: int = VERSION

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.dimensions < 1:
            raise ValueError("dimensions must be at least 1")
        for file in (*self.files, *(made.file for made in self.int8.values())):
            check_file_name(file)
        for modality, tower in self.towers.items():
            for file in (tower.file, *([tower.words.file] if tower.words else [])):
                if file not in self.files:
                    raise ValueError(f"the {modality} tower needs {file!r}, which is not among the files")


def check_name(name: str) -> None:
    """Refuse names that are no folder's.

    Raises:
        ValueError: anything but letters, digits, '.', '_' and '-', or nothing, or a dot first.
    """
    if not name or len(name) > 100 or name[0] == "." or not all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in name):
        raise ValueError(f"a model's name has letters, digits, '.', '_' and '-' and does not begin with a dot; {name!r} does not fit")


def check_file_name(name: str) -> None:
    """Refuse files that lie outside of the model's folder.

    Raises:
        ValueError: a path that is absolute, climbs, or takes the manifest's place.
    """
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or str(path) != name or name == FILE_NAME:
        raise ValueError(f"{name!r} is no file below the model's folder")


def parse(text: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ValueError: it is none; the message says which part is wrong, or that it is of a newer version.
    """
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as wrong:
        raise ValueError(str(wrong)) from wrong
    if isinstance(found, dict) and isinstance(found.get("version"), int) and found["version"] > VERSION:
        raise ValueError(f"it is of version {found['version']}, this nearimage reads up to {VERSION}; upgrade nearimage")
    return convert(found, Manifest)


def convert(found: Any, kind: type[Kind]) -> Kind:
    """Make one of the classes above of what JSON or TOML holds.

    Raises:
        ValueError: it does not fit; the message names the part.
    """
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as wrong:
        raise ValueError(str(wrong)) from wrong


def render(manifest: Manifest) -> bytes:
    """The manifest as the bytes of its file."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
