"""EfficientNet-Lite0 as a vectorizer: pictures to 1280 numbers, no words.

The vectors are not scaled to length 1, as Weaviate's img2vec-neural does not: under cosine it makes no difference, and the length says how much
the model found to react to. May import `domain`, `ports` and `efficientnet_lite0.model`.
"""

from collections.abc import Sequence

from nearimage.domain.errors import NotSupported
from nearimage.domain.objects import Matrix
from nearimage.ports.media import Pixels
from nearimage.vectorizers.efficientnet_lite0.model import DIMENSIONS, NAME, EfficientNetLite0


class Lite0Vectorizer:
    """The vectorizer."""

    dimensions = DIMENSIONS

    def __init__(self, model: EfficientNetLite0) -> None:
        self._model = model

    @property
    def short_side(self) -> int:
        """See the port."""
        return self._model.short_side

    def embed_images(self, images: Sequence[Pixels]) -> Matrix:
        """See the port; rows are not normalised."""
        return self._model.embed(images)

    def embed_texts(self, texts: Sequence[str]) -> Matrix:
        """Refuses: the model was trained on pictures alone."""
        raise NotSupported(f"{NAME} understands pictures only, {len(texts)} texts were given; search by picture, or use a vectorizer for both", feature="text")
