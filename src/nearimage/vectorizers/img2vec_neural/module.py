"""The module `img2vec-neural`: pictures to vectors, for search by picture.

    {"imageFields": ["photo"]}                                  the default model
    {"imageFields": ["photo"], "model": "efficientnet-lite0"}   the same, said

May import `domain`, `ports` and `vectorizers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.ports.vectorizer import Vectorizer
from nearimage.vectorizers.efficientnet_lite0 import model as lite0
from nearimage.vectorizers.models import ModelChoice, Models, chosen
from nearimage.vectorizers.settings import read_fields, read_model

NAME = "img2vec-neural"

CHOICES = {lite0.NAME: ModelChoice(name=lite0.NAME, needs=(lite0.WEIGHTS,), make=Models.pictures)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Img2VecNeural:
    """The module; see the port."""

    models: Models
    name: ClassVar[str] = NAME
    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE})

    def check(self, settings: Mapping[str, object]) -> ModuleSettings:
        """See the port; imageFields is required."""
        fields = read_fields(settings, "imageFields", module=NAME)
        if not fields:
            raise InvalidSchema(f"module {NAME!r}: imageFields not present", setting="imageFields")
        return ModuleSettings(fields={Modality.IMAGE: fields}, model=_model(settings))

    def unconfigured(self) -> ModuleSettings:
        """See the port."""
        return ModuleSettings(fields={}, model=_model({}))

    def open(self, settings: ModuleSettings) -> Vectorizer:
        """See the port."""
        return self.models.vectorizer(chosen(CHOICES, settings.model))


def _model(settings: Mapping[str, object]) -> str:
    model = read_model(settings, known=CHOICES, default=lite0.NAME, module=NAME) or lite0.NAME
    CHOICES[model].check_installed()
    return model
