"""The module `img2vec-neural`: pictures to vectors, for search by picture.

    {"imageFields": ["photo"]}                                  the default model, or the server's container
    {"imageFields": ["photo"], "model": "efficientnet-lite0"}   that model

May import `domain` and `vectorizers`.
"""

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.efficientnet_lite0 import model as lite0
from nearimage.vectorizers.models import ModelChoice, Models
from nearimage.vectorizers.module import ModuleKind
from nearimage.vectorizers.remote.contracts import PICTURES

CHOICES = {lite0.NAME: ModelChoice(name=lite0.NAME, needs=(lite0.WEIGHTS,), make=Models.pictures)}

IMG2VEC_NEURAL = ModuleKind(
    name=PICTURES.module,
    fields={Modality.IMAGE: "imageFields"},
    required="imageFields",
    weighted=False,
    choices=CHOICES,
    default_model=lite0.NAME,
    variable="IMAGE_INFERENCE_API",
    contract=PICTURES,
)
