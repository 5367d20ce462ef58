"""EfficientNet-Lite0 as a vectorizer: pictures to 1280 numbers, no words.

The vectors are not scaled to length 1, as Weaviate's img2vec-neural does not: under cosine it makes no difference, and the length says how much
the model found to react to. May import `efficientnet_lite0.model` and `vectorizers.towers`.
"""

from nearimage.vectorizers.efficientnet_lite0.model import DIMENSIONS, NAME, EfficientNetLite0
from nearimage.vectorizers.towers import Towers


def lite0_vectorizer(model: EfficientNetLite0) -> Towers:
    """The vectorizer; rows are not normalised."""
    return Towers(name=NAME, dimensions=DIMENSIONS, short_side=model.short_side, pictures=model.embed)
