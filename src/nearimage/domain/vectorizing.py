"""What a vectorizer module is told about a named vector: which properties feed it, with which weights, through which model.

May import the standard library and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Modality(StrEnum):
    """The kinds of input a model may understand."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    THERMAL = "thermal"
    DEPTH = "depth"
    IMU = "imu"


OPERATORS: Mapping[Modality, str] = {
    Modality.TEXT: "nearText",
    Modality.IMAGE: "nearImage",
    Modality.AUDIO: "nearAudio",
    Modality.VIDEO: "nearVideo",
    Modality.THERMAL: "nearThermal",
    Modality.DEPTH: "nearDepth",
    Modality.IMU: "nearIMU",
}
"""What Weaviate's clients call a search by such input."""

PICTURES = frozenset({Modality.IMAGE, Modality.THERMAL, Modality.DEPTH})
"""The kinds that come as picture files, and are decoded alike."""

CONTAINER = "container"
"""The model's name where an inference container makes the vectors. It is stored with the schema, so that a server which has lost the container's address does
not go on with vectors of another model."""

CONTRACT_LISTS: Mapping[Modality, tuple[str, str]] = {
    Modality.TEXT: ("texts", "textVectors"),
    Modality.IMAGE: ("images", "imageVectors"),
    Modality.AUDIO: ("audio", "audioVectors"),
    Modality.VIDEO: ("video", "videoVectors"),
    Modality.IMU: ("imu", "imuVectors"),
    Modality.THERMAL: ("thermal", "thermalVectors"),
    Modality.DEPTH: ("depth", "depthVectors"),
}
"""How inference containers call a list of inputs in requests, and the list of their vectors in answers (wire facts, 2.4)."""

FP32 = "fp32"
INT8 = "int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSettings:
    """A module's settings for one named vector, checked.

    Attributes:
        fields: property names by modality, in the order given; a property may stand under several.
        weights: a weight for each field named there, by modality; a modality without weights counts 1 for each field.
        model: which of the module's models, by name; CONTAINER for an inference container.
        precision: how the model computes: `fp32` or `int8`.
        exact: whether pictures are decoded at their full size before the model shrinks them.
        inference_url: the container's address, where `model` is CONTAINER.
    """

    fields: Mapping[Modality, tuple[str, ...]] = field(default_factory=dict)
    weights: Mapping[Modality, tuple[float, ...]] = field(default_factory=dict)
    model: str
    precision: str = FP32
    exact: bool = False
    inference_url: str = ""
