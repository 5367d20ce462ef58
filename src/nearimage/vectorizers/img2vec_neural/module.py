"""The module `img2vec-neural`: pictures to vectors, for search by picture.

    {"imageFields": ["photo"]}                                  the default model, or the server's container
    {"imageFields": ["photo"], "model": "efficientnet-lite1"}   that model
    {"imageFields": ["photo"], "model": "resnet50"}             that model, from the model store

May import `domain` and `vectorizers`.
"""

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.efficientnet_lite.model import LITE0, VARIANTS, Variant
from nearimage.vectorizers.models import PRECISIONS, ModelChoice
from nearimage.vectorizers.module import ModuleKind
from nearimage.vectorizers.remote.contracts import PICTURES


def _choice(variant: Variant) -> ModelChoice:
    return ModelChoice(name=variant.name, needs=(variant.weights,), make=lambda models, precision: models.lite(variant, precision), precisions=PRECISIONS)


CHOICES = {variant.name: _choice(variant) for variant in VARIANTS}

IMG2VEC_NEURAL = ModuleKind(
    name=PICTURES.module,
    fields={Modality.IMAGE: "imageFields"},
    required="imageFields",
    weighted=False,
    choices=CHOICES,
    default_model=LITE0.name,
    variable="IMAGE_INFERENCE_API",
    contract=PICTURES,
)
