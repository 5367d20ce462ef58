"""The module `multi2vec-clip`: pictures and texts to vectors in one space, for search of either by either.

    {"imageFields": ["photo"], "textFields": ["title"], "weights": {"imageFields": [0.9], "textFields": [0.1]}, "model": "starter"}

There is no default model. What is installed with nearimage can only do first steps, and whoever asks for CLIP must not get that unasked: the
schema says `"model": "starter"`, or whoever runs the server makes it the server's default, for clients that cannot send the setting.

May import `domain`, `ports` and `vectorizers`.
"""

from collections.abc import Mapping
from typing import ClassVar

from nearimage.domain.errors import InvalidSchema, NotSupported
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.ports.vectorizer import Vectorizer
from nearimage.vectorizers.efficientnet_lite0 import model as lite0
from nearimage.vectorizers.models import ModelChoice, Models, chosen
from nearimage.vectorizers.settings import read_fields, read_model, read_weights
from nearimage.vectorizers.starter import minilm
from nearimage.vectorizers.starter import vectorizer as starter

NAME = "multi2vec-clip"

CHOICES = {starter.NAME: ModelChoice(name=starter.NAME, needs=(lite0.WEIGHTS, minilm.MODEL, minilm.TOKENIZER), make=Models.starter)}

FIELDS = {Modality.TEXT: "textFields", Modality.IMAGE: "imageFields"}


class Multi2VecClip:
    """The module; see the port.

    Args:
        models: where its models are opened.
        default_model: for schemas that name none; None means that they must.

    Raises:
        InvalidSchema: a default that is no model of this module; detail has "setting".
    """

    name: ClassVar[str] = NAME
    modalities: ClassVar[frozenset[Modality]] = frozenset(FIELDS)

    def __init__(self, models: Models, *, default_model: str | None = None) -> None:
        self._models = models
        self._default = read_model({"model": default_model}, known=CHOICES, default=None, module=NAME)

    def check(self, settings: Mapping[str, object]) -> ModuleSettings:
        """See the port.

        Raises:
            NotSupported: inferenceUrl is given; detail has "feature".
        """
        fields = {modality: names for modality, setting in FIELDS.items() if (names := read_fields(settings, setting, module=NAME))}
        weights = {
            modality: numbers
            for modality, setting in FIELDS.items()
            if (numbers := read_weights(settings, setting, fields=len(fields.get(modality, ())), module=NAME))
        }
        if settings.get("inferenceUrl"):
            raise NotSupported(f"module {NAME!r}: inferenceUrl is not supported yet, models run in this process; leave it out", feature="inferenceUrl")
        model = read_model(settings, known=CHOICES, default=self._default, module=NAME)
        if model is None:
            raise InvalidSchema(_no_model(), setting="model")
        CHOICES[model].check_installed()
        return ModuleSettings(fields=fields, weights=weights, model=model)

    def unconfigured(self) -> ModuleSettings:
        """See the port."""
        return self.check({})

    def open(self, settings: ModuleSettings) -> Vectorizer:
        """See the port."""
        return self._models.vectorizer(chosen(CHOICES, settings.model))


def _no_model() -> str:
    return (
        f'module {NAME!r}: no CLIP model is installed, and none is chosen; for first steps set "model": "{starter.NAME}" here, or make it the '
        f"server's default for this module. {starter.STARTER_LIMITS}"
    )
