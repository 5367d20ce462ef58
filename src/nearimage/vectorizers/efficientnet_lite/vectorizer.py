"""An EfficientNet-Lite as a vectorizer: pictures to 1280 numbers, no words.

The vectors are not scaled to length 1, as Weaviate's img2vec-neural does not: under cosine it makes no difference, and the length says how much
the model found to react to. May import `efficientnet_lite.model` and `vectorizers.towers`.
"""

from nearimage.vectorizers.efficientnet_lite.model import DIMENSIONS, EfficientNetLite
from nearimage.vectorizers.towers import Towers


def lite_vectorizer(model: EfficientNetLite) -> Towers:
    """The vectorizer; rows are not normalised."""
    return Towers(name=model.variant.name, dimensions=DIMENSIONS, short_side=model.variant.short_side, pictures=model.embed)
