"""The module `multi2vec-clip`: pictures and texts to vectors in one space, for search of either by either.

    {"imageFields": ["photo"], "textFields": ["title"], "weights": {"imageFields": [0.9], "textFields": [0.1]}, "model": "starter"}

A real model comes from the model store (`nearimage models`), under the name that it has there. There is no default model: what is installed with nearimage
can only do first steps, and whoever asks for CLIP must not get that unasked. The schema says `"model": "starter"`, or whoever runs the server makes
it the server's default, for clients that cannot send the setting.

May import `domain` and `vectorizers`.
"""

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.efficientnet_lite.model import LITE0
from nearimage.vectorizers.models import ModelChoice
from nearimage.vectorizers.module import ModuleKind
from nearimage.vectorizers.remote.contracts import CLIP
from nearimage.vectorizers.starter import minilm
from nearimage.vectorizers.starter import vectorizer as starter

CHOICES = {starter.NAME: ModelChoice(name=starter.NAME, needs=(LITE0.weights, minilm.MODEL, minilm.TOKENIZER), make=lambda models, _: models.starter())}

MULTI2VEC_CLIP = ModuleKind(
    name=CLIP.module,
    fields={Modality.TEXT: "textFields", Modality.IMAGE: "imageFields"},
    choices=CHOICES,
    without_model=(
        f'no model is chosen; name one of the model store (`nearimage models list`) as "model" here, or make it the server\'s default for this module; for '
        f'first steps set "model": "{starter.NAME}"; or give the address of an inference container. {starter.STARTER_LIMITS}'
    ),
    variable="CLIP_INFERENCE_API",
    contract=CLIP,
)
